"""What HTCondor's commands answer: jobs and slots as ClassAds in JSON, and complaints.

Attributes and their values are those of the HTCondor 25 manual (ClassAd Attributes; Job Status Codes; Hold Reason
Codes); the complaints are from the sources of the commands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.batch.htcondor_words import HOLDS, WAITING_HOLDS
from hpcdask_ext.batch.records import CommandResult, JobStatus, QueueInfo
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import NotUnderstood

JOB_ATTRIBUTES = (
    *("ClusterId", "ProcId", "JobStatus", "JobBatchName", "NumJobStarts", "RemoteHost", "LastRejMatchReason"),
    *("HoldReasonCode", "HoldReason", "ExitBySignal", "ExitCode", "ExitSignal"),
)
BEGIN, END = "Begin of", "End of"
"""What our lines before and after an answer say."""

SLOT_ATTRIBUTES = (
    *("Machine", "SlotType", "State", "Cpus", "Memory"),
    *("TotalSlotCpus", "TotalSlotMemory", "TotalSlotGPUs", "GPUs"),
)

_UNREACHABLE = (
    "failed to fetch ads|can't find address|failed to connect|could not find the local|cannot get address"
    "|communication error|couldn't contact|unable to (locate|contact)|collector has no record|not running"
    "|AUTHENTICATE:|SECMAN:|CEDAR:|condor_config source|timed out"
)
# Advice on how to configure a pool, over many lines.
_ADVICE = re.compile(r"^Extra Info:.*", re.MULTILINE | re.DOTALL)
_NOISE = re.compile(r"^((ERROR|Error|condor_\w+): |-- )", re.MULTILINE)
COMPLAINTS = Complaints("HTCondor", _UNREACHABLE, lambda text: _NOISE.sub("", _ADVICE.sub("", text)))
_REASON_LENGTH = 300


def records(result: CommandResult, program: str) -> Sequence[Mapping[str, Any]]:
    """Return the ClassAds that a command printed, all of them, between our two lines."""
    COMPLAINTS.check(result, "did not answer")
    _, begin, rest = result.stdout.partition(f"{BEGIN} {program}\n")
    text, end, _ = rest.rpartition(f"{END} {program}")
    if not begin or not end:
        raise NotUnderstood(f"{program}'s answer is not whole: {result.words[:500]!r}")
    if not text.strip():
        return []
    try:
        found = json.loads(text, strict=False)
        if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
            raise ValueError("it is no list of ClassAds")
    except (ValueError, TypeError) as error:
        raise NotUnderstood(f"{program}'s answer cannot be read ({error}): {text[:500]!r}") from error
    return found


def job_status(record: Mapping[str, Any]) -> JobStatus:
    """Return the status of one process."""
    state, reason = _state(record)
    return JobStatus(
        job_id=str(int(record["ClusterId"])),
        name=str(record.get("JobBatchName", "")),
        state=state,
        indexes=(int(record["ProcId"]) + 1,),
        reason=reason,
        node=str(record.get("RemoteHost", "")).rpartition("@")[2] or None,
    )


_STATES = {
    2: (JobState.RUNNING, ""),
    3: (JobState.ENDED, "Removed"),
    6: (JobState.RUNNING, ""),  # its output is transferred
    7: (JobState.RUNNING, "Suspended"),
}


def _state(record: Mapping[str, Any]) -> tuple[JobState, str]:
    code = int(record["JobStatus"])
    if code == 1 and int(record.get("NumJobStarts", 0)) == 0:
        return JobState.PENDING, str(record.get("LastRejMatchReason", "")) or "Idle"
    if code == 1:  # HTCondor would start it again, but its processes are gone
        return JobState.FAILED, "Evicted"
    if code == 4:
        return _ending(record)
    if code == 5:
        return _holding(record)
    return _STATES.get(code, (JobState.UNKNOWN, f"JobStatus {code}"))


def _ending(record: Mapping[str, Any]) -> tuple[JobState, str]:
    if record.get("ExitBySignal"):
        return JobState.FAILED, f"ExitSignal {record.get('ExitSignal')}"
    if record.get("ExitCode"):
        return JobState.FAILED, f"ExitCode {record['ExitCode']}"
    return JobState.ENDED, ""


def _holding(record: Mapping[str, Any]) -> tuple[JobState, str]:
    code = int(record.get("HoldReasonCode", 0))
    label, told = HOLDS.get(code, f"HoldReasonCode {code}"), str(record.get("HoldReason", "")).split("\n")[0].strip()
    if code in WAITING_HOLDS:
        return JobState.PENDING, label
    is_plain = label.endswith("Exceeded") or not told
    return JobState.FAILED, label if is_plain else f"{label}: {told[:_REASON_LENGTH]}"


def pool(name: str, slots: Sequence[Mapping[str, Any]]) -> QueueInfo:
    """Return what all slots of a pool have, of which partitionable ones count what is left of them as theirs."""
    totals = [
        (
            int(slot.get("TotalSlotCpus", slot["Cpus"])),
            int(slot.get("TotalSlotMemory", slot["Memory"])),
            int(slot.get("TotalSlotGPUs", slot.get("GPUs", 0))),
        )
        for slot in slots
    ]
    free = [_free(slot) for slot in slots]
    is_busy = {slot["Machine"] for slot, (cpus, *_), left in zip(slots, totals, free, strict=True) if left < cpus}
    machines = {slot["Machine"] for slot in slots}
    return QueueInfo(
        name=name,
        is_open=bool(slots),
        note="" if slots else "no slots",
        cores=max((cpus for cpus, _, _ in totals), default=None),
        memory=max((memory * 2**20 for _, memory, _ in totals), default=None),
        gpus=max((gpus for _, _, gpus in totals), default=None),
        nodes=len(machines),
        free_nodes=len(machines - is_busy),
        free_cores=sum(free),
        is_default=True,
    )


def _free(slot: Mapping[str, Any]) -> int:
    """Return how many cores of a slot a job could have now."""
    is_free = slot.get("SlotType") == "Partitionable" or slot.get("State") == "Unclaimed"
    return int(slot["Cpus"]) if is_free and slot.get("State") in ("Unclaimed", None) else 0

"""The words of OAR for states, reasons and ends, and what they mean for people.

From the source of OAR 2.5.9 (the messages of its schedulers, the events that its modules write down), its documentation
(Mechanisms, Job states), and recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hpcdask_ext.clusters.states import JobState

STATES = {
    "Waiting": JobState.PENDING,
    "Hold": JobState.PENDING,
    "toAckReservation": JobState.PENDING,
    "toLaunch": JobState.PENDING,
    "Launching": JobState.PENDING,
    "Running": JobState.RUNNING,
    "Suspended": JobState.RUNNING,
    "Resuming": JobState.RUNNING,
    "Finishing": JobState.RUNNING,
    "Terminated": JobState.ENDED,
    "toError": JobState.FAILED,
    "Error": JobState.FAILED,
}
"""A suspended job counts as running, since it can be resumed; a job in `Finishing` is being cleaned up."""

WALLTIME = "WALLTIME"
_DELETED = "FRAG_JOB_REQUEST"
# Events that tell why a job is in error, the most telling first.
_CAUSES = (WALLTIME, "BESTEFFORT_KILL", _DELETED)
# Events that every job has that ends with an error, and those that are no cause of one.
_NO_CAUSES = re.compile(
    "SWITCH_INTO_.*_STATE|SEND_KILL_JOB|SCHEDULER_PRIORITY_.*|RESUME_JOB|HOLD_.*|CHECKPOINT.*|SIG.*|.*_NOTIFICATION.*"
)
# What every message begins with (resources, walltime, mode, name, project), before what the scheduler says.
_SUMMARY = re.compile(r"R=\d*,W=.*?(?: \((?P<words>[^()]*)\))?")

_NEVER = "It will not start like this: stop it and"

_SENTENCES = (
    (r"Waiting", "Waiting for its turn"),
    (r"Hold", "Held: release it with `oarresume`, or stop it"),
    (r"toLaunch|Launching|toAckReservation", "OAR is starting it"),
    (
        r"No enough matching resources.*|.*no_matching_slot.*",
        "Waiting because the resources that match are down or reserved, or because there are not enough of them. "
        "If that lasts, launch with less",
    ),
    (r".*quota_exceeded.*", "Waiting because the quota of the queue, of the project or of yours is used up"),
    (r"No enough [Tt]okens.*|Token value.*", "Waiting for a licence or another token"),
    (r"Cannot determine scheduling time due to dependency.*", "Waiting for another job, which has not been scheduled"),
    (r"Inner job: container .* is yet to.*|Container .* does not exist", "Waiting for the job that is its container"),
    (r"One or several nodes are not responding.*", "Waiting because nodes do not respond; OAR will try again"),
    (WALLTIME, "It reached its walltime: launch with a longer one"),
    (_DELETED, "It was deleted"),
    ("BESTEFFORT_KILL", "It was ended to make room for other jobs, because it is a best-effort job: launch again"),
    ("WORKING_DIRECTORY", "Its node does not have the directory in which it should start: ask the centre"),
    ("OUTPUT_FILES", "Its node cannot write its output: ask the centre"),
    (r"(EXTERMINATE|PING_CHECKER|FINAUD|CPUSET|.*OAREXEC|BIPBIP|PROLOGUE|SERVER_PROLOGUE)_?.*", "Its node has failed"),
    (r"Job will never run.*", "It could not start before its deadline"),
    (r"exit_code .*", "It ended with an error: see its log"),
    (r"toError|Error", "It ended with an error that OAR does not explain: see its log, or ask the centre"),
)


def waiting(state: str, message: str) -> str:
    """Return why a job waits: its state, or what the scheduler says beyond that the quota and the priority are fine."""
    match = _SUMMARY.fullmatch(message)
    words = message if match is None else match["words"] or ""
    if match is not None:
        words = ",".join(word for word in words.split(",") if not word.startswith("Karma=") and word != "quota_ok")
    return words if words and state == "Waiting" else state


def final(state: str, exit_code: int | None, events: Sequence[Mapping[str, object]]) -> tuple[JobState, str]:
    """Return how a job ended, and why. Its exit code is a status of `wait`."""
    if state == "Terminated":
        if not exit_code:
            return JobState.ENDED, ""
        return JobState.FAILED, f"exit_code {exit_code} ({exit_code >> 8},{exit_code & 127},{exit_code & 128})"
    types = [str(event.get("type")) for event in events]
    cause = next((cause for cause in _CAUSES if cause in types), "")
    if not cause:
        cause = next((kind for kind in reversed(types) if not _NO_CAUSES.fullmatch(kind)), state)
    return JobState.ENDED if cause == _DELETED else JobState.FAILED, cause


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with OAR's own words in brackets, or an empty text without a reason."""
    if not reason:
        return ""
    known = next((text for pattern, text in _SENTENCES if re.fullmatch(pattern, reason)), "Waiting")
    return f"{known} ({reason})"

"""The words of Moab for states, reasons and ends, and what they mean for people.

From the Moab Workload Manager administrator's guide, release 9.1 (showq, checkjob, Job states, Job holds).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hpcdask_ext.clusters.states import JobState

STATES = {
    "Idle": JobState.PENDING,
    "Blocked": JobState.PENDING,
    "Deferred": JobState.PENDING,
    "BatchHold": JobState.PENDING,
    "SystemHold": JobState.PENDING,
    "UserHold": JobState.PENDING,
    "Hold": JobState.PENDING,
    "Migrated": JobState.PENDING,
    "NotQueued": JobState.PENDING,
    "Staged": JobState.PENDING,
    "Staging": JobState.PENDING,
    "Starting": JobState.PENDING,
    "Running": JobState.RUNNING,
    "Suspended": JobState.RUNNING,
    "Canceling": JobState.RUNNING,
    "Completed": JobState.ENDED,
    "Removed": JobState.ENDED,
    "Vacated": JobState.FAILED,
    "Lost": JobState.FAILED,
}
"""A suspended job counts as running, since it can be resumed."""

WALLTIME = "wallclock limit"
_TERMINATED = "271"  # of Torque, when a job is deleted

_NEVER = "It will not start like this: stop it and"

_SENTENCES = (
    (r"Idle", "Waiting for its turn"),
    (r"Starting|Staging|Staged", "Moab is starting it"),
    (r"Migrated|NotQueued|Blocked", "Waiting for Moab to consider it"),
    (r"Deferred", "Waiting because it cannot be started now; Moab will try again within the hour"),
    (r"UserHold", "Held by you: release it with `mjobctl -u user`, or stop it"),
    (r"SystemHold", "Held by an administrator: ask the centre why"),
    (r"BatchHold|Hold", f"Held because it could not be started, or cannot be. {_NEVER} launch with less, or ask why"),
    (
        r"IdlePolicy|ActivePolicy|SystemPolicy|.*Limit.*|Policy.*",
        "Waiting for your other jobs to end: a limit is reached",
    ),
    (r"Depend.*", "Waiting for another job to end"),
    (r"(Local)?FairShare.*|FSPolicy", "Waiting because you or your project have used more than your share"),
    (r"(EState|StartDate|Date).*", "Waiting for its earliest start time"),
    (r"NoResource.*|Hardware.*|Resources?.*", "Waiting because no nodes have what was requested, or they are down"),
    (r"Bank.*|Account.*", "Waiting because the account has nothing left, or may not be used: ask the centre"),
    (WALLTIME, "It reached its walltime: launch with a longer one"),
    (r"CNCLD.*|Removed|CompletionCode 271", "It was cancelled"),
    (r"Vacated", "It was ended to make room for others: launch again"),
    (r"Lost", "Its node failed: launch again"),
    (r"CompletionCode .*", "It ended with an error: see its log"),
)


def waiting(fields: Mapping[str, str]) -> str:
    """Return why a job waits: what blocks it, or else its state."""
    return fields.get("BlockReason") or fields["State"]


def final(fields: Mapping[str, str]) -> tuple[JobState, str]:
    """Return how a job ended, and why."""
    code, word = fields.get("CompletionCode", ""), fields["State"]
    used, requested = (fields.get(name, "") for name in ("AWDuration", "ReqAWDuration"))
    is_over = used.isdecimal() and requested.isdecimal() and int(used) >= int(requested) > 0
    if is_over and code != "0":
        return JobState.FAILED, WALLTIME
    if code.startswith("CNCLD"):
        return JobState.ENDED, code
    if word in ("Vacated", "Lost"):
        return JobState.FAILED, word
    if code in ("", "0"):
        return JobState.ENDED, "" if word == "Completed" else word
    return JobState.ENDED if code == _TERMINATED else JobState.FAILED, f"CompletionCode {code}"


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with Moab's own word in brackets, or an empty text without a reason."""
    if not reason:
        return ""
    known = next((text for pattern, text in _SENTENCES if re.fullmatch(pattern, reason)), "Waiting")
    return f"{known} ({reason})"

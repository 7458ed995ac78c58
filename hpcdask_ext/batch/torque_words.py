"""The words of Torque for states, reasons and ends, and what they mean for people.

From the Torque administrator's guide (Job states, Job exit status) and the published source of version 6.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hpcdask_ext.batch import pbs_words
from hpcdask_ext.clusters.states import JobState

STATES = {
    "Q": JobState.PENDING,
    "H": JobState.PENDING,
    "W": JobState.PENDING,
    "T": JobState.PENDING,
    "R": JobState.RUNNING,
    "E": JobState.RUNNING,
    "S": JobState.RUNNING,
    "C": JobState.ENDED,
}
"""A suspended job counts as running, since it can be resumed."""

WALLTIME = "JOB_EXEC_OVERLIMIT_WT"
_ENDS = {
    -1: "JOB_EXEC_FAIL1",
    -2: "JOB_EXEC_FAIL2",
    -3: "JOB_EXEC_RETRY",
    -4: "JOB_EXEC_INITABT",
    -5: "JOB_EXEC_INITRST",
    -6: "JOB_EXEC_INITRMG",
    -7: "JOB_EXEC_BADRESRT",
    -8: "JOB_EXEC_CMDFAIL",
    -9: "JOB_EXEC_STDOUTFAIL",
    -10: "JOB_EXEC_OVERLIMIT_MEM",
    -11: WALLTIME,
    -12: "JOB_EXEC_OVERLIMIT_CPUT",
    -13: "JOB_EXEC_RETRY_CGROUP",
}
_TERMINATED = 256 + 15  # what qdel does
_WORDS = {"Q": "Queued", "H": "Held", "W": "Waiting", "T": "Transit"}

_SENTENCES = (
    (r"Queued", "Waiting for its turn"),
    (r"Held.*", "Held: ask the centre why, or release it with `qrls`"),
    (r"Waiting", "Waiting for its earliest start time"),
    (r"Transit", "Waiting to be moved on to another queue"),
    (WALLTIME, "It reached its walltime: launch with a longer one"),
    (r"JOB_EXEC_OVERLIMIT_MEM", "It was killed because it used more memory than requested: launch with more"),
    (r"JOB_EXEC_OVERLIMIT_CPUT", "It reached its limit of processor time: ask the centre"),
    (r"JOB_EXEC_(STDOUTFAIL|CMDFAIL)", "Its node cannot write its output or start its command: ask the centre"),
    (r"JOB_EXEC_\w+", "Its node failed, or could not start it: launch again, or ask the centre"),
    (r"exit_status 271|deleted before it started", "It was deleted"),
    (r"exit_status .*", "It ended with an error: see its log"),
)


def final(fields: Mapping[str, str]) -> tuple[JobState, str]:
    """Return how a job ended, and why. A status from 256 on is a signal that killed it."""
    text = fields.get("exit_status", "")
    if not re.fullmatch(r"-?\d+", text, re.ASCII):
        return JobState.ENDED, "" if "start_time" in fields else "deleted before it started"
    code = int(text)
    if code == 0:
        return JobState.ENDED, ""
    state = JobState.ENDED if code == _TERMINATED else JobState.FAILED
    return state, _ENDS.get(code, f"exit_status {code}")


def waiting(letter: str, fields: Mapping[str, str]) -> str:
    """Return why a job waits: its comment, or else its state."""
    if comment := fields.get("comment"):
        return comment
    holds = fields.get("Hold_Types", "n")
    return f"Held (Hold_Types={holds})" if letter == "H" and holds != "n" else _WORDS[letter]


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with Torque's own words in brackets, or an empty text without a reason.

    The comments of Torque's own scheduler are older forms of those of OpenPBS.
    """
    known = next((text for pattern, text in _SENTENCES if re.fullmatch(pattern, reason)), "")
    return f"{known} ({reason})" if known else pbs_words.sentence(reason)

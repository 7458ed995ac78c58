"""The words of PBS for states, reasons and ends, and what they mean for people.

From the manual page `pbs_job_attributes` of OpenPBS 23.06, the comments of its scheduler, and recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hpcdask_ext.clusters.states import JobState

STATES = {
    "Q": JobState.PENDING,
    "H": JobState.PENDING,
    "W": JobState.PENDING,
    "T": JobState.PENDING,
    "R": JobState.RUNNING,
    "B": JobState.RUNNING,
    "E": JobState.RUNNING,
    "S": JobState.RUNNING,
    "U": JobState.RUNNING,
    "F": JobState.ENDED,
    "X": JobState.ENDED,
}
"""``M`` is unknown: the job was moved to another server, which we do not ask."""

WALLTIME = "exceeded resource walltime"
_DELETED = "91"  # the substate of a job that somebody deleted
# An element of which nothing is kept: the rest is that of its array, which has an exit code if it has ever run.
_FORGOTTEN = "Subjob finished"
_LIMITS = {
    -24: "exceeded resource ncpus (burst)",
    -25: "exceeded resource ncpus (sum)",
    -26: "exceeded resource vmem",
    -27: "exceeded resource mem",
    -28: "exceeded resource cput",
    -29: WALLTIME,
}
_HOLDS = {"u": "Job held by user", "o": "Job held by operator", "s": "Job held by system", "p": "Job held: password"}

_NEVER = "It will not start like this: stop it and"
_OTHERS = "Waiting for your other jobs to end: "

_SENTENCES = (
    (
        r"Queue not started",
        "Waiting because the queue is not starting jobs. Choose another queue, or ask the centre why",
    ),
    (r"Queue not an execution queue", "Waiting to be moved on to another queue"),
    (r"(User has reached|.*job limit reached for user).*", f"{_OTHERS}you have reached the limit on jobs"),
    (
        r"(Queue \S+|Server) per-user limit reached.*|would exceed user .*limit on resource.*",
        f"{_OTHERS}they use all that you may have at once",
    ),
    (
        r"(Group|Project) has reached.*|.*per-(group|project) limit reached.*|.*job limit reached for (group|project).*"
        r"|would exceed (group|project) .*",
        "Waiting because your group or project has reached its limit",
    ),
    (
        r"(Queue \S+|Server) job limit has been reached.*|would exceed overall limit.*",
        "Waiting because the queue or the whole centre has reached its limit",
    ),
    (r"Number of concurrent running subjobs.*", "Waiting for other parts of the same job: how many may run is limited"),
    (r"Dedicated time conflict.*|Job would cross dedicated time.*", "Waiting until a dedicated time is over"),
    (r"Job will (run in|cross into).*", "Waiting for another time of the day, at which the queue starts such jobs"),
    (
        r"Job would (interfere with a top job|break strict).*|Can't preempt enough.*|Job is under job_sort_formula.*",
        "Waiting for jobs of higher priority",
    ),
    (
        r"Job would (interfere|conflict) with.*reservation.*",
        "Waiting because the nodes are reserved for others. A shorter walltime may let it start before",
    ),
    (r"Job has zero shares.*", "Waiting because your project has no share of this machine: ask the centre"),
    (r"PBS Error: .*", "Waiting because it could not be started; PBS will try again"),
    (r"Node is in an ineligible state.*", "Waiting for nodes that are down or in maintenance"),
    (r".*set \S+ has too few free resources", "Waiting for other jobs to end"),
    (
        r"(Insufficient amount of|Not enough (free|of the right type of) nodes|No available resources|.*exclusive node"
        r"|Nodes? (has reached|not available)|Too few free resources).*",
        "Waiting for other jobs to end",
    ),
)
_NEVER_SENTENCES = (
    (r"Not enough total nodes.*", f"There are too few nodes that have what was requested. {_NEVER} launch with less"),
    (
        r".*(largest placement set|pack placement).*",
        f"It does not fit on nodes that are close. {_NEVER} launch with less",
    ),
    (r"Insufficient amount of (queue|server).*", f"The queue does not allow that much. {_NEVER} launch with less"),
)
_OTHER_SENTENCES = (
    (r"Job held by (user|operator|system|password|\S+ on).*", "Held: ask the centre why, or release it with `qrls`"),
    (r"job held, too many failed attempts.*|Job Array Held.*", "Held because it could not be started: ask the centre"),
    (r"job held.*", "Held because of a problem of the batch system: ask the centre"),
    (r"Job Array Began.*", "Waiting for other jobs to end, while other parts of the same job have started"),
    (r"Execution_Time", "Waiting for its earliest start time"),
    # Over.
    (WALLTIME, "It reached its walltime: launch with a longer one"),
    (r"exceeded resource v?mem", "It was killed because it used more memory than requested: launch with more"),
    (r"exceeded resource ncpus.*", "It was killed because it used more cores than requested: launch with more"),
    (r"exceeded resource cput", "It reached its limit of processor time: ask the centre"),
    (r"terminated.*", "It was deleted"),
    (r"Exit_status=-\d+", "Its node failed, or could not start it: launch again, or ask the centre"),
    (r"exit code \d+", "It ended with an error: see its log"),
    (r"killed by signal \d+", "It was killed by a signal: see its log"),
)


def final(fields: Mapping[str, str]) -> tuple[JobState, str]:
    """Return how a job ended, and why; the state alone tells hardly anything."""
    words = fields.get("comment", "")
    if words == _FORGOTTEN:
        return JobState.ENDED, "" if "Exit_status" in fields else "terminated"
    if fields.get("substate") == _DELETED:
        return JobState.ENDED, words[words.rfind("terminated") :] if "terminated" in words else "terminated"
    text = fields.get("Exit_status", "0")
    code = int(text) if re.fullmatch(r"-?\d+", text, re.ASCII) else 1
    if code == 0:
        return JobState.ENDED, ""
    if code < 0:
        return JobState.FAILED, _LIMITS.get(code, f"Exit_status={code}")
    return JobState.FAILED, f"killed by signal {code - 256}" if code > 256 else f"exit code {code}"


def waiting(state: str, fields: Mapping[str, str]) -> str:
    """Return why a job waits: its comment, or what else there is."""
    if comment := fields.get("comment"):
        return comment
    if state == "H":
        return next((text for letter, text in _HOLDS.items() if letter in fields.get("Hold_Types", "")), "Job held")
    return "Execution_Time" if state == "W" else ""


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with PBS's own words in brackets, or an empty text without a reason."""
    if not reason:
        return ""
    prefix, _, rest = reason.partition(": ")
    if prefix == "Can Never Run":
        fallback = f"No node has what was requested. {_NEVER} launch with less, or in another queue"
        return f"{_first(_NEVER_SENTENCES, rest, fallback)} ({reason})"
    known = (
        _first(_SENTENCES, rest, "Waiting") if prefix == "Not Running" else _first(_OTHER_SENTENCES, reason, "Waiting")
    )
    return f"{known} ({reason})"


def _first(sentences: tuple[tuple[str, str], ...], words: str, fallback: str) -> str:
    return next((text for pattern, text in sentences if re.fullmatch(pattern, words.rstrip("."))), fallback)

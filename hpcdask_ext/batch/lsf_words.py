"""LSF's words for states and reasons, and what they mean for people.

States and the reasons for an end (TERM_*) are from the IBM Spectrum LSF 10.1 documentation (`bjobs`; "Termination
reasons displayed by bacct, bhist, and bjobs"). That shows reasons for waiting only in examples; they are from the
sources of volclava 2, which took them over from LSF.
"""

from __future__ import annotations

import re
from functools import lru_cache

from hpcdask_ext.clusters.states import JobState

STATES = {
    "PEND": JobState.PENDING,
    "PROV": JobState.PENDING,
    "PSUSP": JobState.PENDING,
    "WAIT": JobState.PENDING,
    "RUN": JobState.RUNNING,
    "SSUSP": JobState.RUNNING,
    "USUSP": JobState.RUNNING,
    "DONE": JobState.ENDED,
    "EXIT": JobState.FAILED,
    "ZOMBI": JobState.FAILED,
    "UNKWN": JobState.UNKNOWN,
}
"""A suspended job counts as running, since it holds its slots; one whose host does not answer (UNKWN) may run."""

CANCELLED = frozenset({"TERM_OWNER", "TERM_FORCE_OWNER", "TERM_ADMIN", "TERM_FORCE_ADMIN", "TERM_BUCKET_KILL"})
"""Reasons of jobs that somebody wanted to end."""

WALLTIME_REASONS = frozenset({"TERM_RUNLIMIT"})
"""Reasons of jobs that reached their walltime."""

_NEVER = "It will not start like this: stop it and"
_DEPENDENCY = "The job it depends on ended differently: stop it and"
_LESS = f"{_NEVER} launch with less, or in another queue"

_SENTENCES = {
    # Waiting for its turn.
    "New job is waiting for scheduling": "Waiting for LSF to consider it",
    "Requeued job is waiting for rescheduling": "Waiting to be started again",
    "Requeue the job for the next run": "Waiting to be started again",
    "System is not ready for scheduling after reconfiguration": "Waiting for LSF, which has just been reconfigured",
    "The schedule of the job is postponed for a while": "Waiting for LSF's next scheduling pass",
    "Job slot limit reached": "Waiting for other jobs to end: the nodes are full",
    "Not enough job slot(s)": "Waiting for other jobs to end",
    "Not enough slots or resources for whole duration of the job": "Waiting for other jobs to end",
    "Load threshold reached": "Waiting for nodes that are less busy",
    "Running an exclusive job": "Waiting for a job that has its node for itself",
    "Job's requirement for exclusive execution not satisfied": "Waiting for a node that is free of other jobs",
    "Not enough processors to meet the job's spanning requirement": "Waiting for enough free cores on one node",
    "Not enough hosts to meet the job's spanning requirement": "Waiting for enough nodes with free cores",
    "Just started a job recently": "Waiting a moment: the node has just started another job",
    "The job has a specified start time": "Waiting for its earliest start time",
    "Job dependency condition not satisfied": "Waiting for another job to end",
    "The job array has reached its running element limit": "Waiting for other parts of the same job",
    "The job array has reached its job slot limit": "Waiting for other parts of the same job",
    "The queue has reached its job slot limit": "Waiting for other jobs of the queue to end",
    "The queue has not enough job slots for the parallel job": "Waiting for other jobs of the queue to end",
    "Queue's per-host job slot limit reached": "Waiting for other jobs of the queue to end",
    "Queue's per-CPU job slot limit reached": "Waiting for other jobs of the queue to end",
    "One of the user's groups has reached its job slot limit": "Waiting because your group has reached its limit",
    "Higher or equal priority jobs suspended by host load": "Waiting for jobs of higher priority",
    "Dispatch windows closed": "Waiting for the hours in which the nodes start jobs",
    "The queue is inactivated by its time windows": "Waiting for the hours in which the queue starts jobs",
    "Job will not finish before queue's run window is closed": "Waiting for the hours in which the queue runs jobs",
    "WAIT": "Waiting for its turn in a group of jobs that run one after another",
    "PROV": "Waiting for a node that is being started",
    # Waiting for nodes or for somebody.
    "Load information unavailable": "Waiting for nodes that do not answer",
    "LIM is unreachable now": "Waiting for nodes that do not answer",
    "Unable to reach slave batch server": "Waiting for nodes that do not answer",
    "Unable to reach server batch daemon": "Waiting for nodes that do not answer",
    "Closed by LSF administrator": "Waiting for nodes that an administrator has closed",
    "Host is locked by LSF administrator": "Waiting for nodes that an administrator has closed",
    "The queue is inactivated by the administrator": "The queue is not starting jobs. Choose another queue, or ask why",
    "The job was suspended by the user while pending": "Held by you: release it with `bresume`, or stop it",
    "The job was suspended by LSF admin or root while pending": "Held by an administrator: ask the centre why",
    # May never start.
    "Job's resource requirements not satisfied": "No free node has what was requested. Launch with less if it stays so",
    "Queue's resource requirements not satisfied": "No free node has what the queue requires",
    "Not specified in job submission": "Waiting for the nodes that were asked for by name",
    "Not usable to the queue": f"No node of the queue suits the job. {_LESS}",
    "Job no longer satisfies queue PROCLIMIT configuration": f"The queue does not allow so many cores. {_LESS}",
    "Dependency condition invalid or never satisfied": f"{_DEPENDENCY} launch again",
    "The user has no permission to run the job on remote host/cluster": "You may not run jobs there",
    "Unable to determine user account for execution": "Your account is not known on the nodes: ask the centre",
    "There is no such user account": "Your account is not known on the nodes: ask the centre",
    # Over, or not waiting.
    "EXIT": "It ended with an error: see its log",
    "SSUSP": "It is suspended: LSF will resume it later",
    "USUSP": "It was suspended: resume it with `bresume`, or stop it",
    "UNKWN": "Its node does not answer",
    "ZOMBI": "Its node does not answer, and LSF has given it up: launch again",
    "TERM_OWNER": "It was cancelled",
    "TERM_FORCE_OWNER": "It was cancelled",
    "TERM_ADMIN": "An administrator cancelled it",
    "TERM_FORCE_ADMIN": "An administrator cancelled it",
    "TERM_BUCKET_KILL": "It was cancelled",
    "TERM_RUNLIMIT": "It reached its walltime: launch with a longer one",
    "TERM_DEADLINE": "It could not finish before its deadline",
    "TERM_WINDOW": "It was ended because the hours in which the queue runs jobs were over",
    "TERM_MEMLIMIT": "It was killed because it used more memory than requested: launch with more",
    "TERM_SWAP": "It was killed because it used more memory than requested: launch with more",
    "TERM_CPULIMIT": "It used all the processor time that the queue allows",
    "TERM_PREEMPT": "It was ended to make room for a job of higher priority: launch again, or in another queue",
    "TERM_LOAD": "It was ended because its node was too busy: launch again",
    "TERM_REMOVE_HUNG_JOB": "Its node does not answer, and LSF has given it up: launch again",
    "TERM_RC_RECLAIM": "Its node was taken back: launch again",
    "TERM_CWD_NOTEXIST": "Its working directory does not exist on the node: ask the centre for a shared directory",
    "TERM_PRE_EXEC_FAIL": "The centre's preparations on the node failed: launch again, or ask the centre",
    "TERM_EXTERNAL_SIGNAL": "It was killed by a signal from outside LSF: see its log",
}
_PATTERNS = (
    (
        r"(Job's requirements? for|Job requirements for) (resource reservation|reserving resource).*",
        "mem",
        "Waiting for enough free memory",
    ),
    (
        r"(Job's requirements? for|Job requirements for) (resource reservation|reserving resource).*",
        "",
        "Waiting for resources that other jobs use",
    ),
    (
        r"(The user|User|Host's per-user|Not enough per-user|User's per-CPU).*(slot|limit).*",
        "",
        "Waiting for your other jobs to end: you have reached the limit",
    ),
    (r".*(user'?s? group|User group).*(slot|limit).*", "", "Waiting because your group has reached its limit"),
    (r"Resource limit defined .*|.*[Rr]esource \(limit\).*", "", "Waiting because a limit of the centre is reached"),
    (r".*(GPU|ngpus).*", "", "Waiting for GPUs"),
)
# What is true of most nodes of a centre, and seldom why a job waits.
_OF_OTHER_NODES = re.compile(
    r"(Not specified in job submission|Not usable to the queue|Closed by LSF administrator|Load information unavailable"
    r"|Not the same type as the submission host|Host is locked by.*)(: .*)?"
)


@lru_cache(maxsize=256)
def telling(reasons: str) -> str:
    """Return the one of several reasons that tells most: of the job itself, else of the most nodes."""
    found = [text for text in (part.strip() for part in reasons.split(";")) if text]
    of_interest = [text for text in found if not _OF_OTHER_NODES.fullmatch(text)] or found
    return max(of_interest, key=_weight, default="")


def _weight(reason: str) -> float:
    match = re.search(r": (\d+) hosts?$", reason)
    return int(match[1]) if match else float("inf")


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with LSF's own words in brackets, or an empty text without a reason."""
    if not reason:
        return ""
    word = re.sub(r":( \d+ hosts?| [\w.-]+(, [\w.-]+)*)$", "", reason)
    known = _SENTENCES.get(word)
    if known is None:
        found = (text for pattern, part, text in _PATTERNS if re.fullmatch(pattern, word) and part in word)
        known = next(found, "Waiting")
    return f"{known} ({reason})"

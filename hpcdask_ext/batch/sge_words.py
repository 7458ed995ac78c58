"""Grid Engine's words for states and for why jobs wait, and what they mean for people.

From the manual page of qstat, release 8.1.9, and from what its scheduler says (`qstat -j` where the scheduler is
configured with `schedd_job_info true`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from hpcdask_ext.clusters.states import JobState

_LETTERS = frozenset("dEhqrRsStTwz")
SUSPENDED = frozenset("sST")
"""Letters of states in which a job does not run, though it holds its slots."""

_NEVER = "It will not start like this: stop it and"

_SLOTS = "Waiting until enough slots are free at once. If the queue has fewer, it will never start: launch with less"

# In the order in which they tell most: the first that matches any of a job's messages is shown.
_MESSAGES = (
    (r"job dependenc", "Waiting for another job to end"),
    (r"execution time not reached", "Waiting for its earliest start time"),
    (
        r"exceeds limit|max_aj_instances|user limitations",
        "Waiting for your other jobs to end: you have reached a limit",
    ),
    (
        r"no permission|no access to|correct project|not assigned to a project|excluded project|access permissions",
        f"You or your account may not use this queue. {_NEVER} launch in another queue or with another account",
    ),
    (
        r"because of cluster queue|job runtime",
        f"The queue does not allow what it requests, such as so long a walltime. {_NEVER} launch with less",
    ),
    (r"'forced' resource", f"The queue is only for jobs that request a certain resource. {_NEVER} launch elsewhere"),
    (
        r"is not in pe list|not of parallel type|no matching pe|not in queue list of PE",
        f"The queue does not offer the parallel environment. {_NEVER} launch in another queue",
    ),
    (r"requests unknown resource", f"No host knows a resource that it requests. {_NEVER} ask the centre"),
    (
        r"offers only|resource requirements|resources requested",
        "Waiting for a host with enough of what it requests. If there is none, it will never start: launch with less",
    ),
    (r"only offers [1-9]\d* slots", _SLOTS),
    (r"because (it is|they are) full|overload or full|has \W*0\W* slots", "Waiting for other jobs to end"),
    (r"overloaded|alarm", "Waiting because the hosts of the queue are overloaded"),
    (r"suspended", "Waiting because the queue is suspended"),
    (
        r"disabled",
        "Waiting because the queue is closed. Choose another queue, or ask the centre to open it",
    ),
    (r"temporarily not available", "Waiting for hosts that are down, or that Grid Engine does not use after an error"),
    (r"clean up|cleanup", "Waiting for an earlier run to be cleaned up"),
    (r"slots", _SLOTS),
    (r"Job Filter", "Waiting for jobs that request the same"),
    (r"turned off|not available for every job|no messages", "Waiting; Grid Engine does not tell here what for"),
)
_ELSEWHERE = re.compile("hard queue list")
_QUEUE = re.compile(r'queue (?:instance )?"([^"@]+)')

_STATES = (
    ("E", f"Grid Engine could not start it. {_NEVER} launch again, or ask the centre"),
    ("h", "Held: release it with `qrls`, or stop it. It may also wait for another job to end"),
    ("s", "It is suspended: resume it with `qmod -usj`, or stop it"),
    ("ST", "It is suspended: Grid Engine will resume it later"),
    ("R", "Waiting to be started again"),
    ("q", "Waiting for Grid Engine to start it"),
    ("d", "It is being ended"),
)


def job_state(word: str) -> JobState:
    """Return what a state such as ``qw``, ``hqw``, ``Eqw``, ``t``, ``r`` or ``dr`` means.

    A suspended job counts as running, since it holds its slots; so does one that is being deleted.
    """
    letters = frozenset(word)
    if not letters or letters - _LETTERS:
        return JobState.UNKNOWN
    if letters & frozenset("qw"):
        return JobState.PENDING
    if letters & frozenset("rtsSTd"):
        return JobState.RUNNING
    return JobState.ENDED if "z" in letters else JobState.UNKNOWN


def telling(own: Sequence[str], common: Sequence[str], queues: Sequence[str]) -> str:
    """Return the message that tells most about why a job waits, or an empty text.

    Parameters
    ----------
    own
        What the scheduler says about this job.
    common
        What it says about queues, for all jobs.
    queues
        The queues that the job asks for, which may be patterns; empty if any will do.
    """
    own = [message for message in own if not _ELSEWHERE.search(message)]
    if queues:
        relevant = [message for message in (*own, *common) if _is_about(message, queues)]
    else:
        closed_to_it = {queue for message in own for queue in _QUEUE.findall(message)}
        relevant = [message for message in own if not _QUEUE.search(message)]
        relevant = relevant or [message for message in common if not closed_to_it & set(_QUEUE.findall(message))] or own
    return min(relevant, key=_rank, default="")


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with Grid Engine's own words in brackets, or an empty text without one."""
    if not reason:
        return ""
    state, _, _ = reason.partition(":")
    if re.fullmatch(r"[dEhqrRsStTwz]{1,4}", state):
        known = next((text for letters, text in _STATES if set(letters) & set(state)), "Waiting")
    else:
        known = next((text for pattern, text in _MESSAGES if re.search(pattern, reason)), "Waiting")
    return f"{known} ({reason})"


def _is_about(message: str, queues: Sequence[str]) -> bool:
    named = _QUEUE.search(message)
    return named is None or any(fnmatchcase(named[1], queue.partition("@")[0]) for queue in queues)


def _rank(message: str) -> int:
    return next((rank for rank, (pattern, _) in enumerate(_MESSAGES) if re.search(pattern, message)), len(_MESSAGES))

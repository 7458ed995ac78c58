"""Slurm's words for states and reasons, and what they mean for people.

From the manual pages of squeue (JOB STATE CODES, JOB REASON CODES) and of `resource_limits`, releases 20.02 to 24.05.
"""

from __future__ import annotations

import re

from hpcdask_ext.clusters.models import JobState

STATES = {
    "PENDING": JobState.PENDING,
    "CONFIGURING": JobState.PENDING,
    "REQUEUED": JobState.PENDING,
    "REQUEUE_HOLD": JobState.PENDING,
    "REQUEUE_FED": JobState.PENDING,
    "SPECIAL_EXIT": JobState.PENDING,
    "RESV_DEL_HOLD": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "COMPLETING": JobState.RUNNING,
    "RESIZING": JobState.RUNNING,
    "SIGNALING": JobState.RUNNING,
    "STAGE_OUT": JobState.RUNNING,
    "STOPPED": JobState.RUNNING,
    "SUSPENDED": JobState.RUNNING,
    "COMPLETED": JobState.ENDED,
    "CANCELLED": JobState.ENDED,
    "BOOT_FAIL": JobState.FAILED,
    "DEADLINE": JobState.FAILED,
    "FAILED": JobState.FAILED,
    "LAUNCH_FAILED": JobState.FAILED,
    "NODE_FAIL": JobState.FAILED,
    "OUT_OF_MEMORY": JobState.FAILED,
    "PREEMPTED": JobState.FAILED,
    "RECONFIG_FAIL": JobState.FAILED,
    "REVOKED": JobState.FAILED,
    "TIMEOUT": JobState.FAILED,
}
"""A suspended job counts as running: it holds its nodes. A cancelled one ended because somebody wanted it to."""

TELLING_STATES = frozenset(STATES) - {"PENDING", "RUNNING", "COMPLETED", "FAILED"}
"""States whose own word says more than the reason that squeue prints beside them."""

_NEVER = "It will not start as it is: stop it and"

_SENTENCES = {
    # Waiting for its turn.
    "None": "Waiting to be looked at",
    "Priority": "Waiting for jobs of higher priority",
    "Resources": "Waiting for other jobs to end",
    "BeginTime": "Waiting for the time at which it may begin",
    "Cleaning": "Waiting for an earlier run of the job to be cleaned up",
    "Prolog": "Waiting for the node to be made ready",
    "Dependency": "Waiting for another job to end",
    "JobArrayTaskLimit": "Waiting for other parts of the same job, of which only so many may run at once",
    "Licenses": "Waiting for a licence",
    "Reservation": "Waiting for its reservation to begin",
    "NodeDown": "Waiting for a node that is down",
    "FrontEndDown": "Waiting for a front-end node that is down",
    "ReqNodeNotAvail": "Waiting for nodes that are down, reserved or in maintenance",
    "SchedDefer": "Waiting for the next time that the scheduler looks at all jobs",
    "BackfillTest": "Waiting for the scheduler to find a gap",
    "SystemFailure": "Waiting because Slurm or its network failed",
    "BurstBufferResources": "Waiting for room in the burst buffer",
    "BurstBufferStageIn": "Waiting for data to be copied to the burst buffer",
    "FedJobLock": "Waiting for the clusters of the federation to agree",
    "CONFIGURING": "Waiting for its nodes to boot",
    "REQUEUED": "Waiting to be started again",
    # Waiting for somebody.
    "PartitionDown": "Waiting because the queue is closed. Choose another queue, or ask the centre to open it",
    "PartitionInactive": "Waiting because the queue does not start jobs now. Choose another queue, or ask the centre",
    "JobHeldUser": "Held by you: release it with `scontrol release`, or stop it",
    "JobHeldAdmin": "Held by an administrator: ask the centre why",
    "launch_failed_requeued_held": "Held after it could not be started: stop it, and launch again or ask the centre",
    "JobHoldMaxRequeue": "Held after it failed too often: stop it, and look at the logs",
    # Will never start.
    "PartitionTimeLimit": f"The queue does not allow a walltime this long. {_NEVER} launch with a shorter walltime",
    "PartitionNodeLimit": f"The queue lacks that many nodes, or they are down. {_NEVER} launch with fewer workers",
    "PartitionConfig": f"The queue does not allow so many cores or so much memory. {_NEVER} launch with less",
    "BadConstraints": f"No node has what was asked for. {_NEVER} launch with less, or in another queue",
    "DependencyNeverSatisfied": f"It depends on a job that ended otherwise. {_NEVER} launch without that condition",
    "InvalidAccount": f"The account is not valid. {_NEVER} launch with another account",
    "InvalidQOS": f"The quality of service (QOS) is not valid. {_NEVER} launch with another one",
    "AccountNotAllowed": f"The account may not use this queue. {_NEVER} launch with another account or queue",
    "QOSNotAllowed": f"The quality of service (QOS) may not be used here. {_NEVER} launch with another one",
    "ReservationDeleted": f"Its reservation was deleted. {_NEVER} launch without it",
    # Over.
    "CANCELLED": "It was cancelled",
    "NonZeroExitCode": "It ended with an error: look at its log",
    "JobLaunchFailure": "It could not be started on its node: its log cannot be written there, or the node is faulty",
    "RaisedSignal": "It was killed by a signal: look at its log",
    "TIMEOUT": "It was ended at its walltime",
    "OUT_OF_MEMORY": "It was killed because it used more memory than it had asked for: launch with more",
    "NODE_FAIL": "Its node failed: launch again",
    "BOOT_FAIL": "Its node could not be booted: launch again",
    "PREEMPTED": "It had to make way for a job of higher priority: launch again, or in another queue",
    "DEADLINE": "It could not end before its deadline",
    "FAILED": "It ended with an error: look at its log",
    "REVOKED": "Another cluster of the federation took it",
    "COMPLETING": "It is ending",
    "SUSPENDED": "It is suspended: the batch system lets it go on later",
    "STOPPED": "It was stopped by a signal, and holds its nodes",
}
_SAME = {
    "NodeFail": "NODE_FAIL",
    "TimeLimit": "TIMEOUT",
    "OutOfMemory": "OUT_OF_MEMORY",
    "DeadLine": "DEADLINE",
    "Constraints": "BadConstraints",
    "Nodes_required_for_job_are_DOWN": "ReqNodeNotAvail",
    "job_requeued_in_held_state": "JobHoldMaxRequeue",
}
_PATTERNS = (
    (
        r"(QOS|Assoc)Max\w*Wall\w*|QOSTimeLimit",
        f"The walltime is longer than one job may have. {_NEVER} launch with a shorter walltime",
    ),
    (
        r"(QOS|Assoc)Max\w*Per(Job|Node)\w*",
        f"It asks for more than one job may have. {_NEVER} launch with less",
    ),
    (
        r"QOSMin\w*",
        f"It asks for less than this quality of service (QOS) is for. {_NEVER} launch with more",
    ),
    (
        r"((QOS|Assoc)?Max(Jobs|Submit)|(QOS|Association)JobLimit)\w*",
        "Waiting for your other jobs to end: only so many may be there at once",
    ),
    (
        r"QOSMax\w*Per(User|Account)\w*|Max\w*PerAccount|AssocMax\w*",
        "Waiting for your other jobs to end: they hold all that you may have at once",
    ),
    (
        r"((QOS|Assoc)Grp|(QOS|Association)ResourceLimit|QOSUsageThreshold)\w*",
        "Waiting because your group or project holds, or has used up, all that it may have",
    ),
)


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with Slurm's own words in brackets; empty for none."""
    if not reason:
        return ""
    # "ReqNodeNotAvail, UnavailableNodes:n3" and "launch failed requeued held" are reasons, too.
    word = re.split(r"[,(]", reason, maxsplit=1)[0].strip().replace(" ", "_")
    known = _SENTENCES.get(_SAME.get(word, word))
    if known is None:
        known = next((text for pattern, text in _PATTERNS if re.fullmatch(pattern, word)), "Waiting")
    return f"{known} ({reason})"

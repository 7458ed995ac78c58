"""Slurm's words for states and reasons, and what they mean for people.

From the manual pages of squeue (JOB STATE CODES, JOB REASON CODES) and of `resource_limits`, releases 20.02 to 24.05.
"""

from __future__ import annotations

import re

from hpcdask_ext.clusters.states import JobState

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
"""A suspended job counts as running, since it holds its nodes; a cancelled one as ended, since somebody wanted that."""

TELLING_STATES = frozenset(STATES) - {"PENDING", "RUNNING", "COMPLETED", "FAILED"}
"""States whose name says more than the reason that squeue prints with them."""

_NEVER = "It will not start like this: stop it and"

_SENTENCES = {
    # Waiting for its turn.
    "None": "Waiting for Slurm to consider it",
    "Priority": "Waiting for jobs of higher priority",
    "Resources": "Waiting for other jobs to end",
    "BeginTime": "Waiting for its earliest start time",
    "Cleaning": "Waiting for an earlier run of the job to be cleaned up",
    "Prolog": "Waiting for its node to be prepared",
    "Dependency": "Waiting for another job to end",
    "JobArrayTaskLimit": "Waiting for other parts of the same job: the number that may run at once is limited",
    "Licenses": "Waiting for a licence",
    "Reservation": "Waiting for its reservation to begin",
    "NodeDown": "Waiting for a node that is down",
    "FrontEndDown": "Waiting for a front-end node that is down",
    "ReqNodeNotAvail": "Waiting for nodes that are down, reserved or in maintenance",
    "SchedDefer": "Waiting for Slurm's next scheduling pass",
    "BackfillTest": "Waiting for Slurm to find a gap in its schedule",
    "SystemFailure": "Waiting because Slurm or its network has failed",
    "BurstBufferResources": "Waiting for space in the burst buffer",
    "BurstBufferStageIn": "Waiting for data to be copied to the burst buffer",
    "FedJobLock": "Waiting for the clusters of the federation to agree",
    "CONFIGURING": "Waiting for its nodes to boot",
    "REQUEUED": "Waiting to be started again",
    # Waiting for somebody.
    "PartitionDown": "Waiting because the queue is closed. Choose another queue, or ask the centre to open it",
    "PartitionInactive": "Waiting because the queue is not starting jobs. Choose another queue, or ask the centre why",
    "JobHeldUser": "Held by you: release it with `scontrol release`, or stop it",
    "JobHeldAdmin": "Held by an administrator: ask the centre why",
    "launch_failed_requeued_held": "Held because it could not be started: stop it and launch again, or ask the centre",
    "JobHoldMaxRequeue": "Held because it failed too often: stop it and look at the logs",
    # Will never start.
    "PartitionTimeLimit": f"The queue does not allow a walltime this long. {_NEVER} launch with a shorter walltime",
    "PartitionNodeLimit": f"The queue has too few nodes, or they are down. {_NEVER} launch with fewer workers",
    "PartitionConfig": f"The queue does not allow so many cores or so much memory. {_NEVER} launch with less",
    "BadConstraints": f"No node has what was requested. {_NEVER} launch with less, or in another queue",
    "DependencyNeverSatisfied": f"The job it depends on ended differently. {_NEVER} launch without that condition",
    "InvalidAccount": f"The account is not valid. {_NEVER} launch with another account",
    "InvalidQOS": f"The quality of service (QOS) is not valid. {_NEVER} launch with another one",
    "AccountNotAllowed": f"The account may not use this queue. {_NEVER} launch with another account or queue",
    "QOSNotAllowed": f"The quality of service (QOS) may not be used here. {_NEVER} launch with another one",
    "ReservationDeleted": f"Its reservation was deleted. {_NEVER} launch without it",
    # Over.
    "CANCELLED": "It was cancelled",
    "NonZeroExitCode": "It ended with an error: see its log",
    "JobLaunchFailure": "It could not be started on its node: its log cannot be written there, or the node is faulty",
    "RaisedSignal": "It was killed by a signal: see its log",
    "TIMEOUT": "It reached its walltime: launch with a longer one",
    "OUT_OF_MEMORY": "It was killed because it used more memory than requested: launch with more",
    "NODE_FAIL": "Its node failed, or its queue was removed: launch again",
    "BOOT_FAIL": "Its node could not be booted: launch again",
    "PREEMPTED": "It was ended to make room for a job of higher priority: launch again, or in another queue",
    "DEADLINE": "It could not finish before its deadline",
    "FAILED": "It ended with an error: see its log",
    "REVOKED": "Another cluster of the federation took it over",
    "COMPLETING": "It is ending",
    "SUSPENDED": "It is suspended: Slurm will resume it later",
    "STOPPED": "It was stopped by a signal but still holds its nodes",
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
        f"The walltime is longer than one job may request. {_NEVER} launch with a shorter walltime",
    ),
    (
        r"(QOS|Assoc)Max\w*Per(Job|Node)\w*",
        f"It requests more than one job may have. {_NEVER} launch with less",
    ),
    (
        r"QOSMin\w*",
        f"It requests less than the minimum of its quality of service (QOS). {_NEVER} launch with more",
    ),
    (
        r"((QOS|Assoc)?Max(Jobs|Submit)|(QOS|Association)JobLimit)\w*",
        "Waiting for your other jobs to end: you have reached the limit on jobs",
    ),
    (
        r"QOSMax\w*Per(User|Account)\w*|Max\w*PerAccount|AssocMax\w*",
        "Waiting for your other jobs to end: they use all that you may have at once",
    ),
    (
        r"((QOS|Assoc)Grp|(QOS|Association)ResourceLimit|QOSUsageThreshold)\w*",
        "Waiting because your group or project has reached its limit",
    ),
)


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with Slurm's own words in brackets, or an empty text without a reason."""
    if not reason:
        return ""
    # "ReqNodeNotAvail, UnavailableNodes:n3" and "launch failed requeued held" are also reasons.
    word = re.split(r"[,(]", reason, maxsplit=1)[0].strip().replace(" ", "_")
    known = _SENTENCES.get(_SAME.get(word, word))
    if known is None:
        known = next((text for pattern, text in _PATTERNS if re.fullmatch(pattern, word)), "Waiting")
    return f"{known} ({reason})"

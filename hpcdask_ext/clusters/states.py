"""The words for what a cluster, a job and its elements are, and are in."""

from __future__ import annotations

from enum import Enum
from typing import Literal


class ClusterState(str, Enum):
    """The stages in a cluster's life."""

    SUBMITTING = "submitting"
    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether no job of the cluster is left."""
        return self in (ClusterState.STOPPED, ClusterState.FAILED)

    @property
    def is_scalable(self) -> bool:
        """Whether the number of workers can be changed now."""
        return self in (ClusterState.PENDING, ClusterState.STARTING, ClusterState.RUNNING)


class JobState(str, Enum):
    """The state of a job or one of its elements. `UNKNOWN` means that it could not be asked, never that it is gone."""

    SUBMITTING = "submitting"
    PENDING = "pending"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the job is over."""
        return self in (JobState.ENDED, JobState.FAILED)


class Role(str, Enum):
    """What a job runs: the scheduler, workers, or (in the allocation layout) both."""

    SCHEDULER = "scheduler"
    WORKER = "worker"
    ALLOCATION = "allocation"


Layout = Literal["elastic", "allocation"]
"""Whether a cluster is a job for the scheduler and jobs for workers, or a single job with a task for each of them."""

ClusterKind = Literal["batch", "gateway", "factory", "adopted"]
"""Who runs a cluster: jobs of ours, a Dask Gateway, a Dask cluster class in a process of ours, or somebody else."""

Place = Literal["host", "batch", "elsewhere"]
"""What runs a job: processes on this host, the site's batch system (or gateway), or somebody whom we cannot ask."""

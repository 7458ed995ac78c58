"""What a gateway says of its clusters, which others may scale and end as well: from a notebook, for instance."""

from __future__ import annotations

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.groups import AdaptiveScaling, Scaling, WorkerGroup
from hpcdask_ext.clusters.models import Cluster, Job

GONE = "the gateway no longer knows it: it was removed there, or the gateway has lost its records"


def is_about(status: JobStatus, job: Job, cluster: Cluster) -> bool:
    """Return whether a status is about a job: a gateway knows its clusters only by the names that it gives them."""
    return status.job_id == job.id if cluster.kind == "gateway" else status.name == job.name


def followed(group: WorkerGroup, connected: int) -> Scaling:
    """Return what a gateway's scaling has become, now that so many workers are connected.

    The gateway does not tell how many it was asked for. If there are more than we know of, or fewer although all of
    them had been there, somebody else has scaled, or the gateway adapts.
    """
    scaling = group.scaling
    if isinstance(scaling, AdaptiveScaling):
        wanted = min(scaling.maximum, max(scaling.minimum, connected))
    elif connected > scaling.workers or group.connected == scaling.workers:
        wanted = connected
    else:
        return scaling
    return scaling.model_copy(update={"workers": wanted})


def is_not_told_yet(cluster: Cluster) -> bool:
    """Return whether a gateway has to be told how many workers to start: its scheduler is up, but not yet in use."""
    is_new = cluster.address is not None and cluster.started is None and cluster.outcome is None
    return is_new and cluster.kind == "gateway" and cluster.launched_by is not None

"""What becomes of a record by what the driver does: pure functions from a record to the next one."""

from __future__ import annotations

from hpcdask_ext.clusters.groups import FixedScaling, Scaling, WorkerGroup
from hpcdask_ext.clusters.models import Cluster, Job
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.launchers.base import Adjusted

_FAILED, _ADJUSTED = "Scaling failed. ", "Scaled otherwise than asked. "
_STARTING = {"state": ClusterState.STARTING, "reason": "The scheduler is starting"}


def without_failure(cluster: Cluster) -> Cluster:
    """Return the cluster without the warning about how it was scaled before: it was now, or there is a newer one."""
    kept = tuple(text for text in cluster.warnings if not text.startswith((_FAILED, _ADJUSTED)))
    return cluster if kept == cluster.warnings else cluster.model_copy(update={"warnings": kept})


def started(cluster: Cluster) -> Cluster:
    """Return a cluster whose first jobs have been submitted."""
    return cluster.model_copy(update=_STARTING) if cluster.state is ClusterState.SUBMITTING else cluster


def back(cluster: Cluster, asked: WorkerGroup, error: str) -> Cluster:
    """Return the cluster with a group's actual number of workers, unless another one was requested meanwhile."""
    group = cluster.group(asked.name)
    if group.scaling == asked.scaling:
        workers = cluster.capacity(group) if cluster.kind == "batch" else group.connected
        actual: Scaling = group.scaling.model_copy(update={"workers": workers})
        if cluster.kind == "factory":  # it has stopped adapting, or never did
            actual = FixedScaling(workers=workers)
        cluster = cluster.with_group(group.name, scaling=actual, unfinished=False)
    kept = without_failure(cluster).warnings
    return cluster.model_copy(update={"warnings": (*kept, f"{_FAILED}{error}")})


def with_job(cluster: Cluster, job: Job, asked: WorkerGroup | None) -> Cluster:
    """Return the cluster with a job to submit: from now on it can be found, and is not submitted again."""
    cluster = cluster.with_job(job)
    return finished(cluster, asked) if asked else cluster


def finished(cluster: Cluster, asked: WorkerGroup) -> Cluster:
    """Return the cluster without anything left to do for a group, unless that was changed meanwhile."""
    group = cluster.group(asked.name)
    is_done = group.unfinished and group.scaling == asked.scaling
    return cluster.with_group(group.name, unfinished=False) if is_done else cluster


def adjusted_to(cluster: Cluster, asked: WorkerGroup, adjusted: Adjusted) -> Cluster:
    """Return the cluster with the scaling that was made of the one asked for, unless another one was meanwhile."""
    if cluster.group(asked.name).scaling == asked.scaling:
        cluster = cluster.with_group(asked.name, scaling=adjusted.scaling)
    kept = without_failure(cluster).warnings
    return cluster.model_copy(update={"warnings": (*kept, f"{_ADJUSTED}{adjusted.note}")})


def marked(cluster: Cluster, jobs: list[Job], cancelled: bool) -> Cluster:
    """Return the cluster with all that is left of jobs as cancelled, or not."""
    for job in jobs:
        cluster = cluster.with_job(cluster.job(job.tag).with_elements(job.live, cancelled=cancelled))
    return cluster

"""Keeping the records of long adaptive clusters small: jobs that were over for some time become totals."""

from __future__ import annotations

from datetime import datetime, timedelta

from hpcdask_ext.clusters.groups import Past, WorkerGroup
from hpcdask_ext.clusters.models import Cluster, Job
from hpcdask_ext.clusters.states import Role
from hpcdask_ext.control.usage import core_seconds

_OVER = timedelta(hours=1)
_KEPT = 20
"""How many jobs of each group stay that ended last, for their logs, for warnings, and for `setbacks`."""


def folded(cluster: Cluster, now: datetime) -> Cluster:
    """Return the cluster with jobs of workers that have been over for long as totals of their groups."""
    for group in cluster.groups:
        jobs = [job for job in cluster.jobs if job.role is Role.WORKER and job.group == group.name]
        ends = {job.tag: end for job in jobs if (end := _end(job)) is not None}
        tags = {tag for tag in sorted(ends, key=lambda tag: ends[tag])[:-_KEPT] if ends[tag] < now - _OVER}
        if old := [job for job in jobs if job.tag in tags]:
            left = tuple(job for job in cluster.jobs if job.tag not in tags)
            cluster = cluster.with_group(group.name, past=_with(group, old, now)).model_copy(update={"jobs": left})
    return cluster


def folded_since(before: Cluster, after: Cluster) -> set[str]:
    """Return the tags of jobs that have become totals between two records of a cluster."""
    return {job.tag for job in before.jobs if not job.live} - {job.tag for job in after.jobs}


def _end(job: Job) -> datetime | None:
    """Return when the last element of a job ended, or None if some has not, or it is not known when."""
    elements = job.elements.values()
    if job.live or any(element.started and not element.ended for element in elements):
        return None
    # What was withdrawn from the queue has no end.
    return max((element.ended for element in elements if element.ended), default=job.submitted)


def _with(group: WorkerGroup, jobs: list[Job], now: datetime) -> Past:
    past, used = group.past, core_seconds(jobs, now)
    return Past(
        number=max([past.number, *(int(job.tag.rpartition("-")[2]) for job in jobs)]),
        elements=past.elements + sum(len(job.elements) for job in jobs),
        core_seconds=None if past.core_seconds is None or used is None else past.core_seconds + used,
    )

"""How much of the site a cluster uses, from what its jobs ask for and how long they have run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hpcdask_ext.clusters.models import Cluster, Element, Job


def core_hours(cluster: Cluster, now: datetime) -> float | None:
    """Return what the cluster's jobs have used until `now`, or None if it is not known how much they ask for.

    An element counts from its start to its end, or to the cluster's if its own is not known.
    """
    if cluster.kind != "batch":
        return None
    used = [core_seconds(cluster.jobs, cluster.ended or now), *(group.past.core_seconds for group in cluster.groups)]
    known = [seconds for seconds in used if seconds is not None]
    return sum(known) / 3600 if len(known) == len(used) else None


def core_seconds(jobs: Iterable[Job], until: datetime) -> float | None:
    """Return what jobs have used, or None if it is not known how much they ask for."""
    used = [
        (job.cores, _time(element, until))
        for job in jobs
        for element in job.elements.values()
        if element.started is not None
    ]
    if any(cores is None for cores, _ in used):
        return None
    return sum(cores * time.total_seconds() for cores, time in used if cores)


def cores_running(cluster: Cluster) -> int | None:
    """Return how many cores the cluster's jobs use now, or None if it is not known how much they ask for."""
    running = [
        job.cores for job in cluster.jobs for index in job.live if job.elements[index].started and not cluster.ended
    ]
    if cluster.kind != "batch" or None in running:
        return None
    return sum(cores for cores in running if cores)


def _time(element: Element, until: datetime) -> timedelta:
    """Return for how long an element that has started has run; clocks of nodes may be ahead of ours."""
    assert element.started is not None
    return max((element.ended or until) - element.started, timedelta())

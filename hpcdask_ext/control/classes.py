"""What is special about clusters of a Dask cluster class: it may take its time, and it adapts by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hpcdask_ext.clusters.groups import AdaptiveScaling, WorkerGroup
from hpcdask_ext.clusters.models import Cluster

_LONG = timedelta(seconds=20)


def why_not_up(cluster: Cluster, now: datetime) -> str:
    """Return what a cluster waits for whose scheduler is not up."""
    started = cluster.jobs[0].elements[1].started if cluster.kind == "factory" and cluster.jobs else None
    if started is None or now - started < _LONG:
        return "The scheduler is starting"
    since = f"{started:%H:%M} UTC"
    return f"The cluster class is still starting, since {since}: its log may say why. You can stop it at any time."


def planned(group: WorkerGroup, plans: Mapping[str, int], connected: int) -> WorkerGroup:
    """Return a group with the number of workers that the class plans to have now, if it adapts that by itself."""
    if not isinstance(group.scaling, AdaptiveScaling):
        return group
    workers = plans.get(group.name, connected)
    return group.model_copy(update={"scaling": group.scaling.model_copy(update={"workers": workers})})

"""Clusters that nobody uses: when they end, and keeping them. The scheduler itself decides; see `payload`."""

from __future__ import annotations

from datetime import datetime

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.control.asking import FindWay, scheduler_of
from hpcdask_ext.errors import WrongState


def idle_ends_at(cluster: Cluster) -> datetime | None:
    """Return when an idle cluster will end, or None if it is not idle, or never ends for that."""
    if cluster.state is not ClusterState.RUNNING or cluster.idle_since is None or cluster.idle_timeout is None:
        return None
    return cluster.idle_since + cluster.idle_timeout


async def keep(cluster: Cluster, find_way: FindWay) -> datetime | None:
    """Let a cluster's idle time begin anew; return since when it is idle then.

    Raises
    ------
    WrongState
        It does not run, or does not end when it is idle.
    SchedulerUnreachable
        Its scheduler could not be asked.
    """
    if cluster.state is not ClusterState.RUNNING:
        raise WrongState(f"“{cluster.name}” is {cluster.state.value}: only a running cluster can be kept.")
    if cluster.idle_timeout is None:
        raise WrongState(f"“{cluster.name}” does not end when it is idle, so there is nothing to keep it from.")
    async with scheduler_of(cluster, find_way) as scheduler:
        return await scheduler.keep()

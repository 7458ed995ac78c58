"""Clusters that nobody uses: when they end, and keeping them. The scheduler itself decides; see `payload`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.reach import Reach
from hpcdask_ext.clusters.scheduler_api import SchedulerAPI
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.errors import SchedulerUnreachable, WrongState


def idle_ends_at(cluster: Cluster) -> datetime | None:
    """Return when an idle cluster will end, or None if it is not idle, or never ends for that."""
    if cluster.state is not ClusterState.RUNNING or cluster.idle_since is None or cluster.idle_timeout is None:
        return None
    return cluster.idle_since + cluster.idle_timeout


async def keep(cluster: Cluster, reach: Callable[[Cluster], Awaitable[Reach | None]]) -> datetime | None:
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
    reached = await reach(cluster)
    if reached is None or reached.api is None:
        raise SchedulerUnreachable("The scheduler's address is not known: try again later.")
    api = SchedulerAPI(reached.api)
    try:
        return await api.keep()
    finally:
        await api.aclose()

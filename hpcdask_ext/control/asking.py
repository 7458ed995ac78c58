"""Asking the scheduler of a cluster of ours, the same way wherever it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hpcdask_ext.clusters.models import GENERATION, Cluster
from hpcdask_ext.clusters.reach import Reach
from hpcdask_ext.clusters.scheduler_api import SchedulerAPI
from hpcdask_ext.errors import SchedulerUnreachable, WrongState

FindWay = Callable[[Cluster], Awaitable[Reach | None]]
"""Returns how a cluster's scheduler is reached; see `Catalogue.reach`."""


@asynccontextmanager
async def scheduler_of(cluster: Cluster, find_way: FindWay) -> AsyncIterator[SchedulerAPI]:
    """Connect to the scheduler of a cluster.

    Raises
    ------
    SchedulerUnreachable
        It is not up, or not one of ours.
    """
    reached = await find_way(cluster)
    if reached is None or reached.api is None:
        raise SchedulerUnreachable("The scheduler is not up yet: try again once it is.")
    api = SchedulerAPI(reached.api)
    try:
        yield api
    finally:
        await api.aclose()


def check_generation(cluster: Cluster, cannot: str) -> None:
    """Raise `WrongState` for jobs whose scheduler is of an older version of this package, and so cannot do that."""
    if cluster.kind == "batch" and cluster.generation < GENERATION:
        raise WrongState(
            f"“{cluster.name}” was launched by an older version of this extension and cannot {cannot}: "
            "launch another cluster."
        )

"""The records of all tracked clusters, in memory and on disk, and the events that tell of their changes.

Records change in one place, `Ledger.change`: in memory at once, on disk before the call returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from hpcdask_ext.clusters.models import Cluster, ClusterState
from hpcdask_ext.clusters.store import ClusterStore
from hpcdask_ext.errors import ClusterNotFound


class Emit(Protocol):
    """Takes events."""

    def __call__(self, *, data: dict[str, Any]) -> object:
        """Take one event; see `docs/reference/rest.md`."""


class Ledger:
    """Keeps records.

    Parameters
    ----------
    store
        Where they are on disk.
    emit
        Takes an event for each change.
    """

    def __init__(self, store: ClusterStore, emit: Emit) -> None:
        self._store, self._emit = store, emit
        self._clusters: dict[str, Cluster] = {}
        self._saving: dict[str, asyncio.Lock] = {}

    async def load(self) -> None:
        """Read what is on disk."""
        for cluster in await asyncio.to_thread(lambda: list(self._store.load_all())):
            self._clusters[cluster.id] = cluster

    def all(self) -> list[Cluster]:
        """Return all clusters, the newest first."""
        return sorted(self._clusters.values(), key=lambda cluster: cluster.created, reverse=True)

    def get(self, cluster_id: str) -> Cluster:
        """Return one cluster, or raise `ClusterNotFound`."""
        try:
            return self._clusters[cluster_id]
        except KeyError:
            raise ClusterNotFound(cluster_id) from None

    async def add(self, make: Callable[[ClusterStore], Cluster]) -> Cluster:
        """Add the cluster that `make` returns, which may use the store and runs off the event loop."""

        def make_and_save() -> Cluster:
            cluster = make(self._store)
            self._store.save(cluster)
            return cluster

        cluster = await asyncio.to_thread(make_and_save)
        self._clusters[cluster.id] = cluster
        self._tell(cluster, "launched", cluster.state)
        return cluster

    async def change(self, cluster_id: str, change: Callable[[Cluster], Cluster], what: str = "") -> None:
        """Replace a record by what `change` makes of it; tell it as `what`, if anything differs.

        Raises
        ------
        StoreError
            It is changed in memory, and could not be written.
        """
        before = self.get(cluster_id)
        after = change(before)
        if after == before:
            return
        self._clusters[cluster_id] = after
        self._tell(after, what or _what_changed(before, after), before.state)
        async with self._saving.setdefault(cluster_id, asyncio.Lock()):
            newest = self._clusters.get(cluster_id)
            if newest is not None:
                await asyncio.to_thread(self._store.save, newest)

    async def forget(self, cluster_id: str) -> None:
        """Drop a cluster and all that is left of it."""
        cluster = self._clusters.pop(cluster_id)
        self._saving.pop(cluster_id, None)
        await asyncio.to_thread(self._store.remove, cluster)
        self._tell(cluster, "forgotten", cluster.state)

    def _tell(self, cluster: Cluster, what: str, previous: ClusterState) -> None:
        self._emit(
            data={
                "cluster": cluster.id,
                "change": what,
                "state": cluster.state.value,
                "previous": previous.value,
                "site": cluster.site,
                "queue": cluster.queue,
                "workers": cluster.workers,
            }
        )


def _what_changed(before: Cluster, after: Cluster) -> str:
    if before.state is not after.state:
        return "state"
    return "workers" if before.workers != after.workers else "details"

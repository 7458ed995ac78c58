"""The records of all tracked clusters, in memory and on disk, and the events that report their changes.

Records change in one place, `Ledger.change`: in memory at once, on disk before the call returns. The copy in memory is
authoritative: a full disk must not keep anybody from stopping a cluster.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.store import ClusterStore
from hpcdask_ext.errors import ClusterNotFound, StoreError

log = logging.getLogger(__name__)


class Emit(Protocol):
    """Emits events."""

    def __call__(self, *, data: dict[str, Any]) -> object:
        """Emit one event; see `docs/reference/rest.md`."""


class Ledger:
    """Keeps records.

    Parameters
    ----------
    store
        Where they are stored on disk.
    emit
        Called with an event for each change.
    """

    def __init__(self, store: ClusterStore, emit: Emit) -> None:
        self._store, self._emit = store, emit
        self.root = store.root
        self._clusters: dict[str, Cluster] = {}
        self._saving: dict[str, asyncio.Lock] = {}
        self._unsaved: set[str] = set()

    async def load(self) -> None:
        """Read the records from disk."""
        for cluster in await asyncio.to_thread(lambda: list(self._store.load_all())):
            self._clusters[cluster.id] = cluster

    async def stored(self) -> list[Cluster]:
        """Return the clusters whose records are on disk but not here: another program has launched them since."""
        stored = await asyncio.to_thread(lambda: list(self._store.load_all()))
        return [cluster for cluster in stored if cluster.id not in self._clusters]

    async def read_again(self, cluster_id: str) -> Cluster:
        """Return a cluster as another process has written it, and go on from that.

        Raises
        ------
        StoreError, ClusterNotFound
            It cannot be read.
        """
        before = self.get(cluster_id)
        after = await asyncio.to_thread(self._store.load, cluster_id)
        if after != before:
            self._clusters[cluster_id] = after
            self._tell(after, _what_changed(before, after), before.state)
        return after

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
        """Add the cluster that `make` returns; `make` may use the store and runs off the event loop.

        Raises
        ------
        StoreError
            It could not be written; nothing of it remains.
        """

        def make_and_save() -> Cluster:
            cluster = make(self._store)
            try:
                self._store.save(cluster)
            except BaseException:
                self._store.remove(cluster)
                raise
            return cluster

        cluster = await asyncio.to_thread(make_and_save)
        self._clusters[cluster.id] = cluster
        self._tell(cluster, "launched", cluster.state)
        return cluster

    async def change(
        self, cluster_id: str, change: Callable[[Cluster], Cluster], what: str = "", *, must_be_saved: bool = False
    ) -> None:
        """Replace a record with what `change` returns for it; if it differs, emit an event named `what`.

        If it cannot be written now, it is written with the next change, unless it `must_be_saved`.

        Raises
        ------
        StoreError
            It had to be saved and could not be: the caller must not go on.
        """
        before = self.get(cluster_id)
        after = change(before)
        if after != before:
            self._clusters[cluster_id] = after
            self._tell(after, what or _what_changed(before, after), before.state)
        if after != before or cluster_id in self._unsaved:
            await self._save(cluster_id, must_be_saved)

    async def forget(self, cluster_id: str) -> None:
        """Drop a cluster and remove its files."""
        async with self._lock(cluster_id):
            cluster = self._clusters.pop(cluster_id)
            self._unsaved.discard(cluster_id)
            await asyncio.to_thread(self._store.remove, cluster)
        self._saving.pop(cluster_id, None)
        self._tell(cluster, "forgotten", cluster.state)

    async def _save(self, cluster_id: str, must_be_saved: bool) -> None:
        async with self._lock(cluster_id):
            newest = self._clusters.get(cluster_id)
            if newest is None:  # forgotten meanwhile
                return
            try:
                await asyncio.to_thread(self._store.save, newest)
                self._unsaved.discard(cluster_id)
            except StoreError as error:
                if cluster_id not in self._unsaved:
                    log.warning("A cluster's record is kept only in memory for now. %s", error.message)
                self._unsaved.add(cluster_id)
                if must_be_saved:
                    raise

    def _lock(self, cluster_id: str) -> asyncio.Lock:
        return self._saving.setdefault(cluster_id, asyncio.Lock())

    def _tell(self, cluster: Cluster, what: str, previous: ClusterState) -> None:
        self._emit(
            data={
                "cluster": cluster.id,
                "change": what,
                "state": cluster.state.value,
                "previous": previous.value,
                "site": cluster.site,
                "queue": cluster.main.queue,
                "workers": cluster.workers,
            }
        )


def _what_changed(before: Cluster, after: Cluster) -> str:
    if before.state is not after.state:
        return "state"
    return "workers" if before.workers != after.workers else "details"

"""Tracking the live clusters of one user: a watch for each, and what its observations call for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.reports import remove_reports
from hpcdask_ext.clusters.scheduler_api import status_source
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.control.adapting import Adapter
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.driver import ClusterDriver
from hpcdask_ext.control.elsewhere import is_not_told_yet
from hpcdask_ext.control.folding import folded_since
from hpcdask_ext.control.ledger import Ledger
from hpcdask_ext.control.logs import last_words
from hpcdask_ext.control.processes import is_another_alive
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.watch import ClusterWatch
from hpcdask_ext.errors import ClusterNotFound, HPCDaskError, StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK = 2.0  # seconds between looks at what another process is launching


class Tracker:
    """Watches clusters, updates their records, and has the driver act on what is seen.

    `adapter` is what keeps adaptive clusters at what their work could use.

    Parameters
    ----------
    ledger
        The records.
    catalogue
        The sites and their launchers.
    driver
        Acts on jobs.
    """

    def __init__(self, ledger: Ledger, catalogue: Catalogue, driver: ClusterDriver) -> None:
        self._ledger, self._catalogue, self._driver = ledger, catalogue, driver
        self.adapter = Adapter(ledger, catalogue, driver)
        self._watches: dict[str, tuple[ClusterWatch, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unfinished: dict[str, list[str]] = {}

    async def start(self) -> None:
        """Load the clusters that were launched before, and track the live ones."""
        await self._ledger.load()
        for cluster in self._ledger.all():
            if is_launched_elsewhere(cluster):
                self.spawn(self._resume_later(cluster.id))
            elif not cluster.state.is_final:
                await self._resume(cluster)

    async def close(self) -> None:
        """Stop watching. The clusters keep running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def watch(self, cluster_id: str) -> None:
        """Begin to watch a live cluster."""
        monitors = self._catalogue.monitors(self._ledger.get(cluster_id).site)
        apply, reach = partial(self._apply, cluster_id), self._catalogue.reach
        watch = ClusterWatch(
            cluster_id, self._ledger.get, apply,
            reach=reach, source=status_source, question=self.adapter.question, monitors=monitors,
        )  # fmt: skip
        self._watches[cluster_id] = (watch, self.spawn(watch.run()))

    async def unwatch(self, cluster_id: str) -> None:
        """Stop watching a cluster."""
        self.adapter.forget(cluster_id)
        if watched := self._watches.pop(cluster_id, None):
            watched[1].cancel()
            await asyncio.gather(watched[1], return_exceptions=True)

    async def then_look(self, cluster_id: str, act: Coroutine[Any, Any, object]) -> None:
        """Act on a cluster, and look at once what that has changed."""
        with suppress(ClusterNotFound):  # it has ended and was forgotten meanwhile
            await act
        if watched := self._watches.get(cluster_id):
            watched[0].expect_changes()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a task that ends with the tracker at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)
        return task

    def _end_task(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A cluster's background task failed.", exc_info=error)

    async def _resume_later(self, cluster_id: str) -> None:
        """Track a cluster once the process that is launching it has finished that, or has ended."""
        cluster = self._ledger.get(cluster_id)
        while is_launched_elsewhere(cluster):
            await asyncio.sleep(_LOOK)
            with suppress(StoreError, ClusterNotFound):  # half written, or forgotten
                cluster = await self._ledger.read_again(cluster_id)
        if not cluster.state.is_final:
            await self._resume(cluster)

    async def _resume(self, cluster: Cluster) -> None:
        try:
            await self._take_over(cluster)
        except (HPCDaskError, OSError) as error:  # must not affect the other clusters
            log.warning("The cluster %s can only be watched for now: %s", cluster.id, error)
        self._unfinished[cluster.id] = [group.name for group in cluster.groups if group.unfinished]
        self.watch(cluster.id)

    async def _take_over(self, cluster: Cluster) -> None:
        """Go on with a cluster that another server process left."""
        if cluster.state is ClusterState.SUBMITTING:
            reason = "The Jupyter server ended while this cluster was being launched: launch it again."
            await self._driver.decide_end(cluster.id, ClusterState.FAILED, reason)
        # A submission whose answer is not in the record is searched for by its name.
        for job in cluster.jobs:
            if job.submitted is None:
                dated = job.model_copy(update={"submitted": datetime.now(timezone.utc)})
                await self._ledger.change(cluster.id, partial(Cluster.with_job, job=dated))
        await self._catalogue.launcher_of(cluster)
        if cluster.state is ClusterState.STOPPING:
            self.spawn(self.then_look(cluster.id, self._driver.cancel_rest(cluster.id)))
        if is_not_told_yet(cluster):
            self.spawn(self.then_look(cluster.id, self._driver.scale(cluster.id, cluster.main.name)))

    async def _apply(self, cluster_id: str, seen: Observation) -> bool:
        """Update the record with what was seen, act on it, and return whether anything changed."""
        before = self._ledger.get(cluster_id)
        if trouble := self._driver.trouble.get(cluster_id):
            seen = seen.with_trouble(trouble)
        explain = self._catalogue.explainer(before.site)
        await self._ledger.change(cluster_id, lambda old: reconcile(old, seen, explain))
        after = self._ledger.get(cluster_id)
        if over := folded_since(before, after):
            await asyncio.to_thread(remove_reports, after.directory, over)
        if after.outcome is ClusterState.FAILED and before.outcome is None:
            await self._add_last_words(after)
        is_left = any(job.id is not None and job.uncancelled for job in after.jobs)
        if after.state is ClusterState.STOPPING and is_left and self._driver.may_cancel(cluster_id):
            self.spawn(self.then_look(cluster_id, self._driver.cancel_rest(cluster_id)))
        if after.layout == "allocation" and max(before.workers, after.wanted) < after.workers:
            self.spawn(self.then_look(cluster_id, self._driver.scale(cluster_id, after.main.name)))
        if before.address is None and is_not_told_yet(after):
            self.spawn(self.then_look(cluster_id, self._driver.scale(cluster_id, after.main.name)))
        for group_name in self._unfinished.pop(cluster_id, ()):  # now that it is known what became of its jobs
            self.spawn(self.then_look(cluster_id, self._driver.scale(cluster_id, group_name)))
        if after.state.is_final:
            await asyncio.to_thread(Credentials(after.directory).remove)
        await self._adapt(cluster_id, seen)
        return after is not before

    async def _adapt(self, cluster_id: str, seen: Observation) -> None:
        watched = self._watches.get(cluster_id)
        if seen.scheduler is not None and watched is not None:
            for act in await self.adapter.look(cluster_id, seen.scheduler, watched[0].wake):
                self.spawn(self.then_look(cluster_id, act))

    async def _add_last_words(self, cluster: Cluster) -> None:
        """Append what a failed job printed last to the reason: it usually says what to do."""
        words = await asyncio.to_thread(last_words, cluster)
        if words and words not in cluster.reason:
            reason = {"reason": f"{cluster.reason} It printed: {words[:300]}"}
            await self._ledger.change(cluster.id, lambda old: old.model_copy(update=reason))


def is_launched_elsewhere(cluster: Cluster) -> bool:
    """Return whether another program of this host is just launching the cluster."""
    return cluster.state is ClusterState.SUBMITTING and is_another_alive(cluster.launched_by)

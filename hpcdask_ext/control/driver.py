"""Carrying out decisions: submitting, scaling and cancelling the jobs of clusters, one action at a time for each.

What cannot be undone (a submission, a cancellation) happens between two changes of the record, so that after a crash
its jobs can be found again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Coroutine
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar

from hpcdask_ext.batch.records import JobElements
from hpcdask_ext.clusters.groups import WorkerGroup
from hpcdask_ext.clusters.models import Cluster, Job
from hpcdask_ext.clusters.states import ClusterState, Place
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.edits import adjusted_to, back, finished, marked, started, with_job, without_failure
from hpcdask_ext.control.ledger import Ledger
from hpcdask_ext.control.scaling import end_unstarted, shrink
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, HPCDaskError, NotStarted, StoreError
from hpcdask_ext.launchers.base import Adjusted, Launcher

log = logging.getLogger(__name__)

_FIRST_RETRY, _LAST_RETRY = 5.0, 60.0  # seconds between tries to cancel
_RETELL = (1.0, 4.0, 10.0)  # seconds between tries to have somebody else scale

T = TypeVar("T")


class ClusterDriver:
    """Acts on the jobs of clusters. Errors of ours are not raised but recorded, so that the card shows them.

    `trouble` says, by cluster, why the last cancellation failed.
    """

    def __init__(self, ledger: Ledger, catalogue: Catalogue) -> None:
        self.trouble: dict[str, str] = {}
        self._ledger, self._catalogue = ledger, catalogue
        self._acting: dict[str, asyncio.Lock] = {}
        self._breakable: dict[str, asyncio.Task[Any]] = {}
        self._retries: dict[str, tuple[float, float]] = {}

    def forget(self, cluster_id: str) -> None:
        """Drop everything that is kept for a cluster."""
        for kept in (self._acting, self.trouble, self._retries):
            kept.pop(cluster_id, None)

    async def launch(self, cluster_id: str) -> BatchRefused | None:
        """Carry out a launch: check the environment, then submit the first jobs concurrently.

        Return the refusal, if that is how it ended.
        """
        async with self._lock(cluster_id):
            try:
                await self._launch(cluster_id)
            except (HPCDaskError, OSError) as error:
                await self.decide_end(cluster_id, ClusterState.FAILED, str(error))
                return error if isinstance(error, BatchRefused) else None
            except Exception as error:  # whatever it is, a card must not stay "submitting" forever
                log.exception("A launch failed unexpectedly.")
                reason = f"The launch failed unexpectedly ({type(error).__name__}): this is a bug, see Jupyter's log."
                await self.decide_end(cluster_id, ClusterState.FAILED, reason)
        return None

    async def scale(self, cluster_id: str, group_name: str, *, pending: int = 0) -> bool:
        """Make a group match its requested scaling, and return whether that worked.

        If it does not, the record gets the number of workers there are. Of too many, those that wait in the queue go
        first, except for `pending` of them.
        """
        async with self._lock(cluster_id):
            cluster = self._ledger.get(cluster_id)
            if not cluster.state.is_scalable:
                return False
            group = cluster.group(group_name)
            try:
                adjusted = await self._scale(cluster, group, await self._catalogue.launcher_of(cluster), pending)
            except (HPCDaskError, OSError) as error:
                await self._ledger.change(cluster_id, partial(back, asked=group, error=str(error)), "scaled")
                return False
            await self._ledger.change(cluster_id, lambda old: finished(without_failure(old), group))
            if adjusted is not None:
                await self._ledger.change(cluster_id, partial(adjusted_to, asked=group, adjusted=adjusted), "scaled")
            return True

    def is_acting(self, cluster_id: str) -> bool:
        """Return whether something is just being done about a cluster."""
        return self._lock(cluster_id).locked()

    async def decide_end(self, cluster_id: str, outcome: ClusterState, reason: str, what: str = "") -> None:
        """Make a cluster `stopping`; `cancel_rest` then ends its remaining jobs."""
        changes = {"state": ClusterState.STOPPING, "outcome": outcome, "reason": reason}
        if task := self._breakable.get(cluster_id):
            task.cancel()
        await self._ledger.change(
            cluster_id, lambda old: old if old.outcome is not None else old.model_copy(update=changes), what
        )

    def may_cancel(self, cluster_id: str) -> bool:
        """Return whether `cancel_rest` may be called: not during another action, nor right after a failure."""
        return not self._lock(cluster_id).locked() and self._is_due(cluster_id)

    async def cancel_rest(self, cluster_id: str) -> None:
        """Cancel every job of a stopping cluster, even if it seems cancelled: whoever did that may not have got far."""
        async with self._lock(cluster_id):
            if not self._is_due(cluster_id):  # whoever had the lock before has just tried in vain
                return
            cluster = self._ledger.get(cluster_id)
            places: tuple[Place, ...] = ("host", "batch", "elsewhere")
            for place in places:
                jobs = [job for job in cluster.jobs if job.place == place and job.id is not None and job.live]
                if jobs:
                    await self._cancel(cluster, place, jobs)

    def _is_due(self, cluster_id: str) -> bool:
        retry_at, _ = self._retries.get(cluster_id, (0.0, 0.0))
        return asyncio.get_running_loop().time() >= retry_at

    async def _launch(self, cluster_id: str) -> None:
        launcher = await self._catalogue.launcher_of(self._ledger.get(cluster_id))
        if self._ledger.get(cluster_id).state is ClusterState.SUBMITTING:
            found = await self._break_at_end(cluster_id, launcher.prepare(self._ledger.get(cluster_id)))
            if found is not None:
                changes = {"warnings": found.warnings, "versions": dict(found.versions)}
                await self._ledger.change(cluster_id, lambda old: old.model_copy(update=changes))
        cluster = self._ledger.get(cluster_id)
        if cluster.state is ClusterState.SUBMITTING:
            await self._submit(cluster_id, launcher, launcher.first_jobs(cluster))
            await self._ledger.change(cluster_id, started)

    async def _break_at_end(self, cluster_id: str, act: Coroutine[Any, Any, T]) -> T | None:
        """Await something that may take minutes; return None if `decide_end` interrupted it."""
        task = asyncio.create_task(act)
        self._breakable[cluster_id] = task
        try:
            await asyncio.wait([task])
            return None if task.cancelled() else task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            del self._breakable[cluster_id]

    async def _submit(
        self, cluster_id: str, launcher: Launcher, jobs: tuple[Job, ...], asked: WorkerGroup | None = None
    ) -> None:
        """Submit jobs concurrently, which may finish what was `asked`; raise the first error once all are done."""
        try:
            for job in jobs:
                change = partial(with_job, job=job, asked=asked)
                await self._ledger.change(cluster_id, change, must_be_saved=True)
        except StoreError:  # nothing was submitted
            for job in jobs:
                await self._ledger.change(cluster_id, partial(Cluster.without_job, tag=job.tag))
            raise
        submissions = (self._submit_one(cluster_id, launcher, job) for job in jobs)
        for error in await asyncio.gather(*submissions, return_exceptions=True):
            if isinstance(error, BaseException):
                raise error

    async def _submit_one(self, cluster_id: str, launcher: Launcher, job: Job) -> None:
        changes: dict[str, Any] = {}
        try:
            changes["id"] = await launcher.submit(self._ledger.get(cluster_id), job)
        except Exception as error:
            if isinstance(error, BatchUnreachable) and not isinstance(error, NotStarted):
                raise  # it may have been submitted: it stays in the record until it is found by its name, or is not
            await self._ledger.change(cluster_id, lambda old: old.without_job(job.tag))
            raise
        finally:
            changes["submitted"] = datetime.now(timezone.utc)
            await self._ledger.change(cluster_id, lambda old: old.with_changed_job(job.tag, changes))

    async def _scale(self, cluster: Cluster, group: WorkerGroup, launcher: Launcher, pending: int) -> Adjusted | None:
        if not launcher.scales_with_jobs:
            return await self._break_at_end(cluster.id, _tell(launcher, cluster, group))
        missing = group.scaling.workers - cluster.capacity(group)
        if cluster.layout == "allocation":  # it cannot grow, and workers that connect late may be too many
            missing = min(0, missing, group.scaling.workers - cluster.workers)
        if missing > 0:
            await self._submit(cluster.id, launcher, (launcher.more_workers(cluster, group, missing),), group)
        elif missing < 0:
            change, find_way = partial(self._ledger.change, cluster.id), self._catalogue.reach
            shrinking = shrink(cluster, group, -missing, launcher, change, find_way=find_way, pending=pending)
            await self._break_at_end(cluster.id, shrinking)
        return None

    async def _cancel(self, cluster: Cluster, place: Place, jobs: list[Job]) -> None:
        await self._ledger.change(cluster.id, partial(marked, jobs=jobs, cancelled=True))
        try:
            _check_host(jobs)
            launcher = await self._catalogue.launcher_at(cluster, place)
            await launcher.cancel(place, [JobElements(str(job.id)) for job in jobs])
            self.trouble.pop(cluster.id, None)
            self._retries.pop(cluster.id, None)
            await self._ledger.change(cluster.id, end_unstarted)
            self._catalogue.hurry(cluster.site, place)
        except (HPCDaskError, OSError) as error:
            self.trouble[cluster.id] = str(error)
            _, delay = self._retries.get(cluster.id, (0.0, _FIRST_RETRY))
            self._retries[cluster.id] = (asyncio.get_running_loop().time() + delay, min(2 * delay, _LAST_RETRY))
            await self._ledger.change(cluster.id, partial(marked, jobs=jobs, cancelled=False))

    def _lock(self, cluster_id: str) -> asyncio.Lock:
        return self._acting.setdefault(cluster_id, asyncio.Lock())


async def _tell(launcher: Launcher, cluster: Cluster, group: WorkerGroup) -> Adjusted | None:
    """Have whoever runs a cluster scale it, trying again while that one is away for a moment."""
    for delay in _RETELL:
        try:
            return await launcher.scale(cluster, group.scaling)
        except BatchUnreachable:
            await asyncio.sleep(delay)
    return await launcher.scale(cluster, group.scaling)


def _check_host(jobs: list[Job]) -> None:
    for job in jobs:
        if job.host not in (None, socket.gethostname()):
            raise BatchUnreachable(f"The cluster runs on {job.host}: open JupyterLab there to stop it.")

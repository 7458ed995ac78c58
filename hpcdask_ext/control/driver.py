"""Doing what was decided: submitting, scaling and cancelling the jobs of clusters, one act at a time for each.

What cannot be undone (a submission, a cancellation) happens between two changes of the record, so that a crash leaves
something that can be found.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from functools import partial
from typing import Any

from hpcdask_ext.batch.base import JobElements
from hpcdask_ext.clusters.models import Cluster, ClusterState, FixedScaling, Job, JobState
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.ledger import Ledger
from hpcdask_ext.control.scaling import end_unstarted, shrink
from hpcdask_ext.errors import BatchUnreachable, CommandMissing, HPCDaskError
from hpcdask_ext.launchers.base import Launcher, Place

log = logging.getLogger(__name__)

_STARTING = {"state": ClusterState.STARTING, "reason": "The scheduler is starting"}


class ClusterDriver:
    """Acts on the jobs of clusters. No method raises an error of ours: it goes onto the card.

    `trouble` says, by cluster, why the last act did not work.
    """

    def __init__(self, ledger: Ledger, catalogue: Catalogue) -> None:
        self.trouble: dict[str, str] = {}
        self._ledger, self._catalogue = ledger, catalogue
        self._acting: dict[str, asyncio.Lock] = {}
        self._preparing: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    def is_acting(self, cluster_id: str) -> bool:
        """Return whether something is being done to a cluster now."""
        return self._lock(cluster_id).locked()

    def forget(self, cluster_id: str) -> None:
        """Drop what is kept for a cluster."""
        self._acting.pop(cluster_id, None)
        self.trouble.pop(cluster_id, None)

    async def launch(self, cluster_id: str) -> None:
        """Do what a launch promised: look into the environment, then submit the first jobs side by side."""
        async with self._lock(cluster_id):
            try:
                launcher = await self._launcher(self._ledger.get(cluster_id))
                warnings = await self._prepare(cluster_id, launcher)
                await self._ledger.change(cluster_id, lambda old: old.model_copy(update={"warnings": warnings}))
                cluster = self._ledger.get(cluster_id)
                if cluster.state is ClusterState.SUBMITTING:
                    await self._submit(cluster_id, launcher, launcher.first_jobs(cluster))
                    await self._ledger.change(cluster_id, _start)
            except (HPCDaskError, OSError) as error:
                await self.decide_end(cluster_id, ClusterState.FAILED, str(error))
            except Exception as error:  # a card must not stay "submitting" for ever
                log.exception("A launch broke off.")
                reason = (
                    f"The launch broke off by a mistake of the program ({type(error).__name__}): see Jupyter's log."
                )
                await self.decide_end(cluster_id, ClusterState.FAILED, reason)

    async def scale(self, cluster_id: str) -> None:
        """Make the jobs agree with the scaling that was asked for; where that fails, the card says what is so."""
        async with self._lock(cluster_id):
            cluster = self._ledger.get(cluster_id)
            if not cluster.state.is_scalable:
                return
            try:
                await self._scale(cluster, await self._launcher(cluster))
            except (HPCDaskError, OSError) as error:
                cluster = self._ledger.get(cluster_id)
                back = {
                    "scaling": FixedScaling(workers=cluster.capacity),
                    "warnings": (*cluster.warnings, f"Scaling did not work. {error}"),
                }
                await self._ledger.change(cluster_id, lambda old: old.model_copy(update=back), "scaled")

    async def decide_end(self, cluster_id: str, outcome: ClusterState, reason: str, what: str = "") -> None:
        """Make a cluster one that is stopping; what is left of its jobs is then for `cancel_rest`."""
        changes = {"state": ClusterState.STOPPING, "outcome": outcome, "reason": reason}
        if preparing := self._preparing.get(cluster_id):
            preparing.cancel()
        await self._ledger.change(
            cluster_id, lambda old: old if old.outcome is not None else old.model_copy(update=changes), what
        )

    async def cancel_rest(self, cluster_id: str) -> None:
        """Cancel every job of a stopping cluster that was not cancelled yet."""
        async with self._lock(cluster_id):
            cluster = self._ledger.get(cluster_id)
            places: tuple[Place, ...] = ("host", "batch")
            for place in places:
                jobs = [job for job in cluster.jobs if job.place == place and job.id is not None and job.uncancelled]
                if jobs:
                    await self._cancel(cluster, place, jobs)

    async def _prepare(self, cluster_id: str, launcher: Launcher) -> tuple[str, ...]:
        """Prepare a launch; `decide_end` breaks that off, for a container may take minutes to start."""
        task = asyncio.create_task(launcher.prepare(self._ledger.get(cluster_id)))
        self._preparing[cluster_id] = task
        try:
            await asyncio.wait([task])
            return () if task.cancelled() else task.result()
        finally:
            del self._preparing[cluster_id]

    async def _submit(self, cluster_id: str, launcher: Launcher, jobs: tuple[Job, ...]) -> None:
        """Submit jobs side by side; raise the first error after all are done."""
        for job in jobs:
            await self._ledger.change(cluster_id, partial(Cluster.with_job, job=job))
        submissions = (self._submit_one(cluster_id, launcher, job) for job in jobs)
        for error in await asyncio.gather(*submissions, return_exceptions=True):
            if isinstance(error, BaseException):
                raise error

    async def _submit_one(self, cluster_id: str, launcher: Launcher, job: Job) -> None:
        changes: dict[str, Any] = {}
        try:
            changes["id"] = await launcher.submit(self._ledger.get(cluster_id), job)
        except (HPCDaskError, OSError) as error:
            if isinstance(error, BatchUnreachable) and not isinstance(error, CommandMissing):
                raise  # it may have been submitted: it stays in the record, and is found by its name or found missing
            changes["elements"] = job.with_elements(job.elements, state=JobState.FAILED, reason=str(error)).elements
            raise
        finally:
            changes["submitted"] = datetime.now(timezone.utc)
            await self._ledger.change(cluster_id, lambda old: old.with_job(old.job(job.tag).model_copy(update=changes)))

    async def _scale(self, cluster: Cluster, launcher: Launcher) -> None:
        missing = cluster.scaling.workers - cluster.capacity
        if missing > 0:
            await self._submit(cluster.id, launcher, (launcher.more_workers(cluster, missing),))
        elif missing < 0:
            await shrink(cluster, -missing, launcher, partial(self._ledger.change, cluster.id))

    async def _cancel(self, cluster: Cluster, place: Place, jobs: list[Job]) -> None:
        await self._ledger.change(cluster.id, partial(_mark, jobs=jobs, cancelled=True))
        try:
            launcher = await self._launcher(cluster)
            await launcher.cancel(place, [JobElements(str(job.id)) for job in jobs])
            self.trouble.pop(cluster.id, None)
            await self._ledger.change(cluster.id, end_unstarted)
            self._catalogue.hurry(cluster.site, place)
        except (HPCDaskError, OSError) as error:
            self.trouble[cluster.id] = str(error)
            await self._ledger.change(cluster.id, partial(_mark, jobs=jobs, cancelled=False))

    async def _launcher(self, cluster: Cluster) -> Launcher:
        launcher = await self._catalogue.launcher(cluster.site)
        if launcher is None:
            raise BatchUnreachable(f"The site “{cluster.site}” is not described here any more: ask who administers it.")
        return launcher

    def _lock(self, cluster_id: str) -> asyncio.Lock:
        return self._acting.setdefault(cluster_id, asyncio.Lock())


def _start(cluster: Cluster) -> Cluster:
    return cluster.model_copy(update=_STARTING) if cluster.state is ClusterState.SUBMITTING else cluster


def _mark(cluster: Cluster, jobs: list[Job], cancelled: bool) -> Cluster:
    for job in jobs:
        cluster = cluster.with_job(cluster.job(job.tag).with_elements(job.uncancelled, cancelled=cancelled))
    return cluster

"""The clusters of one user: launch, rename, scale, stop, forget; and keeping their records true.

Records change in one place, `ClusterManager._change`: in memory at once, on disk before the call returns. What cannot
be undone (a submission, a cancellation) happens between two changes, so that a crash leaves something to be found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any, Protocol

from hpcdask_ext.batch.base import JobElements
from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.models import Cluster, ClusterState, FixedScaling, Job, JobState
from hpcdask_ext.clusters.store import ClusterStore, new_id
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.logs import last_words, read_logs
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.scaling import end_unstarted, shrink
from hpcdask_ext.control.view import cluster_view, sites_view
from hpcdask_ext.control.watch import ClusterWatch
from hpcdask_ext.errors import BatchUnreachable, ClusterNotFound, CommandMissing, HPCDaskError, WrongState
from hpcdask_ext.launchers.base import Launcher, Place
from hpcdask_ext.sites.request import Launch, read_change, read_launch

log = logging.getLogger(__name__)


class Emit(Protocol):
    """Takes events."""

    def __call__(self, *, data: dict[str, Any]) -> object:
        """Take one event; see `docs/reference/rest.md`."""


class ClusterManager:
    """Launches and tracks the clusters of one user.

    Parameters
    ----------
    store
        Where their records are.
    catalogue
        What sites, kernels and launchers there are.
    emit
        Takes each event; see `docs/reference/rest.md`.
    """

    def __init__(self, store: ClusterStore, catalogue: Catalogue, emit: Emit) -> None:
        self.catalogue = catalogue
        self._store, self._emit = store, emit
        self._clusters: dict[str, Cluster] = {}
        self._watches: dict[str, ClusterWatch] = {}
        self._saving: dict[str, asyncio.Lock] = {}
        self._acting: dict[str, asyncio.Lock] = {}
        self._trouble: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Find the clusters that were launched before, and go on watching those that live."""
        for cluster in await asyncio.to_thread(lambda: list(self._store.load_all())):
            self._clusters[cluster.id] = cluster
            if not cluster.state.is_final:
                await self._resume(cluster)

    async def close(self) -> None:
        """Stop watching. The clusters go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.catalogue.close()

    def all(self) -> list[Cluster]:
        """Return all clusters, the newest first."""
        return sorted(self._clusters.values(), key=lambda cluster: cluster.created, reverse=True)

    def get(self, cluster_id: str) -> Cluster:
        """Return one cluster, or raise `ClusterNotFound`."""
        try:
            return self._clusters[cluster_id]
        except KeyError:
            raise ClusterNotFound(cluster_id) from None

    async def launch(self, body: Mapping[str, Any]) -> Cluster:
        """Begin a launch and return at once; see `read_launch` for `body` and what it raises."""
        sites, kernels = await asyncio.gather(self.catalogue.sites(), self.catalogue.kernels())
        launch = read_launch(body, sites, kernels)
        cluster = await asyncio.to_thread(self._create, launch)
        self._clusters[cluster.id] = cluster
        self._tell(cluster, "launched")
        self._spawn(self._submit_first(cluster.id))
        return cluster

    async def change(self, cluster_id: str, body: Mapping[str, Any]) -> Cluster:
        """Rename or scale, as `body` asks; see `read_change` for what it raises."""
        cluster = self.get(cluster_id)
        sites = await self.catalogue.sites()
        change = read_change(body, sites.get(cluster.site), cluster.queue, cluster.shape)
        if change.scaling is not None:
            if cluster.state not in (ClusterState.PENDING, ClusterState.STARTING, ClusterState.RUNNING):
                raise WrongState(f"“{cluster.name}” is {cluster.state.value}: it cannot be scaled now.")
            scaling = FixedScaling(workers=change.scaling.workers)
            await self._change(cluster_id, lambda old: old.model_copy(update={"scaling": scaling}), "scaled")
            self._spawn(self._scale(cluster_id))
        if change.name is not None:
            await self._change(cluster_id, lambda old: old.model_copy(update={"name": change.name}), "renamed")
        return self.get(cluster_id)

    async def stop(self, cluster_id: str) -> Cluster | None:
        """Begin to stop a cluster; on one that has ended, forget it and return None."""
        cluster = self.get(cluster_id)
        if cluster.state.is_final:
            await self._forget(cluster)
            return None
        if cluster.state is not ClusterState.STOPPING:
            await self._decide_end(cluster_id, ClusterState.STOPPED, "", "stopped")
            self._spawn(self._cancel_rest(cluster_id))
        return self.get(cluster_id)

    async def show(self, clusters: Sequence[Cluster], base_url: str) -> list[dict[str, Any]]:
        """Return clusters as users see them; `base_url` is the Jupyter server's."""
        sites = await self.catalogue.sites()
        return [cluster_view(cluster, sites.get(cluster.site), base_url) for cluster in clusters]

    async def show_sites(self) -> dict[str, Any]:
        """Return the sites as users see them."""
        sites, kernels = await asyncio.gather(self.catalogue.sites(), self.catalogue.kernels())
        return sites_view(sites, kernels)

    async def logs(self, cluster_id: str, role: str | None, job: str | None, tail: str | None) -> list[dict[str, Any]]:
        """Return the end of a cluster's logs; see `read_logs`, which also raises for `role` and `tail`."""
        return await asyncio.to_thread(read_logs, self.get(cluster_id), role, job, tail)

    # What the public methods are made of.

    def _create(self, launch: Launch) -> Cluster:
        cluster_id = new_id()
        directory = self._store.create(cluster_id, self.catalogue.directory(launch.site))
        cluster = Cluster(
            id=cluster_id,
            name=launch.name or self._free_name(launch),
            site=launch.site.name,
            site_title=launch.site.label,
            queue=launch.queue.name,
            size=launch.size,
            account=launch.account,
            walltime=launch.walltime,
            options=launch.options,
            environment=launch.environment,
            shape=launch.shape,
            scaling=launch.scaling,
            directory=directory,
            created=datetime.now(timezone.utc),
        )
        self._store.save(cluster)
        return cluster

    def _free_name(self, launch: Launch) -> str:
        stem = launch.size or "custom"
        taken = {cluster.name for cluster in self._clusters.values()}
        names = (f"{stem}-{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    async def _submit_first(self, cluster_id: str) -> None:
        """Do what a launch promised: look into the environment, then submit the first jobs side by side."""
        async with self._act(cluster_id):
            try:
                cluster = self.get(cluster_id)
                launcher = await self._launcher(cluster)
                warnings = await launcher.prepare(cluster)
                await self._change(cluster_id, lambda old: old.model_copy(update={"warnings": warnings}), "details")
                if self.get(cluster_id).state is ClusterState.SUBMITTING:
                    jobs = launcher.first_jobs(cluster)
                    await self._submit(cluster_id, launcher, jobs)
                    starting = {"state": ClusterState.STARTING, "reason": "The scheduler is starting"}
                    await self._change(
                        cluster_id,
                        lambda old: old.model_copy(update=starting) if old.state is ClusterState.SUBMITTING else old,
                        "state",
                    )
            except (HPCDaskError, OSError) as error:
                await self._decide_end(cluster_id, ClusterState.FAILED, str(error), "state")
        self._watch(cluster_id)

    async def _submit(self, cluster_id: str, launcher: Launcher, jobs: tuple[Job, ...]) -> None:
        """Submit jobs side by side, the record being written before and after each; raise the first error."""
        for job in jobs:
            await self._change(cluster_id, partial(Cluster.with_job, job=job), "details")
        results = await asyncio.gather(
            *(self._submit_one(cluster_id, launcher, job) for job in jobs), return_exceptions=True
        )
        for error in results:
            if isinstance(error, BaseException):
                raise error

    async def _submit_one(self, cluster_id: str, launcher: Launcher, job: Job) -> None:
        changes: dict[str, Any] = {}
        try:
            changes["id"] = await launcher.submit(self.get(cluster_id), job)
        except (HPCDaskError, OSError) as error:
            if isinstance(error, BatchUnreachable) and not isinstance(error, CommandMissing):
                raise  # it may have been submitted: it stays in the record, and is found by its name or found missing
            changes["elements"] = job.with_elements(job.elements, state=JobState.FAILED, reason=str(error)).elements
            raise
        finally:
            changes["submitted"] = datetime.now(timezone.utc)
            await self._change(
                cluster_id, lambda old: old.with_job(old.job(job.tag).model_copy(update=changes)), "details"
            )

    async def _scale(self, cluster_id: str) -> None:
        """Make the jobs agree with the scaling that was asked for."""
        async with self._act(cluster_id):
            cluster = self.get(cluster_id)
            if cluster.state not in (ClusterState.PENDING, ClusterState.STARTING, ClusterState.RUNNING):
                return
            try:
                launcher = await self._launcher(cluster)
                missing = cluster.scaling.workers - cluster.capacity
                if missing > 0:
                    await self._submit(cluster_id, launcher, (launcher.more_workers(cluster, missing),))
                elif missing < 0:
                    await shrink(cluster, -missing, launcher, lambda change: self._change(cluster_id, change, "scaled"))
            except (HPCDaskError, OSError) as error:
                # The card goes back to what is so, and says why.
                actual = FixedScaling(workers=self.get(cluster_id).capacity)
                warnings = (*self.get(cluster_id).warnings, f"Scaling did not work. {error}")
                back = {"scaling": actual, "warnings": warnings}
                await self._change(cluster_id, lambda old: old.model_copy(update=back), "scaled")
        self._wake(cluster_id)

    async def _decide_end(self, cluster_id: str, outcome: ClusterState, reason: str, what: str) -> None:
        changes = {"state": ClusterState.STOPPING, "outcome": outcome, "reason": reason}
        await self._change(
            cluster_id,
            lambda old: old if old.state is ClusterState.STOPPING else old.model_copy(update=changes),
            what,
        )

    async def _cancel_rest(self, cluster_id: str) -> None:
        """Cancel every job of a stopping cluster that was not cancelled yet."""
        async with self._act(cluster_id):
            cluster = self.get(cluster_id)
            for place in ("host", "batch"):
                jobs = [job for job in cluster.jobs if job.place == place and job.id is not None and job.uncancelled]
                if jobs:
                    await self._cancel(cluster, place, jobs)
        self._wake(cluster_id)

    async def _cancel(self, cluster: Cluster, place: Place, jobs: list[Job]) -> None:
        def mark(old: Cluster, value: bool) -> Cluster:
            for job in jobs:
                old = old.with_job(old.job(job.tag).with_elements(job.uncancelled, cancelled=value))
            return old

        await self._change(cluster.id, lambda old: mark(old, True), "details")
        try:
            launcher = await self._launcher(cluster)
            await launcher.cancel(place, [JobElements(str(job.id)) for job in jobs])
            self._trouble.pop(cluster.id, None)
            await self._change(cluster.id, end_unstarted, "details")
            self.catalogue.hurry(cluster.site, place)
        except (HPCDaskError, OSError) as error:
            self._trouble[cluster.id] = str(error)
            await self._change(cluster.id, lambda old: mark(old, False), "details")

    async def _forget(self, cluster: Cluster) -> None:
        del self._clusters[cluster.id]
        for kept in (self._saving, self._acting, self._trouble, self._watches):
            kept.pop(cluster.id, None)
        await asyncio.to_thread(self._store.remove, cluster)
        self._tell(cluster, "forgotten")

    # Keeping records true.

    async def _resume(self, cluster: Cluster) -> None:
        """Take up a cluster that another server process left."""
        await self.catalogue.launcher(cluster.site)
        if cluster.state is ClusterState.SUBMITTING:
            reason = "The Jupyter server ended while this cluster was being launched."
            await self._decide_end(cluster.id, ClusterState.FAILED, reason, "state")
        # A submission whose answer is not in the record is looked for by its name.
        for job in cluster.jobs:
            if job.submitted is None:
                dated = job.model_copy(update={"submitted": datetime.now(timezone.utc)})
                await self._change(cluster.id, partial(Cluster.with_job, job=dated), "details")
        self._watch(cluster.id)

    def _watch(self, cluster_id: str) -> None:
        cluster = self.get(cluster_id)
        monitors = self.catalogue.monitors(cluster.site)
        watch = ClusterWatch(lambda: self.get(cluster_id), lambda seen: self._apply(cluster_id, seen), monitors)
        self._watches[cluster_id] = watch
        self._spawn(watch.run())

    def _wake(self, cluster_id: str) -> None:
        if watch := self._watches.get(cluster_id):
            watch.wake()

    async def _apply(self, cluster_id: str, seen: Observation) -> bool:
        before = self.get(cluster_id)
        if trouble := self._trouble.get(cluster_id):
            seen = seen.with_trouble(trouble)
        explain = self.catalogue.explainer(before.site)
        await self._change(cluster_id, lambda old: reconcile(old, seen, explain), "")
        after = self.get(cluster_id)
        if after.outcome is ClusterState.FAILED and before.outcome is None:
            await self._add_last_words(after)
        is_left = any(job.id is not None and job.uncancelled for job in after.jobs)
        if after.state is ClusterState.STOPPING and is_left and not self._act(cluster_id).locked():
            self._spawn(self._cancel_rest(cluster_id))
        if after.state.is_final:
            await asyncio.to_thread(Credentials(after.directory).remove)
        return after is not before

    async def _add_last_words(self, cluster: Cluster) -> None:
        """Put what a failed job printed last behind the reason: it most often says what to do."""
        if words := await asyncio.to_thread(last_words, cluster):
            reason = f"{cluster.reason} It printed: {words[:300]}"
            await self._change(cluster.id, lambda old: old.model_copy(update={"reason": reason}), "details")

    async def _change(self, cluster_id: str, change: Callable[[Cluster], Cluster], what: str) -> None:
        """Change a record in memory at once and on disk before this returns; tell it, if anything differs."""
        before = self.get(cluster_id)
        after = change(before)
        if after == before:
            return
        self._clusters[cluster_id] = after
        async with self._saving.setdefault(cluster_id, asyncio.Lock()):
            newest = self._clusters.get(cluster_id)
            if newest is not None:
                await asyncio.to_thread(self._store.save, newest)
        self._tell(after, what or _what_changed(before, after), before.state)

    def _tell(self, cluster: Cluster, what: str, previous: ClusterState | None = None) -> None:
        self._emit(
            data={
                "cluster": cluster.id,
                "change": what,
                "state": cluster.state.value,
                "previous": (previous or cluster.state).value,
                "site": cluster.site,
                "queue": cluster.queue,
                "workers": cluster.workers,
            }
        )

    async def _launcher(self, cluster: Cluster) -> Launcher:
        launcher = await self.catalogue.launcher(cluster.site)
        if launcher is None:
            raise BatchUnreachable(f"The site “{cluster.site}” is not described here any more: ask who administers it.")
        return launcher

    def _act(self, cluster_id: str) -> asyncio.Lock:
        return self._acting.setdefault(cluster_id, asyncio.Lock())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)

    def _end_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("The work on a cluster broke off.", exc_info=error)


def _what_changed(before: Cluster, after: Cluster) -> str:
    if before.state is not after.state:
        return "state"
    return "workers" if before.workers != after.workers else "details"

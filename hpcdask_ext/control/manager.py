"""The clusters of one user: launch, rename, scale, stop, forget; and watching the live ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.models import Cluster, FixedScaling
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.store import ClusterStore, new_id
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.driver import ClusterDriver
from hpcdask_ext.control.ledger import Emit, Ledger
from hpcdask_ext.control.logs import last_words, read_logs
from hpcdask_ext.control.preview import invalid_preview_view, preview_view
from hpcdask_ext.control.processes import is_another_alive, this_process
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.site_view import sites_view
from hpcdask_ext.control.view import cluster_view
from hpcdask_ext.control.watch import ClusterWatch
from hpcdask_ext.errors import BatchError, ClusterNotFound, HPCDaskError, InvalidRequest, StoreError, WrongState
from hpcdask_ext.sites.request import Launch, read_change, read_launch

log = logging.getLogger(__name__)

_LOOK = 2.0  # seconds between looks at what another process is launching


class ClusterManager:
    """Launches and tracks the clusters of one user.

    Parameters
    ----------
    store
        Where their records are stored.
    catalogue
        The sites, kernels and launchers.
    emit
        Called with each event.
    """

    def __init__(self, store: ClusterStore, catalogue: Catalogue, emit: Emit) -> None:
        self._catalogue = catalogue
        self._ledger = Ledger(store, emit)
        self._driver = ClusterDriver(self._ledger, catalogue)
        self._watches: dict[str, tuple[ClusterWatch, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.all, self.get = self._ledger.all, self._ledger.get

    async def start(self) -> None:
        """Load the clusters that were launched before, and adopt the live ones."""
        await self._ledger.load()
        for cluster in self.all():
            if _is_launched_elsewhere(cluster):
                self._spawn(self._adopt_later(cluster.id))
            elif not cluster.state.is_final:
                await self._adopt(cluster)

    async def close(self) -> None:
        """Stop watching. The clusters keep running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._catalogue.close()

    async def launch(self, body: Mapping[str, Any]) -> Cluster:
        """Begin a launch and return at once; see `read_launch` for `body` and what it raises.

        What only the batch system's own rules refuse is refused here as well.
        """
        launch = await self._read(body)
        with suppress(BatchError):  # whatever keeps the site from being used is shown on the card
            launcher = await self._catalogue.launcher(launch.site.name)
            await asyncio.to_thread(launcher.scripts, self._planned(launch))
        cluster = await self._ledger.add(partial(self._make, launch))
        self._spawn(self._launch(cluster.id))
        return cluster

    async def preview(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a launch with this body would submit, or what is wrong with it, as JSON; nothing is submitted."""
        try:
            launch = await self._read(body)
            cluster = self._planned(launch)
            launcher = await self._catalogue.launcher(launch.site.name)
            info = self._catalogue.queues.get(launch.site.name, {}).get(launch.queue.name)
            return preview_view(cluster, launch.site, launch.queue, info, await launcher.preview(cluster))
        except InvalidRequest as error:
            return invalid_preview_view(error)

    async def change(self, cluster_id: str, body: Mapping[str, Any]) -> Cluster:
        """Rename or scale, as `body` asks; see `read_change` for what it raises."""
        cluster = self.get(cluster_id)
        sites = await self._catalogue.sites()
        most = cluster.scaling.workers if cluster.layout == "allocation" else None
        change = read_change(body, sites.get(cluster.site), cluster.queue, cluster.shape, most)
        if change.scaling is not None:
            if not cluster.state.is_scalable:
                raise WrongState(f"“{cluster.name}” is {cluster.state.value} and cannot be scaled now.")
            scaling = FixedScaling(workers=change.scaling.workers)
            await self._ledger.change(cluster_id, lambda old: old.model_copy(update={"scaling": scaling}), "scaled")
            self._spawn(self._then_look(cluster_id, self._driver.scale(cluster_id)))
        if change.name is not None:
            name = {"name": change.name}
            await self._ledger.change(cluster_id, lambda old: old.model_copy(update=name), "renamed")
        return self.get(cluster_id)

    async def stop(self, cluster_id: str) -> Cluster:
        """Begin to stop a cluster."""
        if _is_launched_elsewhere(self.get(cluster_id)):
            raise WrongState("Another program is just launching this cluster: stop it there, or in a moment here.")
        if self.get(cluster_id).outcome is None:
            await self._driver.decide_end(cluster_id, ClusterState.STOPPED, "", "stopped")
            self._spawn(self._then_look(cluster_id, self._driver.cancel_rest(cluster_id)))
        return self.get(cluster_id)

    async def forget(self, cluster_id: str) -> None:
        """Forget an ended cluster and remove everything that is left of it."""
        if not self.get(cluster_id).state.is_final:
            raise WrongState(f"“{self.get(cluster_id).name}” has not ended yet: stop it first.")
        if watched := self._watches.pop(cluster_id, None):
            watched[1].cancel()
            await asyncio.gather(watched[1], return_exceptions=True)
        self._driver.forget(cluster_id)
        await self._ledger.forget(cluster_id)

    async def show(self, clusters: Sequence[Cluster], base_url: str) -> list[dict[str, Any]]:
        """Return clusters as users see them; `base_url` is the Jupyter server's."""
        sites = await self._catalogue.sites()
        return [cluster_view(cluster, sites.get(cluster.site), base_url) for cluster in clusters]

    async def show_sites(self) -> dict[str, Any]:
        """Return the sites as users see them. A launch is likely to follow, so warming up starts now."""
        sites, kernels = await asyncio.gather(self._catalogue.current_sites(), self._catalogue.kernels())
        self._spawn(self._catalogue.warm_up(sites, kernels))
        return sites_view(sites, kernels, self._catalogue.queues)

    async def logs(self, cluster_id: str, role: str | None, job: str | None, tail: str | None) -> list[dict[str, Any]]:
        """Return the end of a cluster's logs; see `read_logs`, which also raises for `role` and `tail`."""
        return await asyncio.to_thread(read_logs, self.get(cluster_id), role, job, tail)

    async def _read(self, body: Mapping[str, Any]) -> Launch:
        sites, kernels = await asyncio.gather(self._catalogue.sites_for(body.get("site")), self._catalogue.kernels())
        return await asyncio.to_thread(read_launch, body, sites, kernels, self._catalogue.working_directory)

    def _planned(self, launch: Launch) -> Cluster:
        """Return the cluster that a launch would make, with neither an id nor a directory of its own."""
        directory = self._catalogue.directory(launch.site) or self._ledger.root
        return self._record(launch, "preview", directory / "preview")

    def _make(self, launch: Launch, store: ClusterStore) -> Cluster:
        cluster_id = new_id()
        return self._record(launch, cluster_id, store.create(cluster_id, self._catalogue.directory(launch.site)))

    def _record(self, launch: Launch, cluster_id: str, directory: Path) -> Cluster:
        same = ("size", "layout", "account", "walltime", "options", "environment", "image", "script")
        return Cluster(
            id=cluster_id,
            name=launch.name or self._free_name(launch.script.path.stem if launch.script else launch.size or "custom"),
            site=launch.site.name,
            site_title=launch.site.label,
            queue=launch.queue.name,
            shape=launch.shape,
            scaling=launch.scaling,
            directory=directory,
            launched_by=this_process(),
            created=datetime.now(timezone.utc),
            **{field: getattr(launch, field) for field in same},
        )

    def _free_name(self, stem: str) -> str:
        taken = {cluster.name for cluster in self.all()}
        names = (f"{stem}-{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    async def _launch(self, cluster_id: str) -> None:
        await self._driver.launch(cluster_id)
        self._watch(cluster_id)

    async def _adopt_later(self, cluster_id: str) -> None:
        """Adopt a cluster once the process that is launching it has finished that, or has ended."""
        cluster = self.get(cluster_id)
        while _is_launched_elsewhere(cluster):
            await asyncio.sleep(_LOOK)
            with suppress(StoreError, ClusterNotFound):  # half written, or forgotten
                cluster = await self._ledger.read_again(cluster_id)
        if not cluster.state.is_final:
            await self._adopt(cluster)

    async def _adopt(self, cluster: Cluster) -> None:
        try:
            await self._resume(cluster)
        except (HPCDaskError, OSError) as error:  # must not affect the other clusters
            log.warning("The cluster %s can only be watched for now: %s", cluster.id, error)
        self._watch(cluster.id)

    async def _resume(self, cluster: Cluster) -> None:
        """Adopt a cluster that another server process left."""
        if cluster.state is ClusterState.SUBMITTING:
            reason = "The Jupyter server ended while this cluster was being launched: launch it again."
            await self._driver.decide_end(cluster.id, ClusterState.FAILED, reason)
        # A submission whose answer is not in the record is searched for by its name.
        for job in cluster.jobs:
            if job.submitted is None:
                dated = job.model_copy(update={"submitted": datetime.now(timezone.utc)})
                await self._ledger.change(cluster.id, partial(Cluster.with_job, job=dated))
        await self._catalogue.launcher(cluster.site)

    def _watch(self, cluster_id: str) -> None:
        monitors = self._catalogue.monitors(self.get(cluster_id).site)
        watch = ClusterWatch(cluster_id, self.get, partial(self._apply, cluster_id), monitors)
        self._watches[cluster_id] = (watch, self._spawn(watch.run()))

    async def _apply(self, cluster_id: str, seen: Observation) -> bool:
        """Update the record with what was seen, act on it, and return whether anything changed."""
        before = self.get(cluster_id)
        if trouble := self._driver.trouble.get(cluster_id):
            seen = seen.with_trouble(trouble)
        explain = self._catalogue.explainer(before.site)
        await self._ledger.change(cluster_id, lambda old: reconcile(old, seen, explain))
        after = self.get(cluster_id)
        if after.outcome is ClusterState.FAILED and before.outcome is None:
            await self._add_last_words(after)
        is_left = any(job.id is not None and job.uncancelled for job in after.jobs)
        if after.state is ClusterState.STOPPING and is_left and self._driver.may_cancel(cluster_id):
            self._spawn(self._then_look(cluster_id, self._driver.cancel_rest(cluster_id)))
        if after.layout == "allocation" and max(before.workers, after.scaling.workers) < after.workers:
            self._spawn(self._then_look(cluster_id, self._driver.scale(cluster_id)))
        if after.state.is_final:
            await asyncio.to_thread(Credentials(after.directory).remove)
        return after is not before

    async def _add_last_words(self, cluster: Cluster) -> None:
        """Append what a failed job printed last to the reason: it usually says what to do."""
        if words := await asyncio.to_thread(last_words, cluster):
            reason = {"reason": f"{cluster.reason} It printed: {words[:300]}"}
            await self._ledger.change(cluster.id, lambda old: old.model_copy(update=reason))

    async def _then_look(self, cluster_id: str, act: Coroutine[Any, Any, None]) -> None:
        with suppress(ClusterNotFound):  # it has ended and was forgotten meanwhile
            await act
        if watched := self._watches.get(cluster_id):
            watched[0].wake()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)
        return task

    def _end_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A cluster's background task failed.", exc_info=error)


def _is_launched_elsewhere(cluster: Cluster) -> bool:
    return cluster.state is ClusterState.SUBMITTING and is_another_alive(cluster.launched_by)

"""The clusters of one user: launch, rename, scale, stop, forget; and watching the live ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from hpcdask_ext.clusters.groups import AdaptiveScaling
from hpcdask_ext.clusters.models import GENERATION, Cluster
from hpcdask_ext.clusters.reach import Reach
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.store import ClusterStore, new_id
from hpcdask_ext.control.adaptive import starting_from
from hpcdask_ext.control.adopting import Adopter, check_scalable, check_stoppable
from hpcdask_ext.control.asking import check_generation
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.driver import ClusterDriver
from hpcdask_ext.control.found import Finder
from hpcdask_ext.control.idle import keep
from hpcdask_ext.control.ledger import Emit, Ledger
from hpcdask_ext.control.logs import read_logs
from hpcdask_ext.control.preview import invalid_preview_view, preview_view
from hpcdask_ext.control.processes import this_process
from hpcdask_ext.control.site_view import sites_view
from hpcdask_ext.control.tracking import Tracker, is_launched_elsewhere
from hpcdask_ext.control.view import cluster_view
from hpcdask_ext.errors import BatchError, BatchRefused, FieldError, InvalidRequest, WrongState
from hpcdask_ext.launchers.gateway_options import option_in
from hpcdask_ext.sites.change import read_change
from hpcdask_ext.sites.models import Site
from hpcdask_ext.sites.new_group import read_new_group
from hpcdask_ext.sites.request import Launch, read_launch

log = logging.getLogger(__name__)

View = Callable[[Cluster, Site | None, str], dict[str, Any]]
"""What makes of a cluster, its site and the server's base URL what somebody sees."""

_SOON = 3.0  # seconds for which a launch waits for a gateway's refusal


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
        self._tracker = Tracker(self._ledger, catalogue, self._driver)
        self._finder = Finder(self._ledger, catalogue, self._tracker.watch)
        self._adopter = Adopter(self._ledger, catalogue, self._free_name)
        self.all, self.get = self._ledger.all, self._ledger.get

    async def start(self) -> None:
        """Load the clusters that were launched before, and track the live ones."""
        await self._tracker.start()

    async def close(self) -> None:
        """Stop watching. The clusters keep running."""
        await self._tracker.close()
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
        launching = self._tracker.spawn(self._launch(cluster.id))
        if launch.kind == "gateway":  # it answers at once, and has rules that it does not declare
            await self._take_back_if_refused(launch.site, cluster.id, launching)
        return cluster

    async def adopt(self, body: Mapping[str, Any]) -> Cluster:
        """Track a cluster that runs already; see `Adopter.adopt` for what it raises."""
        cluster = await self._adopter.adopt(body)
        self._tracker.watch(cluster.id)
        return cluster

    async def preview(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a launch with this body would submit, or what is wrong with it, as JSON; nothing is submitted."""
        try:
            launch = await self._read(body)
            cluster = self._planned(launch)
            launcher = await self._catalogue.launcher(launch.site.name)
            queues = self._catalogue.queues.get(launch.site.name, {})
            return preview_view(cluster, launch.site, queues, await launcher.preview(cluster))
        except InvalidRequest as error:
            return invalid_preview_view(error)

    async def change(self, cluster_id: str, body: Mapping[str, Any]) -> Cluster:
        """Rename or scale, as `body` asks; see `read_change` for what it raises."""
        cluster = self.get(cluster_id)
        sites = await self._catalogue.sites()
        change = read_change(body, sites.get(cluster.site), cluster)
        if change.scaling is not None:
            check_scalable(cluster)
            if not cluster.state.is_scalable:
                raise WrongState(f"“{cluster.name}” is {cluster.state.value} and cannot be scaled now.")
            if isinstance(change.scaling, AdaptiveScaling):
                check_generation(cluster, "adapt to its work")
            scaling = starting_from(change.scaling, cluster.capacity(cluster.group(change.group)))
            scaled = partial(Cluster.with_group, name=change.group, scaling=scaling, unfinished=True)
            await self._ledger.change(cluster_id, scaled, "scaled")
            await self._tracker.adapter.begin_anew(cluster_id, change.group)
            self._tracker.spawn(self._tracker.then_look(cluster_id, self._driver.scale(cluster_id, change.group)))
        if change.name is not None:
            name = {"name": change.name}
            await self._ledger.change(cluster_id, lambda old: old.model_copy(update=name), "renamed")
        return self.get(cluster_id)

    async def add_group(self, cluster_id: str, body: Mapping[str, Any]) -> Cluster:
        """Begin to add workers of another kind to a cluster; see `read_new_group` for `body` and what it raises."""
        sites = await self._catalogue.sites_for(self.get(cluster_id).site)
        group = read_new_group(body, sites, self.get(cluster_id))
        check_generation(self.get(cluster_id), "have workers of several kinds")
        group = group.model_copy(update={"unfinished": True})
        await self._ledger.change(cluster_id, partial(Cluster.with_new_group, group=group), "scaled")
        self._tracker.spawn(self._tracker.then_look(cluster_id, self._driver.scale(cluster_id, group.name)))
        return self.get(cluster_id)

    async def stop(self, cluster_id: str) -> Cluster:
        """Begin to stop a cluster."""
        if is_launched_elsewhere(self.get(cluster_id)):
            raise WrongState("Another program is just launching this cluster: stop it there, or in a moment here.")
        if self.get(cluster_id).outcome is None:
            await check_stoppable(self.get(cluster_id))
            await self._driver.decide_end(cluster_id, ClusterState.STOPPED, "", "stopped")
            self._tracker.spawn(self._tracker.then_look(cluster_id, self._driver.cancel_rest(cluster_id)))
        return self.get(cluster_id)

    async def keep(self, cluster_id: str) -> Cluster:
        """Let a cluster's idle time begin anew; see `keep` for what it raises."""
        since = await keep(self.get(cluster_id), self._catalogue.reach)
        await self._ledger.change(cluster_id, lambda old: old.model_copy(update={"idle_since": since}))
        return self.get(cluster_id)

    async def forget(self, cluster_id: str) -> None:
        """Forget an ended cluster, or one that others launched, and remove everything that is left of it here."""
        if not self.get(cluster_id).state.is_final and self.get(cluster_id).kind != "adopted":
            raise WrongState(f"“{self.get(cluster_id).name}” has not ended yet: stop it first.")
        await self._remove(cluster_id)

    async def reach(self, cluster_id: str) -> Reach | None:
        """Return how a cluster's scheduler is reached; see `Catalogue.reach`."""
        return await self._catalogue.reach(self.get(cluster_id))

    async def show(self, clusters: Sequence[Cluster], base_url: str, view: View = cluster_view) -> list[dict[str, Any]]:
        """Return clusters as users see them; `base_url` is the Jupyter server's."""
        sites = await self._catalogue.sites()
        return [view(cluster, sites.get(cluster.site), base_url) for cluster in clusters]

    async def show_all(self, base_url: str) -> list[dict[str, Any]]:
        """Return all clusters as users see them, the newest first; others of a gateway may appear soon after."""
        self._tracker.spawn(self._finder.look(await self._catalogue.sites()))
        return await self.show(self.all(), base_url)

    async def show_sites(self) -> dict[str, Any]:
        """Return the sites as users see them. A launch is likely to follow, so warming up starts now."""
        sites, kernels = await asyncio.gather(self._catalogue.current_sites(), self._catalogue.kernels())
        self._tracker.spawn(self._catalogue.warm_up(sites, kernels))
        self._tracker.spawn(self._finder.look(sites))
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
        same = ("kind", "layout", "account", "options", "environment", "image", "script", "groups", "idle_timeout")
        return Cluster(
            id=cluster_id,
            name=launch.name or self._free_name(launch.stem),
            site=launch.site.name,
            site_title=launch.site.label,
            directory=directory,
            generation=GENERATION,
            launched_by=this_process(),
            created=datetime.now(timezone.utc),
            **{field: getattr(launch, field) for field in same},
        )

    def _free_name(self, stem: str) -> str:
        taken = {cluster.name for cluster in self.all()}
        names = (f"{stem}-{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    async def _launch(self, cluster_id: str) -> BatchRefused | None:
        refused = await self._driver.launch(cluster_id)
        self._tracker.watch(cluster_id)
        return refused

    async def _take_back_if_refused(
        self, site: Site, cluster_id: str, launching: asyncio.Task[BatchRefused | None]
    ) -> None:
        """Raise a refusal at the field that it is about, if it comes soon, and leave no record of the cluster."""
        await asyncio.wait([launching], timeout=_SOON)
        refused = launching.result() if launching.done() else None
        if refused is not None:
            await self._remove(cluster_id)
            raise InvalidRequest([FieldError(option_in(refused.message, site.options), refused.message)])

    async def _remove(self, cluster_id: str) -> None:
        await self._tracker.unwatch(cluster_id)
        self._driver.forget(cluster_id)
        await self._ledger.forget(cluster_id)

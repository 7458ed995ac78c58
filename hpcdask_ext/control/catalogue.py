"""What clusters are launched with: sites, kernels, and the launcher and the queue monitors of each site."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from hpcdask_ext.batch.records import JobStatus, QueueInfo
from hpcdask_ext.batch.runner import CommandRunner
from hpcdask_ext.clusters.models import Cluster, Environment, TLSFiles
from hpcdask_ext.clusters.reach import Reach, read_reach
from hpcdask_ext.clusters.states import Place
from hpcdask_ext.control.discovery import Discovery
from hpcdask_ext.control.endings import Explain
from hpcdask_ext.control.queue_monitor import QueueMonitor
from hpcdask_ext.errors import BatchUnreachable, StoreError
from hpcdask_ext.launchers.adopted import AdoptedLauncher
from hpcdask_ext.launchers.base import Launcher
from hpcdask_ext.launchers.job_request import Directories
from hpcdask_ext.launchers.registry import launcher_for
from hpcdask_ext.sites.environment import kernel_environments
from hpcdask_ext.sites.load import SiteFiles, Sites
from hpcdask_ext.sites.machine import LOCAL, local_site
from hpcdask_ext.sites.models import Site
from hpcdask_ext.sites.request import environments_of


class Catalogue:
    """Everything that a launch needs besides the request.

    Parameters
    ----------
    files
        The site files.
    kernel_specs
        Returns what `KernelSpecManager.get_all_specs` does; may block.
    runner
        Starts commands.
    asking
        Starts what asks the schedulers of others. Those may not answer for a minute, which delays no command.
    directories
        Where jobs run.
    """

    def __init__(
        self,
        files: SiteFiles,
        kernel_specs: Callable[[], Mapping[str, Any]],
        runner: CommandRunner,
        asking: CommandRunner,
        directories: Directories,
    ) -> None:
        self._files, self._kernel_specs = files, kernel_specs
        self._runner, self._asking, self._directories = runner, asking, directories
        self.working_directory = directories.working
        self._launchers: dict[str, tuple[Site, Launcher]] = {}
        self._monitors: dict[tuple[str, Place], QueueMonitor] = {}
        self._discovery = Discovery(self.launcher)

    async def sites(self) -> Sites:
        """Return the sites as their files describe them now, with what is known of their queues and accounts."""
        return self._discovery.complete(await asyncio.to_thread(self._files.load))

    async def current_sites(self) -> Sites:
        """Return the same, having asked the batch systems about their queues and accounts if need be."""
        files = await asyncio.to_thread(self._files.load)
        await self._discovery.look(files)
        return self._discovery.complete(files)

    async def sites_for(self, name: object) -> Sites:
        """Return the sites for a launch on that site, or on the first: only that one is asked, if it has to be."""
        files = await asyncio.to_thread(self._files.load)
        asked = next((site for site in files.sites if name in (None, site.name)), None)
        if asked is not None and asked.auto:
            await self._discovery.look(Sites((asked,)))
        return self._discovery.complete(files)

    @property
    def queues(self) -> dict[str, dict[str, QueueInfo]]:
        """What the batch systems said last about their queues, by site and queue."""
        return {site: {info.name: info for info in found.queues} for site, found in self._discovery.found.items()}

    async def kernels(self) -> tuple[Environment, ...]:
        """Return the environments of the user's kernels."""
        return await asyncio.to_thread(lambda: kernel_environments(self._kernel_specs()))

    async def launcher(self, name: str) -> Launcher:
        """Return the launcher of a site as it is described now, or as it was last if its file is gone or broken.

        The site `local`, which is there without a file, keeps its clusters when there are files.

        Raises
        ------
        BatchUnreachable
            This server has never seen the site.
        """
        site = (await self.sites()).get(name)
        known = self._launchers.get(name)
        if site is None and known is None and name == LOCAL:
            site = await asyncio.to_thread(local_site)
        if site is not None and (known is None or known[0] != site):
            launcher = await asyncio.to_thread(launcher_for, site, self._runner, self._directories)
            known = self._launchers[name] = (site, launcher)
        if known is None:
            raise BatchUnreachable(f"The site “{name}” has no valid site file here: ask your administrator.")
        return known[1]

    async def launcher_of(self, cluster: Cluster) -> Launcher:
        """Return the launcher of a cluster; see `launcher`. An adopted one needs no site."""
        if cluster.kind == "adopted":
            return self.adopted(cluster.tls, cluster.jobs[0].name)
        return await self.launcher(cluster.site)

    async def launcher_at(self, cluster: Cluster, place: Place) -> Launcher:
        """Return a launcher that can end the jobs of a cluster at a place; see `launcher_of`.

        Processes on this host can be ended without a site: a mistake in a file must not keep them running.
        """
        return await self._at(place, self.launcher_of(cluster))

    def adopted(self, tls: TLSFiles | None, known: str = "") -> AdoptedLauncher:
        """Return the launcher of clusters that others launched; see `AdoptedLauncher`."""
        return AdoptedLauncher(self._asking, tls, known)

    async def reach(self, cluster: Cluster) -> Reach | None:
        """Return how a cluster's scheduler is reached, or None while it is not up.

        Raises
        ------
        SchedulerUnreachable
            What is needed to reach it cannot be read.
        BatchUnreachable
            Its gateway's site has no valid site file here.
        """
        if cluster.kind == "gateway":
            return await (await self.launcher(cluster.site)).reach(cluster)
        return await asyncio.to_thread(read_reach, cluster)

    async def warm_up(self, sites: Sites, kernels: Sequence[Environment]) -> None:
        """Make the next launch with the defaults of each of these sites faster, where possible."""
        for site in sites.sites:
            if environments := environments_of(site, kernels):
                with suppress(BatchUnreachable):  # a launch will report it
                    await (await self.launcher(site.name)).warm_up(environments[0])

    def directory(self, site: Site) -> Path | None:
        """Return where a site keeps its clusters, with `~` and variables expanded, or None for the default.

        Raises
        ------
        StoreError
            A variable has no value.
        """
        if site.directory is None:
            return None
        path = os.path.expandvars(os.path.expanduser(site.directory))  # noqa: PTH111  (pathlib has no expandvars)
        if "$" in path:
            raise StoreError(
                f"The directory {site.directory!r} of the site {site.name} has a variable that is not set here: set it "
                "before Jupyter starts, or ask your administrator."
            )
        return Path(path)

    def monitors(self, name: str) -> dict[Place, QueueMonitor]:
        """Return the queue monitors to ask about the jobs of a site, by place."""
        places: tuple[Place, ...] = ("host", "batch")
        for place in places:
            if (name, place) not in self._monitors:
                self._monitors[name, place] = QueueMonitor(partial(self._query, name, place), partial(self._pace, name))
        return {place: self._monitors[name, place] for place in places}

    def hurry(self, name: str, place: Place) -> None:
        """Have a site's batch system asked about its jobs soon, if it has one there."""
        if monitor := self.monitors(name).get(place):
            monitor.hurry()

    def explainer(self, name: str) -> Explain:
        """Return a function that turns a site's batch system's reasons into sentences."""
        known = self._launchers.get(name)
        return known[1].explain if known else lambda _, reason: f"Waiting ({reason})" if reason else "Waiting"

    async def close(self) -> None:
        """Stop asking."""
        await self._discovery.close()
        await asyncio.gather(*(monitor.close() for monitor in self._monitors.values()))

    def _pace(self, name: str) -> tuple[float, float] | None:
        known = self._launchers.get(name)
        return known[1].pace if known else None

    async def _query(self, name: str, place: Place) -> Sequence[JobStatus]:
        return await (await self._at(place, self.launcher(name))).query(place)

    async def _at(self, place: Place, finding: Awaitable[Launcher]) -> Launcher:
        """Return the launcher that is found, or for processes of this host, if none is, that of this machine."""
        try:
            return await finding
        except BatchUnreachable:
            if place != "host":
                raise
            return await self.launcher(LOCAL)

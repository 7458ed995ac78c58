"""Clusters of this user that run on a gateway and that nobody tracks here: launched from a notebook, for instance."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path

from hpcdask_ext.clusters.groups import FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import NO_ENVIRONMENT, Cluster
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.store import ClusterStore, id_of
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.ledger import Ledger
from hpcdask_ext.control.processes import is_another_alive, this_process
from hpcdask_ext.errors import BatchError, StoreError
from hpcdask_ext.launchers.base import Running
from hpcdask_ext.launchers.gateway import gateway_job
from hpcdask_ext.sites.gateway import GatewaySite
from hpcdask_ext.sites.load import Sites

log = logging.getLogger(__name__)

_FRESH = 60.0  # seconds for which a gateway is not asked again


class Finder:
    """Makes records for such clusters. A gateway lists those of the user who asks, and of nobody else.

    Parameters
    ----------
    ledger
        The records.
    catalogue
        The sites and their launchers.
    watch
        Begins to watch a cluster.
    """

    def __init__(self, ledger: Ledger, catalogue: Catalogue, watch: Callable[[str], None]) -> None:
        self._ledger, self._catalogue, self._watch = ledger, catalogue, watch
        self._asked: dict[str, float] = {}

    async def look(self, sites: Sites) -> None:
        """Ask each gateway, but none more often than once a minute."""
        now = asyncio.get_running_loop().time()
        gateways = [site for site in sites.sites if isinstance(site, GatewaySite)]
        due = [site for site in gateways if now - self._asked.get(site.name, -_FRESH) >= _FRESH]
        self._asked |= {site.name: now for site in due}
        await asyncio.gather(*map(self._look_at, due))

    async def _look_at(self, site: GatewaySite) -> None:
        asked = datetime.now(timezone.utc)
        try:
            running = await (await self._catalogue.launcher(site.name)).running()
            known = [*self._ledger.all(), *await self._ledger.stored()] if running else []
            if any(_is_being_submitted(cluster) for cluster in known):
                self._asked.pop(site.name, None)  # one of those that run may be that cluster: ask again next time
                return
            for found in _untracked(running, known, asked):
                await self._add(site, found)
        except (BatchError, StoreError) as error:  # the site's problems and its cards tell it
            log.info("The gateway of %s could not be asked for its clusters: %s", site.name, error)

    async def _add(self, site: GatewaySite, found: Running) -> None:
        directory = self._catalogue.directory(site)

        def make(store: ClusterStore) -> Cluster:
            cluster_id = id_of(found.name)
            return _record(site, found, cluster_id, store.create(cluster_id, directory))

        cluster = await self._ledger.add(make)
        self._watch(cluster.id)


def _is_being_submitted(cluster: Cluster) -> bool:
    """Return whether a cluster is known to a gateway, perhaps, but not yet to us by its name there."""
    is_awaited = cluster.launched_by == this_process() or is_another_alive(cluster.launched_by)
    is_nameless = not cluster.state.is_final and not any(job.id for job in cluster.jobs)
    return cluster.kind == "gateway" and is_nameless and is_awaited


def _untracked(running: Iterable[Running], known: Iterable[Cluster], asked: datetime) -> list[Running]:
    """Return those that no record is about; one that has ended since they were asked for is about its cluster, too."""
    live = [cluster for cluster in known if cluster.ended is None or cluster.ended >= asked]
    tracked = {job.id for cluster in live for job in cluster.jobs} | {cluster.id for cluster in known}
    return [found for found in running if found.name not in tracked and id_of(found.name) not in tracked]


def _record(site: GatewaySite, found: Running, cluster_id: str, directory: Path) -> Cluster:
    group = WorkerGroup(shape=WorkerShape(cores=0, memory=0), scaling=FixedScaling(workers=0))
    return Cluster(
        id=cluster_id,
        kind=site.kind,
        name=f"{site.name}-{found.name[-6:]}",
        site=site.name,
        site_title=site.label,
        environment=NO_ENVIRONMENT,
        groups=(group,),
        directory=directory,
        created=found.started,
        state=ClusterState.PENDING,
        jobs=(gateway_job(cluster_id, found.name, found.started),),
    )

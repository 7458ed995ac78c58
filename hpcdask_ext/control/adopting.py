"""Adopting a cluster that runs already: finding its scheduler and its dashboard, and making a record of it.

Nothing is recorded before a scheduler has answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any

from hpcdask_ext.clusters.dashboard_api import DashboardAPI, Identity
from hpcdask_ext.clusters.groups import FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import NO_ENVIRONMENT, Cluster, Element, Job, TLSFiles
from hpcdask_ext.clusters.reach import adopted_endpoint
from hpcdask_ext.clusters.states import ClusterState, JobState, Role
from hpcdask_ext.clusters.store import ClusterStore, new_id
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.ledger import Ledger
from hpcdask_ext.errors import FieldError, InvalidRequest, SchedulerUnreachable, TLSRefused, WrongState
from hpcdask_ext.launchers.adopted import IN_PROCESS, Attached
from hpcdask_ext.sites.adoption import Adoption, read_adoption

_PATIENCE = 3.0  # seconds for https, which a server without TLS may never answer, after http, or the reverse
_NO_SHAPE = WorkerShape(cores=0, memory=0)


@dataclass(frozen=True)
class _Found:
    """What answers for a scheduler: its dashboard, and what that says; and itself, if it can be asked from here."""

    dashboard: str
    identity: Identity
    attached: Attached | None

    @property
    def name(self) -> str:
        """What no other scheduler is called, as far as that is known."""
        return self.attached.id if self.attached else self.identity.address


class Adopter:
    """Adopts clusters.

    Parameters
    ----------
    ledger
        The records.
    catalogue
        Has what asks schedulers, and where paths of requests begin.
    name
        Returns a name that no cluster has, and that begins with the given word.
    """

    def __init__(self, ledger: Ledger, catalogue: Catalogue, name: Callable[[str], str]) -> None:
        self._ledger, self._catalogue, self._name = ledger, catalogue, name
        self._adding = asyncio.Lock()

    async def adopt(self, body: Mapping[str, Any]) -> Cluster:
        """Record the cluster that `body` describes, once its scheduler has answered.

        Raises
        ------
        InvalidRequest
            With every field that is wrong, or that led to no scheduler.
        WrongState
            The cluster is tracked already.
        """
        adoption = await asyncio.to_thread(read_adoption, body, self._catalogue.working_directory)
        await asyncio.to_thread(_check_untracked, adoption, None, self._ledger.all())
        found = await self._find(adoption)
        async with self._adding:  # the same cluster twice at the same time, by two clicks, is one too many
            await asyncio.to_thread(_check_untracked, adoption, found, self._ledger.all())
            return await self._ledger.add(partial(self._make, adoption, found))

    async def _find(self, adoption: Adoption) -> _Found:
        """Return what answers for the scheduler: itself, and its dashboard."""
        if adoption.dashboard is None:
            attached = await self._attach(adoption)
            _check_file(adoption, attached.id)
            return await _find_dashboard(adoption, attached)
        identity, answered = await asyncio.gather(
            _ask_given(adoption.dashboard, adoption), self._attach_if_possible(adoption)
        )
        if answered:
            _check_file(adoption, answered.id)
        # A scheduler in another process than its client's can be reached by an address that it does not know.
        own = answered.address if answered else adoption.address if adoption.address.startswith(IN_PROCESS) else None
        if own not in (None, identity.address):
            message = f"{adoption.dashboard} is the dashboard of another scheduler, {identity.address}: give its own"
            raise _wrong("dashboard", message)
        return _Found(adoption.dashboard, identity, answered)

    async def _attach(self, adoption: Adoption) -> Attached:
        try:
            return await self._catalogue.adopted(adoption.tls).identify(adoption.address)
        except TLSRefused as error:
            raise _wrong(f"tls.{error.part}", error.message) from error
        except SchedulerUnreachable as error:
            raise _wrong(adoption.field, error.message) from error

    async def _attach_if_possible(self, adoption: Adoption) -> Attached | None:
        """Return the same, or None: a dashboard is enough where the scheduler itself cannot be reached from here."""
        with suppress(InvalidRequest):
            return await self._attach(adoption) if adoption.can_be_asked else None
        return None

    def _make(self, adoption: Adoption, found: _Found, store: ClusterStore) -> Cluster:
        cluster_id, now, status = new_id(), datetime.now(timezone.utc), found.identity.status
        started = found.attached.started if found.attached else now
        element = Element(state=JobState.RUNNING, started=started)
        scheduler = Job(
            tag="scheduler",
            name=found.name,
            role=Role.SCHEDULER,
            place="elsewhere",
            id=adoption.address,
            submitted=started,
            elements={1: element},
        )
        group = WorkerGroup(shape=_NO_SHAPE, scaling=FixedScaling(workers=0), connected=status.workers)
        return Cluster(
            id=cluster_id,
            kind="adopted",
            name=adoption.name or self._name("adopted"),
            site="",
            site_title="Adopted",
            environment=NO_ENVIRONMENT,
            groups=(group,),
            directory=store.create(cluster_id),
            tls=adoption.tls,
            created=now,
            started=started,
            state=ClusterState.RUNNING,
            jobs=(scheduler,),
            workers=status.workers,
            threads=status.nthreads,
            memory_limit=status.memory_limit,
            clients=None,
            address=adoption.address,
            dashboard=found.dashboard,
        )


def check_scalable(cluster: Cluster) -> None:
    """Raise `WrongState` for an adopted cluster, whose workers others start."""
    if cluster.kind == "adopted":
        raise WrongState(f"“{cluster.name}” was launched elsewhere: scale it there.")


async def check_stoppable(cluster: Cluster) -> None:
    """Raise `WrongState` if an adopted cluster cannot be stopped from here now."""
    if cluster.kind != "adopted":
        return
    if str(cluster.address).startswith(IN_PROCESS):
        raise WrongState(
            f"“{cluster.name}” runs inside another program, such as a kernel: close it there, or forget it."
        )
    if cluster.reachable:
        return
    try:  # it may answer again without having been asked yet
        await _ask(str(cluster.dashboard), cluster.tls)
    except SchedulerUnreachable as error:
        remedy = "stop it once it does, or forget it if it has ended"
        raise WrongState(f"“{cluster.name}” does not answer now: {remedy}. {error.message}") from error


def _check_untracked(adoption: Adoption, found: _Found | None, clusters: Sequence[Cluster]) -> None:
    """Raise `WrongState` if one of the clusters is the one to be adopted; does file I/O."""
    addresses = {adoption.address, found.identity.address if found else adoption.address}
    file = adoption.file.path.resolve() if adoption.file else None
    for cluster in clusters:
        is_same = cluster.address in addresses or (file is not None and cluster.scheduler_file.resolve() == file)
        # An adopted cluster may be tracked by another of its addresses.
        is_known = found is not None and any(job.name == found.name for job in cluster.jobs)
        if not cluster.state.is_final and (is_same or is_known):
            raise WrongState(f"This cluster is here already: “{cluster.name}”.")


def _check_file(adoption: Adoption, scheduler_id: str) -> None:
    if adoption.file is not None and adoption.file.id not in (None, scheduler_id):
        message = (
            f"{adoption.file.path} is from a cluster that has ended: another scheduler is at {adoption.address} now"
        )
        raise _wrong("scheduler_file", message)


async def _find_dashboard(adoption: Adoption, attached: Attached) -> _Found:
    """Find the HTTP server of a scheduler, which has told its port."""
    if attached.dashboard is None:
        raise _wrong("dashboard", f"The scheduler at {adoption.address} has no dashboard: start one that has")
    urls = [f"{scheme}://{adoption.host}:{attached.dashboard}" for scheme in ("http", "https")]
    asking = {asyncio.create_task(_ask(url, adoption.tls)): url for url in urls}
    waiting, patience = set(asking), None
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                with suppress(SchedulerUnreachable):
                    if task.result().address == attached.address:
                        return _Found(asking[task], task.result(), attached)
            if patience and not done:
                break
            patience = _PATIENCE
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    message = (
        f"The scheduler at {adoption.address} answers, but not its dashboard at {urls[0]}: give the dashboard's URL"
    )
    raise _wrong("dashboard", message)


async def _ask_given(url: str, adoption: Adoption) -> Identity:
    try:
        return await _ask(url, adoption.tls)
    except SchedulerUnreachable as error:
        raise _wrong("dashboard", f"{url} cannot be used. {error.message}") from error


async def _ask(url: str, tls: TLSFiles | None) -> Identity:
    """Ask a dashboard what its scheduler is."""
    api = DashboardAPI(await asyncio.to_thread(adopted_endpoint, url, tls))
    try:
        return await api.identity()
    finally:
        await api.aclose()


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest([FieldError(field, message)])

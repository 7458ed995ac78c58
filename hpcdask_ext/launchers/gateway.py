"""Clusters of a Dask Gateway: the gateway starts, scales and stops them; to us, each is a single job of its own."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from hpcdask_ext.batch.records import JOB_NAMES, JobElements, JobRequest, JobStatus
from hpcdask_ext.clusters.dashboard_api import WORKERS_PAGE
from hpcdask_ext.clusters.groups import AdaptiveScaling, FixedScaling, Scaling
from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.reach import Endpoint, Reach, SchedulerAddress
from hpcdask_ext.clusters.states import JobState, Place, Role
from hpcdask_ext.errors import BatchRefused, HPCDaskError, SchedulerUnreachable
from hpcdask_ext.launchers.base import Adjusted, Launcher, Preview, Running
from hpcdask_ext.launchers.gateway_client import GatewayClient
from hpcdask_ext.launchers.gateway_login import login_headers
from hpcdask_ext.launchers.gateway_options import to_options, to_values
from hpcdask_ext.sites.gateway import GatewaySite
from hpcdask_ext.sites.options import Option
from hpcdask_ext.sites.probe import Probed

if TYPE_CHECKING:
    from dask_gateway import Gateway

_STATES: Mapping[str, JobState] = {
    "PENDING": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "STOPPING": JobState.RUNNING,
    "STOPPED": JobState.ENDED,
    "FAILED": JobState.FAILED,
}
_REASONS: Mapping[str, str] = {
    "": "The gateway is starting the scheduler",
    "STOPPING": "The gateway is stopping the cluster (STOPPING)",
    "FAILED": "The gateway gave it up: its processes did not start, or stopped answering. What they printed only the "
    "gateway's administrator can see (FAILED)",
}
_FRESH = 240.0  # seconds for which the way to a dashboard is used: gateways accept a cookie for five minutes
_PAUSE = 5.0  # seconds for which a gateway that has not said the way is not asked for it again


@dataclass(frozen=True)
class _Report:
    """What is needed of a gateway's report on a cluster, which also has its TLS key."""

    status: str
    scheduler: str | None
    dashboard: str | None
    headers: Mapping[str, str]


class GatewayLauncher(Launcher):
    """Launches the clusters of one gateway."""

    scales_with_jobs: ClassVar[bool] = False
    pace: ClassVar[tuple[float, float] | None] = (1.0, 10.0)

    def __init__(self, site: GatewaySite) -> None:
        self.site = site
        self._client = GatewayClient(site)
        self._reached: dict[str, tuple[float, Reach | HPCDaskError]] = {}

    async def prepare(self, cluster: Cluster) -> Probed:
        return Probed()

    def first_jobs(self, cluster: Cluster) -> tuple[Job, ...]:
        return (gateway_job(cluster.id, None),)

    def scripts(self, cluster: Cluster) -> tuple[tuple[Job, JobRequest, str], ...]:
        to_values(self.site.options, cluster.options)
        return ()

    async def preview(self, cluster: Cluster) -> Preview:
        self.scripts(cluster)
        return Preview(())

    async def submit(self, cluster: Cluster, job: Job) -> str:
        options = to_values(self.site.options, cluster.options)
        return str(await self._client.ask(lambda gateway: gateway.submit(**options)))

    async def cancel(self, place: Place, jobs: Sequence[JobElements]) -> None:
        async def stop(gateway: Gateway) -> None:
            await asyncio.gather(*(gateway.stop_cluster(job.job_id) for job in jobs))

        await self._client.ask(stop)

    async def query(self, place: Place) -> Sequence[JobStatus]:
        if place != "batch":
            return ()
        reports = await self._client.ask(lambda gateway: gateway.list_clusters(status=[*_STATES]))
        found = [(report.name, report.status.name) for report in reports]
        return [
            JobStatus(name, name, _STATES[status], reason=status if status in _REASONS else "")
            for name, status in found
        ]

    async def running(self) -> Sequence[Running]:
        reports = await self._client.ask(lambda gateway: gateway.list_clusters())
        return [Running(report.name, report.start_time.astimezone(timezone.utc)) for report in reports]

    async def options(self) -> Sequence[Option]:
        return await self._client.ask(_ask_options)

    async def scale(self, cluster: Cluster, scaling: Scaling) -> Adjusted | None:
        name = _name(cluster)
        if name is None or cluster.address is None:  # once it runs, it is told what is wanted then
            return None

        async def scale(gateway: Gateway) -> None:
            from dask_gateway.client import GatewayWarning  # noqa: PLC0415

            try:
                if isinstance(scaling, AdaptiveScaling):
                    await gateway.adapt_cluster(name, minimum=scaling.minimum, maximum=scaling.maximum)
                else:
                    await gateway.scale_cluster(name, scaling.workers)
            except GatewayWarning as warning:
                raise _Limited(str(warning)) from warning

        try:
            await self._client.ask(scale)
        except _Limited as limited:
            return Adjusted(_limited(scaling, limited.message), f"The gateway: {limited.message}")
        return None

    def explain(self, place: Place, reason: str) -> str:
        return _REASONS.get(reason, reason)

    async def reach(self, cluster: Cluster) -> Reach | None:
        name, now = _name(cluster), asyncio.get_running_loop().time()
        if name is None or cluster.jobs[0].elements[1].state is not JobState.RUNNING:
            return None
        until, known = self._reached.get(name, (0.0, None))
        if known is not None and now < until:
            if isinstance(known, HPCDaskError):
                raise known
            return known
        try:
            reach = await self._find(cluster, name)
        except HPCDaskError as error:
            self._reached[name] = (asyncio.get_running_loop().time() + _PAUSE, error)
            raise
        if reach is not None:
            self._reached[name] = (now + _FRESH, reach)
        return reach

    async def _find(self, cluster: Cluster, name: str) -> Reach | None:
        async def ask(gateway: Gateway) -> _Report:
            report = await gateway.get_cluster(name)
            dashboard, headers = await _find_dashboard(gateway, report.dashboard_link, name)
            return _Report(report.status.name, report.scheduler_address, dashboard, headers)

        report = await self._client.ask(ask)
        if report.status != "RUNNING" or report.scheduler is None:
            return None
        if report.dashboard is None:
            raise SchedulerUnreachable(f"“{cluster.name}” has no dashboard, so nobody tells of its workers.")
        is_https = report.dashboard.startswith("https:")
        context = await asyncio.to_thread(ssl.create_default_context) if is_https else None
        endpoint = Endpoint(report.dashboard, report.headers, context)
        return Reach(SchedulerAddress(report.scheduler, report.dashboard), endpoint, None)


class _Limited(BatchRefused):
    """The gateway has taken its limit instead of what was asked for."""


def gateway_job(cluster_id: str, name: str | None, submitted: datetime | None = None) -> Job:
    """Return the job that stands for a cluster of a gateway, which calls it `name`."""
    return Job(
        tag="scheduler",
        name=f"{JOB_NAMES}{cluster_id}-gateway",
        role=Role.SCHEDULER,
        place="batch",
        id=name,
        submitted=submitted,
        elements={1: Element()},
    )


async def _ask_options(gateway: Gateway) -> tuple[Option, ...]:
    return to_options(await gateway.cluster_options())


def _name(cluster: Cluster) -> str | None:
    return cluster.jobs[0].id if cluster.jobs else None


async def _find_dashboard(gateway: Gateway, link: str | None, name: str) -> tuple[str | None, Mapping[str, str]]:
    """Return where a cluster's dashboard is, and the headers that it wants; None if it has none.

    It is below the gateway's address, or else where browsers find it. That may be a mere path, which is no use here, or
    lead around through a hub's login.
    """
    if link is None:
        return None, {}
    near = f"{gateway.address}/clusters/{name}"
    public = [link.removesuffix("/status")] if urlsplit(link).scheme in ("http", "https") else []
    for place in (near, *public):
        headers = await login_headers(gateway.auth, place + WORKERS_PAGE)
        if headers is not None:
            return place, headers
    return near, {}  # its scheduler is still starting


def _limited(scaling: Scaling, words: str) -> Scaling:
    """Return what the gateway has made of a scaling, which it tells in words."""
    found = re.search(r"limit of (\d+) workers", words)
    if found is None:
        return scaling
    most = int(found[1])
    if isinstance(scaling, FixedScaling):
        return FixedScaling(workers=min(most, scaling.workers))
    changes = {field: min(most, getattr(scaling, field)) for field in ("minimum", "workers")}
    return scaling.model_copy(update={**changes, "maximum": max(1, min(most, scaling.maximum))})

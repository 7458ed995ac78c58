"""Keeping adaptive groups of live clusters at what their work could use; the policy itself is `adaptive.py`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

from hpcdask_ext.clusters.groups import AdaptiveScaling, WorkerGroup
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import JobState, Role
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.adaptive import Decision, Look, Memory, Rules, Setback, decide
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.driver import ClusterDriver
from hpcdask_ext.control.edits import without_failure
from hpcdask_ext.control.ledger import Ledger
from hpcdask_ext.control.processes import is_another_alive
from hpcdask_ext.control.setbacks import setback, with_warning
from hpcdask_ext.errors import BatchUnreachable
from hpcdask_ext.launchers.batch import BatchLauncher
from hpcdask_ext.launchers.dask_command import offered_resources
from hpcdask_ext.sites.group_request import most_workers
from hpcdask_ext.sites.models import BatchSite
from hpcdask_ext.sites.pace import Pace

Act = Coroutine[Any, Any, None]


def wishes_asked(cluster: Cluster, site: BatchSite) -> str:
    """Return what the scheduler of a cluster that adapts is asked about, for `payload/adaptive_preload.py`."""
    groups = {
        group.name: {
            "cores": group.shape.cores,
            "most": most_workers(group.scaling),
            "resources": offered_resources(cluster, site, group),
        }
        for group in cluster.groups
    }
    return json.dumps(groups, sort_keys=True)


class Adapter:
    """Decides how many workers adaptive groups should have, writes that into the record and has the driver do it.

    Parameters
    ----------
    ledger
        The records.
    catalogue
        The sites.
    driver
        Acts on jobs.
    """

    def __init__(self, ledger: Ledger, catalogue: Catalogue, driver: ClusterDriver) -> None:
        self._ledger, self._catalogue, self._driver = ledger, catalogue, driver
        self._memories: dict[tuple[str, str], Memory] = {}
        self._alarms: dict[str, asyncio.TimerHandle] = {}

    async def begin_anew(self, cluster_id: str, group_name: str) -> None:
        """Drop what earlier looks have left of a group, because the user has changed its scaling."""
        self._memories[cluster_id, group_name] = Memory(forgiven=_now())
        await self._ledger.change(cluster_id, partial(with_warning, group_name=group_name, warning=None))

    def forget(self, cluster_id: str) -> None:
        """Drop everything that is kept for a cluster."""
        self._rest(cluster_id)
        for key in [key for key in self._memories if key[0] == cluster_id]:
            del self._memories[key]

    async def question(self, cluster: Cluster) -> dict[str, str]:
        """Return what a cluster's scheduler is asked and told with each request for its status; see `SchedulerAPI`.

        What a gateway or a cluster class runs adapts by itself.
        """
        site = await self._site(cluster) if _is_ours(cluster) else None
        asked = {"adaptive": wishes_asked(cluster, site)} if site else {}
        ends_by_itself = cluster.kind == "batch" and cluster.idle_timeout is not None
        return asked | ({"wanted": "1" if cluster.wanted else "0"} if ends_by_itself else {})

    async def look(self, cluster_id: str, status: SchedulerStatus, wake: Callable[[], None]) -> list[Act]:
        """Decide about each adaptive group of a cluster; return what has to be done.

        `wake` is called when it is time for the next look, if that is not at the next change.
        """
        self._rest(cluster_id)
        cluster = self._ledger.get(cluster_id)
        # Another program of this host that launched it adapts it as well: two would do so twice.
        is_busy = self._driver.is_acting(cluster_id) or is_another_alive(cluster.launched_by)
        if not _is_ours(cluster) or not cluster.state.is_scalable or is_busy:
            return []
        site = await self._site(cluster)
        pace = site.adaptive if site else Pace()
        acts, dues = [], []
        for name in [group.name for group in cluster.groups]:
            cluster = self._ledger.get(cluster_id)  # the user may have changed it meanwhile
            group = cluster.group(name)
            if isinstance(group.scaling, AdaptiveScaling) and name in status.wishes:
                held, decision = self._decide(cluster, group, group.scaling, status.wishes[name], pace)
                warned = partial(with_warning, group_name=name, warning=held.warning if held else None)
                await self._ledger.change(cluster_id, warned)
                dues += [decision.due] if decision.due else []
                acts += await self._follow(cluster, group, decision)
        if dues:
            seconds = max(0.0, (min(dues) - _now()).total_seconds())
            self._alarms[cluster_id] = asyncio.get_running_loop().call_later(seconds, wake)
        return acts

    def _decide(
        self, cluster: Cluster, group: WorkerGroup, bounds: AdaptiveScaling, wish: int, pace: Pace
    ) -> tuple[Setback | None, Decision]:
        """Return what keeps a group from growing, if anything does, and what is decided about it."""
        key, now = (cluster.id, group.name), _now()
        memory = self._memories.get(key, Memory())
        held = setback(cluster, group, pace, now, memory.forgiven)
        rules = Rules(bounds, group.shape.workers_per_job, pace)
        decision = decide(rules, look_at(cluster, group, wish, now), memory, held)
        self._memories[key] = decision.memory
        return held, decision

    async def _follow(self, cluster: Cluster, group: WorkerGroup, decision: Decision) -> list[Act]:
        """Write a decision into the record, and return what there is to do."""
        before = cluster.capacity(group)
        if decision.workers == before and decision.memory.lacking_since is not None:
            return []  # more are wanted soon, so what was wanted before is not taken back
        change = partial(_with_workers, asked=group, workers=decision.workers)
        await self._ledger.change(cluster.id, change, "scaled")
        is_theirs = self._ledger.get(cluster.id).group(group.name).scaling.workers != decision.workers
        if decision.workers == before or is_theirs:
            await self._calm(cluster, group, decision.memory)
            return []
        return [self._carry_out(cluster.id, group.name, decision.pending)]

    async def _calm(self, cluster: Cluster, group: WorkerGroup, memory: Memory) -> None:
        """Drop the warning that a group could not be scaled if that is not wanted any more."""
        _, wish = memory.peaks[-1]
        is_content = 0 <= cluster.capacity(group) - wish < group.shape.workers_per_job
        if is_content and (memory.refused or len(cluster.groups) == 1):
            await self._ledger.change(cluster.id, without_failure)

    async def _carry_out(self, cluster_id: str, group_name: str, pending: int) -> None:
        is_done = await self._driver.scale(cluster_id, group_name, pending=pending)
        memory = self._memories.get((cluster_id, group_name), Memory())
        refused = 0 if is_done else memory.refused + 1
        self._memories[cluster_id, group_name] = replace(memory, refused=refused)

    async def _site(self, cluster: Cluster) -> BatchSite | None:
        """Return the site of a cluster as it is known now, or None if it is not known."""
        with suppress(BatchUnreachable):
            launcher = await self._catalogue.launcher_of(cluster)
            return launcher.site if isinstance(launcher, BatchLauncher) else None
        return None

    def _rest(self, cluster_id: str) -> None:
        if alarm := self._alarms.pop(cluster_id, None):
            alarm.cancel()


def _is_ours(cluster: Cluster) -> bool:
    return cluster.kind == "batch" and cluster.is_adaptive


def look_at(cluster: Cluster, group: WorkerGroup, wish: int, now: datetime) -> Look:
    """Return what the record tells of a group; what neither runs nor has ended is on its way."""
    jobs = [job for job in cluster.jobs if job.role is Role.WORKER and job.group == group.name]
    states = [[job.elements[index].state for index in job.uncancelled] for job in jobs]
    running = sum(states_of_job.count(JobState.RUNNING) for states_of_job in states) * group.shape.workers_per_job
    waiting = sum(JobState.PENDING in states_of_job for states_of_job in states)
    return Look(now, wish, running, cluster.capacity(group) - running, waiting)


def _with_workers(cluster: Cluster, asked: WorkerGroup, workers: int) -> Cluster:
    """Return the cluster with another number of workers wanted in a group, unless the user has changed it meanwhile."""
    if cluster.group(asked.name).scaling != asked.scaling:
        return cluster
    return cluster.with_group(asked.name, scaling=asked.scaling.model_copy(update={"workers": workers}))


def _now() -> datetime:
    return datetime.now(timezone.utc)

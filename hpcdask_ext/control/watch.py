"""Watching one live cluster: makes observations and passes them on, as rarely as possible.

A running cluster costs nothing: its scheduler holds our request until something changes. Files are checked only while
some job has yet to report, and the batch system is asked only while some job is pending or unaccounted for.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial

from hpcdask_ext.clusters.models import Cluster, Job
from hpcdask_ext.clusters.reach import Reach
from hpcdask_ext.clusters.reports import read_reports
from hpcdask_ext.clusters.states import ClusterState, JobState, Place, Role
from hpcdask_ext.clusters.status import SchedulerStatus, StatusSource
from hpcdask_ext.control.queue_monitor import QueueMonitor
from hpcdask_ext.control.reconcile import Observation
from hpcdask_ext.errors import BatchError, SchedulerUnreachable

_FIRST_LOOK, _LAST_LOOK = 0.05, 5.0  # seconds between checks of the files
_GROWTH = 1.05  # of that interval: a check comes at most 5 % of the time waited too late
_FIRST_RETRY, _LAST_RETRY = 0.2, 15.0  # seconds between attempts to reach a scheduler
_HOST_PATIENCE = timedelta(seconds=5)  # a process on this host reports at once, or something is wrong


class ClusterWatch:
    """Watches one cluster until it has ended.

    Parameters
    ----------
    cluster_id
        Its id.
    get
        Returns a cluster's newest record.
    apply
        Called with each observation; returns whether the record changed.
    reach
        Returns how its scheduler is reached, or None while it is not up.
    source
        Returns who tells its scheduler's status, given what that is asked and told.
    question
        Returns what its scheduler is asked and told with each request for its status; see `SchedulerAPI`.
    monitors
        The queue monitors to ask about its jobs, by place.
    """

    def __init__(
        self,
        cluster_id: str,
        get: Callable[[str], Cluster],
        apply: Callable[[Observation], Awaitable[bool]],
        *,
        reach: Callable[[Cluster], Awaitable[Reach | None]],
        source: Callable[[Reach, Mapping[str, str]], StatusSource],
        question: Callable[[Cluster], Awaitable[Mapping[str, str]]],
        monitors: Mapping[Place, QueueMonitor],
    ) -> None:
        self._id, self._get = cluster_id, partial(get, cluster_id)
        self._apply, self._monitors = apply, monitors
        self._wake = asyncio.Event()
        self._reach, self._source, self._question = reach, source, question
        self._reached: Reach | None = None
        self._status: SchedulerStatus | None = None
        self._asked: Mapping[str, str] = {}
        self._silent = ""
        self._retry = _FIRST_RETRY
        self._read: dict[str, dict[str, str]] = {}
        self._follower: asyncio.Task[None] | None = None
        self._is_connected = False

    def wake(self) -> None:
        """Look again now, because something happened."""
        self._wake.set()

    def expect_changes(self) -> None:
        """Look again now, and begin anew with the short intervals at which a scheduler that is not ours is asked."""
        if self._follower is not None and self._reached is not None and self._reached.api is None:
            self._follower.cancel()
            self._follower = None
        self.wake()

    async def run(self) -> None:
        """Watch until the cluster has ended."""
        delay = _FIRST_LOOK
        try:
            while not self._get().state.is_final:
                self._wake.clear()
                is_changed = await self._apply(await self._observe())
                delay = _FIRST_LOOK if is_changed else min(delay * _GROWTH, _LAST_LOOK)
                await self._rest(delay if self._has_to_look() else None)
        finally:
            for monitor in self._monitors.values():
                monitor.release(self._id)
            await self._end_follower()

    async def _end_follower(self) -> None:
        """End the one who follows the scheduler, and its connection with it."""
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
            self._follower, self._is_connected = None, False

    async def _rest(self, seconds: float | None) -> None:
        # Not `wait_for`: before Python 3.12 it swallows a cancellation that arrives together with what it waits for.
        waking = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait([waking], timeout=seconds)
        finally:
            waking.cancel()

    async def _observe(self) -> Observation:
        asked = await self._question(self._get())
        cluster = self._get()
        # It waits for an answer to what is not asked any more. While it connects, it must not be interrupted: a
        # connection would stay open of which nobody knows.
        if self._is_connected and asked != self._asked:
            await self._end_follower()
        if self._follower is None or self._follower.done():
            self._asked = asked
            await self._find_scheduler(cluster)
        # Once a cluster is stopping, its scheduler is expected to fall silent.
        silent = [self._silent] if self._silent and cluster.state is not ClusterState.STOPPING else []
        answers = {}
        for place, monitor in self._monitors.items():
            if self._has_to_ask(cluster, place):
                monitor.need(self._id, self.wake)
                silent += [monitor.trouble] if monitor.trouble else []
            else:
                monitor.release(self._id)
            if monitor.answer is not None:
                answers[place] = monitor.answer
        # Read after the answers, so that what has ended by then has reported itself and does not seem lost.
        reports = await asyncio.to_thread(read_reports, cluster.directory, self._read)
        address = self._reached.address if self._reached else None
        return Observation(datetime.now(timezone.utc), reports, address, self._status, answers, " ".join(silent))

    def _has_to_ask(self, cluster: Cluster, place: Place) -> bool:
        return any(
            job.place == place and self._is_missed(cluster, job, index) for job in cluster.jobs for index in job.live
        )

    def _is_missed(self, cluster: Cluster, job: Job, index: int) -> bool:
        """Return whether only the batch system can tell an element's state."""
        if job.host not in (None, socket.gethostname()):
            return False
        if cluster.state is ClusterState.STOPPING:
            return True
        if job.elements[index].state is JobState.RUNNING:
            # It reported its start. If it were killed outright, nothing would report its end.
            return bool(self._silent) or (job.role is Role.WORKER and self._lacks_workers(cluster))
        if job.place == "host":
            return job.submitted is not None and datetime.now(timezone.utc) - job.submitted > _HOST_PATIENCE
        return True

    def _lacks_workers(self, cluster: Cluster) -> bool:
        """Return whether workers have disconnected although their jobs seem to run."""
        running = sum(
            cluster.group(job.group).shape.workers_per_job
            for job in cluster.jobs
            if job.role is Role.WORKER
            for index in job.live
            if job.elements[index].state is JobState.RUNNING
        )
        return cluster.started is not None and cluster.workers < running

    def _has_to_look(self) -> bool:
        """Return whether something may happen that only a file will reveal."""
        cluster = self._get()
        if cluster.state is ClusterState.STOPPING or self._status is None or self._lacks_workers(cluster):
            return True
        return any(job.elements[index].state is not JobState.RUNNING for job in cluster.jobs for index in job.live)

    async def _find_scheduler(self, cluster: Cluster) -> None:
        """Begin to follow the scheduler once it is up."""
        try:
            self._reached = await self._reach(cluster)
        except (SchedulerUnreachable, BatchError) as error:  # the next look tries again
            self._silent = error.message
            return
        if self._reached is None and cluster.kind == "gateway" and cluster.started is not None:
            self._silent = "The gateway does not say any more where its scheduler is."
        if self._reached is not None:
            self._follower = asyncio.create_task(self._follow(self._source(self._reached, self._asked)))

    async def _follow(self, api: StatusSource) -> None:
        """Keep the scheduler's status up to date: each request waits there until something changes.

        Where a scheduler is not ours, the way to it may have changed if it does not answer: a login may have expired.
        """
        is_ours, version = self._reached is not None and self._reached.api is not None, None
        try:
            while True:
                try:
                    self._status = await api.status(version)
                    self._silent, self._retry, version = "", _FIRST_RETRY, self._status.version
                    self._is_connected = True
                    self.wake()
                except SchedulerUnreachable as error:
                    self._status, self._silent, version = None, error.message, None
                    self._is_connected = False
                    self.wake()
                    await asyncio.sleep(self._retry)
                    self._retry = min(self._retry * 2, _LAST_RETRY)
                    if not is_ours:
                        return  # the next look finds it anew
        finally:
            await api.aclose()

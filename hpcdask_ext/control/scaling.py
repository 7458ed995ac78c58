"""Making a cluster smaller with the least harm: pending elements end first, then idle workers, then busy ones."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any

from hpcdask_ext.batch.records import JobElements
from hpcdask_ext.clusters.groups import WorkerGroup
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.scheduler_api import Retired
from hpcdask_ext.clusters.states import JobState, Role
from hpcdask_ext.control.asking import FindWay, check_generation, scheduler_of
from hpcdask_ext.errors import WrongState
from hpcdask_ext.launchers.base import Launcher
from hpcdask_ext.launchers.dask_command import names_of_group, worker_name

Change = Callable[[Callable[[Cluster], Cluster]], Awaitable[None]]
_Chosen = list[tuple[str, int]]  # job tags and element numbers


async def shrink(
    cluster: Cluster,
    group: WorkerGroup,
    workers: int,
    launcher: Launcher,
    change: Change,
    *,
    find_way: FindWay,
    pending: int = 0,
) -> None:
    """End the elements of at least `workers` workers of a group.

    Pending elements are cancelled first, the newest ones, but those of `pending` workers keep their place. Then the
    scheduler retires its least busy workers, moving their data first, which may take long; their jobs end by
    themselves. Running elements whose workers have not connected are cancelled last. Workers whose data has no other
    place stay.

    Raises
    ------
    BatchError
        A cancellation failed.
    SchedulerUnreachable
        The scheduler is not up yet, or could not be asked to retire workers.
    WrongState
        Workers stay because of their data, or the scheduler cannot tell the workers of groups apart.
    """
    if cluster.layout == "allocation":
        await _retire_tasks(cluster, change, find_way)
        return
    elements = workers // group.shape.workers_per_job
    waiting = _candidates(cluster, group, JobState.PENDING)
    staying = pending // group.shape.workers_per_job
    withdrawn = waiting[: max(0, min(elements, len(waiting) - staying))]
    await _cancel(cluster, withdrawn, launcher, change)
    elements -= len(withdrawn)
    if elements < 1:
        return
    told = await _retire_workers(cluster, group, elements, find_way)
    kept = _places(cluster, told.kept)
    retired = [place for place in _places(cluster, told.names) if place not in kept]
    await change(partial(_mark, chosen=retired))
    connected = {*retired, *kept}
    unconnected = [chosen for chosen in _candidates(cluster, group, JobState.RUNNING) if chosen not in connected]
    await _cancel(cluster, unconnected[: elements - len(connected)], launcher, change)
    _tell_kept(told)


def end_unstarted(cluster: Cluster) -> Cluster:
    """Return the cluster with cancelled elements as ended that will not report it.

    These are the ones that had not started, and those of others, whose cancellation has waited for their end.
    """
    for job in cluster.jobs:
        silent = [
            index
            for index in job.live
            if job.elements[index].cancelled
            and (job.elements[index].state is JobState.PENDING or job.place == "elsewhere")
        ]
        cluster = cluster.with_job(job.with_elements(silent, state=JobState.ENDED))
    return cluster


def _candidates(cluster: Cluster, group: WorkerGroup, state: JobState) -> _Chosen:
    """Return the elements of a group in a state that have not been cancelled yet, the newest first."""
    workers = [job for job in reversed(cluster.jobs) if job.role is Role.WORKER and job.group == group.name]
    jobs = [job for job in workers if job.id is not None]
    return [
        (job.tag, index) for job in jobs for index in reversed(job.uncancelled) if job.elements[index].state is state
    ]


async def _retire_tasks(cluster: Cluster, change: Change, find_way: FindWay) -> None:
    """Retire workers of an allocation, which ends their processes; their nodes stay until the job ends.

    As many stay as were asked for: how many there are only the scheduler knows, since tasks may have been lost, and
    others may connect later.
    """
    job = next(job for job in cluster.jobs if job.role is Role.ALLOCATION)
    wanted = math.ceil(cluster.main.scaling.workers / cluster.main.shape.workers_per_job)
    told = await _retire_workers(cluster, cluster.main, job.tasks, find_way, keep=wanted)
    stay = wanted + math.ceil(len(told.kept) / cluster.main.shape.workers_per_job)
    await change(partial(Cluster.with_changed_job, tag=job.tag, changes={"retired": job.tasks - stay}))
    _tell_kept(told)


async def _retire_workers(
    cluster: Cluster, group: WorkerGroup, jobs: int, find_way: FindWay, *, keep: int = 0
) -> Retired:
    if len(cluster.groups) > 1:  # an old scheduler would retire workers of any of them
        check_generation(cluster, "release workers of one group")
    async with scheduler_of(cluster, find_way) as scheduler:
        return await scheduler.retire(names_of_group(cluster, group.name), jobs, group.shape.workers_per_job, keep)


def _tell_kept(told: Retired) -> None:
    """Raise `WrongState` if workers were kept."""
    if told.kept:
        count = "1 worker has" if len(told.kept) == 1 else f"{len(told.kept)} workers have"
        remedy = "release it in the notebook, or stop the cluster"
        raise WrongState(f"{count} data that cannot move to other workers: {remedy}.")


def _places(cluster: Cluster, names: Sequence[str]) -> _Chosen:
    """Return which elements of the cluster's jobs the workers with those names belong to."""
    places = {
        (job.tag, index): re.compile(rf"{re.escape(worker_name(cluster, job))}-{index}(-\d+)?\Z")
        for job in cluster.jobs
        if job.role is Role.WORKER
        for index in job.elements
    }
    return [place for place, pattern in places.items() if any(map(pattern.match, names))]


async def _cancel(cluster: Cluster, chosen: _Chosen, launcher: Launcher, change: Change) -> None:
    """Cancel elements with one command for each place; the record is marked first."""
    by_job: dict[str, list[int]] = defaultdict(list)
    for tag, index in chosen:
        by_job[tag].append(index)
    by_place: dict[Any, list[JobElements]] = defaultdict(list)
    for tag, indexes in by_job.items():
        job = cluster.job(tag)
        by_place[job.place].append(JobElements(str(job.id), tuple(sorted(indexes))))
    await change(partial(_mark, chosen=chosen))
    try:
        for place, elements in by_place.items():
            await launcher.cancel(place, elements)
    except BaseException:  # also when the cluster's end interrupts this: what is left of it is then cancelled anew
        await change(partial(_take_back, chosen=chosen))
        raise
    await change(end_unstarted)


def _mark(cluster: Cluster, chosen: Iterable[tuple[str, int]]) -> Cluster:
    for tag, index in chosen:
        cluster = cluster.with_job(cluster.job(tag).with_elements([index], cancelled=True))
    return cluster


def _take_back(cluster: Cluster, chosen: Iterable[tuple[str, int]]) -> Cluster:
    """Return the cluster with those of the elements that are not over as not cancelled."""
    for tag, index in chosen:
        job = cluster.job(tag)
        cluster = cluster.with_job(job.with_elements({index} & {*job.live}, cancelled=False))
    return cluster

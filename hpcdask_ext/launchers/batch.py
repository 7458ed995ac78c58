"""Clusters as jobs: the launcher of every site that has a batch system, including this machine.

In the elastic layout a cluster is one scheduler job, on the Jupyter host or in the batch system as the site says, and
worker jobs, each submitted as one array.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.quoting import templates
from hpcdask_ext.batch.records import Command, JobRequest, QueueInfo
from hpcdask_ext.batch.runner import CommandRunner
from hpcdask_ext.clusters.groups import AdaptiveScaling, WorkerGroup
from hpcdask_ext.clusters.models import Cluster, Environment, Job
from hpcdask_ext.clusters.states import Place, Role
from hpcdask_ext.errors import BatchError
from hpcdask_ext.launchers.base import Preview
from hpcdask_ext.launchers.dask_command import WARM, shortest_life, warm_directory
from hpcdask_ext.launchers.job_request import Directories, job_request
from hpcdask_ext.launchers.jobs import JobLauncher, new_job
from hpcdask_ext.sites.models import BatchSite
from hpcdask_ext.sites.probe import Probed, check_notebook


class BatchLauncher(JobLauncher):
    """Launches the clusters of one site.

    Parameters
    ----------
    site
        The site.
    systems
        The batch systems that run jobs, by place.
    runners
        Start commands, by place: those of a batch system may have to be run on another host.
    directories
        Where jobs run, and where warm processes have their sockets.
    """

    def __init__(
        self,
        site: BatchSite,
        systems: Mapping[Place, BatchSystem],
        runners: Mapping[Place, CommandRunner],
        directories: Directories,
    ) -> None:
        super().__init__(systems, runners, directories)
        self.site = site

    async def warm_up(self, environment: Environment) -> None:
        await asyncio.to_thread(templates)
        warm = warm_directory(environment, self._directories.warm)
        if self.site.batch_system == "local" and warm is not None:
            with suppress(BatchError, OSError):  # launches then just take a second longer
                await asyncio.to_thread(warm.mkdir, parents=True, exist_ok=True, mode=0o700)
                start = (*environment.argv, str(WARM), "start", str(warm))
                await self._runners["host"].run(Command(start, environment=environment.env))

    async def prepare(self, cluster: Cluster) -> Probed:
        found = await super().prepare(cluster)
        if cluster.script is not None and cluster.script.path.suffix == ".ipynb":
            check_notebook(cluster.environment, found)
        return found

    def first_jobs(self, cluster: Cluster) -> tuple[Job, ...]:
        if cluster.layout == "allocation":
            group = cluster.main
            tasks = math.ceil(group.scaling.workers / group.shape.workers_per_job)
            job = new_job(cluster, "allocation", Role.ALLOCATION, self._place, walltime=group.walltime)
            cores = (1 + tasks) * group.shape.cores * group.shape.workers_per_job
            return (job.model_copy(update={"tasks": tasks, "cores": cores}),)
        place: Place = self._place if self.site.scheduler.place == "job" else "host"
        walltime = None if place == "host" else self._walltime_of_scheduler(cluster)
        scheduler = new_job(cluster, "scheduler", Role.SCHEDULER, place, walltime=walltime)
        cores = self.site.scheduler.cores if self.site.scheduler.place == "job" else 0
        scheduler = scheduler.model_copy(update={"cores": cores})
        wanted = [(group, group.scaling.workers) for group in cluster.groups if group.scaling.workers]
        return (scheduler, *(self.more_workers(cluster, group, workers) for group, workers in wanted))

    def more_workers(self, cluster: Cluster, group: WorkerGroup, workers: int) -> Job:
        number = cluster.next_number(group)
        count = math.ceil(workers / group.shape.workers_per_job)
        job = new_job(cluster, f"{group.name}-{number}", Role.WORKER, self._place, count=count, walltime=group.walltime)
        cores = group.shape.cores * group.shape.workers_per_job
        job = job.model_copy(update={"group": group.name, "cores": cores})
        return job.model_copy(update={"lifetime": shortest_life(cluster, self.site, job)})

    def scripts(self, cluster: Cluster) -> tuple[tuple[Job, JobRequest, str], ...]:
        return super().scripts(_with_workers(cluster))

    async def preview(self, cluster: Cluster) -> Preview:
        scripts = await asyncio.to_thread(self.scripts, cluster)
        estimates = [await self._estimate(job.place, request, text) for job, request, text in scripts]
        return Preview(
            scripts=tuple((job.role.value, job.group, text) for job, _, text in scripts),
            # All jobs are needed, so the last one counts.
            estimated_start=max((time for time, _ in estimates if time is not None), default=None),
            note=" ".join(dict.fromkeys(note for _, note in estimates if note)),
        )

    async def _estimate(self, place: Place, request: JobRequest, text: str) -> tuple[datetime | None, str]:
        """Return when a job would start, or what the batch system says instead."""
        command = self._systems[place].estimate(request, text)
        if command is None:
            return None, ""
        try:
            return self._systems[place].parse_estimate(await self._runners[place].run(command)), ""
        except BatchError as error:
            return None, error.message

    async def queues(self) -> Sequence[QueueInfo]:
        command = self._systems["batch"].queues()
        if command is None:
            return ()
        return self._systems["batch"].parse_queues(await self._runners["batch"].run(command))

    async def accounts(self) -> Sequence[str]:
        command = self._systems["batch"].accounts()
        if command is None:
            return ()
        return self._systems["batch"].parse_accounts(await self._runners["batch"].run(command))

    def _walltime_of_scheduler(self, cluster: Cluster) -> timedelta | None:
        """Return the walltime of the scheduler's job: that of the workers that stay longest, if its queue allows it.

        Where workers are replaced, it is the longest that its queue allows, as far as that is known.
        """
        if self.site.scheduler.walltime is not None:
            return self.site.scheduler.walltime
        queue = self.site.queue(self.site.scheduler.queue or cluster.main.queue)
        longest = queue.limits.walltime if queue else None
        walltimes = [group.walltime for group in cluster.groups if group.walltime is not None]
        if len(walltimes) < len(cluster.groups) or (cluster.is_adaptive and longest is not None):
            return longest
        return min(max(walltimes), longest or timedelta.max)

    @property
    def _place(self) -> Place:
        """What runs the jobs of the site that need not run on the Jupyter host."""
        return "host" if self.site.batch_system == "local" else "batch"

    def _request(self, cluster: Cluster, job: Job) -> JobRequest:
        return job_request(self.site, cluster, job, self._directories, self._systems[job.place].quote)


def _with_workers(cluster: Cluster) -> Cluster:
    """Return the cluster with a job in each group that adapts, whose script is then known before there is work."""
    for group in cluster.groups:
        scaling = group.scaling
        if isinstance(scaling, AdaptiveScaling):
            workers = max(scaling.workers, group.shape.workers_per_job)
            cluster = cluster.with_group(group.name, scaling=scaling.model_copy(update={"workers": workers}))
    return cluster

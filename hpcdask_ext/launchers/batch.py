"""Clusters as jobs: the launcher of every site that has a batch system, including this machine.

In the elastic layout a cluster is one scheduler job, on the Jupyter host or in the batch system as the site says, and
worker jobs, each submitted as one array.
"""

from __future__ import annotations

import asyncio
import math
import shlex
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hpcdask_ext.batch.base import BatchSystem, Command, CommandResult, JobElements, JobRequest, JobStatus
from hpcdask_ext.batch.quoting import directive
from hpcdask_ext.batch.runner import CommandRunner
from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.models import Cluster, Element, Environment, Job, Role
from hpcdask_ext.clusters.store import write_private
from hpcdask_ext.errors import BatchError, CommandMissing, CommandTimeout
from hpcdask_ext.launchers.base import Launcher, Place
from hpcdask_ext.launchers.dask_command import WARM, job_environment, scheduler_command, warm_directory, worker_command
from hpcdask_ext.sites.environment import check_probe, probe, unusable
from hpcdask_ext.sites.models import Site


@dataclass(frozen=True)
class Directories:
    """`working` is where jobs run, which is where the user's notebooks are; `warm` has the warm processes' sockets."""

    working: Path
    warm: Path


LAUNCH_LOG = "launch.log"
"""The log of a cluster's launch, in its folder of logs."""


class BatchLauncher(Launcher):
    """Launches the clusters of one site.

    Parameters
    ----------
    site
        The site.
    systems
        The batch systems that run jobs, by place.
    runner
        Starts commands.
    directories
        Where jobs run, and where warm processes have their sockets.
    """

    def __init__(
        self, site: Site, systems: Mapping[Place, BatchSystem], runner: CommandRunner, directories: Directories
    ) -> None:
        self.site = site
        self._systems = systems
        self._runner = runner
        self._directories = directories

    async def warm_up(self, environment: Environment) -> None:
        warm = warm_directory(environment, self._directories.warm)
        if self.site.batch_system == "local" and warm is not None:
            with suppress(BatchError, OSError):  # launches then just take a second longer
                await asyncio.to_thread(warm.mkdir, parents=True, exist_ok=True, mode=0o700)
                start = (*environment.argv, str(WARM), "start", str(warm))
                await self._runner.run(Command(start, environment=environment.env))

    async def prepare(self, cluster: Cluster) -> tuple[str, ...]:
        result, _ = await asyncio.gather(
            self._probe(cluster),
            asyncio.to_thread(Credentials(cluster.directory).create),
        )
        return check_probe(cluster.environment, result)

    def first_jobs(self, cluster: Cluster) -> tuple[Job, ...]:
        on_host = self.site.scheduler.place == "host" or self.site.batch_system == "local"
        walltime = None if on_host else self.site.scheduler.walltime or cluster.walltime
        scheduler = _new_job(
            cluster, "scheduler", Role.SCHEDULER, "host" if on_host else "batch", count=1, walltime=walltime
        )
        if cluster.scaling.workers == 0:
            return (scheduler,)
        return (scheduler, self.more_workers(cluster, cluster.scaling.workers))

    def more_workers(self, cluster: Cluster, workers: int) -> Job:
        number = 1 + sum(job.role is Role.WORKER for job in cluster.jobs)
        count = math.ceil(workers / cluster.shape.workers_per_job)
        place: Place = "host" if self.site.batch_system == "local" else "batch"
        return _new_job(cluster, f"workers-{number}", Role.WORKER, place, count=count, walltime=cluster.walltime)

    async def submit(self, cluster: Cluster, job: Job) -> str:
        system = self._systems[job.place]
        request = self._request(cluster, job)
        text = await asyncio.to_thread(system.script, request)
        await asyncio.to_thread(write_private, request.script_file, text)
        return system.parse_submit(request, await self._run(cluster, system.submit(request, text)))

    async def cancel(self, place: Place, jobs: Sequence[JobElements]) -> None:
        system = self._systems[place]
        system.parse_cancel(await self._runner.run(system.cancel(jobs)))

    async def query(self, place: Place) -> Sequence[JobStatus]:
        system = self._systems[place]
        return system.parse_query(await self._runner.run(system.query()))

    def explain(self, place: Place, reason: str) -> str:
        return self._systems[place].explain(reason)

    async def _probe(self, cluster: Cluster) -> CommandResult:
        command = probe(cluster.environment)
        try:
            return await self._run(cluster, command)
        except (CommandMissing, CommandTimeout) as error:
            raise unusable(cluster.environment, error) from error

    async def _run(self, cluster: Cluster, command: Command) -> CommandResult:
        """Run a command of a launch, and log the command and its answer in the cluster's launch log."""
        log = cluster.directory / "logs" / LAUNCH_LOG
        try:
            result = await self._runner.run(command)
        except BatchError as error:
            await asyncio.to_thread(_append, log, f"$ {shlex.join(command.argv)}\n{error.message}\n")
            raise
        answer = f"$ {shlex.join(result.argv)}\n{result.stdout}{result.stderr}[exit code {result.exit_code}]\n"
        await asyncio.to_thread(_append, log, answer)
        return result

    def _request(self, cluster: Cluster, job: Job) -> JobRequest:
        site, shape, place = self.site, cluster.shape, self.site.scheduler
        if job.role is Role.SCHEDULER:
            command = scheduler_command(cluster, site, self._directories.warm)
            cores, memory, queue = place.cores, place.memory, place.queue or cluster.queue
        else:
            command = worker_command(cluster, site, job)
            cores, memory = shape.cores * shape.workers_per_job, shape.memory * shape.workers_per_job
            queue = cluster.queue
        return JobRequest(
            name=job.name,
            command=command,
            count=len(job.elements),
            cores=cores,
            memory=memory,
            walltime=job.walltime,
            report_prefix=cluster.directory / "reports" / job.tag,
            log_prefix=cluster.directory / "logs" / job.tag,
            working_directory=self._directories.working,
            script_file=cluster.directory / "jobs" / f"{job.tag}.sh",
            queue=queue,
            account=cluster.account,
            environment=job_environment(cluster, site),
            prologue=site.prologue,
            extra_directives=(*site.extra_directives, *self._option_directives(cluster)),
        )

    def _option_directives(self, cluster: Cluster) -> list[str]:
        """Return the directives that the site's options add; a boolean option adds its own if it is true."""
        values = cluster.options
        directives = [(option.directive, values.get(option.name)) for option in self.site.options]
        return [
            text.replace("{value}", directive(value, "options"))
            for text, value in directives
            if text is not None and value is not None and value is not False
        ]


def _append(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _new_job(cluster: Cluster, tag: str, role: Role, place: Place, *, count: int, walltime: timedelta | None) -> Job:
    return Job(
        tag=tag,
        name=f"hpcdask-{cluster.id}-{tag}",
        role=role,
        place=place,
        host=socket.gethostname() if place == "host" else None,
        walltime=walltime,
        elements={index: Element() for index in range(1, count + 1)},
    )

"""What launchers share whose clusters run as jobs: checking the environment, submitting, cancelling, asking."""

from __future__ import annotations

import asyncio
import shlex
import socket
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.records import JOB_NAMES, Command, CommandResult, JobElements, JobRequest, JobStatus
from hpcdask_ext.batch.runner import CommandRunner
from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.states import Place, Role
from hpcdask_ext.clusters.store import write_private
from hpcdask_ext.errors import BatchError, CommandMissing, CommandTimeout
from hpcdask_ext.launchers.base import Launcher
from hpcdask_ext.launchers.job_request import Directories
from hpcdask_ext.sites.probe import Probed, examine, probe, unusable

LAUNCH_LOG = "launch.log"
"""The log of a cluster's launch, in its folder of logs."""


class JobLauncher(Launcher):
    """Launches clusters as jobs.

    Parameters
    ----------
    systems
        The batch systems that run jobs, by place.
    runners
        Start commands, by place: those of a batch system may have to be run on another host.
    directories
        Where jobs run, and where warm processes have their sockets.
    """

    def __init__(
        self, systems: Mapping[Place, BatchSystem], runners: Mapping[Place, CommandRunner], directories: Directories
    ) -> None:
        self._systems, self._runners = systems, runners
        self._directories = directories

    async def prepare(self, cluster: Cluster) -> Probed:
        found, _ = await asyncio.gather(
            self._probe(cluster),
            asyncio.to_thread(Credentials(cluster.directory).create),
        )
        return found

    async def submit(self, cluster: Cluster, job: Job) -> str:
        system = self._systems[job.place]
        request = self._request(cluster, job)
        text = await asyncio.to_thread(system.script, request)
        await asyncio.to_thread(write_private, request.script_file, text)
        return system.parse_submit(request, await self._run(cluster, job.place, system.submit(request, text)))

    def scripts(self, cluster: Cluster) -> tuple[tuple[Job, JobRequest, str], ...]:
        requests = [(job, self._request(cluster, job)) for job in self.first_jobs(cluster)]
        return tuple((job, request, self._systems[job.place].script(request)) for job, request in requests)

    async def cancel(self, place: Place, jobs: Sequence[JobElements]) -> None:
        system = self._systems[place]
        system.parse_cancel(await self._runners[place].run(system.cancel(jobs)))

    async def query(self, place: Place) -> Sequence[JobStatus]:
        system = self._systems[place]
        statuses = system.parse_query(await self._runners[place].run(system.query()))
        return [replace(status, at_walltime=status.reason in system.WALLTIME_REASONS) for status in statuses]

    def explain(self, place: Place, reason: str) -> str:
        return self._systems[place].explain(reason)

    @abstractmethod
    def _request(self, cluster: Cluster, job: Job) -> JobRequest:
        """Return what is asked for a job of the cluster."""

    async def _probe(self, cluster: Cluster) -> Probed:
        environment = cluster.environment
        if environment.probe == "job":
            return Probed()
        try:
            return examine(environment, await self._run(cluster, "host", probe(environment)))
        except (CommandMissing, CommandTimeout) as error:
            raise unusable(environment, error) from error

    async def _run(self, cluster: Cluster, place: Place, command: Command) -> CommandResult:
        """Run a command of a launch, and log the command and its answer in the cluster's launch log."""
        log = cluster.directory / "logs" / LAUNCH_LOG
        try:
            result = await self._runners[place].run(command)
        except BatchError as error:
            await asyncio.to_thread(_append, log, f"$ {shlex.join(command.argv)}\n{error.message}\n")
            raise
        answer = f"$ {shlex.join(result.argv)}\n{result.stdout}{result.stderr}[exit code {result.exit_code}]\n"
        await asyncio.to_thread(_append, log, answer)
        return result


def _append(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def new_job(
    cluster: Cluster, tag: str, role: Role, place: Place, *, count: int = 1, walltime: timedelta | None = None
) -> Job:
    """Return a job of a cluster that has not been submitted, of `count` elements."""
    return Job(
        tag=tag,
        name=f"{JOB_NAMES}{cluster.id}-{tag}",
        role=role,
        place=place,
        host=socket.gethostname() if place == "host" else None,
        walltime=walltime,
        elements={index: Element() for index in range(1, count + 1)},
    )

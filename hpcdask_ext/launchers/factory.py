"""Clusters of a Dask cluster class: a process on the Jupyter host makes each of them (`payload/factory.py`).

What the class is called with may be secret. It is written to a file for the process, which removes it, and is in no
record, script, command line or log.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import yaml

from hpcdask_ext.batch.local import LocalSystem
from hpcdask_ext.batch.records import Command, JobElements, JobRequest
from hpcdask_ext.batch.runner import CommandRunner
from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.groups import AdaptiveScaling, Scaling
from hpcdask_ext.clusters.models import Cluster, Job
from hpcdask_ext.clusters.reach import read_reach
from hpcdask_ext.clusters.scheduler_api import SchedulerAPI
from hpcdask_ext.clusters.states import Role
from hpcdask_ext.clusters.store import write_private
from hpcdask_ext.launchers.base import Adjusted, Preview
from hpcdask_ext.launchers.dask_command import idle_variables
from hpcdask_ext.launchers.job_request import Directories
from hpcdask_ext.launchers.jobs import JobLauncher, new_job
from hpcdask_ext.sites.factory import FactorySite
from hpcdask_ext.sites.probe import Probed

FACTORY = Path(__file__).parent.parent / "payload" / "factory.py"

_PATIENCE = 13
"""Seconds that a class has to close a cluster, part of which may be on other machines; see `payload/factory.py`."""


class _PatientSystem(LocalSystem):
    """The Jupyter host, which gives processes more time to end."""

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        command = super().cancel(jobs)
        argv = (*command.argv, "--patience", str(_PATIENCE))
        return replace(command, argv=argv, timeout=command.timeout + timedelta(seconds=_PATIENCE))


class FactoryLauncher(JobLauncher):
    """Launches the clusters of one cluster class.

    Parameters
    ----------
    site
        The site.
    runner
        Starts commands on this host.
    directories
        Where the processes run.
    """

    scales_with_jobs: ClassVar[bool] = False

    def __init__(self, site: FactorySite, runner: CommandRunner, directories: Directories) -> None:
        super().__init__({"host": _PatientSystem()}, {"host": runner}, directories)
        self.site = site

    async def prepare(self, cluster: Cluster) -> Probed:
        found = await super().prepare(cluster)
        await asyncio.to_thread(self._write_order, cluster)
        return found

    def first_jobs(self, cluster: Cluster) -> tuple[Job, ...]:
        return (new_job(cluster, "scheduler", Role.SCHEDULER, "host"),)

    async def preview(self, cluster: Cluster) -> Preview:
        scripts = await asyncio.to_thread(self.scripts, cluster)
        return Preview(tuple((job.role.value, job.group, text) for job, _, text in scripts))

    async def scale(self, cluster: Cluster, scaling: Scaling) -> Adjusted | None:
        # As long as there is no scheduler.json, the process has not read this file yet.
        await asyncio.to_thread(_write_scaling, cluster, scaling)
        reach = await asyncio.to_thread(read_reach, cluster)
        if reach is not None and reach.api is not None:
            api = SchedulerAPI(reach.api)
            try:
                await api.scale(_order(scaling))
            finally:
                await api.aclose()
        return None

    def _write_order(self, cluster: Cluster) -> None:
        chosen = [(option.keyword, cluster.options.get(option.name)) for option in self.site.options]
        own = {keyword: value for keyword, value in chosen if keyword is not None and value is not None}
        made = self.site.factory
        order = {
            "module": made.module,
            "class": made.name,
            "args": [_expanded(value) for value in made.args],
            "kwargs": {name: _expanded(value) for name, value in made.kwargs.items()} | own,
        }
        write_private(cluster.directory / "factory.yaml", yaml.safe_dump(order, allow_unicode=True))
        _write_scaling(cluster, cluster.main.scaling)

    def _request(self, cluster: Cluster, job: Job) -> JobRequest:
        return JobRequest(
            name=job.name,
            command=shlex.join((*cluster.environment.argv, "-u", str(FACTORY), str(cluster.directory))),
            count=1,
            cores=1,
            memory=0,
            walltime=None,
            report_prefix=cluster.directory / "reports" / job.tag,
            log_prefix=cluster.directory / "logs" / job.tag,
            working_directory=self._directories.working,
            script_file=cluster.directory / "jobs" / f"{job.tag}.sh",
            environment={
                **cluster.environment.env,
                **self.site.env,
                **idle_variables(cluster, job),
                "HPCDASK_TOKEN_FILE": str(Credentials(cluster.directory).token_file),
                # The process reads the dashboard's own address from it.
                "DASK_DISTRIBUTED__DASHBOARD__LINK": "{scheme}://{host}:{port}/status",
            },
            prologue=self.site.prologue,
        )


def _expanded(value: Any) -> Any:
    """Return a value with variables expanded in its texts, as in Dask's configuration."""
    if isinstance(value, str):
        return os.path.expandvars(value)
    if isinstance(value, (list, tuple)):
        return [_expanded(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _expanded(entry) for name, entry in value.items()}
    return value


def _order(scaling: Scaling) -> dict[str, int]:
    if isinstance(scaling, AdaptiveScaling):
        return {"minimum": scaling.minimum, "maximum": scaling.maximum}
    return {"workers": scaling.workers}


def _write_scaling(cluster: Cluster, scaling: Scaling) -> None:
    write_private(cluster.directory / "scaling.json", json.dumps(_order(scaling)))

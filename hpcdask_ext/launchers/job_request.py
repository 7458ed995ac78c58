"""From a cluster's record to what is asked of a batch system for one of its jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hpcdask_ext.batch.records import JobRequest, Tasks
from hpcdask_ext.clusters.models import Cluster, Job
from hpcdask_ext.clusters.states import Role
from hpcdask_ext.launchers.dask_command import job_environment, scheduler_command, worker_command
from hpcdask_ext.launchers.script import script_command
from hpcdask_ext.sites.models import BatchSite
from hpcdask_ext.sites.probe import probe_in_job


@dataclass(frozen=True)
class Directories:
    """`working` is where jobs run, which is where the user's notebooks are; `warm` has the warm processes' sockets."""

    working: Path
    warm: Path


Quote = Callable[[object, str], str]
"""Returns a value, of the field that it names, as one word of a directive."""


def job_request(site: BatchSite, cluster: Cluster, job: Job, directories: Directories, quote: Quote) -> JobRequest:
    """Return what is asked for `job`, one of the jobs of `cluster`; `quote` is its batch system's."""
    group = cluster.group(job.group)
    shape = group.shape
    queue_name = (job.role is Role.SCHEDULER and site.scheduler.queue) or group.queue
    queue = site.queue(queue_name)
    workers = JobRequest(
        name=job.name,
        command=worker_command(cluster, site, job),
        count=len(job.elements),
        cores=shape.cores * shape.workers_per_job,
        memory=shape.memory * shape.workers_per_job,
        gpus=shape.gpus * shape.workers_per_job,
        walltime=job.walltime,
        report_prefix=cluster.directory / "reports" / job.tag,
        log_prefix=cluster.directory / "logs" / job.tag,
        working_directory=directories.working,
        script_file=cluster.directory / "jobs" / f"{job.tag}.sh",
        queue=queue_name,
        account=cluster.account,
        environment=job_environment(cluster, site, job),
        prologue=site.prologue,
        extra_directives=(
            *site.extra_directives,
            *(queue.extra_directives if queue else ()),
            *_option_directives(site, cluster, quote),
        ),
    )
    if job.role is Role.WORKER:
        return workers
    command = scheduler_command(cluster, site, directories.warm)
    if cluster.environment.probe == "job":  # workers start only once the scheduler runs
        command = probe_in_job(cluster.environment, workers.report_prefix) + command
    if job.role is Role.SCHEDULER:
        return replace(workers, command=command, cores=site.scheduler.cores, memory=site.scheduler.memory, gpus=0)
    program = script_command(cluster, cluster.script) if cluster.script else None
    return replace(workers, command=command, tasks=Tasks(workers.command, job.tasks), program=program)


def _option_directives(site: BatchSite, cluster: Cluster, quote: Quote) -> Sequence[str]:
    """Return the directives that the site's options add; a boolean option adds its own if it is true."""
    directives = [(option.directive, cluster.options.get(option.name)) for option in site.options]
    return [
        text.replace("{value}", quote(value, "options"))
        for text, value in directives
        if text is not None and value is not None and value is not False
    ]

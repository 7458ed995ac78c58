"""The machine itself as a batch system: jobs are detached process groups, started and found by `local_jobs.py`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.indexes import format_indexes
from hpcdask_ext.batch.quoting import render
from hpcdask_ext.batch.records import Command, CommandResult, JobElements, JobRequest, JobStatus
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

_PROGRAM = Path(__file__).with_name("local_jobs.py")
_HEADING = "JOB\tINDEX\tSTATE\tPID\tHOST"
_RECORD = re.compile(r"(?P<job>[\w.-]+)\t(?P<index>\d+)\t(?P<state>\w+)\t\d+\t(?P<host>\S*)", re.ASCII)
_TIMEOUT = timedelta(seconds=30)


class LocalSystem(BatchSystem):
    """The machine on which Jupyter runs. A job's id is its name, and it starts at once.

    It does not enforce cores, memory and walltime: Dask's workers keep to them.
    """

    name: ClassVar[str] = "local"
    title: ClassVar[str] = "This machine"

    def script(self, job: JobRequest) -> str:
        """Return the job script; it has no directives."""
        return render("local.sh.jinja", self.template, {"job": job})

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the command that starts all elements and does not wait for them."""
        options = ("--name", job.name, "--count", str(job.count), f"--log-prefix={job.log_prefix}")
        return _command("submit", *options, "--", str(job.script_file))

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the printed id, which is the job's name."""
        if result.exit_code != 0:
            raise BatchRefused(f"The job could not be started on this machine: {result.words}")
        if result.stdout.strip() != job.name:
            raise NotUnderstood(f"Starting {job.name} on this machine printed {result.words!r} instead of its name.")
        return job.name

    def query(self) -> Command:
        """Return the command that lists the live elements; ended ones are not listed anywhere."""
        return _command("query")

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each element."""
        if result.exit_code != 0:
            raise BatchUnreachable(f"The processes on this machine could not be listed: {result.words}")
        heading, *lines = result.stdout.splitlines() or [""]
        if heading != _HEADING:
            raise NotUnderstood(f"The list of jobs on this machine begins with {heading!r} instead of its heading.")
        return [_status(line) for line in lines]

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the command that ends processes and waits until they are gone."""
        return _command("cancel", *(_elements(job) for job in jobs))

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if no process is left."""
        if result.exit_code != 0:
            raise BatchUnreachable(f"Some processes on this machine could not be ended: {result.words}")

    def explain(self, reason: str) -> str:
        """Return `reason` in brackets: jobs do not wait here, so there is hardly ever one."""
        return f"Waiting ({reason})" if reason else ""


def _command(*words: str) -> Command:
    # -I: neither the user's PYTHON* variables nor the working directory change what is run.
    return Command((sys.executable, "-I", str(_PROGRAM), *words), timeout=_TIMEOUT)


def _elements(job: JobElements) -> str:
    return job.job_id if job.indexes is None else f"{job.job_id}:{format_indexes(job.indexes)}"


def _status(line: str) -> JobStatus:
    match = _RECORD.fullmatch(line)
    if match is None or match["state"] != "running":
        raise NotUnderstood(f"The list of jobs on this machine has an unreadable line: {line!r}.")
    return JobStatus(
        job_id=match["job"],
        name=match["job"],
        state=JobState.RUNNING,
        indexes=(int(match["index"]),),
        node=match["host"] or None,
    )

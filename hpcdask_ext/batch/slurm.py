"""Slurm, 20.02 or later: sbatch, squeue, scancel, srun, sinfo, sacctmgr."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from hpcdask_ext.batch import base
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.indexes import format_indexes
from hpcdask_ext.batch.quoting import render
from hpcdask_ext.batch.records import Command, CommandResult, JobElements, JobRequest, JobStatus, QueueInfo
from hpcdask_ext.batch.slurm_answers import (
    COMPLAINTS,
    JOB_FORMAT,
    QUEUE_FORMAT,
    account_names,
    estimated_start,
    job_statuses,
    queue_infos,
)
from hpcdask_ext.batch.slurm_words import sentence
from hpcdask_ext.batch.wording import through_env
from hpcdask_ext.errors import FieldError, InvalidRequest, NotUnderstood

_SUBMITTED = re.compile(r"(\d+)(?:;\S+)?", re.ASCII)
# The three directives for memory exclude each other.
_MEMORY_DIRECTIVE = re.compile(r"\s*--mem(-per-(cpu|gpu))?(?![\w-])")

# Users set these for interactive use. They would hide jobs from the query, prompt, or change a submission, because in
# Slurm they override a script's directives.
_SQUEUE_VARIABLES = (
    *("SQUEUE_ACCOUNT", "SQUEUE_ALL", "SQUEUE_ARRAY", "SQUEUE_ARRAY_UNIQUE", "SQUEUE_FEDERATION", "SQUEUE_FORMAT"),
    *("SQUEUE_FORMAT2", "SQUEUE_LICENSES", "SQUEUE_LOCAL", "SQUEUE_NAMES", "SQUEUE_PARTITION", "SQUEUE_PRIORITY"),
    *("SQUEUE_QOS", "SQUEUE_SIBLING", "SQUEUE_SORT", "SQUEUE_STATES", "SQUEUE_USERS"),
)
_SCANCEL_VARIABLES = (
    *("SCANCEL_ACCOUNT", "SCANCEL_BATCH", "SCANCEL_CRON", "SCANCEL_CTLD", "SCANCEL_FULL", "SCANCEL_HURRY"),
    *("SCANCEL_INTERACTIVE", "SCANCEL_NAME", "SCANCEL_PARTITION", "SCANCEL_QOS", "SCANCEL_SIGNAL", "SCANCEL_STATE"),
    *("SCANCEL_USER", "SCANCEL_VERBOSE", "SCANCEL_WCKEY"),
)
_SBATCH_VARIABLES = ("SBATCH_ARRAY_INX", "SBATCH_JOB_NAME", "SBATCH_OUTPUT", "SBATCH_REQUEUE", "SBATCH_WAIT")
_SINFO_VARIABLES = ("SINFO_ALL", "SINFO_FEDERATION", "SINFO_FORMAT", "SINFO_LOCAL", "SINFO_PARTITION", "SINFO_SORT")
_SBATCH_MEMORY = ("SBATCH_MEM_PER_CPU", "SBATCH_MEM_PER_GPU", "SBATCH_MEM_PER_NODE")

_HARMLESS = re.compile(r"invalid job id specified|already completing or completed", re.IGNORECASE)
_ACCOUNTS = (
    "cluster=$(scontrol show config | sed -n 's/^ClusterName *= *//p'); "
    'exec sacctmgr --parsable2 show user where name="$(id -un)" ${cluster:+cluster="$cluster"} '
    "withassoc format=defaultaccount,account"
)


class SlurmSystem(BatchSystem):
    """Slurm.

    A job of elements is an array, even of a single element, so that elements are always named in the same way; an
    allocation is none. Before Slurm 21.08, each worker of an allocation sees all GPUs of its node. Slurm 22.05.5 to
    23.02.2 never start the workers of an allocation where nodes have two threads per core and workers an odd number of
    cores of more than one: tried with 22.05.8; the release notes of 23.02.3 name the change.
    """

    class Settings(base.Settings):
        """What only Slurm needs to know about a site."""

        gpu_type: str | None = Field(
            None, description="The type of GPU to request (`a100`), where a queue has nodes with different ones."
        )

    name: ClassVar[str] = "slurm"
    title: ClassVar[str] = "Slurm"
    WALLTIME_REASONS: ClassVar[frozenset[str]] = frozenset({"TIMEOUT", "DEADLINE"})

    settings: Settings

    def script(self, job: JobRequest) -> str:
        """Return the job script."""
        gpu_type = self.settings.gpu_type
        values = {
            "job": job,
            "ntasks": 1 + job.tasks.count if job.tasks else 1,
            "memory_mib": _memory(job),
            "gpus": (f"{gpu_type}:{job.gpus}" if gpu_type else job.gpus) if job.gpus else None,
            "walltime": None if job.walltime is None else _walltime(job.walltime),
            "output": _output(job),
        }
        return render("slurm.sh.jinja", self.template, values)

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of sbatch."""
        return through_env("sbatch", "--parsable", unset=_sbatch_variables(job), stdin=text)

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id that sbatch printed, even if a login script printed something before it."""
        COMPLAINTS.check(result, "did not accept the job")
        for line in reversed(result.stdout.splitlines()):
            if match := _SUBMITTED.fullmatch(line.strip()):
                return match[1]
        raise NotUnderstood(f"sbatch printed no job id for {job.name}: {result.words!r}")

    def query(self) -> Command:
        """Return the call of squeue.

        Not as JSON, which ignores filters and is a hundred times as long. Times are requested in seconds, and array
        indexes unabbreviated.
        """
        settings = ("SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0")
        return through_env(
            "squeue", "--me", "--states=all", f"--format={JOB_FORMAT}", unset=_SQUEUE_VARIABLES, settings=settings
        )

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each record."""
        return job_statuses(result)

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the call of scancel."""
        return through_env("scancel", *(_elements(job) for job in jobs), unset=_SCANCEL_VARIABLES)

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if scancel complained only about jobs that had already ended."""
        COMPLAINTS.check_cancelled(result, _HARMLESS)

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return sentence(reason)

    def queues(self) -> Command:
        """Return the call of sinfo, which groups only nodes that are alike."""
        return through_env("sinfo", "--exact", f"--format={QUEUE_FORMAT}", unset=_SINFO_VARIABLES)

    def parse_queues(self, result: CommandResult) -> Sequence[QueueInfo]:
        """Return the queues. CPUs are what Slurm counts: the cores, or their threads."""
        return queue_infos(result)

    def accounts(self) -> Command:
        """Return the call of sacctmgr for whoever runs it. Its database may also know other clusters."""
        return Command(("sh", "-c", _ACCOUNTS))

    def parse_accounts(self, result: CommandResult) -> Sequence[str]:
        """Return the accounts, or none where Slurm keeps no accounts."""
        return account_names(result)

    def estimate(self, job: JobRequest, text: str) -> Command:
        """Return the call of sbatch that only tests, with times in seconds."""
        settings = ("SLURM_TIME_FORMAT=%s",)
        return through_env("sbatch", "--test-only", unset=_sbatch_variables(job), settings=settings, stdin=text)

    def parse_estimate(self, result: CommandResult) -> datetime | None:
        """Return the estimated start. Slurm answers as if the queue were open and had no time limit."""
        return estimated_start(result)


def _sbatch_variables(job: JobRequest) -> list[str]:
    """Return the user's variables that would replace what `job` says."""
    names = [*_SBATCH_VARIABLES, *_SBATCH_MEMORY]
    names += ["SBATCH_PARTITION"] if job.queue else []
    names += ["SBATCH_ACCOUNT"] if job.account else []
    names += ["SBATCH_TIMELIMIT"] if job.walltime is not None else []
    return names + (["SBATCH_GRES", "SBATCH_GPUS_PER_TASK"] if job.gpus else [])


def _walltime(walltime: timedelta) -> str:
    """Return `walltime` as Slurm's ``days-hours:minutes:seconds``."""
    seconds = math.ceil(walltime.total_seconds())
    days, seconds = divmod(seconds, 86400)
    return f"{days}-{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _memory(job: JobRequest) -> int | None:
    """Return the MiB of each element, or of each core of an allocation; None if the site's directives say how much."""
    if any(_MEMORY_DIRECTIVE.match(text) for text in job.extra_directives):
        return None
    return math.ceil(job.memory / 2**20 / (job.cores if job.tasks else 1))


def _output(job: JobRequest) -> str:
    """Return the pattern for logs. A percent sign begins a placeholder, and a backslash would disable all of them."""
    path = str(job.log_prefix)
    if "\\" in path:
        raise InvalidRequest([FieldError("directory", f"{path!r} has a backslash, which Slurm log paths cannot have")])
    return path.replace("%", "%%") + (".1.log" if job.tasks else ".%a.log")


def _elements(job: JobElements) -> str:
    return job.job_id if job.indexes is None else f"{job.job_id}_[{format_indexes(job.indexes)}]"

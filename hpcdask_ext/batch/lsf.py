"""IBM Spectrum LSF 10.1 (Fix Pack 2) or later: bsub, bjobs, bkill, bqueues, bugroup, blaunch."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Literal, cast

from pydantic import BaseModel, Field

from hpcdask_ext.batch import base
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.indexes import format_indexes
from hpcdask_ext.batch.lsf_answers import COMPLAINTS, groups_of_user, job_statuses, queue_infos
from hpcdask_ext.batch.lsf_words import WALLTIME_REASONS, sentence
from hpcdask_ext.batch.quoting import line, render
from hpcdask_ext.batch.records import (
    JOB_NAMES,
    Command,
    CommandResult,
    JobElements,
    JobRequest,
    JobStatus,
    QueueInfo,
)
from hpcdask_ext.batch.wording import through_env
from hpcdask_ext.errors import FieldError, InvalidRequest, NotUnderstood

_UNITS = {"KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
_SUBMITTED = re.compile(r"^Job <(\d+)> is submitted\b", re.ASCII | re.MULTILINE)
_STRAY = re.compile(r"^[ \t]*#[ \t]*BSUB", re.MULTILINE)
_HARMLESS = re.compile(r"no matching job found|already finished|is being terminated", re.IGNORECASE)

# Users set these for interactive use. They would hide bsub's answer, send it elsewhere, or let it check the job only.
_BSUB_VARIABLES = ("BSUB_CHK_RESREQ", "BSUB_QUIET", "BSUB_QUIET2", "BSUB_STDERR")
_FIELDS = "jobid stat job_name exec_host exit_reason pend_reason estimated_start_time"


class LSFSettings(base.Settings):
    """What only LSF needs to know about a site."""

    memory_unit: Literal["KB", "MB", "GB", "TB"] | None = Field(
        None,
        description="The centre's LSF_UNIT_FOR_LIMITS, if its LSF does not read memory with a unit (4096MB).",
    )
    memory_per: Literal["host", "slot"] = Field(
        "host",
        description="What LSF reserves memory for: each host of a job, or with RESOURCE_RESERVE_PER_TASK=Y each slot.",
    )
    memory_limit: Literal["host", "job", "none"] = Field(
        "host",
        description="What the memory limit (-M) of an allocation is for: what runs on one host, or with "
        "LSB_JOB_MEMLIMIT=Y the whole job; none: jobs have no memory limit.",
    )
    account: Literal["project", "group"] = Field(
        "project", description="What an account is: a project (bsub -P), or a user group (bsub -G)."
    )
    environment: tuple[str, ...] = Field(
        ("PATH",),
        description="Variables that bsub passes on to jobs from where it runs; [all] for all, [none] for none.",
    )


class LSFSystem(BatchSystem):
    """LSF. Every job is an array, even of a single element, so that elements are always named in the same way."""

    name: ClassVar[str] = "lsf"
    title: ClassVar[str] = "LSF"
    Settings: ClassVar[type[BaseModel]] = LSFSettings
    WALLTIME_REASONS: ClassVar[frozenset[str]] = WALLTIME_REASONS

    def quote(self, value: object, field: str) -> str:
        """Return `value` as one word of a directive."""
        return _word(str(value), field)

    def script(self, job: JobRequest) -> str:
        """Return the job script."""
        # A log of a job is not named in a directive: the script itself opens it.
        line(job.log_prefix, "directory")
        line(job.working_directory, "directory")
        values = {
            "job": job,
            "queue": _word(job.queue, "queue") if job.queue else None,
            "account": _word(job.account, "account") if job.account else None,
            "account_option": "-P" if self._settings.account == "project" else "-G",
            "walltime": None if job.walltime is None else _walltime(job.walltime),
            "environment": _word(", ".join(self._settings.environment), "settings"),
            **self._resources(job),
        }
        return _without_strays(render("lsf.sh.jinja", self.template, values))

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of bsub."""
        return through_env("bsub", unset=_BSUB_VARIABLES, stdin=text)

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id that bsub printed, even if a login script printed something before it."""
        COMPLAINTS.check(result, "did not accept the job")
        if matches := _SUBMITTED.findall(result.stdout):
            return cast("str", matches[-1])
        raise NotUnderstood(f"bsub printed no job id for {job.name}: {result.words!r}")

    def query(self) -> Command:
        """Return the call of bjobs, which lists each element, those that ended within the last hour (by default) too.

        A pattern of names also matches arrays, and their elements. Times are requested in UTC and with their year.
        """
        ours = ("-J", f"{JOB_NAMES}*")
        return through_env("bjobs", "-a", *ours, "-json", "-o", _FIELDS, settings=("TZ=UTC", "LSB_DISPLAY_YEAR=Y"))

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each record."""
        return job_statuses(result)

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the call of bkill."""
        return through_env("bkill", *(_elements(job) for job in jobs))

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if bkill complained only about jobs that had already ended."""
        COMPLAINTS.check_cancelled(result, _HARMLESS)

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return sentence(reason)

    def queues(self) -> Command | None:
        """Return the call of bqueues for the queues that the user may use."""
        return through_env("sh", "-c", 'exec bqueues -l -u "$(id -un)"')

    def parse_queues(self, result: CommandResult) -> Sequence[QueueInfo]:
        """Return the queues. LSF counts slots, not jobs, and tells nothing about nodes."""
        return queue_infos(result)

    def accounts(self) -> Command | None:
        """Return the call of bugroup; None if accounts are projects, of which LSF keeps no list."""
        if self._settings.account == "project":
            return None
        return through_env("sh", "-c", "id -un && exec bugroup -r -w")

    def parse_accounts(self, result: CommandResult) -> Sequence[str]:
        """Return the user groups that the user is in."""
        return groups_of_user(result)

    @property
    def _settings(self) -> LSFSettings:
        return cast("LSFSettings", self.settings)

    def _resources(self, job: JobRequest) -> dict[str, object]:
        """Return what the template needs to know about slots, memory and GPUs."""
        settings, tasks = self._settings, 1 + job.tasks.count if job.tasks else 1
        limits = {"host": job.memory, "job": job.memory * tasks, "none": None}
        per_slot = settings.memory_per == "slot"
        limit = limits[settings.memory_limit]
        return {
            "slots": job.cores * tasks,
            "span": f"ptile={job.cores}" if job.tasks else "hosts=1",
            "reserved": self._amount(job.memory / job.cores if per_slot else job.memory),
            "limit": None if limit is None else self._amount(limit),
            # With RESOURCE_RESERVE_PER_TASK=Y the number would be taken for each slot.
            "gpus": f"{job.gpus}/host" if per_slot else str(job.gpus),
        }

    def _amount(self, memory: float) -> str:
        """Return an amount of memory, rounded up."""
        unit = self._settings.memory_unit
        number = math.ceil(memory / _UNITS[unit or "MB"])
        return f"{number}MB" if unit is None else str(number)


def _walltime(walltime: timedelta) -> str:
    """Return `walltime` as LSF's ``hours:minutes``, rounded up."""
    minutes = math.ceil(walltime.total_seconds() / 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _word(value: str, field: str) -> str:
    """Return `value` as one word of a ``#BSUB`` line.

    bsub splits the line at spaces and takes off quotes, of which there are two kinds and no way to escape one. What it
    cannot read back unchanged is refused: it squeezes spaces, and takes a word that begins with ``#`` for a comment.
    (Read in the sources of volclava 2, which took this parser over from LSF.)
    """
    text = line(value, field)
    if _PLAIN.fullmatch(text):
        return text
    quote = '"' if '"' not in text else "'"
    if quote in text or text.startswith("#") or text != " ".join(text.split(" ")).strip() or "  " in text:
        message = (
            f"{text!r} cannot stand in an LSF directive: avoid quotes of both kinds, double spaces and a leading #"
        )
        raise InvalidRequest([FieldError(field, message)])
    return f"{quote}{text}{quote}"


def _without_strays(text: str) -> str:
    """Return a script if only its leading comments have directives: bsub reads them wherever they stand."""
    body = re.search(r"^(?!\s*#)\s*\S", text, re.MULTILINE)
    if body and "BSUB" in text[body.end() :] and (stray := _STRAY.search(text, body.end())):
        found = text[stray.start() :].split("\n", 1)[0]
        message = f"a line of the script, {found!r}, would be read as a directive of LSF: remove it"
        raise InvalidRequest([FieldError("environment", message)])
    return text


def _elements(job: JobElements) -> str:
    return job.job_id if job.indexes is None else f"{job.job_id}[{format_indexes(job.indexes)}]"

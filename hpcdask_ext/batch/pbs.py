"""PBS Professional and OpenPBS, 18 or later: qsub, qstat, qdel.

What is said here about their behaviour is from OpenPBS 23.06: its manual pages and source, and recorded answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, cast

from pydantic import BaseModel, Field, StringConstraints

from hpcdask_ext.batch import base
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.batch.indexes import format_indexes
from hpcdask_ext.batch.pbs_queues import queue_infos
from hpcdask_ext.batch.pbs_records import END, QUERY, QUEUES, Record, exit_code, records, time
from hpcdask_ext.batch.pbs_words import STATES, WALLTIME, final, sentence, waiting
from hpcdask_ext.batch.quoting import line, qsub, render
from hpcdask_ext.batch.records import Command, CommandResult, JobElements, JobRequest, JobStatus, QueueInfo
from hpcdask_ext.batch.wording import hours_minutes_seconds
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import FieldError, InvalidRequest, NotUnderstood

_JOB_ID = re.compile(r"(?P<number>\d+)(?P<array>\[(?P<index>\d*)\])?(?P<server>\.[\w.:-]+)?", re.ASCII)
# Unlike ids in an answer, the one that qsub prints always names the server.
_SUBMITTED = re.compile(r"\d+(\[\])?\.[\w.:-]+", re.ASCII)

_UNREACHABLE = (
    "can(no|')t connect to|couldn't connect|no default server name|unknown host|communication failure"
    "|too many open connections|system call failure|server shutting down|no free connections|connection table full"
    "|batch protocol error|end of (file|message)|invalid credential|pbs_iff|munge|timed out"
)
# Of jobs that have ended, or are about to.
_HARMLESS = re.compile(
    "unknown job id|job has finished|finished array subjob|invalid for state of job|delete already in progress",
    re.IGNORECASE,
)
_NOISE = re.compile(r"^(qsub|qstat|qdel): ", re.MULTILINE)
_COMPLAINTS = Complaints("PBS", _UNREACHABLE, lambda text: _NOISE.sub("", text))
_UNKNOWN_JOB, _FINISHED_JOB = 153, 35

_Spec = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.,:=+@^/-]*$")]


class Settings(base.Settings):
    """What only PBS needs to know about a site."""

    chunk: _Spec = Field("", description="Added to each chunk of a job: model=ivy:scratch=10gb.")
    place: _Spec = Field("", description="How chunks are spread over nodes (-l place): scatter:excl.")
    resource_spec: _Spec = Field(
        "",
        description="Requested for each element or task, not cores, memory and GPUs: select=1:ncpus=24:mem=100gb.",
    )


class PBSSystem(BatchSystem):
    """PBS Professional and OpenPBS. An array has at least two elements: a job of one is not an array."""

    name: ClassVar[str] = "pbs"
    title: ClassVar[str] = "PBS"
    Settings: ClassVar[type[BaseModel]] = Settings
    WALLTIME_REASONS: ClassVar[frozenset[str]] = frozenset({WALLTIME})

    def quote(self, value: object, field: str) -> str:
        """Return `value` as one word of a directive."""
        return qsub(value, field)

    def script(self, job: JobRequest) -> str:
        """Return the job script."""
        settings = cast("Settings", self.settings)
        line(job.working_directory, "directory")  # qsub refuses scripts with some control characters
        values = {
            "job": job,
            "resources": _resources(job, settings),
            "place": settings.place,
            "walltime": None if job.walltime is None else hours_minutes_seconds(job.walltime),
        }
        return render("pbs.sh.jinja", self.template, values)

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of qsub; the variable would change what begins a directive."""
        return Command(("env", "-u", "PBS_DPREFIX", "qsub"), text)

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id that qsub printed, even if a login script printed something before it."""
        _COMPLAINTS.check(result, "did not accept the job")
        for printed in reversed(result.stdout.splitlines()):
            if _SUBMITTED.fullmatch(printed.strip()):
                return printed.strip()
        raise NotUnderstood(f"qsub printed no job id for {job.name}: {result.words!r}")

    def query(self) -> Command:
        """Return the calls of qstat, as one command."""
        return _shell(QUERY)

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each job, and for each element of an array."""
        code = _code(result, "did not list the jobs")
        # A job that ended and was forgotten between the two calls.
        if code not in (0, _UNKNOWN_JOB, _FINISHED_JOB):
            _COMPLAINTS.check(CommandResult(result.argv, code, "", result.stderr), "did not list the jobs")
        return list(_statuses(records(result.stdout)))

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the call of qdel."""
        return Command(("qdel", *(word for job in jobs for word in _elements(job))))

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if qdel complained only about jobs that had already ended."""
        _COMPLAINTS.check_cancelled(result, _HARMLESS)

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return sentence(reason)

    def queues(self) -> Command:
        """Return the calls of qstat and pbsnodes, as one command."""
        return _shell(QUEUES)

    def parse_queues(self, result: CommandResult) -> Sequence[QueueInfo]:
        """Return the queues; without the nodes' sizes if pbsnodes may not be called."""
        code = _code(result, "did not list the queues")
        _COMPLAINTS.check(CommandResult(result.argv, code, "", result.stderr), "did not list the queues")
        return queue_infos(records(result.stdout))


def _shell(text: str) -> Command:
    # TZ: qstat prints times without their zone.
    return Command(("env", "TZ=UTC0", "sh", "-c", text))


def _resources(job: JobRequest, settings: Settings) -> str:
    """Return what the job asks for: one chunk for each task, with one line each in the file of nodes."""
    tasks = 1 + job.tasks.count if job.tasks else 1
    if settings.resource_spec:
        if tasks == 1:
            return settings.resource_spec
        if not settings.resource_spec.startswith("select=1:") or "+" in settings.resource_spec:
            message = f"{settings.resource_spec!r} cannot be asked for {tasks} times: let it begin with 'select=1:'"
            raise InvalidRequest([FieldError("layout", message)])
        return f"select={tasks}:{settings.resource_spec.removeprefix('select=1:')}"
    chunk = f"ncpus={job.cores}:mem={math.ceil(job.memory / 2**20)}mb"
    chunk += f":ngpus={job.gpus}" if job.gpus else ""
    chunk += ":mpiprocs=1" if job.tasks else ""
    chunk += f":{settings.chunk}" if settings.chunk else ""
    return f"select={tasks}:{chunk}"


def _elements(job: JobElements) -> Iterator[str]:
    """Yield what names elements of a job: one range each, because qdel knows no lists of them."""
    before, is_array, after = job.job_id.partition("[]")
    if job.indexes is None or not is_array:
        yield job.job_id
    else:
        yield from (f"{before}[{part}]{after}" for part in format_indexes(job.indexes).split(","))


def _statuses(found: Iterator[Record]) -> Iterator[JobStatus]:
    whole: Mapping[str, str] = {}  # the last array, which alone has an estimate of when its elements start
    for record in found:
        if record.kind != "Job Id":
            continue
        match, letter = _JOB_ID.fullmatch(record.name), record.fields.get("job_state")
        if match is None or letter is None:
            raise NotUnderstood(f"qstat's answer has an unreadable record: {record!r}"[:500])
        if match["index"]:
            yield _status(match, letter, record.fields, whole)
            continue
        whole = record.fields
        # While an array runs, nothing is true of all of its elements; its exit code never is.
        if match["array"] is None or STATES.get(letter) is not JobState.RUNNING:
            kept = {name: value for name, value in whole.items() if name != "Exit_status" or match["array"] is None}
            yield _status(match, letter, kept, {})


def _status(match: re.Match[str], letter: str, fields: Mapping[str, str], whole: Mapping[str, str]) -> JobStatus:
    state, reason, start = STATES.get(letter, JobState.UNKNOWN), "", None
    if state is JobState.PENDING:
        reason = waiting(letter, {"comment": whole.get("comment", ""), **fields})
        start = time({**whole, **fields}.get("estimated.start_time", ""))
    elif state is JobState.ENDED:
        state, reason = final(fields)
    elif state is JobState.UNKNOWN:
        reason = f"job_state={letter}"
    return JobStatus(
        job_id=f"{match['number']}{'[]' if match['array'] else ''}{match['server'] or ''}",
        name=fields.get("Job_Name", ""),
        state=state,
        indexes=(int(match["index"]),) if match["index"] else None,
        reason=reason,
        node=fields.get("exec_host", "").partition("/")[0] or None,
        estimated_start=start,
    )


def _code(result: CommandResult, complaint: str) -> int:
    """Return the exit code that stands at the end of an answer, or raise the right error if there is none."""
    _COMPLAINTS.check(result, complaint)
    code = exit_code(result.stdout)
    if code is None:
        raise NotUnderstood(f"qstat's answer does not end with {END!r}: {result.words[-500:]!r}")
    return code

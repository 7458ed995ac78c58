"""Torque 6 (qsub, qstat, qdel, pbsdsh), alone or below Moab 9 (msub, showq, canceljob, showstart).

What is said here is from Adaptive Computing's manuals, the published source of Torque 6.1, and answers that other
projects have published.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal, cast

from pydantic import BaseModel, Field, StringConstraints

from hpcdask_ext.batch import base
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.indexes import format_indexes
from hpcdask_ext.batch.moab_answers import MOAB_COMPLAINTS, estimated_start, moab_statuses
from hpcdask_ext.batch.moab_words import WALLTIME as MOAB_WALLTIME
from hpcdask_ext.batch.moab_words import sentence as moab_sentence
from hpcdask_ext.batch.quoting import line, qsub, render
from hpcdask_ext.batch.records import (
    JOB_NAMES,
    Command,
    CommandResult,
    JobElements,
    JobRequest,
    JobStatus,
    QueueInfo,
)
from hpcdask_ext.batch.torque_answers import (
    ARRAY_ID,
    COMPLAINTS,
    JOBS,
    QUEUES,
    job_statuses,
    queue_infos,
)
from hpcdask_ext.batch.torque_words import WALLTIME, sentence
from hpcdask_ext.batch.wording import hours_minutes_seconds
from hpcdask_ext.errors import FieldError, InvalidRequest, NotUnderstood

_SUBMITTED = re.compile(r"\d+(\[\])?\.[\w.:-]+", re.ASCII)
_SUBMITTED_MOAB = re.compile(r"([\w-]+\.)*\d+(?=(\[\])?$)", re.ASCII)
# Of jobs that have ended, or are about to.
_HARMLESS = re.compile(
    "unknown job id|nonexistent job id|unknown array id|invalid for state of job|invalid state for job"
    "|invalid job specified|already (been )?(cancel|complet)|in state '?(completed|removed|vacated)",
    re.IGNORECASE,
)
# Users set these for interactive use: they would hide jobs, or change what begins a directive.
_QSTAT_VARIABLES = ("PBS_QSTAT_EXECONLY", "PBS_QSTAT_NO_COMPLETE")

_JOBS_OF_MOAB = rf"""
me=$(id -un) && live=$(showq --xml -w "user=$me") && over=$(showq -c --xml -w "user=$me") || exit
echo hpcdask-jobs
printf '%s\n' "$live" "$over" | sed 's|<job |\n<job |g' | sed '/^<job .*JobName="{JOB_NAMES}/!s|^<job [^>]*>||'
echo hpcdask
"""

_Spec = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.,:=+@^/-]*$")]


class TorqueSettings(base.Settings):
    """What only Torque and Moab need to know about a site."""

    memory: Literal["mem", "vmem", "pmem", "pvmem", "none"] = Field(
        "mem",
        description="How memory is requested: for the job (mem, vmem), for each of its cores (pmem, pvmem), or not.",
    )
    node_properties: _Spec = Field("", description="Added to the requested nodes: properties of them (`ib:haswell`).")
    resource_spec: _Spec = Field(
        "",
        description="Requested instead of cores, memory and GPUs, for each element or task "
        "(`nodes=1:ppn=24,mem=100gb`).",
    )


class TorqueSystem(BatchSystem):
    """Torque. A job of one element is not an array."""

    name: ClassVar[str] = "torque"
    title: ClassVar[str] = "Torque"
    Settings: ClassVar[type[BaseModel]] = TorqueSettings
    WALLTIME_REASONS: ClassVar[frozenset[str]] = frozenset({WALLTIME})
    _prefix: ClassVar[str] = "#PBS"
    _array: ClassVar[str] = "1-{}"
    _index: ClassVar[str] = "${PBS_ARRAYID:-1}"

    def quote(self, value: object, field: str) -> str:
        """Return `value` as one word of a directive."""
        return qsub(value, field)

    def script(self, job: JobRequest) -> str:
        """Return the job script."""
        line(job.working_directory, "directory")
        settings = cast("TorqueSettings", self.settings)
        values = {
            "job": job,
            "resources": ",".join(_resources(job, settings)),
            "walltime": None if job.walltime is None else hours_minutes_seconds(job.walltime),
            "prefix": self._prefix,
            "array": self._array.format(job.count),
            "index": self._index,
        }
        return render(f"{self.name}.sh.jinja", self.template, values)

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of qsub; the variable would change what begins a directive."""
        return Command(("env", "-u", "PBS_DPREFIX", "qsub"), text)

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id that qsub printed, even if a login script printed something before it."""
        COMPLAINTS.check(result, "did not accept the job")
        for printed in reversed(result.stdout.splitlines()):
            if _SUBMITTED.fullmatch(printed.strip()):
                return printed.strip()
        raise NotUnderstood(f"qsub printed no job id for {job.name}: {result.words!r}")

    def query(self) -> Command:
        """Return the call of qstat for each element of this user, those that ended some minutes ago too."""
        unset = [word for name in _QSTAT_VARIABLES for word in ("-u", name)]
        return Command(("env", *unset, "sh", "-c", JOBS))

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each job, and for each element of an array."""
        return job_statuses(result)

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the calls of qdel, as one command: elements of one array can be named in one call."""
        calls = [shlex.join(("qdel", *_elements(job))) for job in jobs]
        return Command(("sh", "-c", "\n".join(("code=0", *(f"{call} || code=$?" for call in calls), "exit $code"))))

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if qdel complained only about jobs that had already ended."""
        COMPLAINTS.check_cancelled(result, _HARMLESS)

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return sentence(reason)

    def queues(self) -> Command | None:
        """Return the calls of qstat and pbsnodes, as one command."""
        return Command(("sh", "-c", QUEUES))

    def parse_queues(self, result: CommandResult) -> Sequence[QueueInfo]:
        """Return the queues; without the nodes' sizes if pbsnodes may not be called."""
        return queue_infos(result)


class MoabSystem(TorqueSystem):
    """Moab, with Torque as its resource manager: it has arrays and ids of its own."""

    name: ClassVar[str] = "moab"
    title: ClassVar[str] = "Moab"
    WALLTIME_REASONS: ClassVar[frozenset[str]] = frozenset({MOAB_WALLTIME})
    _prefix: ClassVar[str] = "#MSUB"
    _array: ClassVar[str] = "[1-{}]"
    _index: ClassVar[str] = "${MOAB_JOBARRAYINDEX:-${PBS_ARRAYID:-1}}"

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of msub."""
        return Command(("msub",), text)

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id that msub printed behind an empty line, ``Moab.12`` or ``12``, of an array with brackets."""
        MOAB_COMPLAINTS.check(result, "did not accept the job")
        for printed in reversed(result.stdout.splitlines()):
            if match := _SUBMITTED_MOAB.match(printed.strip()):
                return match[0] + ("[]" if job.count > 1 else "")
        raise NotUnderstood(f"msub printed no job id for {job.name}: {result.words!r}")

    def query(self) -> Command:
        """Return the calls of showq, as one command: for live jobs, and for those that ended within the last day."""
        return Command(("sh", "-c", _JOBS_OF_MOAB.strip()))

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each job, and for each element of an array."""
        return moab_statuses(result)

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the call of canceljob, which knows no ranges."""
        words = (word for job in jobs for word in _elements_of_moab(job))
        return Command(("canceljob", *words))

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if canceljob complained only about jobs that had already ended."""
        MOAB_COMPLAINTS.check_cancelled(result, _HARMLESS)

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return moab_sentence(reason)

    def estimate(self, job: JobRequest, text: str) -> Command:
        """Return the call of showstart for one element, or for the whole allocation; it asks only about cores."""
        cores = job.cores * (1 + job.tasks.count if job.tasks else 1)
        span = f"@{hours_minutes_seconds(job.walltime)}" if job.walltime is not None else ""
        return Command(("sh", "-c", f"date +%s && showstart {cores}{span}"))

    def parse_estimate(self, result: CommandResult) -> datetime | None:
        """Return the start that the reservations of now allow."""
        return estimated_start(result)


def _resources(job: JobRequest, settings: TorqueSettings) -> Iterator[str]:
    """Yield what the job asks for: cores of one node for each task, and memory for the job or for each core."""
    tasks = 1 + job.tasks.count if job.tasks else 1
    if settings.resource_spec:
        yield _repeated(settings.resource_spec, tasks)
        return
    gpus = f":gpus={job.gpus}" if job.gpus else ""
    properties = f":{settings.node_properties}" if settings.node_properties else ""
    yield f"nodes={tasks}:ppn={job.cores}{gpus}{properties}"
    if settings.memory != "none":
        memory = job.memory / job.cores if settings.memory.startswith("p") else job.memory * tasks
        yield f"{settings.memory}={math.ceil(memory / 2**20)}mb"


def _repeated(spec: str, tasks: int) -> str:
    """Return a site's own request for one task, for several."""
    if tasks == 1:
        return spec
    if not spec.startswith("nodes=1:") or "+" in spec:
        message = f"{spec!r} cannot be asked for {tasks} times: let it begin with 'nodes=1:'"
        raise InvalidRequest([FieldError("layout", message)])
    return f"nodes={tasks}:{spec.removeprefix('nodes=1:')}"


def _elements(job: JobElements) -> tuple[str, ...]:
    if job.indexes is None or not ARRAY_ID.fullmatch(job.job_id):
        return (job.job_id,)
    return ("-t", format_indexes(job.indexes), job.job_id)


def _elements_of_moab(job: JobElements) -> Iterator[str]:
    array = job.job_id.removesuffix("[]")
    if array == job.job_id:
        yield array
    elif job.indexes is None:
        yield from (job.job_id, array)  # releases differ in how they name a whole array; what is no job does no harm
    else:
        yield from (f"{array}[{index}]" for index in job.indexes)

"""HTCondor 9 or later: condor_submit, condor_q, condor_rm, condor_status."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

from pydantic import BaseModel, Field

from hpcdask_ext.batch import base
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.htcondor_answers import (
    BEGIN,
    COMPLAINTS,
    END,
    JOB_ATTRIBUTES,
    SLOT_ATTRIBUTES,
    job_status,
    pool,
    records,
)
from hpcdask_ext.batch.htcondor_words import WALLTIME_REASONS, sentence
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
from hpcdask_ext.errors import FieldError, InvalidRequest, NotUnderstood

_DIRECTIVE = re.compile(r"#CONDOR(?:[ \t]+(.*))?")
_SUBMITTED = re.compile(r"^(\d+)\.\d+ - \d+\.\d+\s*$", re.ASCII | re.MULTILINE)
_HARMLESS = re.compile(
    r"couldn't find/remove all jobs|\bjob \d+\.\d+ (not found|already marked)|there are no jobs in the queue",
    re.IGNORECASE,
)
_DEFAULT_QUEUE = "default"


class HTCondorSettings(base.Settings):
    """What only HTCondor needs to know about a site."""

    should_transfer_files: Literal["NO", "IF_NEEDED", "YES"] = Field(
        "NO",
        description="As in a submit description. With NO, jobs only go to machines of the submit host's "
        "FileSystemDomain; YES is for a pool that shares its directories but is not configured to know it.",
    )
    queue_attribute: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*$",
        description="The attribute of a job in which this pool wants the name of a queue (CERN: JobFlavour). Without "
        "it the name is not told to HTCondor, which has no queues.",
    )
    walltime_attribute: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*$",
        description="The attribute of a job in which this pool wants its walltime in seconds (MaxRuntime), besides "
        "allowed_job_duration.",
    )
    environment: tuple[str, ...] = Field(
        ("PATH",),
        description="Variables that condor_submit passes on to jobs from where it runs (getenv); [] for none.",
    )


class HTCondorSystem(BatchSystem):
    """HTCondor. A submission is a cluster, whose processes, numbered from 0, are our elements.

    An allocation is a job of the parallel universe, for which the pool needs a dedicated scheduler: HTCondor itself
    starts the script on every node, and ends all when node 0 has ended.
    """

    name: ClassVar[str] = "htcondor"
    title: ClassVar[str] = "HTCondor"
    Settings: ClassVar[type[BaseModel]] = HTCondorSettings
    WALLTIME_REASONS: ClassVar[frozenset[str]] = WALLTIME_REASONS

    def quote(self, value: object, field: str) -> str:
        """Return `value` as one word of a directive."""
        return _value(str(value), field)

    def script(self, job: JobRequest) -> str:
        """Return the job script. The lines that begin with ``#CONDOR`` are its submit description."""
        # A log is not named in the submit description: the script itself opens it.
        line(job.log_prefix, "directory")
        for text in job.extra_directives:
            if text.endswith("\\"):
                raise _invalid("options", f"{text!r} ends in a backslash, which would join it to the next line")
        settings = self._settings
        values = {
            "job": job,
            "settings": settings,
            "arguments": _argument(str(job.script_file), "directory"),
            "directory": _path(str(job.working_directory)),
            "account": _value(job.account, "account") if job.account else None,
            "queue": self._queue(job),
            "getenv": " ".join(settings.environment) or "False",
            "memory_mib": math.ceil(job.memory / 2**20),
            "walltime": None if job.walltime is None else math.ceil(job.walltime.total_seconds()),
        }
        return render("htcondor.sh.jinja", self.template, values)

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of condor_submit, which reads the submit description that stands in the script's head."""
        return Command(("condor_submit", "-terse", "-"), _description(text))

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id of the cluster, which condor_submit prints as its first and its last process."""
        COMPLAINTS.check(result, "did not accept the job")
        if matches := _SUBMITTED.findall(result.stdout):
            return cast("str", matches[-1])
        raise NotUnderstood(f"condor_submit printed no job id for {job.name}: {result.words!r}")

    def query(self) -> Command:
        """Return the call of condor_q for our jobs of the user, marked so that no jobs are told from no answer."""
        ours = ("-constraint", f'regexp("^{JOB_NAMES}", JobBatchName)')
        return _marked("condor_q", *ours, "-json", "-attributes", ",".join(JOB_ATTRIBUTES))

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each process."""
        return [_read(job_status, record) for record in records(result, "condor_q")]

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the call of condor_rm."""
        return Command(("condor_rm", *(word for job in jobs for word in _elements(job))))

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if condor_rm complained only about jobs that had already ended."""
        COMPLAINTS.check_cancelled(result, _HARMLESS)

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return sentence(reason)

    def queues(self) -> Command | None:
        """Return the call of condor_status for the machines, without the slots that are cut from others for a job."""
        constraint = ("-constraint", 'SlotType =!= "Dynamic"')
        return _marked("condor_status", *constraint, "-json", "-attributes", ",".join(SLOT_ATTRIBUTES))

    def parse_queues(self, result: CommandResult) -> Sequence[QueueInfo]:
        """Return the whole pool as one queue, since HTCondor has none."""
        return [_read(lambda slots: pool(_DEFAULT_QUEUE, slots), records(result, "condor_status"))]

    @property
    def _settings(self) -> HTCondorSettings:
        return cast("HTCondorSettings", self.settings)

    def _queue(self, job: JobRequest) -> str | None:
        """Return the queue's name as a value of its attribute."""
        if not job.queue:
            return None
        text = _string(job.queue, "queue")
        return None if self._settings.queue_attribute is None or job.queue == _DEFAULT_QUEUE else text


def _marked(program: str, *arguments: str) -> Command:
    """Return a call whose answer stands between two lines of ours: where there is nothing, HTCondor prints nothing."""
    words = f'echo "{BEGIN} {program}" && {program} "$@" && echo "{END} {program}"'
    return Command(("sh", "-c", words, program, *arguments))


def _read(parse: Any, record: Any) -> Any:
    try:
        return parse(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotUnderstood(f"HTCondor's answer has an unreadable record ({error!r}): {str(record)[:500]}") from error


def _description(text: str) -> str:
    """Return the submit description in the head of a script, which ends at the first line that is no comment."""
    lines = []
    for text_of_line in text.split("\n"):
        if text_of_line.strip() and not text_of_line.startswith("#"):
            break
        if match := _DIRECTIVE.fullmatch(text_of_line):
            lines.append(match[1] or "")
    return "\n".join(lines) + "\n"


def _value(value: str, field: str) -> str:
    """Return `value` as the value of a command of a submit description, which has no quotes.

    HTCondor takes off spaces at the ends, joins a line that ends in a backslash to the next one, and replaces ``$(x)``
    at once and ``$$(x)`` when the job starts (manual page htcondor-jdl, Macros).
    """
    text = line(value, field)
    if text != text.strip() or text.endswith("\\") or "$$(" in text:
        message = (
            f"{text!r} cannot stand in a submit description of HTCondor: avoid spaces at its ends, a final \\ and $$("
        )
        raise _invalid(field, message)
    return text.replace("$", "$(DOLLAR)")


def _path(value: str) -> str:
    """Return `value` as a path, in which HTCondor takes a backslash behind a slash for a second slash (tried)."""
    if "/\\" in value:
        raise _invalid("directory", f"{value!r} has a backslash behind a slash, which HTCondor would leave out")
    return _value(value, "directory")


def _argument(value: str, field: str) -> str:
    """Return `value` as the only argument of a job, in the manual's new syntax."""
    quoted = value.replace("'", "''").replace('"', '""')
    return _value(f"\"'{quoted}'\"", field)


def _string(value: str, field: str) -> str:
    """Return `value` as a string of a ClassAd, in which only a double quote can be escaped."""
    if re.search(r"\\(\"|$)", value):
        raise _invalid(field, f"{value!r} has a backslash before a quote or at its end, which HTCondor cannot read")
    return _value('"' + value.replace('"', '\\"') + '"', field)


def _elements(job: JobElements) -> list[str]:
    return [job.job_id] if job.indexes is None else [f"{job.job_id}.{index - 1}" for index in sorted(job.indexes)]


def _invalid(field: str, message: str) -> InvalidRequest:
    return InvalidRequest([FieldError(field, message)])

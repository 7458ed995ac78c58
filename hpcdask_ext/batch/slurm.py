"""Slurm, 20.02 or later: sbatch, squeue, scancel."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import ClassVar

from hpcdask_ext.batch.base import BatchSystem, Command, CommandResult, JobElements, JobRequest, JobStatus
from hpcdask_ext.batch.indexes import format_indexes, parse_indexes
from hpcdask_ext.batch.quoting import render
from hpcdask_ext.batch.slurm_words import STATES, TELLING_STATES, sentence
from hpcdask_ext.clusters.models import JobState
from hpcdask_ext.errors import BatchError, BatchRefused, BatchUnreachable, FieldError, InvalidRequest, NotUnderstood

# Marks the start of each record in squeue's output: other programs' job names may contain line breaks.
_MARK = "hpcdask|"
# %i id, %T state, %S start, %N nodes, %j name, %r reason. Our names have no bar; the rest may contain anything.
_FORMAT = _MARK + "%i|%T|%S|%N|%j|%r"
_RECORD = re.compile(r"(?P<id>[^|]*)\|(?P<state>\w+)\|(?P<start>[^|]*)\|(?P<node>[^|]*)\|(?P<rest>.*)", re.DOTALL)
_JOB_ID = re.compile(r"(?P<job>\d+)(?:\+\d+)?(?:_(?:(?P<one>\d+)|\[(?P<many>[^\]%]*)(?:%\d+)?\]))?", re.ASCII)
_SUBMITTED = re.compile(r"(\d+)(?:;\S+)?", re.ASCII)

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
_SBATCH_MEMORY = ("SBATCH_MEM_PER_CPU", "SBATCH_MEM_PER_GPU", "SBATCH_MEM_PER_NODE")

_UNREACHABLE = re.compile(
    "unable to contact slurm controller|socket timed out|zero bytes were transmitted|controller not responding"
    "|connection (refused|timed out|reset|closed)|no route to host|network is unreachable|could not resolve"
    "|authentication error|munge|cannot stat file|unable to process configuration|establish (a )?conf|fetch_config"
    "|communication (connection|shutdown) failure|message (send|receive) failure|in standby mode|temporarily un"
    "|incompatible versions|^ssh: |host key verification failed|permission denied \\(|kex_exchange",
    re.IGNORECASE | re.MULTILINE,
)
_HARMLESS = re.compile(r"invalid job id specified|already completing or completed", re.IGNORECASE)
_NOISE = re.compile(r"^(sbatch|squeue|scancel|slurm_load_jobs): (error|fatal): ", re.MULTILINE)


class SlurmSystem(BatchSystem):
    """Slurm. Every job is an array, even of a single element, so that elements are always named in the same way."""

    name: ClassVar[str] = "slurm"
    title: ClassVar[str] = "Slurm"

    def script(self, job: JobRequest) -> str:
        """Return the job script."""
        values = {
            "job": job,
            "memory_mib": math.ceil(job.memory / 2**20),
            "walltime": None if job.walltime is None else _walltime(job.walltime),
            "output": _output(job.log_prefix),
        }
        return render("slurm.sh.jinja", self.template, values)

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of sbatch."""
        names = [*_SBATCH_VARIABLES, *_SBATCH_MEMORY]
        names += ["SBATCH_PARTITION"] if job.queue else []
        names += ["SBATCH_ACCOUNT"] if job.account else []
        names += ["SBATCH_TIMELIMIT"] if job.walltime is not None else []
        return _command("sbatch", "--parsable", unset=names, stdin=text)

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id that sbatch printed, even if a login script printed something before it."""
        _check(result, "did not accept the job")
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
        return _command(
            "squeue", "--me", "--states=all", f"--format={_FORMAT}", unset=_SQUEUE_VARIABLES, settings=settings
        )

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each record. The heading is required: it tells an empty answer from no answer."""
        _check(result, "did not list the jobs")
        _, *records = re.split(rf"^{re.escape(_MARK)}", result.stdout, flags=re.MULTILINE)
        if not any(record.startswith("JOBID|") for record in records):
            raise NotUnderstood(f"squeue's answer has no heading: {result.words[:500]!r}")
        return [_status(record.rstrip("\n")) for record in records if not record.startswith("JOBID|")]

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the call of scancel."""
        return _command("scancel", *(_elements(job) for job in jobs), unset=_SCANCEL_VARIABLES)

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if scancel complained only about jobs that had already ended."""
        lines = [line for line in result.stderr.splitlines() if line.strip() and not _HARMLESS.search(line)]
        if result.exit_code != 0 and (lines or not result.stderr.strip()):
            rest = CommandResult(result.argv, result.exit_code, result.stdout, "\n".join(lines))
            _check(rest, "did not cancel everything")

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return sentence(reason)


def _command(
    program: str,
    *arguments: str,
    unset: Sequence[str] = (),
    settings: Sequence[str] = (),
    stdin: str | None = None,
) -> Command:
    """Return a call through `env`, so that it works both here and behind a prefix such as ``ssh login1``."""
    options = [word for name in unset for word in ("-u", name)]
    return Command(("env", *options, *settings, program, *arguments), stdin)


def _walltime(walltime: timedelta) -> str:
    """Return `walltime` as Slurm's ``days-hours:minutes:seconds``."""
    seconds = math.ceil(walltime.total_seconds())
    days, seconds = divmod(seconds, 86400)
    return f"{days}-{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _output(log_prefix: Path) -> str:
    """Return the pattern for logs. A percent sign begins a placeholder, and a backslash would disable all of them."""
    path = str(log_prefix)
    if "\\" in path:
        raise InvalidRequest([FieldError("directory", f"{path!r} has a backslash, which Slurm log paths cannot have")])
    return path.replace("%", "%%") + ".%a.log"


def _elements(job: JobElements) -> str:
    return job.job_id if job.indexes is None else f"{job.job_id}_[{format_indexes(job.indexes)}]"


def _status(record: str) -> JobStatus:
    match = _RECORD.fullmatch(record)
    job_id = _JOB_ID.fullmatch(match["id"]) if match else None
    if match is None or job_id is None:
        raise NotUnderstood(f"squeue's answer has an unreadable record: {record[:500]!r}")
    name, _, reason = match["rest"].partition("|")
    state = STATES.get(match["state"], JobState.UNKNOWN)
    if match["state"] in TELLING_STATES or state is JobState.UNKNOWN:
        reason = match["state"]
    elif reason == "None" or state in (JobState.RUNNING, JobState.ENDED):
        reason = "FAILED" if state is JobState.FAILED else ""
    return JobStatus(
        job_id=job_id["job"],
        name=name,
        state=state,
        indexes=_indexes(job_id, record),
        reason=reason,
        node=match["node"] or None,
        estimated_start=_time(match["start"]) if state is JobState.PENDING else None,
    )


def _indexes(job_id: re.Match[str], record: str) -> tuple[int, ...] | None:
    text = job_id["one"] or job_id["many"]
    if text is None:
        return None
    try:
        return parse_indexes(text)
    except ValueError as error:
        raise NotUnderstood(f"squeue's answer has an unreadable record: {record[:500]!r}: {error}") from error


def _time(text: str) -> datetime | None:
    """Return a time; None for ``N/A``, and for anything but seconds, since its time zone is unknown."""
    return datetime.fromtimestamp(int(text), timezone.utc) if re.fullmatch(r"[0-9]{1,11}", text) else None


def _check(result: CommandResult, complaint: str) -> None:
    """Raise the right error if the command failed."""
    if result.exit_code == 0:
        return
    words = "; ".join(line.strip() for line in _NOISE.sub("", result.words).splitlines() if line.strip())
    error: type[BatchError] = BatchUnreachable if _UNREACHABLE.search(result.words) else BatchRefused
    begin = "Slurm could not be asked" if error is BatchUnreachable else f"Slurm {complaint}"
    raise error(f"{begin}: {words or f'exit code {result.exit_code}, no output'}")

"""Grid Engine, 6.2 or later: qsub, qstat, qdel. Tried with 8.1.9."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from hpcdask_ext.batch import base
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.batch.indexes import format_indexes
from hpcdask_ext.batch.quoting import grid_engine, line, render
from hpcdask_ext.batch.records import JOB_NAMES, Command, CommandResult, JobElements, JobRequest, JobStatus, QueueInfo
from hpcdask_ext.batch.sge_answers import MARK, TELLING_LINES, parse_jobs, parse_queue_list
from hpcdask_ext.batch.sge_words import sentence
from hpcdask_ext.batch.wording import hours_minutes_seconds
from hpcdask_ext.errors import FieldError, InvalidRequest, NotUnderstood

_SUBMITTED = re.compile(r"(\d+)(?:\.\d+-\d+:\d+)?", re.ASCII)

# A user may have tens of thousands of jobs: only ours are let through. Why they wait is told by `qstat -j` alone, which
# prints all it knows. It is asked only about those that wait, and only the lines that say why are let through.
_OURS = (
    '/<job_list/ {job = 1; text = ""} job {text = text $0 "\\n"} job == 0 {print}'
    f' /<\\/job_list>/ {{job = 0; if (text ~ /<JB_name>{JOB_NAMES}/) printf "%s", text}}'
)
_WAITING = "/<JB_job_number>/ {id = $3} /<state>[^<]*q/ {print id}"
_QUERY = " ".join(
    (  # in one line: where csh is the login shell, ssh can pass no other
        'list=$(qstat -u "$(id -un)" -s prs -r -xml) || { code=$?; printf "%s\\n" "$list"; exit "$code"; };',
        f'list=$(printf "%s\\n" "$list" | awk \'{_OURS}\');',
        'printf "%s\\n" "$list";',
        f"waiting=$(printf \"%s\\n\" \"$list\" | awk -F '[<>]' '{_WAITING}'",
        "| sort -nu | tail -n 50 | paste -s -d , -);",
        '[ -n "$waiting" ] || exit 0;',
        f'echo "{MARK}";',
        f'qstat -j "$waiting" -xml | grep -E "{TELLING_LINES}" | head -n 5000; exit 0',
    )
)
_QUEUES = f'SGE_SINGLE_LINE=1 qconf -sq "*" && echo && echo "{MARK}" && qhost -q -xml'

_UNREACHABLE = (
    "unable to (send|contact|connect|resolve|read qmaster|initialize environment)|commlib error|got \\w+ error"
    "|can't (find connection|get configuration)|cell directory|failed (receiving|sending) gdi|SGE_ROOT"
)
_HARMLESS = re.compile(
    r"does not exist|already in deletion|comprises no tasks|has (deleted|registered) ", re.IGNORECASE
)
_NOISE = re.compile(r"^(Unable to run job: |qsub: |qstat: |qdel: |error: |Job \d+ )|^Exiting\.$", re.MULTILINE)
_COMPLAINTS = Complaints("Grid Engine", _UNREACHABLE, lambda text: _NOISE.sub("", text))
_NO_PROJECTS = "no project list defined"
# A verification does not know the load of hosts, so a request for it (`mem_free`) proves nothing.
_INCONCLUSIVE = "job requests unknown resource"
_NO_REASON = re.compile("hard queue list|no suitable queues")


class GridEngineSystem(BatchSystem):
    """Grid Engine in its variants. Every job is an array, even of a single element, so that elements have numbers."""

    name: ClassVar[str] = "sge"
    title: ClassVar[str] = "Grid Engine"

    class Settings(base.Settings):
        """What Grid Engine leaves to each centre: names of resources and parallel environments."""

        parallel_environment: str | None = None
        """For jobs of more than one core: one that places all slots on one host, often `smp`."""

        allocation_environment: str | None = None
        """For the allocation layout: one whose slots may be on several hosts, with `control_slaves`; often `mpi`."""

        memory_resource: str | None = "h_vmem"
        """The resource by which memory is requested, as much for each slot; None to request none.

        Every Grid Engine knows `h_vmem`, which limits the address space. Where programs map far more than they use
        (as CUDA does), or where the centre counts by another one, this names that: `mem_free`, `h_rss`, `rmem`.
        """

        gpu_resource: str = "gpu"
        """The resource by which GPUs are requested."""

        gpu_per_slot: bool = False
        """Whether a request for GPUs counts for each slot instead of once for a job."""

        resource_spec: str | None = None
        """More for `-l`, as in dask-jobqueue: ``mem_free=4G,arch=lx-amd64``."""

    settings: Settings

    def quote(self, value: object, field: str) -> str:
        """Return `value` as one word of a directive."""
        return grid_engine(value, field)

    def script(self, job: JobRequest) -> str:
        """Return the job script."""
        _check_texts(job)
        slots = job.cores * (1 + job.tasks.count if job.tasks else 1)
        values = {
            "job": job,
            "slots": slots,
            "environment": self._environment(job),
            "resources": self._resources(job),
            "resource_spec": self.settings.resource_spec,
            "output": _output(job.log_prefix),
        }
        return render("sge.sh.jinja", self.template, values)

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of qsub."""
        return Command(("qsub", "-terse"), text)

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id that qsub printed, even if a login script printed something before it."""
        _COMPLAINTS.check(result, "did not accept the job")
        for text in reversed(result.stdout.splitlines()):
            if match := _SUBMITTED.fullmatch(text.strip()):
                return match[1]
        raise NotUnderstood(f"qsub printed no job id for {job.name}: {result.words!r}")

    def query(self) -> Command:
        """Return the call of qstat, and of a second one only if jobs wait. Ended jobs are not listed by either."""
        return Command(("sh", "-c", _QUERY))

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each entry of the list."""
        _COMPLAINTS.check(result, "did not list the jobs")
        return parse_jobs(result.stdout)

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the call of qdel, which names elements one run at a time: ``12.1-3 12.7``."""
        return Command(("qdel", *(word for job in jobs for word in _elements(job))))

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if qdel complained only about what had already ended."""
        said = f"{result.stdout}\n{result.stderr}"  # it complains on either
        _COMPLAINTS.check_cancelled(CommandResult(result.argv, result.exit_code, said, ""), _HARMLESS)

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return sentence(reason)

    def queues(self) -> Command:
        """Return the call of qconf, for the limits of queues, and of qhost, for their hosts and slots."""
        return Command(("sh", "-c", _QUEUES))

    def parse_queues(self, result: CommandResult) -> Sequence[QueueInfo]:
        """Return all queues; none is the default one, since Grid Engine chooses among those that suit a job."""
        _COMPLAINTS.check(result, "did not list its queues")
        return parse_queue_list(result.stdout)

    def accounts(self) -> Command:
        """Return the call of qconf that lists the projects."""
        return Command(("qconf", "-sprjl"))

    def parse_accounts(self, result: CommandResult) -> Sequence[str]:
        """Return all projects; only a submission tells which of them the user may use."""
        if _NO_PROJECTS in result.words:
            return []
        _COMPLAINTS.check(result, "did not list its projects")
        return result.stdout.split()

    def estimate(self, job: JobRequest, text: str) -> Command:
        """Return the call of qsub that only verifies whether the job could ever start."""
        return Command(("qsub", "-w", "v"), text)

    def parse_estimate(self, result: CommandResult) -> datetime | None:
        """Return None: Grid Engine does not tell when a job will start."""
        if _INCONCLUSIVE not in result.words:
            words = "\n".join(text for text in result.words.splitlines() if not _NO_REASON.search(text))
            _COMPLAINTS.check(CommandResult(result.argv, result.exit_code, "", words), "would never start the job")
        return None

    def _environment(self, job: JobRequest) -> str | None:
        """Return the parallel environment of a job, or None if it needs none or has it from the site's directives."""
        settings, layout = self.settings, "allocation_environment" if job.tasks else "parallel_environment"
        name = settings.allocation_environment if job.tasks else settings.parallel_environment
        if job.cores == 1 and not job.tasks:
            return None
        if name is None and not any(re.match(r"-pe\s", text) for text in job.extra_directives):
            what = "the allocation layout" if job.tasks else f"{job.cores} cores in one job"
            remedy = f"Grid Engine needs a parallel environment for {what}: name one of `qconf -spl`"
            raise InvalidRequest([FieldError(f"settings.{layout}", remedy)])
        return name

    def _resources(self, job: JobRequest) -> Sequence[str]:
        """Return what is requested with `-l`. What `resource_spec` requests is not requested twice."""
        settings = self.settings
        requests = {}
        if job.walltime is not None:
            requests["h_rt"] = hours_minutes_seconds(job.walltime)
        if settings.memory_resource is not None:
            requests[settings.memory_resource] = f"{math.ceil(job.memory / job.cores / 2**20)}M"
        if job.gpus:
            requests[settings.gpu_resource] = str(self._gpus(job))
        own = {text.partition("=")[0].strip() for text in (settings.resource_spec or "").split(",")}
        return [f"{name}={value}" for name, value in requests.items() if name not in own]

    def _gpus(self, job: JobRequest) -> int:
        if not self.settings.gpu_per_slot:
            if job.tasks:
                problem = "Grid Engine counts GPUs once for a job, not for its tasks: choose the elastic layout"
                raise InvalidRequest([FieldError("gpus", problem)])
            return job.gpus
        if job.gpus % job.cores:
            problem = f"{job.gpus} GPUs cannot be shared by {job.cores} slots: request as many as cores, or a multiple"
            raise InvalidRequest([FieldError("gpus", problem)])
        return job.gpus // job.cores


def _check_texts(job: JobRequest) -> None:
    """Refuse a line that begins with ``#$``: Grid Engine looks for directives in the whole script."""
    line(job.working_directory, "directory")
    commands = (job.command, job.tasks.command if job.tasks else "", job.program or "")
    texts = {"environment": (*job.environment.values(),), "prologue": job.prologue, "command": commands}
    for field, values in texts.items():
        for text in values:
            if text.startswith("#$") or "\n#$" in text:
                problem = f"{text!r} has a line that begins with #$, which Grid Engine takes for a directive"
                raise InvalidRequest([FieldError(field, problem)])


def _output(log_prefix: Path) -> str:
    """Return the pattern for logs. A colon stands between host and path, and a comma between several of these."""
    for letter, meaning in (("$", "begins a placeholder"), (",", "separates paths")):
        if letter in str(log_prefix):
            problem = f"{str(log_prefix)!r} has a {letter}, which {meaning} in Grid Engine: choose another directory"
            raise InvalidRequest([FieldError("directory", problem)])
    return f":{log_prefix}.$TASK_ID.log"


def _elements(job: JobElements) -> Sequence[str]:
    if job.indexes is None:
        return [job.job_id]
    return [f"{job.job_id}.{run}" for run in format_indexes(job.indexes).split(",")]

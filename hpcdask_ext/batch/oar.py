"""OAR 2.5.8 or later: oarsub, oarstat, oardel, oarnodes, oarsh.

What is said here about their behaviour is from OAR 2.5.9: its manual pages, its source, and recorded answers.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, cast

from pydantic import BaseModel, Field, StringConstraints

from hpcdask_ext.batch import base
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.oar_answers import COMPLAINTS, job_statuses, queue_infos
from hpcdask_ext.batch.oar_words import WALLTIME, sentence
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

# An array has an id of its own, printed last, which is that of its first element.
_SUBMITTED = re.compile(r"^OAR_(?:JOB|ARRAY)_ID=(\d+)\s*$", re.ASCII | re.MULTILINE)
_DIRECTIVE = re.compile(r"#OAR\s+(?P<option>--[\w-]+|-\w)(?:\s*=\s*|\s*)(?P<value>.*)", re.ASCII)
_HARMLESS = re.compile(r"already killed", re.IGNORECASE)

# What ended within the last hour is listed too. Without jobs, oarstat prints nothing: the marks tell that from
# no answer.
_QUERY = f"""
echo hpcdask-jobs && oarstat -f -J --format 2 --sql "job_user = '$(id -un)' AND job_name LIKE '{JOB_NAMES}%' \
AND (state NOT IN ('Terminated', 'Error') OR stop_time > $(($(date +%s) - 3600)))" && echo hpcdask
"""
# Each property stands on a line of its own. Only what is needed passes: each core has a thousand characters. What is no
# list of nodes is shown as it is.
_QUEUES = r"""
nodes=$(oarnodes -J) || exit
printf '%s\n' "$nodes" | grep -E '^ +"({properties})" :|^ +\}}' || {{ printf '%s\n' "$nodes"; exit 0; }}
echo hpcdask-free
{{ oarnodes -J --sql "resource_id NOT IN (SELECT resource_id FROM assigned_resources \
WHERE assigned_resource_index = 'CURRENT')" | grep -c '"state" : "Alive"'; echo hpcdask-jobs; }} && \
oarstat --format 1 && echo hpcdask
"""
# OAR itself cannot number logs. The script gets a session of its own, because an allocation ends with a signal for its
# process group, in which OAR's own process would be that waits for the exit code.
_COMMAND = 'exec >>"$1.$OAR_ARRAY_INDEX.log" 2>&1; exec setsid -w bash "$2"'

_Name = Annotated[str, StringConstraints(pattern=r"^\w+$")]


class OARSettings(base.Settings):
    """What only OAR needs to know about a site: OAR knows only the resources that a centre has given it."""

    memory_per_core_property: _Name | None = Field(
        None,
        description="The property that has the memory per core in MiB. Without one, jobs do not ask for memory.",
    )
    gpu_resource: _Name = Field(
        "gpu", description="The level of OAR's hierarchy of resources that is a GPU: it stands between node and core."
    )
    resource_spec: str | None = Field(
        None,
        description="Requested instead of cores, memory and GPUs, without the walltime. `{nodes}`, `{cores}` and "
        "`{gpus}` are replaced (`/switch=1/nodes={nodes}/core={cores}`).",
    )
    remote_shell: _Name = Field("oarsh", description="Starts the tasks of an allocation on its other nodes.")
    queues: tuple[str, ...] = Field(
        ("default", "besteffort"), description="The queues that users may use: OAR does not tell them."
    )


class OARSystem(BatchSystem):
    """OAR. An array is many jobs with an id in common; we name its elements by that and their index.

    OAR ends jobs with SIGKILL: they cannot report their end.
    """

    name: ClassVar[str] = "oar"
    title: ClassVar[str] = "OAR"
    Settings: ClassVar[type[BaseModel]] = OARSettings
    WALLTIME_REASONS: ClassVar[frozenset[str]] = frozenset({WALLTIME})

    def quote(self, value: object, field: str) -> str:
        """Return `value` as one word of a directive."""
        return line(value, field)

    def script(self, job: JobRequest) -> str:
        """Return the job script; `submit` makes options of its directives."""
        # Neither stands in a directive: OAR would not quote them on the node.
        line(job.log_prefix, "directory")
        line(job.working_directory, "directory")
        values = {
            "job": job,
            "resources": ",".join([self._resources(job), *_walltime(job.walltime)]),
            "remote_shell": self._settings.remote_shell,
        }
        return render("oar.sh.jinja", self.template, values)

    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the call of oarsub.

        It would read a script's directives itself only if the script were executable and had no space in its path.
        """
        command = shlex.join(("/bin/sh", "-c", _COMMAND, "sh", str(job.log_prefix), str(job.script_file)))
        return Command(("oarsub", *_options(text), command))

    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id that oarsub printed last."""
        COMPLAINTS.check(result, "did not accept the job")
        if matches := _SUBMITTED.findall(result.stdout):
            return cast("str", matches[-1])
        raise NotUnderstood(f"oarsub printed no job id for {job.name}: {result.words!r}")

    def query(self) -> Command:
        """Return the call of oarstat; without a condition it would list live jobs only."""
        return _shell(_QUERY)

    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return one status for each element."""
        return job_statuses(result)

    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the call of oardel. We know no ids of single elements, but may describe them in SQL."""
        which = " OR ".join(_condition(job) for job in jobs)
        return Command(("oardel", "--sql", f"state NOT IN ('Terminated', 'Error') AND ({which})"))

    def parse_cancel(self, result: CommandResult) -> None:
        """Return if oardel complained only about jobs that it is ending already."""
        COMPLAINTS.check_cancelled(result, _HARMLESS)

    def explain(self, reason: str) -> str:
        """Return a sentence for `reason`."""
        return sentence(reason)

    def queues(self) -> Command:
        """Return the calls of oarnodes and oarstat, as one command."""
        settings = self._settings
        properties = ["network_address", "state", "type", "core", settings.gpu_resource]
        properties += [settings.memory_per_core_property] if settings.memory_per_core_property else []
        return _shell(_QUEUES.format(properties="|".join(properties)))

    def parse_queues(self, result: CommandResult) -> Sequence[QueueInfo]:
        """Return the queues: those of the settings, and any that have jobs. Each may use all nodes."""
        settings = self._settings
        return queue_infos(result, settings.queues, settings.gpu_resource, settings.memory_per_core_property)

    @property
    def _settings(self) -> OARSettings:
        return cast("OARSettings", self.settings)

    def _resources(self, job: JobRequest) -> str:
        """Return what the job asks for: a part of one node, or for an allocation the same part of several nodes."""
        settings, nodes = self._settings, 1 + job.tasks.count if job.tasks else 1
        if settings.resource_spec is not None:
            values = {"nodes": str(nodes), "cores": str(job.cores), "gpus": str(job.gpus)}
            return re.sub(r"\{(nodes|cores|gpus)\}", lambda match: values[match[1]], settings.resource_spec)
        memory = math.ceil(job.memory / job.cores / 2**20)
        name = settings.memory_per_core_property
        condition = f"{{{name}>={memory}}}" if name else ""
        gpus = f"/{settings.gpu_resource}={job.gpus}" if job.gpus else ""
        # Cores are counted within each GPU.
        return f"{condition}/nodes={nodes}{gpus}/core={math.ceil(job.cores / (job.gpus or 1))}"


def _shell(text: str) -> Command:
    return Command(("sh", "-c", text.strip()))


def _walltime(walltime: timedelta | None) -> Iterator[str]:
    """Yield `walltime` in OAR's words, ``hours:minutes:seconds``; it has no days."""
    if walltime is not None:
        seconds = math.ceil(walltime.total_seconds())
        yield f"walltime={seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _options(text: str) -> Iterator[str]:
    """Yield the options that the directives in the head of a script are.

    As for OAR, each line is one option, and the rest of the line is its value; but quotes around the whole value are
    taken off, which people write because they think of a command line.
    """
    for text_line in text.splitlines():
        if text_line and not text_line.startswith("#"):
            return
        if not text_line.startswith("#OAR"):
            continue
        match = _DIRECTIVE.fullmatch(text_line.rstrip())
        if match is None:
            raise InvalidRequest([FieldError("options", f"{text_line!r} is not a directive of OAR: begin it with -")])
        yield match["option"]
        value = match["value"]
        if value:
            is_quoted = len(value) > 1 and value[0] in "\"'" and value.find(value[0], 1) == len(value) - 1
            yield value[1:-1] if is_quoted else value


def _condition(job: JobElements) -> str:
    which = f"array_id = {job.job_id}"
    if job.indexes is None:
        return which
    return f"{which} AND array_index IN ({', '.join(map(str, job.indexes))})"

"""From a section of dask-jobqueue's configuration to a site with the same meaning.

dask-jobqueue's `cores` and `memory` are of a whole job, ours of each of its workers. Its Dask scheduler runs beside the
notebook, as a site's does by default.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.sites.bodies import shorten
from hpcdask_ext.sites.jobqueue_section import Section, find_section
from hpcdask_ext.sites.jobqueue_systems import READERS, Asked
from hpcdask_ext.sites.jobqueue_units import memory_text
from hpcdask_ext.sites.models import BatchSite

ENVIRONMENT = "jobqueue"
"""The name of the environment that runs the section's `python`."""

_IN_FLOW = ("settings", "scheduler", "queues", "sizes", "environments", "accounts", "worker_arguments")
_USUAL_COMMAND = "distributed.cli.dask_worker"
_USUAL_TIMEOUT = ("60", "60s", "60.0")
_BASH = re.compile(r"#!\s*(/usr)?/bin/(env )?bash")
_EXPANDED = re.compile(r"[$`]")


@dataclass(frozen=True)
class ImportedSite:
    """A site's description, as a site file has it, and a sentence for whatever of the section it has not."""

    site: dict[str, Any]
    notes: tuple[str, ...] = ()


def import_jobqueue(
    config: Mapping[str, Any], section: str | None = None, batch_system: str | None = None
) -> ImportedSite:
    """Return the site that a section of Dask's configuration describes.

    Parameters
    ----------
    config
        Dask's configuration, with its part ``jobqueue``.
    section
        A section of that, by default the only one with cores and memory.
    batch_system
        Which of dask-jobqueue's sections it is like, if its name is none of them.

    Raises
    ------
    InvalidRequest
        There is no such section, or values in it are wrong; all of these are listed.
    """
    found = find_section(config, section, batch_system)
    cores, memory = _required(found, "cores", found.number), _required(found, "memory", found.memory)
    processes = _processes(found, cores)
    asked = READERS[found.system](found, cores, memory)
    environments = _environments(found)
    site = {
        "name": found.name,
        "batch_system": asked.batch_system or found.system,
        "settings": asked.settings,
        "directory": _directory(found),
        "interface": found.text("interface") if found.system != "local" else None,
        "scheduler": {"place": "job"} if any("probe" in entry for entry in environments) else None,
        "queues": _queues(found, asked),
        "sizes": [_size(found, asked, cores, processes)],
        "environments": environments,
        "accounts": [account] if (account := asked.account) else [],
        "prologue": _prologue(found),
        "extra_directives": asked.directives,
        "worker_arguments": _worker_arguments(found, asked, processes, cores // processes, memory // processes),
        "memory_share": round(memory / asked.memory, 6) if memory < asked.memory else None,
        "local_directory": _local_directory(found),
    }
    site = {field: value for field, value in site.items() if value not in (None, [], {})}
    _note_the_rest(found)
    if found.errors:
        raise InvalidRequest(found.errors)
    _check(found, site)
    return ImportedSite(site, tuple(found.notes))


def site_yaml(site: Mapping[str, Any]) -> str:
    """Return a site's description as the text of a site file."""
    parts = [
        yaml.safe_dump(
            {field: value},
            default_flow_style=None if field in _IN_FLOW else False,
            sort_keys=False,
            allow_unicode=True,
            width=110,
        )
        for field, value in site.items()
    ]
    return "".join(parts)


def _required(section: Section, key: str, read: Any) -> int:
    errors = len(section.errors)
    value: int | None = read(key)
    if value is None and len(section.errors) == errors:
        section.wrong(key, "This is missing: a site says how large a job is, so set it in the configuration")
    return value or 0


def _size(section: Section, asked: Asked, cores: int, processes: int) -> dict[str, Any]:
    """Return the only size: one job, and as many workers as it has processes."""
    for number in {cores, asked.cores}:
        if number % processes:
            fits = [str(count) for count in range(1, number + 1) if number % count == 0]
            remedy = f"choose one of {', '.join(fits)}"
            section.wrong("processes", f"{number} cores cannot be shared by {processes} equal processes: {remedy}")
    size: dict[str, Any] = {
        "name": "job",
        "title": "One job",
        "workers": processes,
        "cores": max(1, asked.cores // processes),
        "memory": memory_text(max(1, asked.memory // processes)),
    }
    if processes > 1:
        size["workers_per_job"] = processes
    return {**size, "walltime": asked.walltime} if asked.walltime else size


def _processes(section: Section, cores: int) -> int:
    """Return how many processes a job has; as Dask does, about as many as each has threads if that is not said."""
    processes = section.number("processes")
    if processes is not None or cores <= 4:
        return processes or max(1, cores)
    return next(count for count in range(math.isqrt(cores - 1) + 1, cores + 1) if cores % count == 0)


def _queues(section: Section, asked: Asked) -> str | list[dict[str, Any]]:
    if not asked.queues:
        section.notes.append(
            "queue: none is given. Users choose among all queues of the batch system; its default one is first."
        )
        return "auto"
    command = section.text("worker-command")
    own = {} if command in (None, _USUAL_COMMAND) else {"worker_command": ["-m", *shlex.split(str(command))]}
    if len(asked.queues) > 1:
        section.note("queue", "The batch system chose one of them; here, users do.")
    return [{"name": name, **own} for name in asked.queues]


def _environments(section: Section) -> list[dict[str, Any]]:
    """Return the environment of the section's `python`.

    One that only the prologue makes available can be checked only in a job, and the scheduler then needs one as well.
    """
    python = section.text("python")
    if python is None:
        return []
    argv = shlex.split(python)
    if argv[0].startswith("/") or section.value("job-script-prologue") is None:
        return [{"name": ENVIRONMENT, "argv": argv}]
    section.note("python", "Only the prologue makes it available, so the Dask scheduler runs in a job of its own, too.")
    return [{"name": ENVIRONMENT, "argv": argv, "probe": "job"}]


def _prologue(section: Section) -> list[str]:
    return [line for text in section.lines("job-script-prologue") for line in text.splitlines() if line.strip()]


def _worker_arguments(section: Section, asked: Asked, processes: int, threads: int, memory: int) -> list[str]:
    """Return the arguments of workers; their `threads` and `memory` need not be what the job asks for."""
    words: list[str] = []
    if asked.cores != threads * processes:
        words += ["--nthreads", str(threads)]
    if asked.memory // processes < memory:
        words += ["--memory-limit", str(memory)]
    timeout = section.text("death-timeout")
    if timeout is not None and timeout not in _USUAL_TIMEOUT:
        words += ["--death-timeout", timeout]
    if section.value("nanny") is False:
        words.append("--no-nanny")
    extra = " ".join(section.lines("worker-extra-args"))
    if _EXPANDED.search(extra):
        section.note("worker-extra-args", "Here, no shell expands variables in them: write their values instead.")
    try:
        return words + shlex.split(extra)
    except ValueError as error:
        section.wrong("worker-extra-args", f"A shell could not read this: {error}")
        return words


def _directory(section: Section) -> str | None:
    directory = section.text("shared-temp-directory")
    return f"{directory.rstrip('/')}/hpcdask" if directory else None


def _local_directory(section: Section) -> str | None:
    """Return where workers spill; the node's shell expands variables in it, but no ``~``."""
    directory = section.text("local-directory")
    return re.sub(r"^~(?=/|$)", "$HOME", directory) if directory else None


def _note_the_rest(section: Section) -> None:
    """Note what a site has no field for."""
    if section.text("name") not in (None, "dask-worker"):
        section.note("name", "Jobs have names of their own here, by which they are found again.")
    if section.value("log-directory") is not None:
        section.note("log-directory", "Logs are kept with each cluster, and shown on its card.")
    shebang = section.text("shebang")
    if section.system not in ("htcondor", "local") and shebang and not _BASH.match(shebang):
        section.note("shebang", "To use another shell, write a job template with a block 'shell' of your own.")
    if section.value("job-directives-skip") is not None:
        section.note("job-directives-skip", "To leave directives out, write a job template that removes them.")
    options = section.value("scheduler-options")
    if options is not None and options != {"interface": section.text("interface")}:
        section.note("scheduler-options", "Only the site's interface can be set: ports are free ones, with TLS.")
    if section.value("protocol") is not None:
        section.note("protocol", "Clusters use TLS, always.")
    for key in section.unread:
        section.note(key, "dask-jobqueue does not read this key from its configuration, so it is left out.")


def _check(section: Section, site: dict[str, Any]) -> None:
    """Raise for what a site cannot have: such a name of a queue, for instance."""
    try:
        BatchSite.model_validate(site)
    except ValidationError as error:
        raise InvalidRequest(
            [
                FieldError(
                    f"jobqueue.{section.name}, as {'.'.join(map(str, entry['loc'])) or 'a site'}",
                    f"{entry['msg'].removeprefix('Value error, ')}; found {shorten(entry['input'])}",
                )
                for entry in error.errors()
            ]
        ) from error

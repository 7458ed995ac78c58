"""What a section of dask-jobqueue's configuration asks each batch system for.

How 0.9 makes directives from it is in its `slurm.py`, `pbs.py` and so on. Memory has Dask's decimal units there, but
wherever it is written in a batch system's words, these are binary.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpcdask_ext.sites.jobqueue_section import Section
from hpcdask_ext.sites.jobqueue_units import batch_memory, walltime_text

# Options that are the project's own: a job is found again by its name, and its log is where the card looks for it.
_OURS = {
    "slurm": r"--(job-name|output|error|array|comment)(?![a-z-])|-[Joea](?![A-Za-z-])",
    "pbs": r"-[NojeJkr](?![a-z-])",
    "moab": r"-[Nojetk](?![a-z-])",
    "lsf": r"-(J|o|e|oo|eo)(?![a-z])",
    "sge": r"-(N|o|e|t|terse|cwd)(?![a-z])|-j\s+(?!y)",
    "oar": r"--(name|stdout|stderr|array)(?![a-z-])|-[nOE](?![a-z-])",
    "htcondor": r"(?i)(batch_name|output|error|log|stream_\w+|arguments|executable|environment|initialdir)\s*=",
    "local": r".*",
}
_HARMLESS = {"pbs": r"-j\s*(oe|eo)|-r\s*n", "moab": r"-j\s*(oe|eo)", "sge": r"-cwd"}
"""What of these jobs have anyway."""


@dataclass
class Asked:
    """What a job asks for, memory in bytes, and how the site has to describe the rest.

    `queues` is empty if none is given: jobs then go to the batch system's default one.
    """

    cores: int
    memory: int
    walltime: str | None = None
    queues: list[str] = field(default_factory=list)
    account: str | None = None
    directives: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    batch_system: str | None = None


def _slurm(section: Section, cores: int, memory: int) -> Asked:
    asked = _plain(section, cores, memory, "account")
    asked.cores = section.number("job-cpu") or cores
    text = section.text("job-mem")
    if text is not None:
        try:
            asked.memory = batch_memory(text, default_unit=2**20)
        except ValueError:  # 0, for instance, which is all the memory of a node
            asked.directives.insert(0, f"--mem={text}")
    return asked


def _pbs(section: Section, cores: int, memory: int) -> Asked:
    asked = _plain(section, cores, memory, "account")
    if asked.account is None:
        section.notes.append("account: none is given. dask-jobqueue also takes $PBS_ACCOUNT; here, users enter theirs.")
    spec = section.text("resource-spec")
    if spec is not None:
        _read_spec(asked, spec)
    return asked


def _moab(section: Section, cores: int, memory: int) -> Asked:
    return _pbs(section, cores, memory)


def _read_spec(asked: Asked, spec: str) -> None:
    """Take cores and memory from what is asked of PBS: ``select=1:ncpus=4:mem=20gb``, ``nodes=1:ppn=4,mem=20gb``."""
    first, *others = re.split(r"[,\s]+", spec)
    parts = dict(part.partition("=")[::2] for part in (*first.split(":"), *others))
    is_torque = "nodes" in parts
    count, ncpus = (parts.pop(key, None) for key in (("nodes", "ppn") if is_torque else ("select", "ncpus")))
    asked.batch_system = "torque" if is_torque else None
    try:
        asked_cores, asked_memory = int(ncpus or 1), batch_memory(parts.pop("mem"))
    except (KeyError, ValueError):
        asked_cores, asked_memory = 0, 0
    parts.pop("mpiprocs", None)
    rest = ":".join(f"{key}={value}" if value else key for key, value in parts.items())
    if count == "1" and asked_cores and asked_memory and not others:
        asked.cores, asked.memory = asked_cores, asked_memory
        asked.settings |= {"chunk": rest} if rest else {}
    else:
        asked.settings["resource_spec"] = spec


def _lsf(section: Section, cores: int, memory: int) -> Asked:
    asked = _plain(section, cores, memory, "project")
    asked.cores = section.number("ncpus") or cores
    asked.memory = section.number("mem") or memory
    unit = section.text("lsf-units")
    if unit is not None:
        asked.settings["memory_unit"] = f"{unit[0].upper()}B"
    if section.value("use-stdin") is False:
        section.note("use-stdin", "The script is always the standard input of bsub.")
    return asked


def _sge(section: Section, cores: int, memory: int) -> Asked:
    """Grid Engine is asked for nothing but what stands in `resource-spec` and in the directives."""
    asked = _plain(section, cores, memory, "project")
    asked.settings["memory_resource"] = None
    spec = section.text("resource-spec")
    if spec is not None:
        asked.settings["resource_spec"] = spec
    for entry in asked.directives:
        if match := re.fullmatch(r"-pe\s+(\S+)\s+(\d+)", entry):
            asked.settings["parallel_environment"] = match[1]
            asked.cores = int(match[2])
            asked.directives.remove(entry)
            return asked
    if cores > 1:
        section.note("cores", "No directive -pe asks for them: name a parallel environment in the site's settings.")
    return asked


def _oar(section: Section, cores: int, memory: int) -> Asked:
    """OAR is asked for cores, and for memory by a condition, if the section says by which property."""
    asked = _plain(section, cores, memory, "project")
    asked.queues = asked.queues or ["default"]
    name, spec = section.text("memory-per-core-property-name"), section.text("resource-spec")
    name = None if name == "not_applicable" else name
    if spec is None:
        asked.settings |= {"memory_per_core_property": name} if name else {}
        return asked
    if match := re.search(r"\bcore=(\d+)", spec):
        asked.cores = int(match[1])
        spec = spec.replace(match[0], "core={cores}")
    spec = spec.replace("nodes=1/", "nodes={nodes}/")
    condition = f"{name}>={math.ceil(memory / cores / 2**20)}" if name and cores else ""
    if condition and spec.startswith("{"):
        section.note("memory-per-core-property-name", f"Add {condition} to the condition in resource_spec.")
    asked.settings["resource_spec"] = spec if not condition or spec.startswith("{") else f"{{{condition}}}{spec}"
    return asked


def _htcondor(section: Section, cores: int, memory: int) -> Asked:
    """HTCondor has neither queues nor accounts in dask-jobqueue, and its directives are a mapping."""
    extra = section.value("job-extra-directives")
    entries = [f"{key} = {value}" for key, value in extra.items()] if isinstance(extra, dict) else None
    asked = Asked(cores, memory, queues=["default"], directives=_directives(section, entries))
    disk = section.memory("disk")
    if disk is not None:
        asked.directives.insert(0, f"request_disk = {disk // 1024}")
    for key in ("submit-command-extra", "cancel-command-extra"):
        if section.value(key) is not None:
            example = "command_prefix: [env, _CONDOR_SCHEDD_HOST=...]"
            section.note(key, f"Commands get no arguments here: set HTCondor's variables instead, as in {example}.")
    return asked


def _local(section: Section, cores: int, memory: int) -> Asked:
    if section.text("interface") is not None:
        section.note("interface", "On one machine, clusters listen on 127.0.0.1 only.")
    return Asked(cores, memory, queues=["local"], directives=_directives(section))


def _plain(section: Section, cores: int, memory: int, account: str) -> Asked:
    """Return what most batch systems have; `account` is the key of what pays."""
    return Asked(
        cores=cores,
        memory=memory,
        walltime=_walltime(section),
        queues=_queues(section),
        account=section.text(account),
        directives=_directives(section),
    )


def _queues(section: Section) -> list[str]:
    return [name for name in re.split(r"[\s,]+", section.text("queue") or "") if name]


def _walltime(section: Section) -> str | None:
    value = section.value("walltime")
    try:
        return None if value is None else walltime_text(section.system, value)
    except ValueError as error:
        section.wrong("walltime", str(error))
        return None


def _directives(section: Section, entries: Sequence[str] | None = None) -> list[str]:
    """Return the extra directives, by default those of the section, that can stand in a job here; note the others."""
    entries = section.lines("job-extra-directives") if entries is None else entries
    entries = [entry.strip() for entry in entries]
    ours, harmless = re.compile(_OURS[section.system]), re.compile(_HARMLESS.get(section.system, r"(?!)"))
    if dropped := [entry for entry in entries if ours.match(entry) and not harmless.fullmatch(entry)]:
        section.notes.append(
            f"job-extra-directives: {', '.join(map(repr, dropped))}. Names, logs, arrays and the environment of jobs "
            "are not left to directives: these are left out. A site has `env` for variables."
        )
    return [entry for entry in entries if not ours.match(entry)]


READERS: Mapping[str, Callable[[Section, int, int], Asked]] = {
    "slurm": _slurm,
    "pbs": _pbs,
    "moab": _moab,
    "lsf": _lsf,
    "sge": _sge,
    "oar": _oar,
    "htcondor": _htcondor,
    "local": _local,
}
"""What each section asks for, given its `cores` and `memory`."""

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
    "pbs": r"-[NojeJtkr](?![a-z-])",
    "moab": r"-[Nojetk](?![a-z-])",
    "lsf": r"-(J|o|e|oo|eo)(?![a-z])",
    "sge": r"-(N|o|e|t|terse|cwd)(?![a-z])|-j\s+(?!y)",
    "oar": r"--(name|stdout|stderr|array)(?![a-z-])|-[nOE](?![a-z-])",
    "htcondor": r"(?i)(batch_name|output|error|log|stream_\w+|arguments|executable|environment|initialdir)\s*=",
    "local": r".*",
}
_TORQUE_MEMORY = ("mem", "vmem", "pmem", "pvmem", "none")
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
    if spec is None:
        return asked
    is_torque = "nodes=" in spec
    is_read = _read_nodes(asked, spec) if is_torque else _read_chunk(asked, spec)
    if not is_read or (section.system == "moab" and "chunk" in asked.settings):
        asked.settings = {"resource_spec": spec}
    if is_torque and section.system == "pbs":
        asked.batch_system = "torque"
    return asked


def _read_chunk(asked: Asked, spec: str) -> bool:
    """Take cores and memory from one chunk of PBS, ``select=1:ncpus=4:mem=20gb``; return whether it is one."""
    count, *parts = spec.split(":")
    values = dict(part.partition("=")[::2] for part in parts)
    values.pop("mpiprocs", None)
    try:
        cores, memory = int(values.pop("ncpus", 1)), batch_memory(values.pop("mem"))
    except (KeyError, ValueError):
        return False
    if count != "select=1" or cores < 1 or "," in spec or "+" in spec:
        return False
    asked.cores, asked.memory = cores, memory
    asked.settings = {"chunk": _joined(values)} if values else {}
    return True


def _read_nodes(asked: Asked, spec: str) -> bool:
    """Take cores and memory from one node of Torque, ``nodes=1:ppn=4,mem=20gb``; return whether that is all."""
    parts = re.split(r"[,\s]+", spec)
    memories = [part.partition("=")[::2] for part in parts if not part.startswith("nodes=")]
    nodes = [part for part in parts if part.startswith("nodes=")]
    count, *rest = ",".join(nodes).split(":")
    values = dict(part.partition("=")[::2] for part in rest)
    try:
        cores = int(values.pop("ppn", 1))
        kind, memory = (memories[0][0], batch_memory(memories[0][1])) if memories else ("none", asked.memory)
    except ValueError:
        return False
    if count != "nodes=1" or cores < 1 or len(memories) > 1 or kind not in _TORQUE_MEMORY:
        return False
    asked.cores, asked.memory = cores, memory * (cores if kind.startswith("p") else 1)
    asked.settings = {} if kind == "mem" else {"memory": kind}
    asked.settings |= {"node_properties": _joined(values)} if values else {}
    return True


def _joined(values: Mapping[str, str]) -> str:
    return ":".join(f"{key}={value}" if value else key for key, value in values.items())


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
    "moab": _pbs,
    "lsf": _lsf,
    "sge": _sge,
    "oar": _oar,
    "htcondor": _htcondor,
    "local": _local,
}
"""What each section asks for, given its `cores` and `memory`."""

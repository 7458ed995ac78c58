"""What the head of a job script asks for, in the same terms whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

_PREFIXES = {"slurm": "#SBATCH ", "lsf": "#BSUB ", "sge": "#$ ", "oar": "#OAR ", "htcondor": "#CONDOR "}
_MOAB = "#MSUB "
_SIZES = {"": 0, "B": 0, "K": 1, "M": 2, "G": 3, "T": 4}

Value = str | int | timedelta
Rule = tuple[str, str, Callable[[str], Value]]


@dataclass(frozen=True)
class Request:
    """What a job asks for: what is known by name, and each directive, or part of one, that is not."""

    values: dict[str, Value]
    rest: frozenset[str]


def size(text: str) -> int:
    """Return the bytes of ``19G``, ``19074mb`` or ``1234B``, whose units are binary."""
    number, unit = re.fullmatch(r"(\d+)([kKmMgGtTB]?)[bB]?", text).groups()
    return int(number) * 1024 ** _SIZES[unit.upper()]


def mebibytes(text: str) -> int:
    """Return the bytes of a number of MiB."""
    return int(text) * 2**20


def clock(text: str) -> timedelta:
    """Return the time of ``1-12:00:00`` or ``36:00:00``."""
    days, _, rest = text.rpartition("-")
    hours, minutes, seconds = map(int, rest.split(":"))
    return timedelta(days=int(days or 0), hours=hours, minutes=minutes, seconds=seconds)


def hours_and_minutes(text: str) -> timedelta:
    """Return the time of ``36:00``."""
    hours, minutes = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes)


_PBS: tuple[Rule, ...] = (
    (r"-q (.+)", "queue", str),
    (r"-A (.+)", "account", str),
    (r"-l select=(\d+)", "chunks", int),
    (r"-l nodes=(\d+)", "nodes", int),
    (r"-l (?:ncpus|ppn)=(\d+)", "cores", int),
    (r"-l mem=(\w+)", "memory", size),
    (r"-l walltime=(.+)", "walltime", clock),
)
RULES: dict[str, tuple[Rule, ...]] = {
    "slurm": (
        (r"(?:-p |--partition=)(.+)", "queue", str),
        (r"(?:-A |--account=)(.+)", "account", str),
        (r"(?:-n |--ntasks=)(\d+)", "tasks", int),
        (r"--cpus-per-task=(\d+)", "cores", int),
        (r"--mem=(\w+)", "memory", size),
        (r"(?:-t |--time=)(.+)", "walltime", clock),
    ),
    "pbs": _PBS,
    "torque": _PBS,
    "moab": _PBS,
    "lsf": (
        (r"-q (.+)", "queue", str),
        (r'-P "?([^"]+)"?', "account", str),
        (r"-n (\d+)", "cores", int),
        (r"-M (\d+)", "memory", mebibytes),
        (r"-M (\d+MB)", "memory", size),
        (r"-W (.+)", "walltime", hours_and_minutes),
    ),
    "sge": (
        (r"-q (.+)", "queue", str),
        (r"-P (.+)", "account", str),
        (r"-pe smp (\d+)", "cores", int),
        (r"-l h_vmem=(\w+)", "memory of a core", size),
        (r"-l h_rt=(.+)", "walltime", clock),
    ),
    "oar": (
        (r"-q (.+)", "queue", str),
        (r"--project (.+)", "account", str),
        (r"-l nodes=(\d+)", "nodes", int),
        (r"-l core=(\d+)", "cores", int),
        (r"(?:-p |-l \{)memcore>=(\d+)\}?", "memory of a core", mebibytes),
        (r"-l walltime=(.+)", "walltime", clock),
    ),
    "htcondor": (
        (r"request_?cpus = (\d+)", "cores", int),
        (r"request_?memory = (\d+)", "memory", mebibytes),
        (r"request_?disk = (\d+)", "disk", lambda text: int(text) * 1024),
    ),
}
_NAMES = r"-N .*|-J .*|-n [^\d].*|--job-name=.*|batch_name = .*"
"""Directives that give a job its name, which is not compared."""


def request(system: str, script: str) -> Request:
    """Return what a script asks for."""
    values: dict[str, Value] = {}
    rest = set()
    for part in _parts(system, script):
        if re.fullmatch(_NAMES, part):
            continue
        for pattern, name, convert in RULES[system]:
            if match := re.fullmatch(pattern, part, re.IGNORECASE if system == "htcondor" else 0):
                values[name] = convert(match[1])
                break
        else:
            rest.add(part)
    return Request(values, frozenset(rest))


def as_script(system: str, directives: Iterable[str] | Mapping[str, str]) -> str:
    """Return a script that has extra directives of dask-jobqueue only."""
    if isinstance(directives, Mapping):
        directives = [f"{name} = {value}" for name, value in directives.items()]
    return "\n".join(_PREFIXES.get(system, "#PBS ") + text for text in directives)


def _parts(system: str, script: str) -> Iterator[str]:
    """Yield the directives of a script, those that consist of several taken apart."""
    if system == "htcondor":
        yield from _description(script)
        return
    prefixes = (_PREFIXES.get(system, "#PBS "), *([_MOAB] if system == "moab" else []))
    for line in script.splitlines():
        if not line.startswith(prefixes):
            continue
        text = line.partition(" ")[2].strip()
        if system in ("pbs", "torque", "moab") and text.startswith("-l "):
            yield from (f"-l {part}" for part in re.split(r"[:,](?=\w+=)", text[3:]))
        elif system == "oar" and text.startswith("-l "):
            yield from (f"-l {part}" for part in re.split(r"[/,]", text[3:]) if part)
        elif system == "lsf" and text.startswith("-R "):
            yield from (f"-R {part}" for part in text[3:].strip('"').split())
        else:
            yield text


def _description(script: str) -> Iterator[str]:
    """Yield the lines of a submit description, with the arithmetic of dask-jobqueue done."""
    own = [line.removeprefix("#CONDOR ") for line in script.splitlines() if line.startswith("#CONDOR ")]
    lines = own or script.splitlines()
    known = dict(re.findall(r"^(MY\.\w+) = (\d+)$", "\n".join(lines), re.MULTILINE))
    for line in lines:
        text = re.sub(r"MY\.\w+(?! =)", lambda match: known.get(match[0], match[0]), line)
        text = re.sub(r"floor\((\d+) / (\d+)\)", lambda match: str(int(match[1]) // int(match[2])), text)
        if " = " in text or text.casefold().startswith("queue"):
            yield text

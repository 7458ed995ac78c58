"""Memory and walltimes as dask-jobqueue's configuration has them: in the words of Dask, or of a batch system."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hpcdask_ext.sites.units import format_walltime, parse_memory

_AMOUNT = re.compile(r"(?P<number>\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)\s*(?P<unit>[a-z]*)", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_DASK = {f"{letter}{end}": 1000**power for letter, power in _POWERS.items() for end in ("", "b")}
_DASK |= {f"{letter}{end}": 1024**power for letter, power in _POWERS.items() if letter for end in ("i", "ib")}
_BINARY = {f"{letter}{end}": 1024**power for letter, power in _POWERS.items() for end in ("", "b", "ib") if letter}
_BINARY |= {"b": 1}

# How many seconds the fields of a walltime mean, by how many there are. None: the number of days is before a dash.
_LAST_IS_SECONDS = {1: (1,), 2: (60, 1), 3: (3600, 60, 1), 4: (86400, 3600, 60, 1)}
_FIRST_IS_HOURS = {1: (3600,), 2: (3600, 60), 3: (3600, 60, 1)}
_MEANINGS: Mapping[str, Mapping[int, tuple[int, ...]]] = {
    "slurm": {1: (60,), 2: (60, 1), 3: (3600, 60, 1)},
    "pbs": _LAST_IS_SECONDS,
    "moab": _LAST_IS_SECONDS,
    "sge": _LAST_IS_SECONDS,
    "lsf": {1: (60,), 2: (3600, 60)},
    "oar": _FIRST_IS_HOURS,
}
_WALLTIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<rest>\d+(?:\.\d+)?(?::\d*)*)", re.ASCII)


def dask_memory(value: Any) -> int:
    """Return the bytes for what Dask's ``parse_bytes`` reads: a number, ``20GB`` (decimal), ``20 GiB`` (binary)."""
    return _bytes(value, _DASK, "'20GB' or '20 GiB'")


def batch_memory(value: Any, default_unit: int = 1) -> int:
    """Return the bytes for an amount in a batch system's words, where ``20G`` and ``20GB`` are binary."""
    return _bytes(value, {"": default_unit, **_BINARY}, "'20G'")


def _bytes(value: Any, units: Mapping[str, int], example: str) -> int:
    match = None if isinstance(value, bool) else _AMOUNT.fullmatch(str(value).strip())
    unit = units.get(match["unit"].lower()) if match else None
    if match is None or unit is None or not (size := int(float(match["number"]) * unit)) > 0:
        raise ValueError(f"{value!r} is not an amount of memory: write, for instance, {example}")
    return size


def memory_text(size: int) -> str | int:
    """Return an amount as a site file has it: as a short number of a large unit if there is one, else in bytes."""
    for power, letter in ((4, "T"), (3, "G"), (2, "M")):
        for base, unit in ((1024, "iB"), (1000, "B")):
            text = f"{round(size / base**power, 2):g} {letter}{unit}"
            if size >= base**power and parse_memory(text) == size:
                return text
    return size


def walltime_text(system: str, value: Any) -> str:
    """Return a walltime in the batch system's notation as ``HH:MM:SS``.

    The notations differ: ``30`` means minutes to Slurm and LSF, seconds to PBS and Grid Engine, hours to OAR, and
    ``00:30`` is half an hour only to LSF and OAR.
    """
    text = str(value).strip().partition("/")[0] if system == "lsf" else str(value).strip()
    match = None if isinstance(value, bool) else _WALLTIME.fullmatch(text)
    fields = [float(field or 0) for field in match["rest"].split(":")] if match else []
    meaning = _MEANINGS[system].get(len(fields))
    if match is not None and match["days"] is not None:
        meaning = (3600, 60, 1)[: len(fields)] if system == "slurm" and len(fields) <= 3 else None
    if match is None or meaning is None:
        raise ValueError(f"{value!r} is not a walltime: write, for instance, '01:30:00'")
    seconds = sum(field * unit for field, unit in zip(fields, meaning, strict=True))
    time = timedelta(days=int(match["days"] or 0), seconds=seconds)
    if time < timedelta(minutes=1):
        raise ValueError(f"{value!r} means {time.total_seconds():g} seconds here: it must be at least one minute")
    return str(format_walltime(time))

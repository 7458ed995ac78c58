"""The numbers of a job's elements, as batch systems write them: ``1-3,5``, with a step as ``0-12:4``."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PART = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?", re.ASCII)


def format_indexes(indexes: Iterable[int]) -> str:
    """Return the shortest text for `indexes`: runs as ``1-3``, joined by commas."""
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


def parse_indexes(text: str) -> tuple[int, ...]:
    """Return the numbers that `text` lists.

    Raises
    ------
    ValueError
        It cannot be read, or was cut short (``1,3,...``).
    """
    indexes: list[int] = []
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{text!r} is not a list of element numbers")
        first, last, step = match.groups()
        indexes.extend(range(int(first), int(last or first) + 1, int(step or 1)))
    return tuple(indexes)

"""What the jobs of a cluster report about themselves, in small files in its directory.

Each element of a job writes ``reports/<tag>.<index>.started`` when it starts and ``.ended`` when it ends, as lines
``name=value``. A job that is killed outright writes no ``.ended``, so a missing report proves nothing. The job that
checks the environment also writes ``.probe``: what the check printed, and a last line with its exit code. A scheduler
that ends because nobody uses it writes ``.idle``, see `payload/idle_preload.py`. The process of a cluster class that
could not be started writes ``.reason``, see `payload/factory.py`.
"""

from __future__ import annotations

import re
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

_NAME = re.compile(r"(?P<tag>[a-z0-9-]+)\.(?P<index>\d+)\.(?P<what>started|ended|probe|idle|reason)\Z")
_LONGEST = 20_000  # characters that are kept of what a check printed
_NUMBER = re.compile(r"[0-9]{1,11}\Z")


@dataclass(frozen=True)
class Report:
    """What one element has reported. What it has not reported yet is None.

    `idle` is after how many seconds without use it ended itself, `reason` why it failed.
    """

    started: datetime | None = None
    node: str | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    probe: str | None = None
    idle: int | None = None
    reason: str | None = None


Reports = dict[tuple[str, int], Report]
"""Reports by job tag and element number."""


def read_reports(directory: Path, known: dict[str, dict[str, str]] | None = None) -> Reports:
    """Return what the jobs of the cluster in `directory` have reported so far; does file I/O.

    A report never changes, so those in `known`, by file name, are not read again; new ones are added to it.
    """
    reports: Reports = {}
    known = {} if known is None else known
    try:
        names = sorted(path.name for path in (directory / "reports").iterdir())
    except OSError:
        return reports
    # "ended" sorts before "started", so they are combined in any order.
    for name in names:
        match = _NAME.match(name)
        if match is None:
            continue
        values = known.get(name) or _read(directory / "reports" / name)
        if values:
            known[name] = values
        key = (match["tag"], int(match["index"]))
        reports[key] = _add(reports.get(key, Report()), match["what"], values)
    return reports


def remove_reports(directory: Path, tags: Set[str]) -> None:
    """Remove what jobs have reported that are not in the record any more; does file I/O."""
    with suppress(OSError):  # they would only be read in vain
        for path in (directory / "reports").iterdir():
            if path.name.partition(".")[0] in tags:
                path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:  # written by another node and not visible here yet, or deleted by hand
        return {}
    if path.suffix == ".probe":
        return {"probe": text[-_LONGEST:]} if text else {}
    lines = text.splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _add(report: Report, what: str, values: dict[str, str]) -> Report:
    if what == "probe":
        return replace(report, probe=values.get("probe"))
    if what == "idle":
        return replace(report, idle=_number(values.get("seconds", "")))
    if what == "reason":
        return replace(report, reason=values.get("reason"))
    time = _time(values.get("time"))
    if what == "started":
        return replace(report, started=time, node=values.get("host") or None)
    return replace(report, ended=time, exit_code=_number(values.get("exit", "")))


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.match(text) else None


def _time(text: str | None) -> datetime:
    """Return the time in a report, or now if it has none: what counts is that there is a report."""
    if text and _NUMBER.match(text):
        return datetime.fromtimestamp(int(text), timezone.utc)
    return datetime.now(timezone.utc)

"""The table for the README, and the same as JSON."""

import json
import os
import platform
import statistics
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from benchmarks.browser import CHROMIUM

PROJECT = Path(__file__).parent.parent
PACKAGES = ("hpcdask-ext", "dask-labextension", "jupyterlab", "jupyter-server", "distributed", "bokeh")


@dataclass
class Row:
    """One line of the table: what was measured in each round, ours and, where they do the same, theirs."""

    what: str
    goal: str
    unit: str = ""
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)


def said_by(*command: str) -> str:
    """Return what a command prints, or nothing where it does not exist."""
    try:
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def machine() -> dict[str, str]:
    """Return what the numbers depend on."""
    cpu = next(
        (line.split(":")[1].strip() for line in said_by("cat", "/proc/cpuinfo").splitlines() if "model name" in line),
        platform.processor() or platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release()["PRETTY_NAME"] if platform.system() == "Linux" else platform.platform()
    commit = said_by("git", "describe", "--always", "--dirty")
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "commit": commit or "not a git checkout",
        "machine": f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}",
        "versions": ", ".join(
            [
                f"Python {platform.python_version()}",
                *(f"{name} {version(name)}" for name in PACKAGES),
                said_by(CHROMIUM, "--version").split(" built on")[0].strip(),
                said_by("/usr/sbin/slurmctld", "-V"),
            ]
        ),
    }


def spread(values: list[float], unit: str) -> str:
    """Return the median, and the smallest and largest in brackets where they differ."""
    if not values:
        return ""
    middle, low, high = (round(value) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle}{unit}" if low == high else f"{middle}{unit} ({low} to {high})"


def table(rows: list[Row]) -> str:
    """Return the rows as Markdown."""
    lines = ["| | goal | hpcdask-ext | dask-labextension |", "| --- | --- | --- | --- |"]
    for row in rows:
        lines.append(f"| {row.what} | {row.goal} | {spread(row.ours, row.unit)} | {spread(row.theirs, row.unit)} |")
    return "\n".join(lines)


def write(rows: list[Row]) -> str:
    """Write everything to benchmarks/results/ and return the text for the README."""
    about = machine()
    results = PROJECT / "benchmarks/results"
    results.mkdir(exist_ok=True)
    name = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S.json")
    (results / name).write_text(json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=2))
    runs = max(len(row.ours) for row in rows)
    return (
        f"{table(rows)}\n\nMedians of {runs} (smallest to largest), both in the same run, by turns.\n"
        f"{about['date']}, commit {about['commit']}, {about['machine']};\n{about['versions']}."
    )

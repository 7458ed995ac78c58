"""What the tests of batch systems share: a request to vary, and recordings of real commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hpcdask_ext.batch.base import CommandResult, JobRequest

RECORDINGS = Path(__file__).parent.parent / "recordings"
GOLDEN = Path(__file__).parent / "golden"

PLAIN = JobRequest(
    name="hpcdask-k3x9-workers-1",
    command='/opt/env/bin/python -m distributed.cli.dask_worker --name "workers-1-$HPCDASK_INDEX"',
    count=3,
    cores=4,
    memory=16 * 2**30,
    walltime=timedelta(hours=1),
    report_prefix=Path("/scratch/ada/hpcdask/k3x9/workers-1"),
    log_prefix=Path("/scratch/ada/hpcdask/k3x9/logs/workers-1"),
    working_directory=Path("/scratch/ada/hpcdask/k3x9"),
)


def request_with(**changes: Any) -> JobRequest:
    """Return the plain request with some fields changed."""
    return replace(PLAIN, **changes)


def recorded(name: str) -> Iterator[tuple[str, CommandResult]]:
    """Yield the command and its answer for each entry of a recording."""
    text = (RECORDINGS / name).read_text()
    for entry in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, answer = entry.partition("\n")
        printed, exit_code = re.fullmatch(r"(.*)\[exit (\d+)\]\n*", answer, re.DOTALL).groups()
        stdout, _, stderr = printed.partition("[stderr]\n")
        yield command, CommandResult(tuple(command.split()), int(exit_code), stdout, stderr)


def said(stdout: str = "", stderr: str = "", exit_code: int = 0) -> CommandResult:
    """Return an answer made up for a test."""
    return CommandResult(("command",), exit_code, stdout, stderr)

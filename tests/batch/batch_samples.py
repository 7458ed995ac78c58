"""What the tests of batch systems share: a request to vary, and recordings of real commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hpcdask_ext.batch import batch_system
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.records import CommandResult, JobRequest, JobStatus, Tasks

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
    script_file=Path("/scratch/ada/hpcdask/k3x9/jobs/workers-1.sh"),
)
FULL = replace(
    PLAIN,
    queue="regular",
    account="science",
    gpus=2,
    environment={"OMP_NUM_THREADS": "4", "TITLE": 'Ada\'s "first"\nrun'},
    prologue=("module load python", "ulimit -n 8192"),
    extra_directives=("--qos=debug", '--constraint="a&b"'),
)
ALLOCATION = replace(
    PLAIN,
    name="hpcdask-k3x9-allocation",
    command="/opt/env/bin/python -m distributed.cli.dask_scheduler",
    tasks=Tasks('/opt/env/bin/python -m distributed.cli.dask_worker --name "workers-$HPCDASK_TASK"', 8),
    count=1,
    queue="regular",
    script_file=Path("/scratch/ada/hpcdask/k3x9/jobs/allocation.sh"),
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


@dataclass(frozen=True)
class Sample:
    """One batch system, what its commands say, and what that means."""

    name: str
    programs: tuple[str, str, str]
    submitted: CommandResult
    job_id: str
    jobs: CommandResult
    one_status: JobStatus
    no_jobs: CommandResult
    refused: CommandResult
    unreachable: tuple[CommandResult, ...]
    separator: str = "|"
    """Between the fields of a line of its list of jobs."""
    has_directives: bool = True
    reads_stdin: bool = True
    """Whether the script is submitted as standard input, not by its path."""
    element: dict[str, str] = field(default_factory=dict)
    """The variables that it sets for element 2."""
    settings: dict[str, object] = field(default_factory=dict)
    cancelled: str = "1-3,7"
    """What names the elements 1, 2, 3 and 7 of the submitted job when they are cancelled."""
    unsayable: str = ""
    """Letters that no value in a directive can have, whatever quotes are around it."""
    unsayable_in_paths: str = ""
    """The same for the paths of logs."""

    @property
    def system(self) -> BatchSystem:
        return self.system_with(None)

    def system_with(self, template: str | None) -> BatchSystem:
        system = batch_system(self.name)
        return system(template, system.Settings(**self.settings))

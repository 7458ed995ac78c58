"""The contract of a batch system: text in, text out.

A batch system builds command lines and job scripts and parses what commands print. It does no I/O itself, so it can be
tested on recorded output: only `hpcdask_ext.batch.runner` starts commands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from hpcdask_ext.clusters.models import JobState


@dataclass(frozen=True)
class Command:
    """One command to run.

    Parameters
    ----------
    argv
        Program and arguments; no shell is involved.
    stdin
        Text for its standard input, if any.
    timeout
        How long it may take.
    environment
        Variables to set for it, in addition to those of this process.
    """

    argv: tuple[str, ...]
    stdin: str | None = None
    timeout: timedelta = timedelta(seconds=60)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CommandResult:
    """The result of a command that ran to its end."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """What it printed, for people: standard error, or standard output if that is empty."""
        return self.stderr.strip() or self.stdout.strip()


@dataclass(frozen=True)
class JobRequest:
    """What one submission asks for: `count` equal elements, each with `cores`, `memory` and `walltime` of its own.

    Parameters
    ----------
    name
        Unique and plain (letters, digits, `-`): a lost submission is found again by it.
    command
        The shell text that runs the Dask process, already quoted. It may use `$HPCDASK_INDEX`, the number (from 1) of
        the element.
    count
        Elements of the array, at least 1.
    cores
        Cores for each element.
    memory
        Bytes for each element.
    walltime
        Longest run time of each element; None for no limit.
    report_prefix
        Each element writes ``<report_prefix>.<index>.started`` and ``<report_prefix>.<index>.ended``.
    log_prefix
        Each element prints to ``<log_prefix>.<index>.log``.
    working_directory
        Where the command runs.
    environment
        Variables to export before anything else.
    prologue
        The administrator's shell lines, to run before the command.
    extra_directives
        Directives of the site and of its options, without the batch system's prefix (`#SBATCH`).
    """

    name: str
    command: str
    count: int
    cores: int
    memory: int
    walltime: timedelta | None
    report_prefix: Path
    log_prefix: Path
    working_directory: Path
    queue: str | None = None
    account: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    prologue: tuple[str, ...] = ()
    extra_directives: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobElements:
    """Elements of one submitted job: those in `indexes` (from 1), or all of them if that is None."""

    job_id: str
    indexes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class JobStatus:
    """What a batch system says about elements of one job that are all in the same state.

    `indexes` is None if it describes the job as a whole: a job that is not an array, or (Slurm) an array whose
    remaining elements were cancelled before they started. It then applies to all elements without a status of their
    own. `reason` is the batch system's own word (`Priority`), or empty.
    """

    job_id: str
    name: str
    state: JobState
    indexes: tuple[int, ...] | None = None
    reason: str = ""
    node: str | None = None
    estimated_start: datetime | None = None


class BatchSystem(ABC):
    """What every batch system can do. One instance serves one site and is stateless.

    A `parse_*` method gets the result of the command that the method of the same name built. It raises `BatchRefused`,
    with the batch system's own words, if that refused; `BatchUnreachable` if it could not answer (its daemon is down);
    `NotUnderstood` if the output cannot be parsed. Nothing here retries: that is up to the caller.
    """

    name: ClassVar[str]
    """Its name in site files: `slurm`."""

    title: ClassVar[str]
    """Its name for people: `Slurm`."""

    @abstractmethod
    def script(self, job: JobRequest) -> str:
        """Return the job script, directives included, ending in a newline.

        Raises
        ------
        InvalidRequest
            A value cannot be used in a directive (it has a control character or a line break).
        """

    @abstractmethod
    def submit(self, job: JobRequest, script: Path) -> Command:
        """Return the command that submits `script`, made from `job`: one submission for all its elements."""

    @abstractmethod
    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id of the submitted job."""

    @abstractmethod
    def query(self) -> Command:
        """Return the one command that asks for all jobs of this user, including recently ended ones if possible."""

    @abstractmethod
    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return the status of each job. A job that a valid answer does not mention is no longer known."""

    @abstractmethod
    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the one command that ends all of `jobs` (not empty), whatever state they are in."""

    @abstractmethod
    def parse_cancel(self, result: CommandResult) -> None:
        """Return if everything was cancelled or had already ended."""

    @abstractmethod
    def explain(self, reason: str) -> str:
        """Return a plain sentence for a reason for waiting, with the reason's own word in brackets."""

"""The contract of a batch system: text in, text out.

A batch system builds command lines and job scripts and reads what commands print. It does no I/O itself:
`hpcdask_ext.batch.runner` is the only place that starts commands. So all of it is tested on recorded output.
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
        Variables to set for it, beside those of this process.
    """

    argv: tuple[str, ...]
    stdin: str | None = None
    timeout: timedelta = timedelta(seconds=60)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CommandResult:
    """What a command that ran to its end answered."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """What it said, for people: standard error, or standard output where that is empty."""
        return self.stderr.strip() or self.stdout.strip()


@dataclass(frozen=True)
class JobRequest:
    """What one submission asks for: `count` equal elements, each with `cores`, `memory` and `walltime` of its own.

    Parameters
    ----------
    name
        Unique and plain (letters, digits, `-`): the mark by which a lost submission is found again.
    command
        The shell text that runs the Dask process, quoted by whoever built it. It may use `$HPCDASK_INDEX`, the
        number (from 1) of the element.
    count
        Elements of the array, at least 1.
    cores
        Cores for each element.
    memory
        Bytes for each element.
    walltime
        Longest run of each element; None where jobs have no end.
    report_prefix
        Each element writes ``<report_prefix>.<index>.started`` and ``<report_prefix>.<index>.ended``.
    log_prefix
        Each element prints to ``<log_prefix>.<index>.log``.
    working_directory
        Where the command runs.
    environment
        Variables to export before anything else.
    prologue
        Lines of shell, the administrator's, to run before the command.
    extra_directives
        Directives of the site and of its options, without the batch system's own mark (`#SBATCH`).
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
    """Some elements of one submitted job: all of them, or those that `indexes` names (from 1)."""

    job_id: str
    indexes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class JobStatus:
    """What a batch system says about some elements of one job that are all in the same state.

    `indexes` is None where it speaks of the job as a whole: a job that is no array, or (Slurm) an array of which the
    rest was cancelled before it started. Then it holds for all elements that have no status of their own. `reason` is
    the batch system's own word (`Priority`), empty where it gives none.
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

    A `parse_*` method gets the result of the command that its twin built. It raises `BatchRefused`, with the batch
    system's own words, when that said no; `BatchUnreachable` when it could not answer (its daemon is away);
    `NotUnderstood` when the text cannot be read. Who calls decides whether to retry: nothing here does.
    """

    name: ClassVar[str]
    """The word for it in site files: `slurm`."""

    title: ClassVar[str]
    """Its name for people: `Slurm`."""

    @abstractmethod
    def script(self, job: JobRequest) -> str:
        """Return the job script, directives included, ending in a newline.

        Raises
        ------
        InvalidRequest
            A value cannot stand in a directive (a control character, a line break).
        """

    @abstractmethod
    def submit(self, job: JobRequest, script: Path) -> Command:
        """Return the command that submits `script`, written from `job`: one submission for all its elements."""

    @abstractmethod
    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id of the submitted job."""

    @abstractmethod
    def query(self) -> Command:
        """Return the one command that asks for all jobs of this user, recently ended ones included where it can."""

    @abstractmethod
    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return what it said of each job. A job that a good answer does not mention is one it knows no more."""

    @abstractmethod
    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the one command that ends all of `jobs` (not empty), whatever state they are in."""

    @abstractmethod
    def parse_cancel(self, result: CommandResult) -> None:
        """Return when everything was cancelled or had ended before."""

    @abstractmethod
    def explain(self, reason: str) -> str:
        """Return a plain sentence for a reason for waiting, with the reason's own word in brackets."""

"""What is asked of a batch system, and what it answers: plain records, the same for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hpcdask_ext.clusters.states import JobState

JOB_NAMES = "hpcdask-"
"""What the names of our jobs begin with. Users may have tens of thousands of others: these are not asked about."""


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
class Tasks:
    """The tasks of an allocation besides the first one, each with as many cores, GPUs and as much memory as that has.

    Parameters
    ----------
    command
        The shell text that each of them runs, already quoted. It may use `$HPCDASK_TASK`, the number (from 1) of the
        task.
    count
        How many there are, at least 1.
    """

    command: str
    count: int


@dataclass(frozen=True)
class JobRequest:
    """What one submission asks for: an array of equal elements, or an allocation of equal tasks.

    Without `tasks` it is an array of `count` elements, each with cores, memory, GPUs and walltime of its own. With
    `tasks` it is one job (`count` is 1) of ``1 + tasks.count`` tasks, each with cores, memory and GPUs of its own, that
    the batch system's own starter starts. It ends when `command`, which the first task runs, does.

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
        Cores for each element or task.
    memory
        Bytes for each element or task.
    walltime
        Longest run time of each element; None for no limit.
    report_prefix
        Each element writes ``<report_prefix>.<index>.started`` and ``<report_prefix>.<index>.ended``.
    log_prefix
        Each element prints to ``<log_prefix>.<index>.log``, each task of an allocation to
        ``<log_prefix>.task-<number>.log``.
    working_directory
        Where the command runs.
    script_file
        Where the script is stored, on a file system that the nodes share: the tasks of an allocation run it again.
    environment
        Variables to export before anything else.
    prologue
        The administrator's shell lines, to run before the command.
    extra_directives
        Directives of the site and of its options, without the batch system's prefix (`#SBATCH`).
    gpus
        GPUs for each element or task.
    tasks
        The other tasks of an allocation; None for an array.
    program
        Only in an allocation: the shell text of a program that runs beside `command` on the first node. The job then
        ends when the program does, and with its exit code.
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
    script_file: Path
    queue: str | None = None
    account: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    prologue: tuple[str, ...] = ()
    extra_directives: tuple[str, ...] = ()
    gpus: int = 0
    tasks: Tasks | None = None
    program: str | None = None


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
    own. `reason` is the batch system's own word (`Priority`), or empty. `at_walltime` tells whether it means that the
    walltime was reached; the launcher fills it in.
    """

    job_id: str
    name: str
    state: JobState
    indexes: tuple[int, ...] | None = None
    reason: str = ""
    node: str | None = None
    estimated_start: datetime | None = None
    at_walltime: bool = False


@dataclass(frozen=True)
class QueueInfo:
    """What a batch system says about one of its queues. What it does not tell is None.

    Parameters
    ----------
    name
        Its name, as jobs ask for it.
    is_open
        Whether jobs may be submitted to it and start in it now.
    note
        The batch system's own word for its state, if it is not open.
    cores, memory, gpus
        Of its largest node, which is the most that one job of the elastic layout can have; memory in bytes.
    walltime
        The longest that a job may request.
    nodes
        How many it has.
    free_nodes, free_cores
        How many are idle now.
    running_jobs, pending_jobs
        How many jobs, of all users, it has now.
    is_default
        Whether jobs go there that name no queue.
    """

    name: str
    is_open: bool = True
    note: str = ""
    cores: int | None = None
    memory: int | None = None
    gpus: int | None = None
    walltime: timedelta | None = None
    nodes: int | None = None
    free_nodes: int | None = None
    free_cores: int | None = None
    running_jobs: int | None = None
    pending_jobs: int | None = None
    is_default: bool = False

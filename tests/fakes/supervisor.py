"""What watches over one element of a fake batch system's job: a process that its submission leaves behind."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_MARK = "FAKE_BATCH_JOB"


class Job(NamedTuple):
    """What to run, and how."""

    number: int
    index: int
    script: str
    by_name: bool
    output: str
    directory: str
    variables: Mapping[str, str]
    walltime: float | None
    grace: float
    complaints: str


class End(NamedTuple):
    """How it ended."""

    exit_code: int | None
    signal: int | None
    timed_out: bool
    lost: bool


def mark_of(root: str, number: int, index: int) -> dict[str, str]:
    """Return the variable by which all processes of a job are found; real batch systems have control groups."""
    return {_MARK: f"{root}:{number}:{index}"}


def leave_behind(run: Callable[[], None], complaints: str, *descriptors: int) -> int:
    """Run a function in a process that outlives this one, without its descriptors; return its process id.

    What goes wrong there is in the file `complaints`.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for descriptor in descriptors:
            os.close(descriptor)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        run()
    except BaseException:  # noqa: BLE001  (nobody else would hear of it)
        with Path(complaints).open("a") as file:
            traceback.print_exc(file=file)
    finally:
        os._exit(0)


def watch(job: Job) -> End:
    """Run a job to its end; end it on a signal, with its walltime, or (SIGUSR1) as if its node had failed."""
    # What comes before the job has started waits.
    awaited = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGALRM}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    mark = next(iter(mark_of("", 0, 0)))
    mine = f"{mark}={job.variables[mark]}".encode()
    shell = _start(job)
    seen = {"timed_out": False, "lost": False, "last": 0}

    def end(number: int, _: Any) -> None:
        if number == signal.SIGALRM and not seen["last"]:
            seen["timed_out"] = True
            number = signal.SIGTERM
        elif number == signal.SIGALRM:
            number = signal.SIGTERM if seen["last"] == signal.SIGINT else signal.SIGKILL
        elif number == signal.SIGUSR1:
            seen["lost"] = True
            number = signal.SIGKILL
        seen["last"] = number
        _signal(mine, number)
        signal.setitimer(signal.ITIMER_REAL, job.grace)

    for number in awaited:
        signal.signal(number, end)
    if job.walltime is not None:
        signal.setitimer(signal.ITIMER_REAL, job.walltime)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, awaited)
    _, status = os.waitpid(shell, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    while _signal(mine, signal.SIGKILL):
        time.sleep(0.01)
    code = os.waitstatus_to_exitcode(status)
    return End(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        timed_out=bool(seen["timed_out"]),
        lost=bool(seen["lost"]),
    )


def _start(job: Job) -> int:
    """Start the script and return its process id, once it bears the mark."""
    reader, writer = os.pipe()  # both are closed when the script starts
    pid = os.fork()
    if pid:
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        return pid
    try:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.chdir(job.directory)
        output = os.open(job.output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if job.by_name:
            names = os.open(f"{job.script}-name", os.O_RDONLY)
            os.dup2(names, 0)
        words = ["/bin/sh"] if job.by_name else ["/bin/sh", job.script]
        os.execve("/bin/sh", words, dict(job.variables))
    except OSError as error:
        with Path(job.complaints).open("a") as file:
            file.write(f"{job.number}: {error}\n")
    finally:
        os._exit(1)


def _signal(mark: bytes, number: int) -> int:
    """Signal every process of a job, whatever group it is in, and return how many there were."""
    count = 0
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        try:
            with open(f"{entry.path}/environ", "rb") as file:  # noqa: PTH123  (for each process there is)
                words = file.read().split(b"\0")
            if mark in words:
                os.kill(int(entry.name), number)
                count += 1
        except OSError:  # it has ended, or is another user's
            continue
    return count

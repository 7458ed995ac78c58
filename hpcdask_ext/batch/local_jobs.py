"""Jobs of this machine: start, list and end detached process groups. Run as a script; it imports nothing of ours.

::

    local_jobs.py submit --name NAME --count N --log-prefix PATH SCRIPT
    local_jobs.py query
    local_jobs.py cancel NAME[:INDEXES]... [--patience SECONDS]

A job is recognised only by a mark in the environment of its processes, ``HPCDASK_JOB=NAME``: there is no file of
process ids that could be stale, and no id that could have been reused. A process without the mark, or of another user,
is never touched.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

HEADING = "JOB\tINDEX\tSTATE\tPID\tHOST"
PATIENCE = 6.0
"""Seconds from SIGTERM to SIGKILL: a Dask nanny takes 2 to 3 to end its worker."""
LAST_WAIT = 3.0
POLL = 0.05

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_WANTED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?::(?P<indexes>\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*))?", re.ASCII)


class Process(NamedTuple):
    """One process of a job's element."""

    pid: int
    job: str
    element: int
    group: int

    @property
    def leads(self) -> bool:
        """Whether it is the process that was started for the element, which leads the element's group."""
        return self.pid == self.group


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.act == "submit":
        return submit(options.name, options.count, options.log_prefix, options.script)
    if options.act == "query":
        return query()
    return cancel(options.jobs, options.patience)


def submit(name: str, count: int, log_prefix: str, script: str) -> int:
    """Start `count` elements, print the job's id, and do not wait for them. If one cannot be started, end all."""
    try:
        for index in range(1, count + 1):
            _start(name, index, f"{log_prefix}.{index}.log", script)
    except OSError as error:
        cancel([name])
        print(error, file=sys.stderr)
        return 1
    print(name)
    return 0


def query() -> int:
    """Print a line for each live element."""
    host = socket.gethostname()
    elements: dict[tuple[str, int], int] = {}
    for process in processes():
        key = (process.job, process.element)
        if key not in elements or process.leads:
            elements[key] = process.pid
    print(HEADING)
    for (job, index), pid in sorted(elements.items()):
        print(job, index, "running", pid, host, sep="\t")
    return 0


def cancel(jobs: list[str], patience: float = PATIENCE) -> int:
    """End the processes of `jobs`: ask each group, wait, then kill the rest. Return 0 if none is left."""
    wanted = _wanted(jobs)

    def left() -> list[Process]:
        return [process for process in processes() if wanted(process)]

    _signal(left(), signal.SIGTERM)
    if _gone(left, patience) or _gone(left, LAST_WAIT, kill=True):
        return 0
    print("still running:", *(process.pid for process in left()), file=sys.stderr)
    return 1


def processes() -> Iterator[Process]:
    """Yield this user's processes that carry the mark; an ended process no longer has an environment."""
    listed = _proc() if os.path.exists("/proc/self/environ") else _psutil()  # noqa: PTH110  (pathlib costs 10 ms)
    for pid, environment in listed:
        job, index = environment.get("HPCDASK_JOB", ""), environment.get("HPCDASK_INDEX", "")
        if pid != os.getpid() and _NAME.fullmatch(job) and index.isdecimal():
            with suppress(ProcessLookupError):
                yield Process(pid, job, int(index), os.getpgid(pid))


def _start(name: str, index: int, log: str, script: str) -> None:
    mark = {"HPCDASK_JOB": name, "HPCDASK_INDEX": str(index)}
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        # The mark is in the arguments too, because macOS hides the environment of its own programs.
        subprocess.Popen(  # noqa: S603
            ["/bin/sh", script, *(f"{key}={value}" for key, value in mark.items())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **mark},
            start_new_session=True,
        )
    finally:
        os.close(output)


def _signal(marked: list[Process], number: int) -> None:
    """Signal each process once: through its group if that has a marked leader, otherwise directly."""
    groups = {process.group for process in marked if process.leads}
    for process in marked:
        with suppress(ProcessLookupError, PermissionError):
            if process.leads:
                os.killpg(process.group, number)
            elif process.group not in groups:
                os.kill(process.pid, number)


def _gone(left: Callable[[], list[Process]], seconds: float, kill: bool = False) -> bool:
    """Wait up to `seconds` until nothing is left, killing it if `kill`; return whether it is gone."""
    end = time.monotonic() + seconds
    while remaining := left():
        if time.monotonic() > end:
            return False
        if kill:
            _signal(remaining, signal.SIGKILL)
        time.sleep(POLL)
    return True


def _wanted(jobs: list[str]) -> Callable[[Process], bool]:
    every: set[str] = set()
    some: set[tuple[str, int]] = set()
    for text in jobs:
        match = _WANTED.fullmatch(text)
        if match is None:
            raise SystemExit(f"{text!r} does not name a job: write NAME or NAME:INDEXES")
        if match["indexes"] is None:
            every.add(match["name"])
            continue
        for part in match["indexes"].split(","):
            first, _, last = part.partition("-")
            some.update((match["name"], index) for index in range(int(first), int(last or first) + 1))
    return lambda process: process.job in every or (process.job, process.element) in some


def _proc() -> Iterator[tuple[int, dict[str, str]]]:
    """Yield this user's processes with their environment, from Linux's /proc: ten times as fast as psutil."""
    me = os.getuid()
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            if not entry.name.isdecimal() or entry.stat().st_uid != me:
                continue
            with open(f"{entry.path}/environ", "rb") as file:  # noqa: PTH123
                words = file.read().decode("utf-8", "replace").split("\0")
            yield int(entry.name), dict(word.split("=", 1) for word in words if "=" in word)


def _psutil() -> Iterator[tuple[int, dict[str, str]]]:
    """Yield this user's processes with their environment, or with the mark from their arguments if that is hidden."""
    import psutil  # noqa: PLC0415  (only where there is no /proc)

    me = os.getuid()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.uids().real != me or process.status() == psutil.STATUS_ZOMBIE:
                continue
            environment: dict[str, str] = {}
            with suppress(psutil.AccessDenied, OSError):
                environment = process.environ()
            if not environment:
                words = process.cmdline()
                if words[:1] == ["/bin/sh"] and len(words) == 4:
                    environment = dict(word.split("=", 1) for word in words[2:] if word.startswith("HPCDASK_"))
            yield process.pid, environment


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local_jobs.py")
    acts = parser.add_subparsers(dest="act", required=True)
    start = acts.add_parser("submit")
    start.add_argument("--name", required=True, type=_name)
    start.add_argument("--count", required=True, type=int)
    start.add_argument("--log-prefix", required=True)
    start.add_argument("script")
    acts.add_parser("query")
    end = acts.add_parser("cancel")
    end.add_argument("jobs", nargs="+")
    end.add_argument("--patience", type=float, default=PATIENCE)
    return parser


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a job name: use only letters, digits, '.', '_' and '-'")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A warm process of a test's own, and programs that are run through it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from hpcdask_ext.launchers.dask_command import WARM
from tests.servers import until

PROGRAMS = Path(__file__).parent / "programs"

_NO_DASK = {
    "dask/__init__.py": "from dask import config",
    "dask/config.py": "def get(key, default=None): return default or []\ndef refresh(): pass",
    "distributed/__init__.py": "",
    "distributed/scheduler.py": "",
    "distributed/dashboard/__init__.py": "",
    "distributed/dashboard/scheduler.py": "",
    "bokeh/__init__.py": "",
    "bokeh/server/__init__.py": "",
    "bokeh/server/server.py": "",
}


def write_no_dask(directory: Path, **changed: str) -> Path:
    """Write packages that stand for Dask and its dashboards and are imported in no time."""
    for name, text in (_NO_DASK | changed).items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return directory


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str
    is_warm: bool

    @property
    def facts(self) -> dict[str, Any]:
        """What `facts.py` has printed."""
        assert self.code == 0, self.err
        return dict(json.loads(self.out))


@dataclass(frozen=True)
class Run:
    """A program that runs, and the `run` that stands for it."""

    process: subprocess.Popen[str]
    program: psutil.Process

    @property
    def is_warm(self) -> bool:
        return self.program.pid != self.process.pid

    def next_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> int:
        """Wait for the end of `run`, which is the program's; return the exit code."""
        self.process.communicate(timeout=10)
        assert self.program_ended(2)
        return self.process.returncode

    def program_ended(self, seconds: float) -> bool:
        """Return whether the program has ended after so many seconds at most."""
        deadline = time.monotonic() + seconds
        while is_alive(self.program):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


@dataclass(frozen=True)
class Warm:
    """The directory of a warm process, and where its modules and those of its programs are."""

    directory: Path
    path: tuple[Path, ...]
    file: Path = WARM
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    _started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, str]:
        """What the processes of the test have; the mark tells which ones those are."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        path = os.pathsep.join(str(directory) for directory in self.path)
        return {**kept, "LC_ALL": "C.UTF-8", "PYTHONPATH": path, "MARK": self.mark}

    def with_constants(self, **constants: float) -> Warm:
        """Return the same with a copy of the program in which constants have other values."""
        text = self.file.read_text("utf-8")
        for name, value in constants.items():
            text, count = re.subn(rf"(?m)^{name} = [\d.]+", f"{name} = {value}", text)
            assert count == 1, f"there is no constant {name}"
        copy = self.directory.parent / "warm_copy.py"
        copy.write_text(text, "utf-8")
        return replace(self, file=copy)

    def without_process(self) -> Warm:
        """Return the same in a directory where there is no process."""
        return replace(self, directory=self.directory / "none")

    def start(self, wait: bool = True, **variables: str) -> int:
        """Start the process; return its number once it answers."""
        argv = [sys.executable, str(self.file), "start", str(self.directory)]
        subprocess.run(argv, env=self.variables | variables, check=True, timeout=10, stdin=subprocess.DEVNULL)
        return until(self.pid) if wait else 0

    def pid(self) -> int | None:
        """Return the number of the process that answers, or None; what it is asked is nothing that it understands."""
        with self.directory_file() as path, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            try:
                connection.connect(f"{path}/socket")
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(1) == b""
            except (ConnectionError, FileNotFoundError):
                return None
            answer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            return int(struct.unpack("3i", answer)[0])

    @contextmanager
    def directory_file(self) -> Iterator[str]:
        """Open the directory and return a path to it that is short enough for a socket."""
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)

    def popen(
        self,
        module: str,
        *arguments: str,
        python: str = sys.executable,
        before: Callable[[], object] = lambda: None,
        **how: Any,
    ) -> subprocess.Popen[str]:
        """Start `run` with a module."""
        argv = [python, "-I", "-S", str(self.file), "run", str(self.directory), "--"]

        def prepare() -> None:
            for number in (signal.SIGINT, signal.SIGHUP):  # a test run in the background of a shell ignores them
                signal.signal(number, signal.SIG_DFL)
            before()

        process = subprocess.Popen(
            [*argv, python, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=prepare,  # noqa: PLW1509  (the tests that use it have no threads)
            **{"stdin": subprocess.DEVNULL, "env": self.variables, **how},
        )
        self._started.append(process)
        return process

    def begin(self, count: int, *signals: str, **how: Any) -> Run:
        """Start `waits.py`; return when it waits."""
        process = self.popen("waits", str(count), *signals, **how)
        assert process.stdout is not None
        return Run(process, psutil.Process(int(process.stdout.readline())))

    def run(self, module: str, *arguments: str, **how: Any) -> Ended:
        """Run `facts.py` or `ends.py` to its end."""
        return result(self.popen(module, *arguments, **how))

    def processes(self) -> list[psutil.Process]:
        """Return the processes with the mark; a fork shows that of its warm process."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("MARK") == self.mark:
                    found.append(process)
        return found

    def end(self) -> None:
        """End the processes with the mark."""
        while left := self.processes():
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            until(lambda: not any(is_alive(process) for process in left))
        for started in self._started:
            with started:  # its pipes are closed, its end is seen
                started.kill()


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs; one that has ended may wait for somebody to look at its end."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def result(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of a program that prints its number on standard error first."""
    out, err = process.communicate(timeout=20)
    first, _, rest = err.partition("\n")
    assert first.isdecimal(), err
    return Ended(process.returncode, out, rest, is_warm=int(first) != process.pid)

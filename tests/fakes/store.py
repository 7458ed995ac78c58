"""The state of one fake batch system, in a directory that its commands share."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.fakes.supervisor import Job, leave_behind, mark_of, watch

RUN = Path(__file__).with_name("run.py")

ROOT = "HPCDASK_FAKE_ROOT"
"""The variable with the store's directory; the installed programs set it."""

STATES = ("pending", "running", "done", "killed", "lost")
"""Of an element: `done` has an exit code; `killed` was cancelled; `lost` was on a node that failed."""

SETTINGS: dict[str, Any] = {
    "queues": ["regular", "closed", "gpu"],
    "accounts": None,  # any
    "holds": {},  # by queue, or "*": the reason
    "moods": {},  # by program, or "*"
    "history": True,  # whether ended jobs can still be asked about
    "grace": 3.0,  # seconds from the signal to SIGKILL
}


class Refused(Exception):
    """What a program prints on standard error, and its exit code."""

    def __init__(self, words: str, exit_code: int) -> None:
        super().__init__(words)
        self.exit_code = exit_code


class Element(NamedTuple):
    """One element of a job; of a job that is not an array, the only one, with index 1. Times are seconds."""

    number: int
    index: int
    name: str
    queue: str | None
    is_array: bool
    count: int
    state: str
    reason: str
    exit_code: int | None
    signal: int | None
    timed_out: bool
    submitted: float
    started: float | None
    ended: float | None
    attributes: dict[str, Any]


class Store:
    """The state of one fake batch system, in a directory that its commands share."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.bin = self.root / "bin"

    @property
    def settings(self) -> dict[str, Any]:
        """What it knows and how it behaves: `SETTINGS`, changed."""
        return SETTINGS | self._read("settings")

    def change(self, **settings: Any) -> None:
        """Change settings."""
        with self._locked():
            self._write("settings", self._read("settings") | settings)

    def hold(self, queue: str = "*", reason: str = "") -> None:
        """Let no job of a queue start from now on, for that reason."""
        self.change(holds=self.settings["holds"] | {queue: reason})

    def release(self) -> None:
        """End all holds, and start what waited."""
        self.change(holds={})
        subprocess.run(
            [sys.executable, "-I", "-S", str(RUN), "engine", "start"], env={ROOT: str(self.root)}, check=True
        )

    def mood(self, how: str | None, program: str = "*") -> None:
        """Let a program, or all, be `away`, `hang` or print `garbage` from now on; None: all as usual again."""
        self.change(moods={**self.settings["moods"], program: how} if how else {})

    def calls(self, program: str) -> list[list[str]]:
        """Return the arguments of each call of a program so far."""
        lines = [json.loads(line) for line in (self.root / "calls").read_text().splitlines()]
        return [arguments for name, arguments in lines if name == program]

    def file(self, name: str, text: str = "") -> Path:
        """Write a file into the store (a job's list of nodes), and return its path."""
        path = self.root / name
        path.write_text(text)
        return path

    def submit(
        self,
        name: str,
        text: str,
        count: int | None = None,
        *,
        queue: str | None = None,
        variables: Callable[[int, int], Mapping[str, str]],
        output: Callable[[int, int], Path | str | None],
        attributes: Mapping[str, Any] | None = None,
        walltime: float | None = None,
        directory: str | None = None,
        by_name: bool = False,
    ) -> int:
        """Queue a job, start it unless its queue is held, and return its number.

        With `by_name` the shell gets the script's name as its input, as PBS does it, and starts the script as a
        command. A signal to all processes then ends the shell at once, and the job with it.
        """
        with self._locked():
            jobs = self._read("jobs")
            number = 1 + max(map(int, jobs), default=0)
            script = self.file(f"{number}.script", text)
            script.chmod(0o700)
            self.file(f"{number}.script-name", f"{script}\n")
            elements = {}
            for index in range(1, (count or 1) + 1):
                path = output(number, index)
                elements[index] = {
                    "state": "pending",
                    "variables": dict(variables(number, index)),
                    "output": str(path or os.devnull),
                }
            jobs[str(number)] = {
                "name": name,
                "queue": queue,
                "is_array": count is not None,
                "attributes": dict(attributes or {}),
                "walltime": walltime,
                "directory": directory or self.home,
                "by_name": by_name,
                "submitted": time.time(),
                "elements": elements,
            }
            self._write("jobs", jobs)
        self.start()
        return number

    def elements(self) -> list[Element]:
        """Return every element of every job, oldest first; without `history`, those that have not ended."""
        with self._locked():
            found = [one for number, job in self._read("jobs").items() for one in _elements(int(number), job)]
        if self.settings["history"]:
            return found
        return [element for element in found if element.state in ("pending", "running")]

    def cancel(self, number: int, indexes: Sequence[int] | None = None, how: int = signal.SIGTERM) -> list[Element]:
        """End elements, all of them if `indexes` is None: the signal, then SIGKILL. Return those that were live.

        After SIGINT, SIGTERM comes before SIGKILL. An unknown number is a `KeyError`; what has ended is left alone.
        """
        with self._locked():
            jobs = self._read("jobs")
            job = jobs[str(number)]
            before = [one for one in _elements(number, job) if indexes is None or one.index in indexes]
            live = [element for element in before if element.state in ("pending", "running")]
            for element in live:
                entry = job["elements"][str(element.index)]
                if element.state == "pending":
                    entry.update(state="killed", ended=time.time())
                else:
                    entry["cancelled"] = True
                    with suppress(ProcessLookupError):
                        os.kill(entry["supervisor"], how)
            self._write("jobs", jobs)
        return live

    def lose(self, number: int, index: int = 1) -> None:
        """Let the node of a running element fail: everything there is gone at once, without a word."""
        with self._locked():
            os.kill(self._read("jobs")[str(number)]["elements"][str(index)]["supervisor"], signal.SIGUSR1)

    def forget(self) -> None:
        """Purge the history: ended elements are gone for good."""
        with self._locked():
            jobs = self._read("jobs")
            for job in jobs.values():
                kept = {"pending", "running"}
                job["elements"] = {index: one for index, one in job["elements"].items() if one["state"] in kept}
            self._write("jobs", {number: job for number, job in jobs.items() if job["elements"]})

    def start(self) -> None:
        """Start every pending element whose queue is not held. Only a command may do so: it leaves processes behind."""
        with self._locked() as lock:
            jobs, settings = self._read("jobs"), self.settings
            for number, job in jobs.items():
                for index, entry in job["elements"].items():
                    if entry["state"] != "pending":
                        continue
                    held = [settings["holds"][queue] for queue in ("*", job["queue"]) if queue in settings["holds"]]
                    entry["reason"] = held[0] if held else ""
                    if not held:
                        started = self._job(int(number), int(index), job, entry, settings["grace"])
                        supervisor = leave_behind(partial(self._watch, started), started.complaints, lock)
                        entry.update(state="running", started=time.time(), supervisor=supervisor)
            self._write("jobs", jobs)

    @property
    def home(self) -> str:
        """Where jobs start, if their batch system does not say otherwise."""
        return os.environ.get("HOME") or "/"

    def _job(self, number: int, index: int, job: dict[str, Any], entry: dict[str, Any], grace: float) -> Job:
        user = os.environ.get("USER") or "user"
        basic = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": self.home, "USER": user, "LOGNAME": user}
        return Job(
            number=number,
            index=index,
            script=str(self.root / f"{number}.script"),
            by_name=job["by_name"],
            output=entry["output"],
            directory=job["directory"],
            variables={**basic, **entry["variables"], **mark_of(str(self.root), number, index)},
            walltime=job["walltime"],
            grace=grace,
            complaints=str(self.root / "supervisors"),
        )

    def _watch(self, job: Job) -> None:
        """Run a job in its supervisor, and write down how it ended."""
        end = watch(job)
        with self._locked():
            jobs = self._read("jobs")
            if str(job.number) in jobs:
                entry = jobs[str(job.number)]["elements"][str(job.index)]
                state = "lost" if end.lost else "killed" if entry.get("cancelled") else "done"
                entry.update(state=state, ended=time.time(), exit_code=end.exit_code, signal=end.signal)
                entry["timed_out"] = end.timed_out
                self._write("jobs", jobs)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            os.close(lock)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.root / f"{name}.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def _write(self, name: str, value: dict[str, Any]) -> None:
        written = self.root / f"{name}.tmp"
        written.write_text(json.dumps(value))
        written.replace(self.root / f"{name}.json")


def _elements(number: int, job: Mapping[str, Any]) -> Iterator[Element]:
    for index, entry in job["elements"].items():
        yield Element(
            number=number,
            index=int(index),
            name=job["name"],
            queue=job["queue"],
            is_array=job["is_array"],
            count=len(job["elements"]),
            state=entry["state"],
            reason=entry.get("reason", ""),
            exit_code=entry.get("exit_code"),
            signal=entry.get("signal"),
            timed_out=entry.get("timed_out", False),
            submitted=job["submitted"],
            started=entry.get("started"),
            ended=entry.get("ended"),
            attributes=job["attributes"],
        )

"""The engine of the fake batch systems: their jobs really run, on this machine, as detached processes.

There is no daemon. Each command (`qsub`, `qstat`, ...) is a process of its own that reads and writes the same `Store`,
a directory. A job's element is run by a supervisor (`supervisor.py`), a process that the submitting command leaves
behind: it starts ``/bin/sh SCRIPT`` with the variables that the batch system would set *and no others*, waits for it,
ends what it left behind and writes down its exit code.

A fake is a module of this folder, named after its batch system, with three things::

    PROGRAMS = {"qsub": qsub, "qstat": qstat, "qdel": qdel}     # each: (store, arguments) -> exit code or None
    def away(program): return Refused("cannot connect to server", 111)    # what it says when its daemon is down
    DEFAULTS = {"queues": ["regular", "gpu"]}                    # optional: changes to `SETTINGS`

    def qsub(store: Store, arguments: list[str]) -> None:
        options, text = ..., sys.stdin.read()                    # parse what the real program parses
        if options["queue"] not in store.settings["queues"]:
            raise Refused("qsub: Unknown queue", 170)            # stderr and exit code, as the real one has them
        number = store.submit(
            name, text, count=3, queue="regular",                # count=None: not an array, its only element is 1
            variables=lambda number, index: {"PBS_JOBID": f"{number}[{index}].server"},
            output=lambda number, index: f"/logs/x.{index}.log",
            attributes={"select": "1:ncpus=4"}, walltime=60)     # any JSON; walltime in seconds, enforced
        print(f"{number}[].server")

    def qstat(store, arguments):
        for element in store.elements():                         # an `Element` each; states are in `STATES`
            ...
    def qdel(store, arguments):
        store.cancel(12, [1, 3])                                 # all if None; unknown ones: KeyError

A task starter (`pbsdsh`, `blaunch`) starts tasks with the few variables that the real one passes on::

    def pbsdsh(store, arguments):
        return max(run_tasks([Task(arguments, {"PBS_JOBID": ..., "PBS_TASKNUM": "2"})], output=...))

In a test::

    store = install(tmp_path / "bin", tmp_path / "fake", "pbs")   # put the directory on PATH
    store.change(queues=["regular"], accounts=["science"])       # what it knows; see `SETTINGS`
    store.hold("regular", "Not Running: ...")                    # its jobs wait ("*": all), until store.release()
    store.mood("away")                                           # or "hang", "garbage", for all programs or for one
    store.calls("qsub")                                          # the arguments of each call so far
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tests.fakes.store import ROOT, RUN, SETTINGS, STATES, Element, Refused, Store
from tests.fakes.supervisor import mark_of

__all__ = ["SETTINGS", "STATES", "Element", "Refused", "Store", "Task", "install", "run_tasks"]

_GARBAGE = "\0<html><body>502 Bad Gateway</body></html>"


class Task(NamedTuple):
    """A command that a starter starts, with all the variables that it gets."""

    argv: Sequence[str]
    variables: Mapping[str, str]
    number: int = 0


def run_tasks(tasks: Sequence[Task], output: str | None = None, passes_signals: bool = True) -> list[int]:
    """Run tasks side by side until all have ended, and return their exit codes (128 + the signal that ended one).

    They get their own variables, a PATH and the user's names, and nothing else: see the batch system's manual for what
    its starter passes on. They print to the file `output`, or where the starter prints. A signal to the starter is
    passed on to them, unless it is one that just ends, as ssh does. They do not outlive the job.
    """
    kept = {name: os.environ[name] for name in ("HOME", "USER", "LOGNAME") if name in os.environ}
    kept |= {"PATH": "/usr/bin:/bin"} | {name: os.environ[name] for name in mark_of("", 0, 0) if name in os.environ}
    file = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if output else None
    started = [
        subprocess.Popen(
            list(task.argv),
            env={**kept, **task.variables},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        for task in tasks
    ]

    def pass_on(number: int, _: Any) -> None:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, number)

    if passes_signals:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, pass_on)
    codes = [process.wait() for process in started]
    return [128 - code if code < 0 else code for code in codes]


def install(directory: Path, root: Path, system: str) -> Store:
    """Write the programs of a fake into `directory`, which may hold several fakes, and return its store."""
    root.mkdir(parents=True, exist_ok=True)
    store = Store(root)
    module = import_module(f"tests.fakes.{system}")
    for folder in (directory, store.bin):  # jobs find its starters on their PATH
        folder.mkdir(parents=True, exist_ok=True)
        for program in module.PROGRAMS:
            words = f'{ROOT}="{root}" exec "{sys.executable}" -I -S "{RUN}" {system} {program} "$@"'
            (folder / program).write_text(f"#!/bin/sh\n{words}\n")
            (folder / program).chmod(0o755)
    store.file("calls")
    store.change(**getattr(module, "DEFAULTS", {}))
    return store


def main(fake: ModuleType, program: str, arguments: list[str]) -> int:
    """Run one program of a fake and return its exit code."""
    store = Store(os.environ[ROOT])
    with (store.root / "calls").open("a") as file:
        file.write(json.dumps([program, arguments]) + "\n")
    moods = store.settings["moods"]
    how = moods.get(program) or moods.get("*")
    try:
        if how == "hang":
            time.sleep(600)
        if how == "garbage":
            print(_GARBAGE)
            return 0
        if how == "away":
            raise fake.away(program)
        code = fake.PROGRAMS[program](store, arguments)
        sys.stdout.flush()
        store.start()
    except Refused as refusal:
        sys.stdout.flush()
        print(refusal, file=sys.stderr)
        return refusal.exit_code
    return code or 0


PROGRAMS = {"start": lambda _store, _arguments: None}
"""Of the engine itself: `start` starts what need no longer wait, as every command does."""

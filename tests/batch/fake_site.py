"""Jobs of a fake batch system: its commands are run as a launcher would run them, and the jobs really run."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batch_samples import PLAIN

from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.records import Command, CommandResult, JobElements, JobRequest, JobStatus
from hpcdask_ext.batch.runner import ProcessRunner
from tests.fakes.engine import install

_PATIENCE = 20.0


class FakeSite:
    """A fake batch system that is installed on PATH, and a directory that all its hosts share."""

    def __init__(self, system: BatchSystem, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = system
        self.directory = directory
        self.store = install(directory / "bin", directory / "store", system.name)
        self._runner = ProcessRunner()
        monkeypatch.setenv("PATH", f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def request(self, command: str, **changes: Any) -> JobRequest:
        """Return a request for a job that runs `command` below the site's directory."""
        places = {
            "report_prefix": self.directory / "report",
            "log_prefix": self.directory / "log",
            "working_directory": self.directory,
            "script_file": self.directory / "job.sh",
        }
        return replace(PLAIN, **{"command": command, "cores": 2, **places, **changes})

    async def run(self, command: Command) -> CommandResult:
        return await self._runner.run(command)

    async def submit(self, job: JobRequest) -> str:
        text = self.system.script(job)
        job.script_file.write_text(text)
        return self.system.parse_submit(job, await self.run(self.system.submit(job, text)))

    async def query(self) -> Sequence[JobStatus]:
        return self.system.parse_query(await self.run(self.system.query()))

    async def cancel(self, *jobs: JobElements) -> None:
        self.system.parse_cancel(await self.run(self.system.cancel(jobs)))

    async def status(self, index: int, is_wanted: Callable[[JobStatus], bool]) -> JobStatus:
        """Return the status of one element as soon as it is a wanted one."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            found = [one for one in await self.query() if one.indexes is None or index in one.indexes]
            if found and is_wanted(found[0]):
                return found[0]
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.05)

    async def text(self, name: str, words: str = "") -> str:
        """Return what stands in a file as soon as it has `words`."""
        path, deadline = self.directory / name, time.monotonic() + _PATIENCE
        while not path.exists() or words not in path.read_text():
            assert time.monotonic() < deadline, f"{name}: {[(p.name, p.read_text()) for p in self.logs()]}"
            await asyncio.sleep(0.05)
        return path.read_text()

    def logs(self) -> list[Path]:
        return [*self.directory.glob("*.log"), *self.directory.glob("store/supervisors")]

    def end(self) -> None:
        """End what is left."""
        for element in self.store.elements():
            with suppress(KeyError, ProcessLookupError):
                self.store.cancel(element.number, [element.index], signal.SIGTERM)

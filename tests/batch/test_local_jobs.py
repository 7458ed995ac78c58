"""Jobs of this machine, for real: through the runner, the batch system and its program."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from batch_samples import request_with

from hpcdask_ext.batch.local import LocalSystem
from hpcdask_ext.batch.records import JobElements, JobRequest
from hpcdask_ext.batch.runner import ProcessRunner
from hpcdask_ext.errors import BatchRefused

SYSTEM = LocalSystem()
RUNNER = ProcessRunner()
STUBBORN = "sh -c 'trap \"\" TERM; (while :; do sleep 1; done) & while :; do sleep 1; done'"


class Jobs:
    """Submits to this machine, and ends at the end of the test whatever it started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.names: list[str] = []

    async def submit(self, command: str = "sleep 60", count: int = 3) -> JobRequest:
        name = f"hpcdask-test-{uuid.uuid4().hex[:12]}"
        self.names.append(name)
        job = request_with(
            name=name,
            command=command,
            count=count,
            report_prefix=self.directory / name,
            log_prefix=self.directory / name,
            working_directory=self.directory,
        )
        script = self.directory / f"{name}.sh"
        script.write_text(SYSTEM.script(job))
        assert SYSTEM.parse_submit(job, await RUNNER.run(SYSTEM.submit(replace(job, script_file=script), ""))) == name
        return job

    async def alive(self, job: JobRequest) -> list[int]:
        answer = SYSTEM.parse_query(await RUNNER.run(SYSTEM.query()))
        return sorted(index for status in answer if status.name == job.name for index in status.indexes or ())

    async def cancel(self, *jobs: JobElements) -> None:
        SYSTEM.parse_cancel(await RUNNER.run(SYSTEM.cancel(jobs)))

    async def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "nothing happened within 10 s"
            await asyncio.sleep(0.02)

    def started(self, job: JobRequest, index: int) -> bool:
        return (self.directory / f"{job.name}.{index}.started").exists()

    def marked(self, name: str) -> list[int]:
        """Return the processes with the mark, found without the program under test."""
        mark = f"HPCDASK_JOB={name}".encode()
        found = []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in environ.read_bytes().split(b"\0"):
                    found.append(int(environ.parent.name))
            except OSError:
                continue
        return found


@pytest.fixture
async def jobs(tmp_path: Path) -> AsyncIterator[Jobs]:
    made = Jobs(tmp_path)
    yield made
    if made.names:
        await made.cancel(*(JobElements(name) for name in made.names))


async def test_start_three_cancel_one_cancel_all(jobs: Jobs) -> None:
    job, other = await jobs.submit(), await jobs.submit(count=1)
    assert await jobs.alive(job) == [1, 2, 3]
    await jobs.until(lambda: all(jobs.started(job, index) for index in (1, 2, 3)))
    await jobs.cancel(JobElements(job.name, (2,)))
    assert await jobs.alive(job) == [1, 3]
    assert "exit=143" in (jobs.directory / f"{job.name}.2.ended").read_text()
    await jobs.cancel(JobElements(job.name))
    assert await jobs.alive(job) == []
    assert await jobs.alive(other) == [1]
    if sys.platform == "linux":
        assert jobs.marked(job.name) == []
    await jobs.cancel(JobElements(job.name), JobElements(job.name, (1, 7)))


async def test_jobs_outlive_whoever_started_them_and_log_for_the_user_alone(jobs: Jobs) -> None:
    job = await jobs.submit("echo hello; ps -o sid= -p $$; exec sleep 60", count=1)
    log = jobs.directory / f"{job.name}.1.log"
    await jobs.until(lambda: log.read_text().count("\n") == 2)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert int(log.read_text().split()[1]) != os.getsid(0)


async def test_the_stubborn_are_killed_with_their_children(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await jobs.submit(STUBBORN, count=1)
    await jobs.until(lambda: jobs.started(job, 1))
    await asyncio.sleep(0.3)
    begin = time.monotonic()
    await jobs.cancel(JobElements(job.name))
    assert 3 < time.monotonic() - begin < 12
    assert await jobs.alive(job) == []


async def test_what_left_its_group_and_lost_its_leader_is_found_by_its_mark(jobs: Jobs) -> None:
    code = (
        "import os, time; leader = os.getppid(); os.setsid(); open('leader', 'w').write(f'{leader}.'); time.sleep(60)"
    )
    job = await jobs.submit(f'{sys.executable} -c "{code}"', count=1)
    file = jobs.directory / "leader"
    await jobs.until(lambda: file.exists() and file.read_text().endswith("."))
    os.kill(int(file.read_text().rstrip(".")), signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert await jobs.alive(job) == [1]
    await jobs.cancel(JobElements(job.name))
    assert await jobs.alive(job) == []


@pytest.fixture
def bystanders() -> Iterator[Callable[[str], dict[str, subprocess.Popen[bytes]]]]:
    """Start processes that look almost as if they belonged to a job."""
    started: dict[str, subprocess.Popen[bytes]] = {}

    def start(name: str) -> dict[str, subprocess.Popen[bytes]]:
        marks = {
            "longer": {"HPCDASK_JOB": f"{name}-2", "HPCDASK_INDEX": "1"},
            "without an index": {"HPCDASK_JOB": name},
            "in another variable": {"NOT_HPCDASK_JOB": name, "HPCDASK_INDEX": "1"},
            "in a value": {"TEXT": f"\nHPCDASK_JOB={name}", "HPCDASK_INDEX": "1"},
            "none": {},
        }
        for kind, mark in marks.items():
            started[kind] = subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], **mark})
        return started

    yield start
    for process in started.values():
        process.kill()
        process.wait()


async def test_nobody_else_is_touched(jobs: Jobs, bystanders) -> None:
    job = await jobs.submit(count=1)
    others = bystanders(job.name)
    await jobs.cancel(JobElements(job.name))
    assert {kind: process.poll() for kind, process in others.items()} == dict.fromkeys(others)


async def test_a_job_that_cannot_be_started_leaves_nothing(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "log.2.log").mkdir()
    job = request_with(name="hpcdask-test-half", log_prefix=tmp_path / "log")
    script = tmp_path / "job.sh"
    script.write_text("sleep 60\n")
    with pytest.raises(BatchRefused, match=r"log\.2\.log"):
        SYSTEM.parse_submit(job, await RUNNER.run(SYSTEM.submit(replace(job, script_file=script), "")))
    assert await jobs.alive(job) == []


@pytest.mark.parametrize("name", ["a b", "a:1", "", "-a", "a\nb", "../a"])
async def test_a_name_that_could_be_misread_is_refused(name: str, tmp_path: Path) -> None:
    job = request_with(name=name)
    with pytest.raises(BatchRefused):
        SYSTEM.parse_submit(job, await RUNNER.run(SYSTEM.submit(job, tmp_path / "job.sh")))


async def test_submitting_takes_no_longer_than_starting(jobs: Jobs) -> None:
    begin = time.monotonic()
    await jobs.submit(count=20)
    assert time.monotonic() - begin < 2


def test_the_list_for_systems_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpcdask_ext.batch import local_jobs

    mark = {"HPCDASK_JOB": "hpcdask-test-psutil", "HPCDASK_INDEX": "4"}
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, **mark})
    try:
        monkeypatch.setattr(local_jobs, "_proc", local_jobs._psutil)
        found = [other for other in local_jobs.processes() if other.job == "hpcdask-test-psutil"]
        assert [(other.pid, other.element) for other in found] == [(process.pid, 4)]
    finally:
        process.kill()
        process.wait()

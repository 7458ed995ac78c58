"""Single jobs on a real Grid Engine: what happens to them, and what it then says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from hpcdask_ext.batch.records import JobElements, JobRequest, JobStatus, Tasks
from hpcdask_ext.batch.runner import ProcessRunner
from hpcdask_ext.batch.sge import GridEngineSystem
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused
from tests.servers import until
from tests.waiting import until as eventually

pytestmark = pytest.mark.gridengine
SETTINGS = GridEngineSystem.Settings(parallel_environment="smp", allocation_environment="mpi")


class Jobs:
    """Submits jobs with files in a folder of their own, and looks after them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.system = GridEngineSystem(settings=SETTINGS)
        self.runner = ProcessRunner()
        self.name = f"hpcdask-{uuid4().hex[:8]}"

    def request(self, command: str, **changes: object) -> JobRequest:
        plain = JobRequest(
            name=self.name,
            command=command,
            count=1,
            cores=1,
            memory=2**30,
            walltime=timedelta(minutes=5),
            report_prefix=self.folder / "report",
            log_prefix=self.folder / "log",
            working_directory=self.folder,
            script_file=self.folder / "job.sh",
        )
        return replace(plain, **changes)

    async def submit(self, job: JobRequest) -> str:
        text = self.system.script(job)
        job.script_file.write_text(text)
        return self.system.parse_submit(job, await self.runner.run(self.system.submit(job, text)))

    async def statuses(self) -> list[JobStatus]:
        statuses = self.system.parse_query(await self.runner.run(self.system.query()))
        return [status for status in statuses if status.name == self.name]

    async def cancel(self, *jobs: JobElements) -> None:
        self.system.parse_cancel(await self.runner.run(self.system.cancel(jobs)))


@pytest.fixture
async def jobs(tmp_path: Path):
    jobs = Jobs(tmp_path)
    yield jobs
    left = {status.job_id for status in await jobs.statuses()}
    if left:
        await jobs.cancel(*map(JobElements, left))
    await eventually(jobs.statuses, lambda statuses: not statuses)


def ended(folder: Path, index: int = 1) -> Callable[[], dict[str, str] | None]:
    path = folder / f"report.{index}.ended"
    return lambda: dict(line.split("=") for line in path.read_text().splitlines()) if path.exists() else None


async def test_a_job_whose_time_is_over_reports_its_end(jobs, tmp_path):
    closing = "sh -c 'trap \"kill \\$!; exit 5\" TERM; sleep 60 & wait'"
    await jobs.submit(jobs.request(closing, walltime=timedelta(seconds=4)))
    report = until(ended(tmp_path))
    started = dict(line.split("=") for line in (tmp_path / "report.1.started").read_text().splitlines())
    assert report["exit"] == "5"
    assert 4 <= int(report["time"]) - int(started["time"]) <= 15


async def test_a_log_that_cannot_be_written_is_an_error_that_says_so(jobs):
    job_id = await jobs.submit(jobs.request("true", count=2, log_prefix=Path("/nonexistent/log")))
    statuses = await eventually(jobs.statuses, lambda statuses: statuses and "Eqw" in statuses[0].reason)
    assert [(status.state, status.indexes) for status in statuses] == [(JobState.PENDING, (1, 2))]
    assert "can't open output file" in statuses[0].reason
    await jobs.cancel(JobElements(job_id, (1, 2)))
    await jobs.cancel(JobElements(job_id, (2,)), JobElements(job_id))  # they are gone
    assert await jobs.statuses() == []


async def test_odd_characters_in_paths_arrive(jobs, tmp_path):
    folder = tmp_path / "a b:c;d|e&f<g>h*i?j~k%l\\m ü 名前 🦆"
    folder.mkdir()
    changes = {"working_directory": folder, "log_prefix": folder / "log", "report_prefix": folder / "report"}
    await jobs.submit(jobs.request("pwd", **changes))
    assert until(ended(folder))["exit"] == "0"
    assert until((folder / "log.1.log").read_text) == f"{folder}\n"


async def test_tasks_on_slots_of_several_queues_of_one_host(jobs, tmp_path):
    command = 'cat "$PE_HOSTFILE" >hosts; until [ -e task-1 ] && [ $(ls task-* | wc -l) = 8 ]; do sleep 0.2; done'
    tasks = Tasks('touch task-"$HPCDASK_TASK"; sleep 60', 8)
    await jobs.submit(jobs.request(command, cores=4, memory=2**30, tasks=tasks))  # 36 slots, and a queue has 32
    assert until(ended(tmp_path), 40)["exit"] == "0"
    slots = [int(line.split()[1]) for line in (tmp_path / "hosts").read_text().splitlines()]
    assert len(slots) > 1
    assert sum(slots) == 36
    await eventually(jobs.statuses, lambda statuses: not statuses)


async def test_a_program_s_exit_code_is_that_of_its_job(jobs, tmp_path):
    changes = {"tasks": Tasks("sleep 60", 2), "program": "sh -c 'sleep 1; exit 7'"}
    await jobs.submit(jobs.request("sleep 60", **changes))
    assert until(ended(tmp_path))["exit"] == "7"
    await eventually(jobs.statuses, lambda statuses: not statuses)


async def test_gpus_are_booked_and_missing_ones_said(jobs):
    await jobs.submit(jobs.request("sleep 60", count=3, gpus=2))  # the host has 4
    statuses = await eventually(jobs.statuses, lambda statuses: len(statuses) == 3 and "gpu" in statuses[-1].reason)
    assert [status.state for status in statuses] == [JobState.RUNNING, JobState.RUNNING, JobState.PENDING]


async def test_what_could_never_start_is_told_without_submitting_it(jobs):
    fine, long = jobs.request("true"), jobs.request("true", queue="short.q", walltime=timedelta(hours=2))
    for job in (fine, replace(fine, queue="closed.q")):
        command = jobs.system.estimate(job, jobs.system.script(job))
        assert jobs.system.parse_estimate(await jobs.runner.run(command)) is None
    result = await jobs.runner.run(jobs.system.estimate(long, jobs.system.script(long)))
    with pytest.raises(BatchRefused, match=r"cannot run in queue .short\.q. because of cluster queue"):
        jobs.system.parse_estimate(result)
    assert await jobs.statuses() == []

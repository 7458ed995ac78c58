"""Jobs that a fake HTCondor really runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fake_site import FakeSite

from hpcdask_ext.batch.htcondor import HTCondorSystem
from hpcdask_ext.batch.records import JobElements, Tasks
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

CONDOR = HTCondorSystem()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    site = FakeSite(CONDOR, tmp_path, monkeypatch)
    yield site
    site.end()


async def test_processes_run_and_report(site: FakeSite) -> None:
    job_id = await site.submit(site.request('echo "I am $HPCDASK_INDEX"; exit $((HPCDASK_INDEX - 1))', count=2))
    assert f"job={job_id}.1\n" in await site.text("report.2.started")
    assert "exit=1\n" in await site.text("report.2.ended")
    assert await site.text("log.1.log", "\n") == "I am 1\n"
    assert (await site.status(1, lambda status: status.state is JobState.ENDED)).reason == ""
    assert (await site.status(2, lambda status: status.state is JobState.FAILED)).reason == "ExitCode 1"


async def test_one_process_can_be_cancelled(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60", count=2))
    await site.text("report.1.started")
    await site.text("report.2.started")
    await site.cancel(JobElements(job_id, (2,)))
    assert "exit=143\n" in await site.text("report.2.ended")
    (left,) = await site.query()
    assert (left.indexes, left.state, left.node) == ((1,), JobState.RUNNING, "n1.example.org")
    await site.cancel(JobElements(job_id), JobElements("99", (1,)))
    assert "exit=143\n" in await site.text("report.1.ended")
    assert list(await site.query()) == []


async def test_a_job_waits_and_says_why(site: FakeSite) -> None:
    site.store.hold("*", "no match found")
    await site.submit(site.request("true", count=1))
    status = await site.status(1, lambda _: True)
    assert (status.state, status.reason) == (JobState.PENDING, "no match found")
    site.store.release()
    await site.text("report.1.ended")


async def test_the_walltime_ends_a_job(site: FakeSite) -> None:
    await site.submit(site.request("exec sleep 60", count=1, walltime=timedelta(seconds=1)))
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason) == (JobState.FAILED, "JobDurationExceeded")


async def test_a_job_that_lost_its_machine_is_not_run_again(site: FakeSite) -> None:
    job_id = await site.submit(job := site.request("exec sleep 60", count=1))
    await site.text("report.1.started")
    site.store.lose(int(job_id))
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason) == (JobState.FAILED, "Evicted")
    # HTCondor may have started it before it looks whether it should keep it.
    again = await asyncio.create_subprocess_exec(
        "/bin/sh", job.script_file, env={"HPCDASK_CLUSTER": job_id, "HPCDASK_PROCESS": "0", "PATH": "/usr/bin:/bin"}
    )
    assert await again.wait() == 1
    assert "has started this job again" in await site.text("log.1.log", "again")
    assert not list(site.directory.glob("report.1.ended"))


async def test_what_htcondor_refuses(site: FakeSite) -> None:
    with pytest.raises(BatchRefused, match="No such directory: /nowhere"):
        await site.submit(site.request("true", working_directory=Path("/nowhere")))
    site.store.change(accounts=["group_physics"])
    with pytest.raises(BatchRefused, match="Submit requirement GROUP evaluated to FALSE"):
        await site.submit(site.request("true", account="group_art"))
    site.store.mood("away")
    with pytest.raises(BatchUnreachable, match="Failed to connect"):
        await site.submit(site.request("true"))
    with pytest.raises(BatchUnreachable, match="Failed to connect"):
        await site.query()
    site.store.mood("garbage")
    with pytest.raises(NotUnderstood):
        await site.query()


async def test_the_environment_of_the_submitter_does_not_reach_a_job(
    site: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_PASSPHRASES", "s3cret")
    await site.submit(site.request("env >environment", count=1))
    await site.text("report.1.ended")
    assert "s3cret" not in await site.text("environment")


async def test_an_allocation_runs_on_all_nodes_and_ends_with_the_first(site: FakeSite) -> None:
    first = 'until [ -e task-1 ] && [ -e task-2 ]; do sleep 0.1; done; echo "$A"; exit 3'
    others = 'echo "$A" >"task-$HPCDASK_TASK"; exec sleep 60'
    job = site.request(first, count=1, tasks=Tasks(others, 2), environment={"A": "first\nsecond"})
    await site.submit(job)
    assert "exit=3\n" in await site.text("report.1.ended")
    assert await site.text("task-2") == "first\nsecond\n"
    assert await site.text("log.task-0.log", "second") == "first\nsecond\n"
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason) == (JobState.FAILED, "ExitCode 3")
    assert sorted(path.name for path in site.directory.glob("report.*")) == ["report.1.ended", "report.1.started"]


async def test_a_program_runs_beside_the_scheduler_and_its_exit_code_is_the_jobs(site: FakeSite) -> None:
    job = site.request("exec sleep 60", count=1, tasks=Tasks("exec sleep 60", 1), program="sleep 1; (exit 7)")
    await site.submit(job)
    assert "exit=7\n" in await site.text("report.1.ended")


async def test_cancelling_an_allocation_ends_all_of_it(site: FakeSite) -> None:
    job = site.request("exec sleep 60", count=1, tasks=Tasks('touch "task-$HPCDASK_TASK"; exec sleep 60', 1))
    job_id = await site.submit(job)
    await site.text("task-1")
    await site.text("report.1.started")
    await site.cancel(JobElements(job_id))
    assert re.search(r"exit=(143|0)\n", await site.text("report.1.ended"))


async def test_a_signal_for_the_job_alone_reaches_its_first_task_which_closes_down(site: FakeSite) -> None:
    """With want_graceful_removal, HTCondor sends SIGTERM to the process that it has started and to no other."""
    closing = """sh -c 'trap "sleep 0.5; echo closed; exit 0" TERM; echo up; while :; do sleep 0.1; done'"""
    job = site.request(closing, count=1, tasks=Tasks("exec sleep 60", 1))
    job.script_file.write_text(CONDOR.script(job))
    variables = {"HPCDASK_CLUSTER": "12", "HPCDASK_PROCESS": "0", "HPCDASK_NODE": "0", "PATH": "/usr/bin:/bin"}
    node = await asyncio.create_subprocess_exec("/bin/sh", job.script_file, env=variables, start_new_session=True)
    await site.text("log.task-0.log", "up")
    node.terminate()
    await node.wait()
    assert "closed" in await site.text("log.task-0.log")
    assert "exit=0\n" in await site.text("report.1.ended")


async def test_the_pool_of_the_fake(site: FakeSite) -> None:
    (queue,) = CONDOR.parse_queues(await site.run(CONDOR.queues()))
    assert (queue.nodes, queue.cores, queue.free_cores, queue.free_nodes) == (2, 4, 4, 0)

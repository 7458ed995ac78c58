"""Jobs of a fake OAR: its commands are run as a launcher would run them, and the jobs really run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fake_site import FakeSite

from hpcdask_ext.batch.oar import OARSystem
from hpcdask_ext.batch.records import JobElements, Tasks
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    system = OARSystem(settings=OARSystem.Settings(memory_per_core_property="memcore"))
    directory = tmp_path / "it's a place"
    directory.mkdir()
    fake = FakeSite(system, directory, monkeypatch)
    yield fake
    fake.end()


MEMORY = 2**30


async def test_an_array_runs_and_each_element_has_its_log(site: FakeSite) -> None:
    job_id = await site.submit(site.request('echo "I am $HPCDASK_INDEX"', memory=MEMORY))
    assert job_id == "1001"
    for index in (1, 2, 3):
        assert "exit=0\n" in await site.text(f"report.{index}.ended")
        assert await site.text(f"log.{index}.log") == f"I am {index}\n"
    assert f"job={job_id[:-1]}3\n" in await site.text("report.3.started")
    assert {(one.job_id, one.indexes, one.state) for one in await site.query()} == {
        (job_id, (index,), JobState.ENDED) for index in (1, 2, 3)
    }


async def test_one_element_is_a_job_like_any_other(site: FakeSite) -> None:
    job_id = await site.submit(site.request("(exit 3)", count=1, memory=MEMORY))
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.job_id, status.indexes, status.reason) == (job_id, (1,), "exit_code 768 (3,0,0)")


async def test_the_only_element_is_cancelled_by_its_number_too(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60", count=1, memory=MEMORY))
    await site.text("report.1.started")
    await site.cancel(JobElements(job_id, (1,)))
    assert (await site.status(1, lambda status: status.state.is_final)).reason == "FRAG_JOB_REQUEST"


async def test_elements_are_cancelled_one_by_one(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60", memory=MEMORY))
    for index in (1, 2, 3):
        await site.text(f"report.{index}.started")
    await site.cancel(JobElements(job_id, (2,)))
    assert (await site.status(2, lambda status: status.state.is_final)).reason == "FRAG_JOB_REQUEST"
    assert (await site.status(1, lambda _: True)).state is JobState.RUNNING
    await site.cancel(JobElements(job_id), JobElements("99001"))
    for index in (1, 3):
        assert (await site.status(index, lambda status: status.state.is_final)).state is JobState.ENDED
    await site.cancel(JobElements(job_id))


async def test_a_job_waits_and_says_why(site: FakeSite) -> None:
    site.store.hold("besteffort", "No enough matching resources (no_matching_slot)")
    site.store.change(estimate=1795183975)
    await site.submit(site.request("true", queue="besteffort", count=1, memory=MEMORY))
    status = await site.status(1, lambda _: True)
    assert (status.state, status.reason) == (JobState.PENDING, "No enough matching resources (no_matching_slot)")
    assert status.estimated_start is not None
    site.store.release()
    await site.text("report.1.ended")


async def test_the_walltime_ends_a_job(site: FakeSite) -> None:
    site.store.change(second=0.02)
    await site.submit(site.request("exec sleep 60", count=1, walltime=timedelta(minutes=1), memory=MEMORY))
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason) == (JobState.FAILED, "WALLTIME")


async def test_a_node_that_fails(site: FakeSite) -> None:
    await site.submit(site.request("exec sleep 60", count=1, memory=MEMORY))
    await site.text("report.1.started")
    site.store.lose(1)
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason) == (JobState.FAILED, "EXTERMINATE_JOB")


async def test_a_history_that_was_purged(site: FakeSite) -> None:
    await site.submit(site.request("true", count=1, memory=MEMORY))
    await site.status(1, lambda status: status.state.is_final)
    site.store.forget()
    assert list(await site.query()) == []


async def test_what_oar_refuses(site: FakeSite) -> None:
    with pytest.raises(BatchRefused, match="The queue gold does not exist"):
        await site.submit(site.request("true", queue="gold", memory=MEMORY))
    with pytest.raises(BatchRefused, match="not enough resources"):
        await site.submit(site.request("true", cores=9, memory=MEMORY))
    with pytest.raises(BatchRefused, match="not enough resources"):
        await site.submit(site.request("true", memory=2 * 4097 * 2**20))
    with pytest.raises(BatchRefused, match="Unknown option: nosuch"):
        await site.submit(site.request("true", extra_directives=("--nosuch",), memory=MEMORY))
    site.store.change(accounts=["science"])
    with pytest.raises(BatchRefused, match="you may not use the project gold"):
        await site.submit(site.request("true", account="gold", memory=MEMORY))


async def test_a_database_that_is_away_or_talks_nonsense(site: FakeSite) -> None:
    await site.submit(site.request("exec sleep 60", count=1, memory=MEMORY))
    site.store.mood("away")
    for ask in (site.query(), site.cancel(JobElements("1001"))):
        with pytest.raises(BatchUnreachable, match="DB connection error"):
            await ask
    site.store.mood("garbage", "oarstat")
    with pytest.raises(NotUnderstood):
        await site.query()


async def test_an_allocation_runs_its_tasks_on_all_nodes_and_ends_with_the_first(site: FakeSite) -> None:
    first = 'until [ -e task-1 ] && [ -e task-2 ]; do sleep 0.1; done; echo "$A"; exit 3'
    others = 'echo "$A" >"task-$HPCDASK_TASK"; exec sleep 60'
    tasks = Tasks(others, 2)
    await site.submit(site.request(first, count=1, tasks=tasks, environment={"A": "first\nsecond"}, memory=MEMORY))
    assert "exit=3\n" in await site.text("report.1.ended")
    assert await site.text("task-2") == "first\nsecond\n"
    assert await site.text("log.task-0.log", "second") == "first\nsecond\n"
    assert sorted(arguments[0] for arguments in site.store.calls("oarsh")) == ["node2", "node3"]
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason) == (JobState.FAILED, "exit_code 768 (3,0,0)")


async def test_tasks_share_a_node_that_has_cores_for_them(site: FakeSite) -> None:
    job = site.request(
        "exec sleep 60", count=1, tasks=Tasks('touch "task-$HPCDASK_TASK"; exec sleep 60', 3), memory=MEMORY
    )
    wide = site.system.script(job).replace("/nodes=4/core=2", "/nodes=2/core=5")
    job.script_file.write_text(wide)
    await site.run(site.system.submit(job, wide))
    for task in (1, 2, 3):
        await site.text(f"task-{task}")
    assert sorted(arguments[0] for arguments in site.store.calls("oarsh")) == ["node1", "node2", "node2"]


async def test_too_few_places_are_told_in_the_log(site: FakeSite) -> None:
    job = site.request("sleep 1", count=1, tasks=Tasks("exec sleep 60", 3), memory=MEMORY)
    narrow = site.system.script(job).replace("/nodes=4/core=2", "/nodes=2/core=2")
    job.script_file.write_text(narrow)
    await site.run(site.system.submit(job, narrow))
    assert "OAR has given 1 places instead of 3" in await site.text("log.1.log", "missing")


async def test_a_program_runs_beside_the_scheduler_and_its_exit_code_is_the_jobs(site: FakeSite) -> None:
    tasks = Tasks("exec sleep 60", 1)
    await site.submit(site.request("exec sleep 60", count=1, tasks=tasks, program="sleep 1; (exit 7)", memory=MEMORY))
    assert "exit=7\n" in await site.text("report.1.ended")
    assert (await site.status(1, lambda status: status.state.is_final)).reason == "exit_code 1792 (7,0,0)"


async def test_an_allocation_that_is_cancelled_leaves_no_task(site: FakeSite) -> None:
    job_id = await site.submit(
        site.request("exec sleep 60", count=1, tasks=Tasks("touch there; exec sleep 60", 1), memory=MEMORY)
    )
    await site.text("there")
    await site.cancel(JobElements(job_id))
    assert (await site.status(1, lambda status: status.state.is_final)).state is JobState.ENDED
    await asyncio.sleep(0.2)


async def test_queues_of_the_fake(site: FakeSite) -> None:
    await site.submit(site.request("exec sleep 60", memory=MEMORY))
    await site.text("report.1.started")
    default, besteffort = site.system.parse_queues(await site.run(site.system.queues()))
    assert (default.cores, default.nodes, default.memory) == (8, 3, 8 * 4096 * 2**20)
    assert (default.running_jobs, besteffort.running_jobs) == (3, 0)

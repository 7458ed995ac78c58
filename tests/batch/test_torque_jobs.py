"""Jobs of a fake Torque, and of a fake Moab above it: their commands are run as a launcher would, and the jobs run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fake_site import FakeSite

from hpcdask_ext.batch.records import JobElements, Tasks
from hpcdask_ext.batch.torque import MoabSystem, TorqueSystem
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood


@pytest.fixture(params=[TorqueSystem, MoabSystem], ids=lambda cls: cls.name)
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    directory = tmp_path / "it's a place"
    directory.mkdir()
    fake = FakeSite(request.param(), directory, monkeypatch)
    yield fake
    fake.end()


def is_moab(site: FakeSite) -> bool:
    return site.system.name == "moab"


async def test_an_array_runs_and_each_element_has_its_log(site: FakeSite) -> None:
    job_id = await site.submit(site.request('echo "I am $HPCDASK_INDEX"'))
    assert job_id == ("Moab.1[]" if is_moab(site) else "1[].server.example.org")
    for index in (1, 2, 3):
        assert "exit=0\n" in await site.text(f"report.{index}.ended")
        assert await site.text(f"log.{index}.log") == f"I am {index}\n"
    await site.status(3, lambda status: status.state.is_final)
    assert {(one.job_id, one.name, one.indexes, one.state) for one in await site.query()} == {
        (job_id, "hpcdask-k3x9-workers-1", (index,), JobState.ENDED) for index in (1, 2, 3)
    }


async def test_one_element_is_no_array(site: FakeSite) -> None:
    job_id = await site.submit(site.request("(exit 3)", count=1))
    status = await site.status(1, lambda status: status.state.is_final)
    reason = "CompletionCode 3" if is_moab(site) else "exit_status 3"
    assert (status.job_id, status.indexes, status.reason) == (job_id, None, reason)


async def test_the_only_element_is_cancelled_by_its_number_too(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60", count=1))
    await site.text("report.1.started")
    await site.cancel(JobElements(job_id, (1,)))
    assert "exit=143\n" in await site.text("report.1.ended")


async def test_elements_are_cancelled_one_by_one(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60"))
    for index in (1, 2, 3):
        await site.text(f"report.{index}.started")
    await site.cancel(JobElements(job_id, (2,)))
    assert (await site.status(2, lambda status: status.state.is_final)).state is JobState.ENDED
    assert (await site.status(1, lambda _: True)).state is JobState.RUNNING
    await site.cancel(JobElements(job_id), JobElements("Moab.99" if is_moab(site) else "99.server.example.org"))
    for index in (1, 3):
        assert (await site.status(index, lambda status: status.state.is_final)).state is JobState.ENDED
        assert "exit=143\n" in await site.text(f"report.{index}.ended")
    await site.cancel(JobElements(job_id))


async def test_a_job_waits_and_says_why(site: FakeSite) -> None:
    reason = "IdlePolicy" if is_moab(site) else "Not Running: User has reached server running job limit."
    site.store.hold("long", reason)
    await site.submit(site.request("true", queue="long", count=1))
    status = await site.status(1, lambda _: True)
    assert (status.state, status.reason) == (JobState.PENDING, reason)
    assert "Waiting for your other jobs to end" in site.system.explain(reason)
    site.store.release()
    await site.text("report.1.ended")


async def test_the_walltime_ends_a_job(site: FakeSite) -> None:
    site.store.change(second=0.02)
    await site.submit(site.request("exec sleep 60", count=1, walltime=timedelta(minutes=1)))
    status = await site.status(1, lambda status: status.state.is_final)
    assert status.state is JobState.FAILED
    assert {status.reason} == type(site.system).WALLTIME_REASONS


async def test_a_node_that_fails(site: FakeSite) -> None:
    await site.submit(site.request("exec sleep 60", count=1))
    await site.text("report.1.started")
    site.store.lose(1)
    status = await site.status(1, lambda status: status.state.is_final)
    assert status.state is JobState.FAILED
    assert status.reason in ("JOB_EXEC_FAIL1", "CompletionCode -1")


async def test_a_history_that_was_purged(site: FakeSite) -> None:
    await site.submit(site.request("true", count=1))
    await site.status(1, lambda status: status.state.is_final)
    site.store.forget()
    assert list(await site.query()) == []
    site.store.change(shows_empty=False)
    assert list(await site.query()) == []


async def test_what_is_refused(site: FakeSite) -> None:
    with pytest.raises(BatchRefused, match="requested queue not found: gold"):
        await site.submit(site.request("true", queue="gold"))
    with pytest.raises(BatchRefused, match="cannot satisfy queue max walltime requirement"):
        await site.submit(site.request("true", walltime=timedelta(days=2)))
    with pytest.raises(BatchRefused, match="cannot locate feasible nodes"):
        await site.submit(site.request("true", cores=9))
    site.store.change(accounts=["science"])
    with pytest.raises(BatchRefused, match="Invalid Account"):
        await site.submit(site.request("true", account="gold"))


async def test_a_server_that_is_away_or_talks_nonsense(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60", count=1))
    site.store.mood("away")
    for ask in (site.query(), site.cancel(JobElements(job_id)), site.submit(site.request("true"))):
        with pytest.raises(BatchUnreachable, match=r"cannot connect|client timed out"):
            await ask
    site.store.mood("garbage", "showq" if is_moab(site) else "qstat")
    with pytest.raises(NotUnderstood):
        await site.query()


async def test_an_allocation_runs_its_tasks_on_all_nodes_and_ends_with_the_first(site: FakeSite) -> None:
    first = 'until [ -e task-1 ] && [ -e task-2 ]; do sleep 0.1; done; echo "$A"; exit 3'
    others = 'echo "$FAKE_NODE $A" >"task-$HPCDASK_TASK"; exec sleep 60'
    site.store.change(nodes={"n1": 2, "n2": 2, "n3": 2})
    await site.submit(site.request(first, count=1, tasks=Tasks(others, 2), environment={"A": "first\nsecond"}))
    assert "exit=3\n" in await site.text("report.1.ended")
    assert await site.text("task-2") == "n3 first\nsecond\n"
    assert await site.text("log.task-0.log", "second") == "first\nsecond\n"
    assert sorted(arguments[1] for arguments in site.store.calls("pbsdsh")) == ["3", "5"]
    assert (await site.status(1, lambda status: status.state.is_final)).state is JobState.FAILED


async def test_tasks_may_share_a_node(site: FakeSite) -> None:
    others = 'echo "$FAKE_NODE" >"task-$HPCDASK_TASK"; exec sleep 60'
    await site.submit(site.request("exec sleep 60", count=1, tasks=Tasks(others, 5)))
    nodes = [await site.text(f"task-{task}", "n") for task in (1, 2, 3, 4, 5)]
    assert sorted(nodes) == ["n1\n", "n1\n", "n1\n", "n2\n", "n2\n"]
    assert len({arguments[1] for arguments in site.store.calls("pbsdsh")}) == 5


async def test_a_program_runs_beside_the_scheduler_and_its_exit_code_is_the_jobs(site: FakeSite) -> None:
    tasks = Tasks("exec sleep 60", 1)
    await site.submit(site.request("exec sleep 60", count=1, tasks=tasks, program="sleep 1; (exit 7)"))
    assert "exit=7\n" in await site.text("report.1.ended")


async def test_an_allocation_that_is_cancelled_leaves_no_task(site: FakeSite) -> None:
    command = "trap 'echo ended >over; exit 0' TERM; touch there; while :; do sleep 0.1; done"
    job_id = await site.submit(site.request("exec sleep 60", count=1, tasks=Tasks(f"({command})", 1)))
    await site.text("there")
    await site.cancel(JobElements(job_id))
    assert await site.text("over", "ended") == "ended\n"
    assert (await site.status(1, lambda status: status.state.is_final)).state is JobState.ENDED


async def test_queues_of_the_fake(site: FakeSite) -> None:
    await site.submit(site.request("exec sleep 60"))
    await site.text("report.1.started")
    batch, long = site.system.parse_queues(await site.run(site.system.queues()))
    assert (batch.name, batch.is_default, batch.cores, batch.nodes) == ("batch", True, 8, 3)
    assert (batch.memory, batch.walltime, long.running_jobs) == (65938632 * 2**10, timedelta(days=1), 0)
    assert batch.running_jobs == 3


async def test_an_estimate_of_the_fake_moab(site: FakeSite) -> None:
    job = site.request("true", tasks=Tasks("true", 2), count=1)
    command = site.system.estimate(job, site.system.script(job))
    if not is_moab(site):
        assert command is None
        return
    assert site.system.parse_estimate(await site.run(command)) is not None
    assert site.store.calls("showstart") == [["6@01:00:00"]]
    site.store.change(estimate="")
    assert site.system.parse_estimate(await site.run(command)) is None

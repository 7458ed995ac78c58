"""Jobs that a fake LSF really runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from fake_site import FakeSite

from hpcdask_ext.batch.lsf import LSFSettings, LSFSystem
from hpcdask_ext.batch.records import JobElements, Tasks
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable

LSF = LSFSystem()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    site = FakeSite(LSF, tmp_path, monkeypatch)
    yield site
    site.end()


async def test_elements_run_and_report(site: FakeSite) -> None:
    job_id = await site.submit(site.request('echo "I am $HPCDASK_INDEX"; exit $((HPCDASK_INDEX - 1))', count=2))
    assert f"job={job_id}[2]\n" in await site.text("report.2.started")
    assert "exit=1\n" in await site.text("report.2.ended")
    assert await site.text("log.1.log", "\n") == "I am 1\n"
    assert (await site.status(1, lambda status: status.state is JobState.ENDED)).reason == ""
    assert (await site.status(2, lambda status: status.state is JobState.FAILED)).reason == "EXIT"


async def test_one_element_can_be_cancelled(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60", count=2))
    await site.text("report.1.started")
    await site.text("report.2.started")
    await site.cancel(JobElements(job_id, (2,)))
    assert "exit=143\n" in await site.text("report.2.ended")
    cancelled = await site.status(2, lambda status: status.state is JobState.ENDED)
    assert (cancelled.reason, cancelled.node) == ("TERM_OWNER", "n1")
    assert (await site.status(1, lambda _: True)).state is JobState.RUNNING
    await site.cancel(JobElements(job_id), JobElements("99"))
    assert "exit=143\n" in await site.text("report.1.ended")


async def test_a_job_waits_and_says_why(site: FakeSite) -> None:
    site.store.hold("bigmem", "Job slot limit reached: 40 hosts")
    site.store.change(estimate="Nov 20 15:04 2026")
    await site.submit(site.request("true", count=1, queue="bigmem"))
    status = await site.status(1, lambda _: True)
    assert (status.state, status.reason) == (JobState.PENDING, "Job slot limit reached: 40 hosts")
    assert status.estimated_start is not None
    site.store.release()
    await site.text("report.1.ended")


async def test_the_walltime_ends_a_job(site: FakeSite) -> None:
    site.store.change(minute=0.5)
    await site.submit(site.request("exec sleep 60", count=1, walltime=timedelta(minutes=1)))
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason) == (JobState.FAILED, "TERM_RUNLIMIT")


async def test_a_job_whose_node_failed_is_unknown_until_lsf_forgets_it(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60", count=1))
    await site.text("report.1.started")
    site.store.lose(int(job_id))
    status = await site.status(1, lambda status: status.state is JobState.UNKNOWN)
    assert (status.reason, status.node) == ("UNKWN", "n1")
    site.store.forget()
    assert list(await site.query()) == []


def signal_all(mark: str, number: int) -> None:
    """Signal every process that a fake has marked as one of a job's."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"={mark}\0".encode() in (entry / "environ").read_bytes():
                os.kill(int(entry.name), number)


@pytest.mark.parametrize("tasks", [None, Tasks("exec sleep 60", 1)], ids=["element", "allocation"])
async def test_at_the_walltime_a_job_is_asked_to_close_down(site: FakeSite, tasks: Tasks | None) -> None:
    """LSF sends SIGUSR2 to all processes of a job ten minutes before it kills them."""
    await site.submit(site.request("sh -c 'trap \"exit 5\" TERM; touch there; sleep 60 & wait'", count=1, tasks=tasks))
    await site.text("there")
    signal_all(f"{site.store.root}:1:1", signal.SIGUSR2)
    assert "exit=5\n" in await site.text("report.1.ended")


async def test_what_lsf_refuses(site: FakeSite) -> None:
    with pytest.raises(BatchRefused, match="gold: No such queue"):
        await site.submit(site.request("true", queue="gold"))
    with pytest.raises(BatchRefused, match="RUNLIMIT: Cannot exceed queue's hard limit"):
        await site.submit(site.request("true", walltime=timedelta(days=2)))
    site.store.mood("away")
    with pytest.raises(BatchUnreachable, match="LSF is down"):
        await site.submit(site.request("true"))
    site.store.mood(None)
    assert list(await site.query()) == []


async def test_the_secrets_of_the_submitter_do_not_reach_a_job(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_PASSPHRASES", "s3cret")
    await site.submit(site.request("env >environment", count=1))
    await site.text("report.1.ended")
    assert "s3cret" not in await site.text("environment")


async def test_an_allocation_runs_its_tasks_on_all_hosts_and_ends_with_the_first(site: FakeSite) -> None:
    first = 'until [ -e task-1 ] && [ -e task-2 ]; do sleep 0.1; done; echo "$A"; exit 3'
    others = 'echo "$A" >"task-$HPCDASK_TASK"; exec sleep 60'
    job = site.request(first, count=1, tasks=Tasks(others, 2), environment={"A": "first\nsecond"})
    await site.submit(job)
    assert "exit=3\n" in await site.text("report.1.ended")
    assert await site.text("task-2") == "first\nsecond\n"
    assert await site.text("log.task-0.log", "second") == "first\nsecond\n"
    hosts = [arguments[2] for arguments in site.store.calls("blaunch")]
    assert sorted(hosts) == ["n2", "n3"]
    assert (await site.status(1, lambda status: status.state.is_final)).state is JobState.FAILED


async def test_tasks_share_a_host_that_has_slots_for_them(site: FakeSite) -> None:
    job = site.request("exec sleep 60", count=1, tasks=Tasks('touch "task-$HPCDASK_TASK"; exec sleep 60', 3))
    wide = LSF.script(job).replace("ptile=2", "ptile=4")
    job.script_file.write_text(wide)
    await site.run(LSF.submit(job, wide))
    for task in (1, 2, 3):
        await site.text(f"task-{task}")
    assert sorted(arguments[2] for arguments in site.store.calls("blaunch")) == ["n1", "n2", "n2"]


async def test_a_program_runs_beside_the_scheduler_and_its_exit_code_is_the_jobs(site: FakeSite) -> None:
    job = site.request("exec sleep 60", count=1, tasks=Tasks("exec sleep 60", 1), program="sleep 1; (exit 7)")
    await site.submit(job)
    assert "exit=7\n" in await site.text("report.1.ended")


async def test_queues_and_groups_of_the_fake(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    (default, bigmem) = LSF.parse_queues(await site.run(LSF.queues()))
    assert (default.name, default.is_default, bigmem.name) == ("normal", True, "bigmem")
    assert default.walltime == timedelta(days=1)
    groups = LSFSystem(settings=LSFSettings(account="group"))
    assert groups.parse_accounts(await site.run(groups.accounts())) == ["everybody"]

"""What goes wrong with jobs, over every fake batch system: each says so in its own words and in ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fake_site import FakeSite

from hpcdask_ext.batch import batch_system
from hpcdask_ext.batch.records import JobElements
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

# Slurm and Grid Engine are real in other tests.
FAKES = ("pbs", "torque", "moab", "lsf", "oar", "htcondor")
SETTINGS = {"lsf": {"account": "group"}, "htcondor": {"queue_attribute": "JobFlavour"}}
MEMORY = 2**30


@pytest.fixture(params=FAKES)
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    system = batch_system(request.param)
    site = FakeSite(system(None, system.Settings(**SETTINGS.get(request.param, {}))), tmp_path, monkeypatch)
    yield site
    site.end()


async def running(site: FakeSite, **changes: object) -> str:
    """Submit a job of one element and return its id when that runs."""
    job_id = await site.submit(site.request("exec sleep 60", count=1, memory=MEMORY, **changes))
    await site.text("report.1.started")
    return job_id


async def test_a_queue_that_was_removed_is_refused_in_the_batch_systems_words(site: FakeSite) -> None:
    queue = site.store.settings["queues"][0]
    await site.submit(site.request("true", count=1, memory=MEMORY, queue=queue))
    site.store.change(queues=site.store.settings["queues"][1:])
    with pytest.raises(BatchRefused, match=r"did not accept the job: .*(?i:queue)"):
        await site.submit(site.request("true", count=1, memory=MEMORY, queue=queue))


async def test_an_account_that_was_not_granted_is_refused(site: FakeSite) -> None:
    site.store.change(accounts=["science"])
    await site.submit(site.request("true", count=1, memory=MEMORY, account="science"))
    with pytest.raises(BatchRefused, match=r"did not accept the job: .*(?i:account|group|project)"):
        await site.submit(site.request("true", count=1, memory=MEMORY, account="gold"))


@pytest.mark.parametrize("site", [name for name in FAKES if name not in ("oar", "htcondor")], indirect=True)
async def test_a_walltime_over_the_limit_is_refused(site: FakeSite) -> None:
    """OAR and HTCondor have no such limits, unless a centre writes rules of its own."""
    with pytest.raises(BatchRefused, match=r"did not accept the job: .*(?i:limit)"):
        await site.submit(site.request("true", count=1, memory=MEMORY, walltime=timedelta(days=20)))


async def test_a_job_that_reaches_its_walltime_says_so(site: FakeSite) -> None:
    site.store.change(second=0.02, minute=1)
    await site.submit(site.request("exec sleep 60", count=1, memory=MEMORY, walltime=timedelta(seconds=1)))
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason in site.system.WALLTIME_REASONS) == (JobState.FAILED, True)
    assert "reached its walltime" in site.system.explain(status.reason)


async def test_a_node_that_fails_is_told(site: FakeSite) -> None:
    await running(site)
    (element,) = site.store.elements()
    site.store.lose(element.number)
    status = await site.status(1, lambda status: status.state is not JobState.RUNNING)
    assert status.state in (JobState.FAILED, JobState.UNKNOWN)
    assert not site.system.explain(status.reason).startswith("Waiting")
    assert status.reason in site.system.explain(status.reason)


async def test_a_job_that_nobody_knows_any_more_is_not_listed_and_can_be_cancelled(site: FakeSite) -> None:
    job_id = await site.submit(site.request("true", count=1, memory=MEMORY))
    await site.status(1, lambda status: status.state.is_final)
    await site.cancel(JobElements(job_id))
    site.store.forget()
    assert list(await site.query()) == []
    await site.cancel(JobElements(job_id), JobElements(job_id, (1,)))


async def test_a_daemon_that_is_away_is_not_an_end(site: FakeSite) -> None:
    job_id = await running(site)
    site.store.mood("away")
    for ask in (site.query, lambda: site.cancel(JobElements(job_id)), lambda: site.submit(site.request("true"))):
        with pytest.raises(BatchUnreachable):
            await ask()
    site.store.mood(None)
    assert [status.state for status in await site.query()] == [JobState.RUNNING]


async def test_garbage_is_not_an_end(site: FakeSite) -> None:
    await running(site)
    site.store.mood("garbage")
    for ask in (site.query, lambda: site.submit(site.request("true"))):
        with pytest.raises(NotUnderstood):
            await ask()
    queues = site.system.queues()
    assert queues is not None
    with pytest.raises(NotUnderstood):
        site.system.parse_queues(await site.run(queues))

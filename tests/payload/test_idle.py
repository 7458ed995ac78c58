"""A scheduler ends by itself once nobody has used it for long enough, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio
from distributed import Client, Scheduler, fire_and_forget, worker_client

from hpcdask_ext.clusters.groups import FixedScaling
from hpcdask_ext.clusters.reach import own_endpoint
from hpcdask_ext.clusters.reports import read_reports
from hpcdask_ext.clusters.scheduler_api import SchedulerAPI
from hpcdask_ext.payload import idle_preload
from tests.waiting import until

from .conftest import RealCluster, make_cluster
from .test_gate import security_of

TIMEOUT = timedelta(seconds=4)


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[RealCluster]:
    """Return a cluster that was launched without workers, and has not been started yet."""
    made = make_cluster(tmp_path)
    (tmp_path / "reports").mkdir()
    made.record = made.record.model_copy(update={"idle_timeout": TIMEOUT})
    made.record = made.record.with_group("workers", scaling=FixedScaling(workers=0))
    try:
        yield made
    finally:
        made.end()


@pytest_asyncio.fixture
async def api(launched: RealCluster) -> AsyncIterator[SchedulerAPI]:
    """Return a connection to the cluster's scheduler, which has just started."""
    await asyncio.to_thread(launched.start_scheduler)
    api = SchedulerAPI(own_endpoint(launched.address.dashboard, launched.credentials))
    yield api
    await api.aclose()


def connect(cluster: RealCluster) -> Client:
    return Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True)


async def ends(cluster: RealCluster) -> int:
    """Wait until the scheduler has ended; return its exit code."""

    async def code() -> int | None:
        return cluster.started[0].poll()

    return await until(code, lambda value: value is not None, 60) or 0


def is_running(cluster: RealCluster) -> bool:
    return cluster.started[0].poll() is None


@pytest.mark.usefixtures("api")
async def test_it_ends_by_itself_and_leaves_word_why(launched: RealCluster) -> None:
    assert await ends(launched) == 0
    report = read_reports(launched.record.directory)["scheduler", 1]
    assert report.idle == TIMEOUT.total_seconds()
    assert not list((launched.record.directory / "reports").glob("*.new"))


async def test_its_workers_end_with_it(launched: RealCluster, api: SchedulerAPI) -> None:
    (worker,) = launched.start_workers("workers-1", (1,))
    await until(api.status, lambda status: status.workers == 1)
    await ends(launched)

    async def is_over() -> bool:
        return worker.poll() is not None

    assert await until(is_over)


async def test_a_client_keeps_it_and_how_long_it_has_been_idle_is_told(
    launched: RealCluster, api: SchedulerAPI
) -> None:
    idle = await until(api.status, lambda status: status.idle_since)
    async with connect(launched):
        assert (await api.status()).idle_since is None
        waiting = asyncio.create_task(api.status((await api.status()).version))
        await asyncio.sleep(TIMEOUT.total_seconds() + 2)
        assert is_running(launched)
        assert not waiting.done(), "nothing has changed, so nobody was told anything"
    left = datetime.now(timezone.utc)
    again = await until(api.status, lambda status: status.idle_since)
    assert again.version > idle.version + 1
    assert abs(again.idle_since - left) < timedelta(seconds=3)
    await ends(launched)


async def test_a_task_keeps_it_without_any_client(launched: RealCluster, api: SchedulerAPI) -> None:
    """Neither who waits for a worker nor who asks others for help needs a client that stays."""

    def work(seconds: float) -> None:
        import time

        with worker_client() as client:
            assert client.submit(sum, [1, 2]).result() == 3
        time.sleep(seconds)

    async with connect(launched) as client:
        fire_and_forget(client.submit(work, TIMEOUT.total_seconds() + 3))
        await until(api.status, lambda status: status.clients == 1)
    await asyncio.sleep(TIMEOUT.total_seconds() + 2)
    assert is_running(launched), "the task waits for a worker"
    launched.start_workers("workers-1", (1,))
    await until(api.status, lambda status: status.workers == 1)
    await asyncio.sleep(TIMEOUT.total_seconds() + 1)
    assert is_running(launched), "the task runs"
    assert (await api.status()).clients == 0, "that of the task is nobody's"
    await ends(launched)


async def test_who_keeps_it_begins_its_time_anew(launched: RealCluster, api: SchedulerAPI) -> None:
    seen = await until(api.status, lambda status: status.idle_since)
    deadline = asyncio.get_running_loop().time() + TIMEOUT.total_seconds() + 3
    waiting = asyncio.create_task(api.status(seen.version))
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(1)
        kept = await api.keep()
        assert kept is not None
        assert kept > datetime.now(timezone.utc) - timedelta(seconds=1)
    assert (await waiting).version > seen.version, "another server is told, too"
    assert is_running(launched)
    await ends(launched)


async def test_one_that_waits_for_its_workers_is_not_idle_before_they_come(launched: RealCluster) -> None:
    launched.record = launched.record.with_group("workers", scaling=FixedScaling(workers=1))
    await asyncio.to_thread(launched.start_scheduler)
    with suppress(asyncio.TimeoutError, TimeoutError):
        await asyncio.wait_for(ends(launched), TIMEOUT.total_seconds() + 3)
    assert is_running(launched), "its workers may be queued for hours"
    launched.start_workers("workers-1", (1,))
    await ends(launched)


async def test_one_that_is_told_that_no_workers_are_wanted_does_not_wait_for_any(launched: RealCluster) -> None:
    launched.record = launched.record.with_group("workers", scaling=FixedScaling(workers=1))
    await asyncio.to_thread(launched.start_scheduler)
    endpoint = own_endpoint(launched.address.dashboard, launched.credentials)
    fewer, more = (SchedulerAPI(endpoint, {"wanted": wanted}) for wanted in "01")
    try:
        assert (await more.status()).idle_since is None
        await until(fewer.status, lambda status: status.idle_since)
        assert (await more.status()).idle_since is None, "now they may be queued for hours"
        await fewer.status()
        await ends(launched)
    finally:
        await asyncio.gather(fewer.aclose(), more.aclose())


async def test_workers_that_have_not_come_in_a_week_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = SimpleNamespace(bump=lambda: None, clients=list)
    variables = {"HPCDASK_IDLE_TIMEOUT": "60", "HPCDASK_IDLE_REPORT": "/", "HPCDASK_AWAITS_WORKERS": "1"}
    clock = [0.0]
    monkeypatch.setattr(idle_preload, "monotonic", lambda: clock[-1])
    async with Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as scheduler:
        idleness = idle_preload.Idleness(scheduler, watch, variables)
        idleness.look()  # what the scheduler did until now counts as use
        seen = []
        for seconds in (100, 7 * 86400 - 5, 7 * 86400 + 5):
            clock.append(seconds)
            idleness.look()
            seen.append(idleness.seconds())
        assert seen == [None, None, 10]

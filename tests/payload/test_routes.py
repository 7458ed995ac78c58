"""What a scheduler with our preload tells, and how it lets workers go: asked through our own client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from importlib import metadata

import pytest_asyncio
from distributed import Client

from hpcdask_ext.clusters.reach import own_endpoint
from hpcdask_ext.clusters.scheduler_api import Retired, SchedulerAPI, SchedulerStatus
from hpcdask_ext.sites.versions import differences
from tests.waiting import until

from .conftest import RealCluster
from .test_gate import security_of

GRACE = 0.5
"""Seconds in which an answer that must not come would have come."""


@pytest_asyncio.fixture
async def api(cluster: RealCluster) -> AsyncIterator[SchedulerAPI]:
    api = SchedulerAPI(own_endpoint(cluster.address.dashboard, cluster.credentials))
    yield api
    await api.aclose()


def connect(cluster: RealCluster) -> Client:
    return Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True)


async def follow(api: SchedulerAPI, workers: int) -> SchedulerStatus:
    """Wait as a watch does, from change to change, until there are so many workers."""
    status = await api.status()
    while status.workers != workers:
        status = await asyncio.wait_for(api.status(status.version), 40)
    return status


async def test_a_look_waits_until_a_client_comes_or_goes_and_no_longer(cluster: RealCluster, api: SchedulerAPI) -> None:
    before = await api.status()
    waiting = asyncio.create_task(api.status(before.version))
    await asyncio.sleep(GRACE)
    assert not waiting.done(), "nothing has changed yet"
    async with connect(cluster):
        came = await asyncio.wait_for(waiting, 5)
        assert (came.clients, came.workers) == (before.clients + 1, before.workers)
        assert came.version > before.version
        waiting = asyncio.create_task(api.status(came.version))
        await asyncio.sleep(GRACE)
        assert not waiting.done()
    left = await asyncio.wait_for(waiting, 5)
    assert left.clients == before.clients


async def test_a_look_with_an_old_version_is_answered_at_once(api: SchedulerAPI) -> None:
    now = await api.status()
    start = time.monotonic()
    assert await api.status(now.version - 1) == now
    assert await api.status(now.version + 1) == now, "a version of an earlier scheduler"
    assert time.monotonic() - start < 5


async def test_a_fire_and_forget_task_is_no_client(cluster: RealCluster, api: SchedulerAPI) -> None:
    from distributed import fire_and_forget

    clients = (await api.status()).clients
    async with connect(cluster) as client:
        fire_and_forget(client.submit(sum, [1, 2]))
        assert (await until(api.status, lambda status: status.clients)).clients == clients + 1


async def test_versions_are_told_of_each_role_and_only_of_those_who_are_there(
    cluster: RealCluster, api: SchedulerAPI
) -> None:
    dask = (metadata.version("dask"),)
    before = (await api.status()).packages
    assert before["scheduler"]["dask"] == dask
    assert before["scheduler"]["python"] == (".".join(map(str, sys.version_info)),)
    assert (before["workers"], before["clients"]) == ({}, {})
    cluster.start_workers("versions", (1, 2))
    await follow(api, 2)
    async with connect(cluster):
        status = await until(api.status, lambda status: status.clients == 1)
    assert status.packages["scheduler"] == before["scheduler"]
    assert status.packages["workers"] == status.packages["clients"] == before["scheduler"]
    assert differences(status.packages) == ()
    await api.retire("", 2, 1)
    assert (await until(api.status, lambda status: not status.workers)).packages["workers"] == {}


async def test_the_least_busy_worker_is_retired_its_data_stays_and_its_process_ends(
    cluster: RealCluster, api: SchedulerAPI
) -> None:
    processes = cluster.start_workers("single", (1, 2))
    status = await follow(api, 2)
    assert (status.nthreads, status.memory_limit) == (2, 2 * 2**28)
    async with connect(cluster) as client:
        names = {name: address for address, name in (await client.run(lambda dask_worker: dask_worker.name)).items()}
        first, second = (f"{cluster.name('single')}-{index}" for index in (1, 2))
        assert set(names) == {first, second}
        heavy = await client.scatter(b"x" * 10**6, workers=[names[first]], hash=False)
        light = await client.scatter(b"kept", workers=[names[second]], hash=False)
        assert await api.retire("", 1, 1) == Retired((second,))
        assert await client.gather([light, heavy]) == [b"kept", b"x" * 10**6]
    assert await ends(processes[1]) == 0
    assert processes[0].poll() is None
    await follow(api, 1)
    assert await api.retire("", 5, 1, keep=1) == Retired(()), "no more than may go"
    assert await api.retire("", 5, 1) == Retired((first,)), "no more than there are"
    await follow(api, 0)
    assert await api.retire("", 1, 1) == Retired(())


async def test_a_worker_whose_data_has_no_other_place_is_kept(cluster: RealCluster, api: SchedulerAPI) -> None:
    (process,) = cluster.start_workers("single", (1,))
    await follow(api, 1)
    name = f"{cluster.name('single')}-1"
    async with connect(cluster) as client:
        kept = await client.scatter(b"kept", hash=False)
        assert await api.retire("", 1, 1) == Retired((), (name,))
        assert await client.gather(kept) == b"kept"
        assert await client.submit(len, kept) == 4, "it goes on working"
    assert process.poll() is None
    assert await api.retire("", 1, 1) == Retired((name,))


async def test_of_jobs_with_several_workers_whole_jobs_are_retired(cluster: RealCluster, api: SchedulerAPI) -> None:
    processes = cluster.start_workers("pair", (1, 2), per_job=2)
    await follow(api, 4)
    names = set((await api.retire("", 1, 2)).names)
    pairs = [{f"{cluster.name('pair')}-{index}-{number}" for number in (0, 1)} for index in (1, 2)]
    assert names in pairs
    assert await ends(processes[pairs.index(names)]) == 0
    assert processes[1 - pairs.index(names)].poll() is None


async def ends(process: subprocess.Popen[bytes]) -> int:
    """Wait until a process has ended by itself; return its exit code."""

    async def code() -> int | None:
        return process.poll()

    found = await until(code, lambda value: value is not None, 20)
    assert found is not None
    return found

"""How many workers the work in a real scheduler could use, as an adaptive cluster asks for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from operator import attrgetter

import dask
import pytest_asyncio
from distributed import Client, Scheduler

from hpcdask_ext.clusters.reach import own_endpoint
from hpcdask_ext.clusters.scheduler_api import SchedulerAPI
from hpcdask_ext.payload import adaptive_preload
from tests.waiting import until

from .conftest import RealCluster, make_cluster
from .test_gate import security_of

GRACE = 1.5
"""Seconds in which an answer that must not come would have come: longer than it takes to look again."""

AskFor = Callable[..., SchedulerAPI]


def group(cores: int = 1, most: int = 100, **resources: float) -> dict[str, object]:
    return {"cores": cores, "most": most, "resources": resources}


@pytest_asyncio.fixture
async def ask_for(cluster: RealCluster) -> AsyncIterator[AskFor]:
    """Return a maker of connections that ask for the wishes of groups."""
    made = []

    def make(**groups: object) -> SchedulerAPI:
        endpoint = own_endpoint(cluster.address.dashboard, cluster.credentials)
        made.append(SchedulerAPI(endpoint, {"adaptive": json.dumps(groups)} if groups else {}))
        return made[-1]

    yield make
    for api in made:
        await api.aclose()


@pytest_asyncio.fixture
async def client(cluster: RealCluster) -> AsyncIterator[Client]:
    client = Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True)
    async with client:
        yield client


async def wishes(api: SchedulerAPI, **expected: int) -> None:
    """Wait as a watch does, from change to change, until the wishes are those expected."""
    status = await api.status()
    while status.wishes != expected:
        status = await asyncio.wait_for(api.status(status.version), 40)


async def test_tasks_without_a_worker_are_a_wish_in_workers_and_a_held_request_is_answered(client, ask_for):
    api = ask_for(workers=group(cores=4))
    before = await api.status()
    assert before.wishes == {"workers": 0}
    waiting = asyncio.create_task(api.status(before.version))
    await asyncio.sleep(GRACE)
    assert not waiting.done(), "nothing has changed yet"
    futures = client.map(lambda x: x, range(200), pure=False)  # of 0.5 s each, as far as is known; 5 s are the aim
    assert (await asyncio.wait_for(waiting, 10)).wishes["workers"] > 0
    await wishes(api, workers=5)  # 200 * 0.5 / 5 = 20 threads
    await client.cancel(futures)
    await wishes(api, workers=0)


async def test_nothing_is_looked_at_while_nobody_asks(tmp_path):
    cluster = make_cluster(tmp_path)
    try:
        await asyncio.to_thread(cluster.start_scheduler)
        api = SchedulerAPI(own_endpoint(cluster.address.dashboard, cluster.credentials))
        security = security_of(cluster.credentials)
        async with Client(cluster.address.comm, security=security, asynchronous=True) as client:
            before = await until(api.status, attrgetter("clients"))
            waiting = asyncio.create_task(api.status(before.version))
            futures = client.map(lambda x: x, range(50), pure=False)
            await asyncio.sleep(GRACE)
            assert not waiting.done()
            waiting.cancel()
            await client.cancel(futures)
        await api.aclose()
    finally:
        cluster.end()


async def test_there_is_no_news_above_the_maximum(client, ask_for):
    api = ask_for(workers=group(most=3))
    futures = client.map(lambda x: x, range(100), pure=False)
    await wishes(api, workers=3)
    status = await until(api.status, attrgetter("clients"))
    waiting = asyncio.create_task(api.status(status.version))
    more = client.map(lambda x: x, range(100), pure=False)
    await asyncio.sleep(GRACE)
    assert not waiting.done()
    waiting.cancel()
    await client.cancel([*futures, *more])


async def test_workers_that_are_busy_are_wished_for_and_idle_ones_are_not(cluster, client, ask_for):
    cluster.start_workers("workers-1", (1, 2))
    await client.wait_for_workers(2)
    api = ask_for(workers=group())
    await wishes(api, workers=0)

    async def wait() -> None:
        await asyncio.sleep(60)

    future = client.submit(wait)
    await wishes(api, workers=1)
    await client.cancel(future, force=True)


async def test_tasks_that_ask_for_a_resource_are_the_wish_of_the_group_that_offers_it(client, ask_for):
    api = ask_for(workers=group(), gpu=group(cores=4, GPU=2, gpu=4))
    await wishes(api, workers=0, gpu=0)
    with dask.annotate(resources={"GPU": 1}):
        some = client.map(lambda x: x, range(60), pure=False)
    await wishes(api, workers=0, gpu=3)  # 60 tasks of 0.5 s, two at once, in 5 s
    with dask.annotate(resources={"gpu": 4}):
        others = client.map(lambda x: x, range(20), pure=False)
    await wishes(api, workers=0, gpu=5)  # and 20, one at once
    await client.cancel([*some, *others])


async def test_tasks_that_ask_for_the_group_of_all_others_are_not_left_to_another(cluster, client, ask_for):
    cluster.start_workers("gpu-1", (1,))
    await client.wait_for_workers(1)
    api = ask_for(workers=group(fast=1), gpu=group(gpu=1))
    with dask.annotate(resources={"fast": 1}):
        futures = client.map(lambda x: x, range(30), pure=False)
    await wishes(api, workers=3, gpu=0)
    await client.cancel(futures)


async def test_tasks_that_no_worker_will_ever_run_are_no_wish(client, ask_for):
    api = ask_for(workers=group(), gpu=group(GPU=1))
    futures = [client.submit(sum, [n], pure=False, resources=asked) for n, asked in enumerate([{"TPU": 1}, {"GPU": 2}])]
    plain = client.submit(sum, [3], pure=False)
    await wishes(api, workers=0, gpu=0)
    await client.cancel([plain])
    await client.cancel(futures)


async def test_plain_work_is_done_by_idle_workers_of_other_groups_first(cluster, client, ask_for):
    cluster.start_workers("gpu-1", (1,))
    await client.wait_for_workers(1)
    api = ask_for(workers=group(), gpu=group(gpu=1))
    await wishes(api, workers=0, gpu=0)

    async def wait() -> None:
        await asyncio.sleep(60)

    future = client.submit(wait)
    await wishes(api, workers=0, gpu=1)  # it is busy, so it is not to go
    await client.cancel(future, force=True)


async def test_a_worker_that_the_scheduler_does_not_have_any_more_counts_for_nothing():
    async with Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as scheduler:
        groups = {"workers": group(), "gpu": group(gpu=1)}
        assert adaptive_preload.wishes(scheduler, {"tls://127.0.0.1:1": "gpu"}, groups) == {"workers": 0, "gpu": 0}

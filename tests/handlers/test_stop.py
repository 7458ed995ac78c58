"""The end of a server, which its clusters outlive."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.scheduler_api import status_source
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.control.reconcile import Observation
from hpcdask_ext.control.watch import ClusterWatch
from tests.conftest import record

from .conftest import Server


async def test_a_watch_ends_when_it_is_told_to_also_if_something_happens_at_that_moment(tmp_path: Path) -> None:
    """Or the server would wait at its end for as long as the cluster lives."""
    cluster, looked = record(tmp_path, state=ClusterState.RUNNING), asyncio.Event()

    async def apply(_: Observation) -> bool:
        looked.set()
        return False

    async def reach(_: Cluster) -> None:
        return None

    async def question(_: Cluster) -> dict[str, str]:
        return {}

    watch = ClusterWatch(
        cluster.id, lambda _: cluster, apply, reach=reach, source=status_source, question=question, monitors={}
    )
    running = asyncio.create_task(watch.run())
    await looked.wait()
    await asyncio.sleep(0.01)  # now it rests
    watch.wake()
    await asyncio.sleep(0)
    running.cancel()
    _, still_running = await asyncio.wait([running], timeout=1)
    if still_running:
        running.cancel()
        pytest.fail("the watch goes on")


async def test_a_server_that_was_asked_nothing_ends_at_once(server: Server) -> None:
    await asyncio.wait_for(server.close(), 1)


async def test_the_extension_can_be_closed_more_than_once(server: Server) -> None:
    await server.launch(environment="python3", scaling={"workers": 0})
    await asyncio.wait_for(server.close(), 10)
    await asyncio.wait_for(server.close(), 10)

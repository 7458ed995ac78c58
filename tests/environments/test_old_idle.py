"""What a scheduler of an old `distributed` does when nobody uses it, and workers of a group there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hpcdask_ext.clusters.groups import FixedScaling
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.clusters.reach import own_endpoint
from hpcdask_ext.clusters.reports import read_reports
from hpcdask_ext.clusters.scheduler_api import SchedulerAPI
from tests.conftest import record
from tests.payload.conftest import RealCluster, make_cluster

from .client import computed
from .test_old_distributed import CODE, connect

TIMEOUT = timedelta(seconds=5)
RESOURCES = (
    "import dask",
    "with dask.annotate(resources={'workers': 1}): print(dask.delayed(sum)([1, 2]).compute())",
    "kept = client.submit(sum, [1, 2], resources={'other': 1})",
    "import time; time.sleep(1)",
    "print(client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.unrunnable)))",
)


@pytest.fixture
def idle(old: Environment, tmp_path: Path) -> Iterator[RealCluster]:
    made = make_cluster(tmp_path)
    (tmp_path / "reports").mkdir()
    made.record = record(tmp_path, environment=old, idle_timeout=TIMEOUT)
    made.record = made.record.with_group("workers", scaling=FixedScaling(workers=0))
    try:
        made.start_scheduler()
        yield made
    finally:
        made.end()


async def test_it_ends_with_its_workers_once_nobody_uses_it(idle: RealCluster, old_python: Path) -> None:
    api = SchedulerAPI(own_endpoint(idle.address.dashboard, idle.credentials))
    (worker,) = idle.start_workers("workers-1", (1,))
    printed = await asyncio.to_thread(computed, old_python, CODE, *connect(idle), *RESOURCES)
    assert printed == ["3", "1"], "there is only the resource that has the group's name"
    await api.keep()
    await api.aclose()
    assert await asyncio.to_thread(idle.started[0].wait, 60) == 0
    assert await asyncio.to_thread(worker.wait, 30) is not None
    assert read_reports(idle.record.directory)["scheduler", 1].idle == TIMEOUT.total_seconds()

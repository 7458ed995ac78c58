"""Adaptive clusters, from the scheduler's wish to what is asked of the batch system."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest_asyncio

from hpcdask_ext.clusters.models import Cluster, Process
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.control.manager import ClusterManager
from hpcdask_ext.control.processes import this_process

from .conversation import Batch, until
from .wishing import WishingScheduler

PACE = "adaptive: {settle: 1, interval: 1, patience: 2, queue_patience: 4}\n"
GRACE = 3
"""Seconds in which what must not happen would have happened."""

Launch = Callable[..., object]


def adaptive(minimum: int, maximum: int) -> dict[str, object]:
    return {"mode": "adaptive", "minimum": minimum, "maximum": maximum}


def fixed(workers: int) -> dict[str, object]:
    return {"mode": "fixed", "workers": workers}


class Launched:
    """A cluster on the fake batch system, with its scheduler and what was asked about it."""

    def __init__(self, manager: ClusterManager, batch: Batch, scheduler: WishingScheduler) -> None:
        self.manager, self.batch, self.scheduler = manager, batch, scheduler
        self.id = scheduler.cluster.id

    @property
    def record(self) -> Cluster:
        return self.manager.get(self.id)

    @property
    def sizes(self) -> list[int]:
        """How many elements each submission of workers had."""
        return [count for name, count in self.batch.counts.items() if "-workers-" in name]

    @property
    def requested(self) -> int:
        return self.record.wanted

    async def change(self, scaling: dict[str, object]) -> None:
        await self.manager.change(self.id, {"scaling": scaling})


@pytest_asyncio.fixture
async def launch(tmp_path: Path, manager: ClusterManager, batch: Batch) -> AsyncIterator[Launch]:
    """Return a function that launches a cluster and lets its scheduler start."""
    site = tmp_path / "config" / "hpcdask" / "sites.d" / "centre.yaml"
    site.write_text(site.read_text() + PACE)
    async with AsyncExitStack() as servers:

        async def launch(**request: object) -> Launched:
            cluster = await manager.launch(request)
            await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
            scheduler = WishingScheduler(manager.get(cluster.id))
            server = scheduler.start()
            servers.push_async_callback(server.close_all_connections)
            servers.callback(server.stop)
            await until(lambda: manager.get(cluster.id).address)
            return Launched(manager, batch, scheduler)

        yield launch
        await manager.close()


async def test_an_adaptive_cluster_begins_with_its_minimum_and_gets_what_it_wishes_for_at_once(launch):
    cluster = await launch(scaling=adaptive(2, 40))
    assert cluster.sizes == [2]
    cluster.scheduler.tell(workers=30)
    await until(lambda: cluster.sizes == [2, 28])
    assert cluster.requested == 30
    cluster.scheduler.tell(workers=1000)
    await until(lambda: cluster.sizes == [2, 28, 10])
    await asyncio.sleep(GRACE)
    assert cluster.sizes == [2, 28, 10], "what waits in the queue is on its way"
    assert "scancel" not in cluster.batch.asked


async def test_from_8_to_64_workers_is_one_submission(launch):
    cluster = await launch(size={"workers": 8, "cores": 1, "memory": "1 GiB"})
    before = len(cluster.batch.asked)
    await cluster.change(fixed(64))
    await until(lambda: cluster.sizes == [8, 56])
    assert cluster.batch.asked[before:].count("sbatch") == 1
    assert not [program for program in cluster.batch.asked[before:] if program not in ("sbatch", "squeue")]
    assert cluster.scheduler.retired == []


async def test_running_workers_are_retired_before_places_in_the_queue_are_given_up(launch):
    cluster = await launch(scaling=adaptive(0, 8))
    cluster.scheduler.tell(workers=6)
    await until(lambda: cluster.sizes == [6])
    cluster.scheduler.start_job("workers-1", 1, 2)
    await until(lambda: cluster.record.workers == 2)
    cluster.scheduler.tell(workers=0)
    await until(lambda: cluster.scheduler.retired)
    assert [request["jobs"] for request in cluster.scheduler.retired] == [2]
    assert cluster.batch.cancelled == []
    assert cluster.requested == 4
    await until(lambda: cluster.requested == 0)
    await until(lambda: cluster.batch.cancelled)
    assert cluster.batch.asked.count("scancel") == 1
    assert len(cluster.scheduler.retired) == 1
    assert cluster.record.state is ClusterState.RUNNING, "it stays as long as its scheduler does"


async def test_of_a_fixed_cluster_pending_jobs_go_first(launch):
    cluster = await launch(size={"workers": 6, "cores": 1, "memory": "1 GiB"})
    cluster.scheduler.start_job("workers-1", 1, 2)
    await until(lambda: cluster.record.workers == 2)
    await cluster.change(fixed(2))
    await until(lambda: cluster.batch.cancelled)
    assert (cluster.batch.asked.count("scancel"), cluster.scheduler.retired) == (1, [])


async def test_a_worker_whose_data_cannot_move_stays_and_can_go_later(launch):
    cluster = await launch(size={"workers": 3, "cores": 1, "memory": "1 GiB"})
    cluster.scheduler.start_job("workers-1", 1, 2, 3)
    await until(lambda: cluster.record.workers == 3)
    cluster.scheduler.kept = {f"{cluster.id}-workers-1-2"}
    await cluster.change(fixed(0))
    await until(lambda: cluster.record.workers == 1)
    await until(lambda: cluster.requested == 1)
    (warning,) = cluster.record.warnings
    assert warning.startswith("Scaling failed. 1 worker has data that cannot move to other workers: ")
    assert cluster.batch.cancelled == []
    cluster.scheduler.kept.clear()
    await cluster.change(fixed(0))
    await until(lambda: cluster.record.workers == 0)
    await until(lambda: (cluster.requested, cluster.record.warnings) == (0, ()))


async def test_only_adaptive_clusters_ask_for_wishes_and_begin_with_what_there_is(launch):
    cluster = await launch()
    cluster.scheduler.start_job("workers-1", 1, 2)
    await until(lambda: cluster.record.workers == 2)
    assert set(cluster.scheduler.asked) == {""}
    cluster.scheduler.wishes = {"workers": 5}
    await cluster.change(adaptive(0, 8))
    assert cluster.requested == 2
    await until(lambda: cluster.sizes == [2, 3])
    await cluster.change(fixed(5))
    await until(lambda: cluster.scheduler.asked[-1] == "")
    asked = len(cluster.scheduler.asked)
    cluster.scheduler.tell(workers=8)
    await until(lambda: len(cluster.scheduler.asked) > asked)
    await asyncio.sleep(GRACE)
    assert cluster.sizes == [2, 3]
    assert set(cluster.scheduler.asked[asked:]) == {""}


async def test_what_is_above_a_new_maximum_goes_at_once_and_what_is_missing_comes(launch):
    cluster = await launch(size={"workers": 6, "cores": 1, "memory": "1 GiB"})
    cluster.scheduler.wishes = {"workers": 0}
    await cluster.change(adaptive(1, 4))
    await until(lambda: cluster.batch.asked.count("scancel") == 1)
    assert cluster.requested == 4
    await cluster.change(adaptive(8, 9))
    await until(lambda: cluster.sizes == [6, 4])


async def test_workers_that_reach_their_walltime_are_replaced_and_the_cluster_goes_on(launch):
    cluster = await launch(scaling=adaptive(0, 8))
    cluster.scheduler.tell(workers=3)
    await until(lambda: cluster.sizes == [3])
    cluster.scheduler.start_job("workers-1", 1, 2, 3, ago=3400)
    await until(lambda: cluster.record.workers == 3)
    cluster.scheduler.end_job("workers-1", 1, 2, 3)
    await until(lambda: cluster.sizes == [3, 3])
    assert (cluster.record.state, cluster.record.warnings) == (ClusterState.RUNNING, ())


async def test_workers_that_do_not_last_are_not_resubmitted_for_ever(launch):
    cluster = await launch(scaling=adaptive(0, 8))
    cluster.scheduler.tell(workers=3)
    await until(lambda: cluster.sizes == [3])
    cluster.scheduler.start_job("workers-1", 1, 2, 3)
    cluster.scheduler.end_job("workers-1", 1, 2, 3, code=1)
    await until(lambda: any(text.startswith("Adapting is paused") for text in cluster.record.warnings))
    warning = next(text for text in cluster.record.warnings if text.startswith("Adapting is paused"))
    assert "the last 3 worker jobs ended soon after their start (exit code 1)" in warning
    assert "after 10 minutes" in warning
    await asyncio.sleep(GRACE)
    assert cluster.sizes == [3]
    await cluster.change(adaptive(0, 9))
    await until(lambda: cluster.sizes == [3, 3])
    assert not any(text.startswith("Adapting is paused") for text in cluster.record.warnings)


async def test_a_fixed_number_of_workers_ends_the_warning_that_adapting_is_paused(launch):
    cluster = await launch(scaling=adaptive(0, 8))
    cluster.scheduler.tell(workers=3)
    await until(lambda: cluster.sizes == [3])
    cluster.scheduler.start_job("workers-1", 1, 2, 3)
    cluster.scheduler.end_job("workers-1", 1, 2, 3, code=1)
    await until(lambda: any(text.startswith("Adapting is paused") for text in cluster.record.warnings))
    await cluster.change(fixed(2))
    assert not any(text.startswith("Adapting is paused") for text in cluster.record.warnings)


async def test_a_refused_submission_is_a_single_warning_which_goes_when_one_succeeds(launch):
    cluster = await launch(scaling=adaptive(0, 8))
    cluster.batch.refusals["sbatch"] = "sbatch: error: QOSMaxSubmitJobPerUserLimit"
    before = cluster.batch.asked.count("sbatch")
    cluster.scheduler.tell(workers=3)
    await until(lambda: cluster.batch.asked.count("sbatch") == before + 2, 20)
    await until(lambda: cluster.requested == 0)
    (warning,) = cluster.record.warnings
    assert "QOSMaxSubmitJobPerUserLimit" in warning
    del cluster.batch.refusals["sbatch"]
    await until(lambda: cluster.sizes == [3], 20)
    await until(lambda: not cluster.record.warnings)


async def test_the_warning_of_a_refused_submission_goes_when_nothing_is_wanted_any_more(launch):
    cluster = await launch(scaling=adaptive(0, 8))
    cluster.batch.refusals["sbatch"] = "sbatch: error: QOSMaxSubmitJobPerUserLimit"
    cluster.scheduler.tell(workers=3)
    await until(lambda: any("QOSMaxSubmit" in text for text in cluster.record.warnings), 20)
    cluster.scheduler.tell(workers=0)
    await until(lambda: not cluster.record.warnings)
    assert cluster.sizes == []


async def test_nothing_is_decided_while_the_scheduler_does_not_answer(launch, manager):
    cluster = await launch(scaling=adaptive(2, 8))
    cluster.scheduler.start_job("workers-1", 1, 2)
    await until(lambda: cluster.record.workers == 2)
    cluster.scheduler.wishes = {}
    cluster.scheduler.end_job("workers-1", 1, 2)
    await asyncio.sleep(GRACE)
    assert cluster.sizes == [2]


async def test_a_cluster_is_adapted_by_the_program_that_launched_it(launch, monkeypatch):
    cluster = await launch(scaling=adaptive(0, 8))
    parent = psutil.Process(os.getppid())
    other = Process(host=this_process().host, pid=parent.pid, started=parent.create_time())
    ledger = cluster.manager._ledger
    await ledger.change(cluster.id, lambda old: old.model_copy(update={"launched_by": other}))
    cluster.scheduler.tell(workers=3)
    await asyncio.sleep(GRACE)
    assert cluster.sizes == []


async def test_tasks_for_what_the_site_gives_its_workers_are_asked_about_before_there_is_one(launch, tmp_path):
    site = tmp_path / "config" / "hpcdask" / "sites.d" / "centre.yaml"
    site.write_text(site.read_text() + "worker_arguments: [--resources, ssd=1]\n")
    cluster = await launch(scaling=adaptive(0, 4))
    await until(lambda: cluster.scheduler.asked)
    (group,) = json.loads(cluster.scheduler.asked[-1]).values()
    assert group["resources"] == {"workers": 1, "ssd": 1}


async def test_a_scheduler_that_ends_when_idle_learns_whether_workers_are_wanted(launch, tmp_path):
    site = tmp_path / "config" / "hpcdask" / "sites.d" / "centre.yaml"
    site.write_text(site.read_text() + "idle_timeout: '01:00:00'\n")
    cluster = await launch()
    for scaling, told in [(fixed(2), "1"), (fixed(0), "0"), (fixed(4), "1")]:
        await cluster.change(scaling)
        await until(lambda told=told: cluster.scheduler.told[-1:] == [told])

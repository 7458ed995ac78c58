"""Queues and accounts that a batch system is asked for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.control.discovery import Discovery
from hpcdask_ext.errors import BatchUnreachable, InvalidRequest
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.models import BatchSite, Limits

SIZE = {"name": "small", "workers": 2, "cores": 1, "memory": "1 GiB"}
AUTO = BatchSite(name="auto", batch_system="slurm", queues="auto", accounts="auto", sizes=[SIZE])
FIXED = BatchSite(name="fixed", batch_system="slurm", queues=[{"name": "regular"}], sizes=[SIZE])
INFO = QueueInfo("long", cores=64, memory=2**38, gpus=4, walltime=timedelta(days=2), nodes=10, free_nodes=3)


class Centre:
    """A launcher that knows queues and accounts, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = {"queues": 0, "accounts": 0}
        self.trouble: BatchUnreachable | None = None
        self.accounts_trouble: BatchUnreachable | None = None
        self.info = INFO
        self.delay = 0.0

    async def queues(self) -> list[QueueInfo]:
        self.asked["queues"] += 1
        await asyncio.sleep(self.delay)
        if self.trouble:
            raise self.trouble
        return [self.info, QueueInfo("a name with spaces")]

    async def accounts(self) -> list[str]:
        self.asked["accounts"] += 1
        if self.accounts_trouble:
            raise self.accounts_trouble
        return ["science", "teaching"]


@pytest.fixture
def centre() -> Centre:
    return Centre()


@pytest.fixture
async def discovery(centre: Centre):
    async def launcher(name: str) -> Centre:
        return centre

    discovery = Discovery(launcher)
    yield discovery
    await discovery.close()


async def test_what_a_file_leaves_open_is_filled_in(discovery, centre):
    sites = Sites((AUTO, FIXED))
    await discovery.look(sites)
    auto, fixed = discovery.complete(sites).sites
    (queue,) = auto.queues
    assert (queue.name, queue.gpus, queue.limits.cores, queue.limits.walltime) == ("long", 4, 64, timedelta(days=2))
    assert auto.accounts == ("science", "teaching")
    assert fixed == FIXED
    assert discovery.found["fixed"].queues[0].free_nodes == 3


async def test_it_asks_once_however_many_look(discovery, centre):
    centre.delay = 0.05
    await asyncio.gather(*(discovery.look(Sites((AUTO,))) for _ in range(20)))
    await discovery.look(Sites((AUTO,)))
    assert centre.asked == {"queues": 1, "accounts": 1}


async def test_what_only_the_load_is_asked_for_keeps_nobody_waiting(discovery, centre, monkeypatch):
    monkeypatch.setattr("hpcdask_ext.control.discovery._PATIENCE", 0.05)
    centre.delay = 30
    await asyncio.wait_for(discovery.look(Sites((FIXED,))), 5)
    assert discovery.complete(Sites((FIXED,))) == Sites((FIXED,))


async def test_a_batch_system_that_cannot_be_asked_is_a_problem_only_where_it_matters(discovery, centre):
    centre.trouble = BatchUnreachable("Slurm could not be asked: no route to host")
    await discovery.look(Sites((AUTO, FIXED)))
    completed = discovery.complete(Sites((AUTO, FIXED)))
    assert [(problem.file, problem.where) for problem in completed.problems] == [("auto", "accounts, queues")]
    assert "no route to host" in completed.problems[0].message
    assert completed.sites[0].queues == ()


async def test_queues_are_known_where_only_the_accounts_cannot_be_asked(discovery, centre):
    centre.accounts_trouble = BatchUnreachable("sacctmgr is not installed")
    await discovery.look(Sites((AUTO,)))
    completed = discovery.complete(Sites((AUTO,)))
    assert [queue.name for queue in completed.sites[0].queues] == ["long"]
    assert [problem.message for problem in completed.problems] == ["sacctmgr is not installed"]


async def test_a_queue_without_nodes_breaks_nothing(discovery, centre):
    centre.info = QueueInfo("empty", cores=0, memory=0, gpus=0, walltime=timedelta(0), nodes=0)
    await discovery.look(Sites((AUTO,)))
    (queue,) = discovery.complete(Sites((AUTO,))).sites[0].queues
    assert (queue.name, queue.limits) == ("empty", Limits())


async def test_what_was_known_stays_when_it_cannot_be_asked_again(discovery, centre, monkeypatch):
    await discovery.look(Sites((AUTO,)))
    monkeypatch.setattr("hpcdask_ext.control.discovery._FRESH", 0.0)
    centre.trouble = BatchUnreachable("away")
    await discovery.look(Sites((AUTO,)))
    assert [queue.name for queue in discovery.complete(Sites((AUTO,))).sites[0].queues] == ["long"]
    assert discovery.found["auto"].trouble == "away"


@pytest.mark.parametrize("body", [{}, {"site": "centre"}])
async def test_a_launch_asks_for_the_queues_first(manager, batch, tmp_path, body):
    site = tmp_path / "config" / "hpcdask" / "sites.d" / "centre.yaml"
    site.write_text(site.read_text().replace("[{name: regular, limits: {workers: 64}}]", "auto"))
    batch.refusals["sinfo"] = "sinfo: error: no route"
    with pytest.raises(InvalidRequest, match="could not be asked for the queues"):
        await manager.launch(body)
    assert "sinfo" in batch.asked

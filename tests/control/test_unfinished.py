"""What a user asked for when the server died: it is carried out by the next one, and only once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.control.manager import ClusterManager

from .conversation import Batch, until

GPU = {"name": "gpu", "size": {"workers": 3, "cores": 2, "memory": "1 GiB"}}


def sizes(batch: Batch, group: str) -> list[int]:
    """Return how many elements each submission for a group had."""
    return [count for name, count in batch.counts.items() if f"-{group}-" in name]


async def launched(manager: ClusterManager) -> str:
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    return cluster.id


@pytest.fixture
def dying(manager: ClusterManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterManager]:
    """Return a manager that comes no further than `begun`, where it should scale."""

    async def scale(*_: object, **__: object) -> bool:
        manager.begun.set()
        await asyncio.Event().wait()
        return False

    manager.begun = asyncio.Event()
    monkeypatch.setattr(manager._driver, "scale", scale)
    return manager


@pytest.mark.parametrize(("group", "wanted"), [("workers", [2, 5]), ("gpu", [3])])
async def test_what_was_not_begun_is_carried_out_once(dying, new_manager, batch, group, wanted):
    cluster_id = await launched(dying)
    if group == "gpu":
        await dying.add_group(cluster_id, GPU)
    else:
        await dying.change(cluster_id, {"scaling": {"workers": 7}})
    await dying.begun.wait()
    await dying.close()
    assert sizes(batch, group) == wanted[:-1]
    for _ in range(2):
        following = new_manager()
        await following.start()
        try:
            await until(lambda: sizes(batch, group) == wanted)
            await until(lambda: not any(one.unfinished for one in following.get(cluster_id).groups))  # noqa: B023
            await until(lambda: following.get(cluster_id).state is ClusterState.PENDING)  # noqa: B023
            await asyncio.sleep(0.5)
        finally:
            await following.close()
    assert sizes(batch, group) == wanted


async def test_what_is_just_being_submitted_is_not_submitted_again(manager, new_manager, batch):
    cluster_id = await launched(manager)
    batch.hold.clear()
    asked = batch.asked.count("sbatch")
    await manager.change(cluster_id, {"scaling": {"workers": 7}})
    await until(lambda: batch.asked.count("sbatch") == asked + 1)
    assert not manager.get(cluster_id).main.unfinished
    await manager.close()
    batch.hold.set()
    following = new_manager()
    await following.start()
    try:
        await asyncio.sleep(1)
        assert batch.asked.count("sbatch") == asked + 1
    finally:
        await following.close()


async def test_what_was_refused_is_not_tried_again_by_the_next_server(manager, batch):
    cluster_id = await launched(manager)
    batch.refusals["sbatch"] = "sbatch: error: too many jobs"
    await manager.change(cluster_id, {"scaling": {"workers": 7}})
    await until(lambda: manager.get(cluster_id).warnings)
    assert (manager.get(cluster_id).main.scaling.workers, manager.get(cluster_id).main.unfinished) == (2, False)


async def test_what_was_done_is_finished_also_if_it_took_no_submission(manager, batch):
    cluster_id = await launched(manager)
    await manager.change(cluster_id, {"scaling": {"workers": 1}})
    await until(lambda: batch.cancelled)
    await until(lambda: not manager.get(cluster_id).main.unfinished)

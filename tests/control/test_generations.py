"""Clusters whose schedulers run since before an update: they know neither groups of workers nor wishes."""

from __future__ import annotations

import json

import pytest

from hpcdask_ext.clusters.groups import FixedScaling
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import ClusterState, JobState
from hpcdask_ext.control.scaling import shrink
from hpcdask_ext.control.view import cluster_view
from hpcdask_ext.errors import WrongState

from .conftest import job
from .conversation import until

ADAPTIVE = {"mode": "adaptive", "minimum": 0, "maximum": 8}
OLDER = "was launched by an older version of this extension and cannot "


async def test_one_that_was_launched_before_an_update_keeps_its_single_group_of_a_fixed_number(manager):
    launched = await manager.launch({})
    await until(lambda: manager.get(launched.id).state is ClusterState.PENDING)
    assert cluster_view(manager.get(launched.id), None, "/")["can_adapt"] is True
    await manager._ledger.change(launched.id, lambda old: old.model_copy(update={"generation": 1}))
    assert cluster_view(manager.get(launched.id), None, "/")["can_adapt"] is False
    with pytest.raises(WrongState, match=f"{OLDER}adapt to its work: launch another cluster"):
        await manager.change(launched.id, {"scaling": ADAPTIVE})
    with pytest.raises(WrongState, match=f"{OLDER}have workers of several kinds"):
        await manager.add_group(launched.id, {"name": "gpu"})
    assert manager.get(launched.id).groups == launched.groups
    await manager.change(launched.id, {"scaling": {"workers": 3}})
    await until(lambda: manager.get(launched.id).capacity(manager.get(launched.id).main) == 3)


async def test_workers_of_one_group_are_not_retired_where_the_scheduler_would_take_any(make_cluster):
    running = job("workers-1", 2).with_elements([1, 2], state=JobState.RUNNING)
    cluster = make_cluster(job("scheduler", 1, "host", "s"), running, generation=1)
    cluster = cluster.with_new_group(
        cluster.main.model_copy(update={"name": "gpu", "scaling": FixedScaling(workers=0)})
    )

    async def change(edit: object) -> None:
        assert edit(cluster) == cluster

    async def find_way(_: object) -> None:
        pytest.fail("nobody is asked")

    with pytest.raises(WrongState, match=f"{OLDER}release workers of one group"):
        await shrink(cluster, cluster.main, 1, None, change, find_way=find_way)


def test_a_record_that_does_not_know_of_generations_is_of_the_first(make_cluster):
    told = json.loads(make_cluster().model_dump_json())
    del told["generation"]
    assert Cluster.model_validate(told).generation == 1

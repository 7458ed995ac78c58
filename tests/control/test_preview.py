"""What a launch would submit, without submitting it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.control.discovery import Found
from tests.sites.previews import preview


async def test_it_shows_the_scripts_and_the_totals_and_leaves_nothing(manager, batch, tmp_path):
    shown = await manager.preview({"size": {"workers": 3, "cores": 4, "memory": "8 GiB"}, "walltime": "02:00:00"})
    assert shown["valid"]
    assert shown["errors"] == []
    totals = {"workers": 3, "cores": 12, "memory": 24 * 2**30, "gpus": 0, "nodes": 3, "node_hours": 6.0}
    assert shown["totals"] == totals
    roles = [(script["role"], "#SBATCH --cpus-per-task=" in script["text"]) for script in shown["scripts"]]
    assert roles == [("scheduler", True), ("worker", True)]
    assert set(batch.asked) <= {"sbatch"}
    assert batch.jobs == {}
    assert not (tmp_path / "clusters" / "preview").exists()
    assert manager.all() == []


async def test_each_group_has_its_script_and_adaptive_ones_count_at_most(manager):
    adaptive = {"mode": "adaptive", "minimum": 0, "maximum": 6}
    other = {"name": "big", "size": {"workers": 1, "cores": 8, "memory": "8 GiB"}}
    asked = {"size": {"workers": 6, "cores": 1, "memory": "1 GiB"}, "scaling": adaptive, "groups": [other]}
    shown = await manager.preview(asked)
    groups = [(script["role"], script["group"]) for script in shown["scripts"]]
    assert groups == [("scheduler", "workers"), ("worker", "workers"), ("worker", "big")]
    assert "#SBATCH --cpus-per-task=1\n" in shown["scripts"][1]["text"]
    assert "#SBATCH --cpus-per-task=8\n" in shown["scripts"][2]["text"]
    assert (shown["totals"]["workers"], shown["totals"]["cores"]) == (7, 14)


LOCAL = """name: here
batch_system: local
queues: [{name: here}]
sizes: [{name: one, workers: 1, cores: 1, memory: 256 MiB}]
"""
CLASS = """name: own
kind: factory
factory: {module: dask.distributed, class: LocalCluster, kwargs: {n_workers: 0}}
limits: {workers: 8}
"""


async def test_this_machine_is_one_node_for_all_groups(tmp_path):
    size = {"workers": 2, "cores": 1, "memory": "128 MiB"}
    other = {"name": "other", "size": size, "walltime": "01:30:00"}
    asked = {"site": "here", "size": size, "walltime": "00:30:00", "groups": [other]}
    shown = await preview(tmp_path, {"here.yaml": LOCAL}, asked)
    assert (shown["totals"]["workers"], shown["totals"]["nodes"], shown["totals"]["node_hours"]) == (4, 1, 1.5)


async def test_what_others_decide_about_is_unknown(tmp_path):
    asked = {"site": "own", "scaling": {"mode": "fixed", "workers": 3}}
    shown = await preview(tmp_path, {"own.yaml": CLASS}, asked)
    unknown = dict.fromkeys(("cores", "memory", "gpus", "nodes", "node_hours"))
    assert shown["totals"] == {"workers": 3, **unknown}


async def test_a_wrong_launch_is_told_by_field_instead(manager, batch):
    shown = await manager.preview({"queue": "nope", "walltime": "soon"})
    assert (shown["valid"], shown["totals"], shown["scripts"]) == (False, None, [])
    assert {error["field"] for error in shown["errors"]} == {"queue", "walltime"}
    assert batch.asked == []


@pytest.mark.parametrize(("layout", "nodes"), [("elastic", 2), ("allocation", 3)])
async def test_nodes_are_counted_by_what_a_node_has(manager, tmp_path, layout, nodes):
    site = tmp_path / "config" / "hpcdask" / "sites.d" / "centre.yaml"
    site.write_text(site.read_text().replace("limits: {workers: 64}", "limits: {cores: 8, memory: 64 GiB, nodes: 3}"))
    size = {"workers": 4, "cores": 4, "memory": "1 GiB"}
    shown = await manager.preview({"size": size, "layout": layout})
    assert shown["totals"]["nodes"] == nodes
    refused = await manager.preview({"size": {**size, "workers": 7}, "layout": layout})
    assert [error["field"] for error in refused["errors"]] == ["size.workers"]


async def test_a_queue_in_which_it_would_wait_for_ever_is_told(manager):
    closed = QueueInfo("regular", is_open=False, note="DOWN", walltime=timedelta(minutes=30))
    manager._catalogue._discovery.found["centre"] = Found(queues=[closed])
    shown = await manager.preview({"walltime": "02:00:00"})
    assert shown["valid"]
    assert shown["note"].startswith("The queue regular is closed (DOWN): ")
    assert "at most 00:30:00 in the queue regular" in shown["note"]
    assert shown["estimated_start"] is None

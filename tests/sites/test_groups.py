"""Workers of several kinds in one cluster: what a request may ask for, and how they share the limits of a queue."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.clusters.groups import AdaptiveScaling, FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.errors import InvalidRequest, WrongState
from hpcdask_ext.sites.bodies import MOST_GROUPS
from hpcdask_ext.sites.change import read_change
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.machine import local_site
from hpcdask_ext.sites.new_group import read_new_group
from hpcdask_ext.sites.request import Launch, read_launch
from tests.conftest import record

from .samples import KERNELS, centre

LIMITED = [
    {"name": "regular", "limits": {"workers": 10, "walltime": "24:00:00"}},
    {"name": "gpu", "gpus": 4, "limits": {"workers": 4, "walltime": "02:00:00", "cores": 8, "nodes": 3}},
]
SITES = Sites((centre(queues=LIMITED), local_site()))
ONE = {"workers": 1, "cores": 1, "memory": "1 GiB"}


def ask(*groups: Any, **body: Any) -> Launch:
    return read_launch({"groups": list(groups), **body}, SITES, KERNELS)


def wrong(*groups: Any, **body: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        ask(*groups, **body)
    fields = [error.field for error in caught.value.errors]
    assert sorted(fields) == sorted(set(fields)), "one entry for each field"
    return {error.field: error.message for error in caught.value.errors}


def test_what_a_group_leaves_out_comes_from_the_site_and_what_it_asks_for_is_its_own() -> None:
    gpu = {
        "name": "gpu",
        "queue": "gpu",
        "size": {"workers": 2, "cores": 2, "memory": "8 GiB", "gpus": 1, "workers_per_job": 2},
        "walltime": "00:30:00",
        "resources": {"GPU": 1, "licence.x": 0.5},
    }
    launch = ask(gpu, {"name": "more", "scaling": {"mode": "adaptive", "minimum": 0, "maximum": 4}})
    main, first, second = launch.groups
    assert (main.name, main.queue, main.size, main.resources) == ("workers", "regular", "small", {})
    assert first == WorkerGroup(
        name="gpu",
        queue="gpu",
        shape=WorkerShape(cores=2, memory=2**33, gpus=1, workers_per_job=2),
        walltime=timedelta(minutes=30),
        scaling=FixedScaling(workers=2),
        resources={"GPU": 1, "licence.x": 0.5},
    )
    assert (second.queue, second.size, second.walltime) == ("regular", "small", timedelta(hours=1))
    assert second.scaling == AdaptiveScaling(minimum=0, maximum=4, workers=0)


def test_every_wrong_field_of_every_group_is_told_at_once() -> None:
    found = wrong(
        {"name": "G P U", "queue": "nowhere", "size": {"workers": 2, "cores": 0, "memory": "8 GiB"}},
        {"queue": "gpu", "walltime": "24:00:00", "scaling": {"mode": "fixed"}, "colour": "red"},
        {"name": "x", "queue": "gpu", "size": {"workers": 1, "cores": 16, "memory": "1 GiB", "gpus": 5}},
        {"name": "x", "size": "packed", "scaling": {"workers": 3}, "resources": {"GPU": "one"}},
        account="nobody",
    )
    assert set(found) == {
        "account",
        "groups.0.name",
        "groups.0.queue",
        "groups.0.size.cores",
        "groups.1.colour",
        "groups.1.name",
        "groups.1.scaling.workers",
        "groups.1.walltime",
        "groups.2.size.cores",
        "groups.2.size.gpus",
        "groups.3.name",
        "groups.3.resources",
        "groups.3.scaling.workers",
    }
    assert "Available: regular, gpu" in found["groups.0.queue"]
    assert found["groups.1.name"].startswith("Required")
    assert "'x'" in found["groups.3.name"]


@pytest.mark.parametrize(
    "name", ["", "Gpu", "g-pu", "1gpu", "x" * 17, "workers", "scheduler", "allocation", "größe", 1]
)
def test_a_group_has_a_name_of_small_letters_and_digits(name: Any) -> None:
    assert set(wrong({"name": name})) == {"groups.0.name"}


@pytest.mark.parametrize(
    "resources",
    [
        {"GPU": 0},
        {"GPU": -1},
        {"GPU": float("nan")},
        {"GPU": float("inf")},
        {"GPU": 10**400},
        {"GPU": True},
        {"GPU": None},
        {"GPU": "1"},
        {"GPU": [1]},
        {"a b": 1},
        {"a=b": 1},
        {"a,b": 1},
        {"": 1},
        {"$(id)": 1},
        {"a\nb": 1},
        {"größe": 1},
        {"x" * 65: 1},
        [1],
        "GPU=1",
        {f"r{number}": 1 for number in range(21)},
    ],
)
def test_resources_are_positive_numbers_with_names_that_need_no_quoting(resources: Any) -> None:
    (field,) = wrong({"name": "gpu", "resources": resources})
    assert field == "groups.0.resources"


@pytest.mark.parametrize("groups", [3, "gpu", {"name": "gpu"}, [3], [None], [[]], [{"name": "a"}] * 21])
def test_groups_are_a_list_of_at_most_twenty(groups: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_launch({"groups": groups}, SITES, KERNELS)
    assert {error.field.split(".")[0] for error in caught.value.errors} == {"groups"}


def test_groups_share_the_limits_of_a_queue_and_the_last_one_is_told() -> None:
    size = {"workers": 3, "cores": 1, "memory": "1 GiB"}
    found = wrong({"name": "a", "queue": "gpu", "size": size}, {"name": "b", "queue": "gpu", "size": size})
    assert found["groups.1.size.workers"] == "6 workers in all groups together are more than the queue gpu allows: 4"
    assert set(found) == {"groups.1.size.workers"}
    adaptive = {"mode": "adaptive", "minimum": 0, "maximum": 9}
    assert set(wrong({"name": "a", "scaling": adaptive})) == {"groups.0.scaling.maximum"}
    ask({"name": "a", "queue": "gpu", "size": size}, size={**size, "workers": 10})  # each queue has its own


def test_groups_share_the_nodes_of_a_queue() -> None:
    half = {"workers": 2, "cores": 8, "memory": "1 GiB"}
    ask({"name": "a", "queue": "gpu", "size": half})
    found = wrong({"name": "a", "queue": "gpu", "size": half}, {"name": "b", "queue": "gpu", "size": half})
    assert found == {"groups.1.size.workers": "This needs at least 4 nodes; the queue gpu allows 3"}


def test_on_this_machine_groups_share_its_workers() -> None:
    site = local_site()
    most = site.queues[0].limits.workers
    assert most is not None
    found = wrong({"name": "a", "size": {**ONE, "workers": most}}, site="local", size=ONE)
    assert list(found) == ["groups.0.size.workers"]
    assert f"allows: {most}" in found["groups.0.size.workers"]


@pytest.mark.parametrize("single", [{"layout": "allocation"}, {"script": {"path": "tests/__init__.py"}}])
def test_a_single_job_has_no_other_workers(single: dict[str, Any]) -> None:
    here = Path(__file__).parents[2]
    with pytest.raises(InvalidRequest) as caught:
        read_launch({"groups": [{"name": "gpu"}], **single}, SITES, KERNELS, here)
    assert [error.field for error in caught.value.errors] == ["groups"]


def cluster(*groups: WorkerGroup, **changes: Any) -> Cluster:
    """Return a running cluster of the site with 4 workers in the queue `regular`, and these groups."""
    main = WorkerGroup(queue="regular", shape=WorkerShape(cores=1, memory=2**30), scaling=FixedScaling(workers=4))
    values = {"site": "centre", "state": ClusterState.RUNNING, **changes}
    return record(Path("/c"), **values).model_copy(update={"groups": (main, *groups)})


def other(name: str = "more", queue: str = "regular", workers: int = 4, cores: int = 1) -> WorkerGroup:
    shape = WorkerShape(cores=cores, memory=2**30)
    return WorkerGroup(name=name, queue=queue, shape=shape, scaling=FixedScaling(workers=workers))


def test_a_change_is_of_the_group_that_it_names_and_counts_the_others_in_its_queue() -> None:
    sited, two = SITES.sites[0], cluster(other(), other("gpu", "gpu", 2, cores=8))
    change = read_change({"group": "more", "scaling": {"workers": 6}}, sited, two)
    assert (change.group, change.scaling) == ("more", FixedScaling(workers=6))
    assert read_change({"scaling": {"workers": 6}}, sited, two).group == "workers"
    for body, field in (
        ({"group": "more", "scaling": {"workers": 7}}, "scaling.workers"),
        ({"group": "more", "scaling": {"mode": "adaptive", "minimum": 0, "maximum": 7}}, "scaling.maximum"),
        ({"scaling": {"workers": 7}}, "scaling.workers"),
        ({"group": "gpu", "scaling": {"workers": 4}}, "scaling.workers"),  # of three nodes
        ({"group": "nope", "scaling": {"workers": 1}}, "group"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            read_change(body, sited, two)
        assert [error.field for error in caught.value.errors] == [field], body


def test_a_group_can_be_added_to_a_running_cluster() -> None:
    body = {"name": "gpu", "queue": "gpu", "size": {"workers": 2, "cores": 1, "memory": "1 GiB", "gpus": 1}}
    group = read_new_group({**body, "resources": {"GPU": 1}}, SITES, cluster(other()))
    assert (group.name, group.queue, group.walltime) == ("gpu", "gpu", timedelta(hours=1))
    assert (group.shape.gpus, group.scaling.workers, group.resources) == (1, 2, {"GPU": 1})


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name"}),
        ({"name": "more"}, {"name"}),
        ({"name": "B"}, {"name"}),
        ({"name": "b", "queue": "nope", "resources": {"x": 0}, "colour": 1}, {"queue", "resources", "colour"}),
        ({"name": "b", "size": {**ONE, "workers": 3}}, {"size.workers"}),
        ({"name": "b", "size": {"workers": 1}}, {"size.cores", "size.memory"}),
    ],
)
def test_what_is_wrong_with_an_added_group_is_told_by_its_own_fields(body: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_new_group(body, SITES, cluster(other()))
    assert {error.field for error in caught.value.errors} == fields


def test_there_is_an_end_to_groups() -> None:
    many = cluster(*(other(f"g{number}", workers=0) for number in range(MOST_GROUPS)))
    with pytest.raises(InvalidRequest):
        read_new_group({"name": "b", "queue": "gpu"}, SITES, many)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": ClusterState.STOPPED}, "is stopped"),
        ({"state": ClusterState.SUBMITTING}, "is submitting"),
        ({"kind": "gateway"}, "not jobs of a batch system"),
        ({"layout": "allocation"}, "single job"),
        ({"site": "gone"}, "ask your administrator"),
    ],
)
def test_not_every_cluster_can_get_other_workers(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(WrongState, match=words):
        read_new_group({"name": "b"}, SITES, cluster(**changes))

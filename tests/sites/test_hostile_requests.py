"""Requests that want more than a cluster, or are none at all: each is answered with the fields that are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.clusters.groups import WorkerShape
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.sites.change import read_change
from hpcdask_ext.sites.request import read_launch
from tests.conftest import record

from .samples import KERNELS, all_sites, centre

NASTY = [
    "a\nb",
    "a\r#SBATCH --x",
    "$(touch /tmp/x)",
    "`id`",
    'a"b',
    "a'b",
    "a;b",
    "a b",
    "größe",
    "\x00",
    "a\u2028b",
]


def wrong(body: dict[str, Any]) -> set[str]:
    with pytest.raises(InvalidRequest) as caught:
        read_launch(body, all_sites(), KERNELS)
    assert all(error.message for error in caught.value.errors)
    return {error.field for error in caught.value.errors}


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("field", ["site", "queue", "size", "walltime", "account", "environment", "layout"])
def test_a_nasty_text_is_no_value_of_any_field_that_goes_further(field: str, text: str) -> None:
    assert wrong({field: text}) == {field}


@pytest.mark.parametrize("text", NASTY)
def test_a_nasty_text_is_no_value_of_an_option(text: str) -> None:
    options = {"qos": text, "reservation": text, "constraint": text, "gpus": text}
    assert wrong({"options": options}) == {f"options.{name}" for name in options}


@pytest.mark.parametrize("text", NASTY)
def test_a_nasty_text_is_no_value_of_a_number(text: str) -> None:
    body = {"size": {"workers": text, "cores": text, "memory": text}, "scaling": {"workers": text}}
    assert wrong(body) == {"size.workers", "size.cores", "size.memory", "scaling.workers"}


@pytest.mark.parametrize("name", ["Grüße aus Jülich", "a'b\"c", "$(id)", "日本", "<script>", "😀", "x" * 64])
def test_a_name_is_for_people_and_may_be_anything_on_one_line(name: str) -> None:
    assert read_launch({"name": name}, all_sites(), KERNELS).name == name


@pytest.mark.parametrize(
    "name", ["a\nb", "a\rb", "a\x00b", "a\x1b[2J", "a\u2028b", "a\u202eb", "\t", " ", "", "x" * 65, 1]
)
def test_a_name_that_is_not_one_printable_line_is_refused(name: Any) -> None:
    assert wrong({"name": name}) == {"name"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"a.b": 1}, "a.b"),
        ({"size.workers": 1}, "size.workers"),
        ({"options.qos": "debug"}, "options.qos"),
        ({"": 1}, ""),
        ({"size": {"name": "small"}}, "size.name"),
        ({"size": {"custom": 1}}, "size.custom"),
        ({"size": {"a.b": 1}}, "size.a.b"),
        ({"__class__": "x"}, "__class__"),
    ],
)
def test_a_field_of_an_odd_name_is_an_unknown_field_like_any_other(body: dict[str, Any], field: str) -> None:
    assert field in wrong(body)


@pytest.mark.parametrize("value", [[], [1], 3, 1.5, True, "text"])
def test_a_value_of_another_kind_is_wrong_in_its_field(value: Any) -> None:
    assert wrong({"options": value}) == {"options"}
    assert wrong({"scaling": value}) == {"scaling"}
    if not isinstance(value, str):
        assert wrong({"size": value}) == {"size"}
        assert wrong({"site": value, "name": ""}) == {"site", "name"}


@pytest.mark.parametrize("value", [10**30, float("inf"), float("nan"), 1e308, -(10**30), 2**63, True, 1.5])
def test_a_number_beyond_all_bounds_is_wrong_in_its_field(value: Any) -> None:
    body = {"size": {"workers": value, "cores": value, "memory": 1}, "walltime": value, "scaling": {"workers": value}}
    assert wrong(body) >= {"walltime", "scaling.workers"}


def cluster_of(shape: WorkerShape) -> Cluster:
    """Return a cluster with workers of a shape."""
    return record(Path(), queue="regular", shape=shape)


@pytest.mark.parametrize("memory", [10**30, float("inf"), float("nan"), -1, "1e999 GiB", "9" * 500, True])
def test_memory_beyond_all_bounds_is_wrong_in_its_field(memory: Any) -> None:
    assert wrong({"size": {"workers": 1, "cores": 1, "memory": memory}}) == {"size.memory"}


def test_a_long_value_is_told_cut_short() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_launch({"queue": "q" * 100, "walltime": "w" * 10_000, "x" * 10_000: 1}, all_sites(), KERNELS)
    assert all(len(error.message) < 500 for error in caught.value.errors)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"scaling": {"workers": 65}}, {"scaling.workers"}),
        ({"scaling": {"workers": -1}, "name": "a\nb"}, {"scaling.workers", "name"}),
        ({"scaling": {"mode": "adaptive", "workers": 1}}, {"scaling.workers", "scaling.minimum", "scaling.maximum"}),
        ({"scaling": {"mode": "adaptive", "minimum": 3, "maximum": 2}}, {"scaling.minimum"}),
        ({"scaling": {"mode": "adaptive", "minimum": 0, "maximum": 65}}, {"scaling.maximum"}),
        ({"scaling": {"mode": "flexible"}}, {"scaling.mode"}),
        ({"group": "gpu", "scaling": {"workers": 1}}, {"group"}),
        ({"scaling": {}}, {"scaling.workers"}),
        ({"scaling": {"workers": 65}, "name": ""}, {"scaling.workers", "name"}),
        ({"state": "running"}, {"state"}),
        ({"scaling": None, "name": 5}, {"name"}),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_every_field(body: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_change(body, centre(), cluster_of(WorkerShape(cores=1, memory=1)))
    assert {error.field for error in caught.value.errors} == fields


def test_a_change_to_workers_that_do_not_fill_their_jobs_is_refused() -> None:
    shape = WorkerShape(cores=1, memory=1, workers_per_job=4)
    with pytest.raises(InvalidRequest, match="6 workers cannot be split into jobs of 4: choose 4 or 8"):
        read_change({"scaling": {"workers": 6}}, centre(), cluster_of(shape))
    change = read_change({"scaling": {"workers": 8}, "name": "n"}, centre(), cluster_of(shape))
    assert change.scaling is not None
    assert (change.scaling.workers, change.name) == (8, "n")


def test_workers_fill_their_jobs_also_where_the_site_is_not_described_any_more() -> None:
    shape = WorkerShape(cores=1, memory=1, workers_per_job=4)
    with pytest.raises(InvalidRequest, match="cannot be split"):
        read_change({"scaling": {"workers": 6}}, None, cluster_of(shape))


def test_an_empty_change_changes_nothing() -> None:
    change = read_change({}, centre(), cluster_of(WorkerShape(cores=1, memory=1)))
    assert (change.name, change.scaling) == (None, None)

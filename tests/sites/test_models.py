"""What an administrator may describe, and what is refused before anybody launches anything with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hpcdask_ext.sites.machine import local_site
from hpcdask_ext.sites.models import BatchSite, Option
from hpcdask_ext.sites.pace import Pace

from .samples import description


def refusal(**changes: Any) -> tuple[str, str]:
    """Return where, and with which words, the first thing wrong with a site is refused."""
    with pytest.raises(ValidationError) as caught:
        BatchSite.model_validate(description(**changes))
    entry = caught.value.errors()[0]
    return ".".join(map(str, entry["loc"])), entry["msg"]


def test_the_smallest_useful_site_is_read_and_all_else_has_defaults() -> None:
    site = BatchSite.model_validate(description())
    assert (site.name, site.label, site.interface, site.scheduler.place) == ("centre", "Centre (Slurm)", "ib0", "host")
    (queue,), (size,) = site.queues, site.sizes
    assert (queue.limits.memory, queue.limits.walltime, queue.limits.nodes) == (120 * 2**30, timedelta(days=1), None)
    assert (size.workers, size.cores, size.memory, size.workers_per_job) == (2, 4, 16 * 2**30, 1)
    assert (site.kernels, site.environments, site.accounts, site.options) == (True, (), (), ())


def test_clusters_follow_their_work_faster_where_nothing_waits_in_a_queue() -> None:
    assert BatchSite.model_validate(description()).adaptive == Pace()
    local = description(batch_system="local", command_prefix=[], settings=None)
    assert BatchSite.model_validate(local).adaptive == Pace.without_queue() == local_site().adaptive
    chosen = BatchSite.model_validate({**local, "adaptive": {"patience": 30}}).adaptive
    assert chosen == Pace.without_queue().model_copy(update={"patience": timedelta(seconds=30)})
    with pytest.raises(ValidationError, match="adaptive"):
        BatchSite.model_validate({**local, "adaptive": 30})


def test_an_unquoted_walltime_which_yaml_reads_as_seconds_is_the_same() -> None:
    size = {"name": "small", "workers": 2, "cores": 4, "memory": "16 GiB", "walltime": 3600}
    assert BatchSite.model_validate(description(sizes=[size])).sizes[0].walltime == timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"quues": []}, "quues"),
        ({"queues": [{"name": "regular", "limit": {}}]}, "queues.0.limit"),
        ({"queues": [{"name": "regular", "limits": {"cpus": 4}}]}, "queues.0.limits.cpus"),
        ({"scheduler": {"place": "job", "mem": "1 GiB"}}, "scheduler.mem"),
    ],
)
def test_a_misspelt_key_is_refused_where_it_stands(changes: dict[str, Any], where: str) -> None:
    assert refusal(**changes)[0] == where


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"batch_system": "slrum"}, "batch_system"),
        ({"queues": []}, "queues"),
        ({"sizes": []}, "sizes"),
        ({"queues": [{"name": "regular", "limits": {"walltime": "tomorrow"}}]}, "queues.0.limits.walltime"),
        ({"queues": [{"name": "regular", "limits": {"workers": 0}}]}, "queues.0.limits.workers"),
        ({"sizes": [{"name": "s", "workers": 0, "cores": 1, "memory": "1 GiB"}]}, "sizes.0.workers"),
        ({"sizes": [{"name": "s", "workers": 1, "cores": 1, "memory": "much"}]}, "sizes.0.memory"),
        ({"scheduler": {"place": "login"}}, "scheduler.place"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(changes: dict[str, Any], where: str) -> None:
    assert refusal(**changes)[0] == where


@pytest.mark.parametrize("text", ["two words", "a;b", "$(id)", "-p", "a\nb", "../up", "größe", "", "x" * 65])
def test_a_name_that_a_batch_system_would_not_take_as_it_is_is_refused(text: str) -> None:
    assert refusal(queues=[{"name": text}])[0] == "queues.0.name"
    assert refusal(name=text)[0] == "name"
    assert refusal(accounts=[text])[0] == "accounts.0"


@pytest.mark.parametrize("text", ["ib0; reboot", "ib0 --host x", "$(id)", "ib0\n"])
def test_an_interface_is_one_word(text: str) -> None:
    assert refusal(interface=text)[0] == "interface"


def test_a_directive_stands_on_one_line() -> None:
    assert refusal(extra_directives=["--exclusive\n#SBATCH --uid=0"])[0] == "extra_directives.0"


def test_a_size_whose_workers_do_not_fill_its_jobs_is_refused() -> None:
    where, message = refusal(sizes=[{"name": "s", "workers": 6, "cores": 1, "memory": "1 GiB", "workers_per_job": 4}])
    assert where == "sizes.0"
    assert "6 workers cannot be split into jobs of 4" in message


@pytest.mark.parametrize(
    ("what", "entries"),
    [
        ("queues", [{"name": "a"}, {"name": "b"}, {"name": "a"}]),
        ("sizes", [{"name": "a", "workers": 1, "cores": 1, "memory": "1 GiB"}] * 2),
        ("options", [{"name": "a"}, {"name": "a"}]),
        ("environments", [{"name": "a", "argv": ["python"]}, {"name": "a", "argv": ["python3"]}]),
    ],
)
def test_two_of_one_name_are_refused(what: str, entries: list[dict[str, Any]]) -> None:
    assert f"names of {what} must be unique; found twice: a" in refusal(**{what: entries})[1]


def test_an_environment_of_a_site_file_is_the_sites() -> None:
    site = BatchSite.model_validate(description(environments=[{"name": "geo", "argv": ["/opt/geo/bin/python"]}]))
    assert site.environments[0].kind == "site"


@pytest.mark.parametrize(
    "option",
    [
        {"name": "qos", "type": "choice"},
        {"name": "qos", "choices": ["a"]},
        {"name": "qos", "pattern": "["},
        {"name": "QoS"},
        {"name": "a-b"},
        {"name": "a", "type": "float"},
        {"name": "a", "directive": "--a={value}\n#SBATCH --b"},
        {"name": "a", "minimum": "low", "type": "integer"},
    ],
)
def test_an_option_that_makes_no_sense_is_refused(option: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Option.model_validate(option)


@pytest.mark.parametrize(
    "option",
    [
        {"name": "qos", "type": "choice", "choices": ["normal", "debug"], "default": "turbo"},
        {"name": "gpus", "type": "integer", "maximum": 4, "default": 5},
        {"name": "exclusive", "type": "boolean", "default": "yes"},
        {"name": "constraint", "default": "a; b"},
    ],
)
def test_an_options_default_is_held_to_the_options_own_rules(option: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Option.model_validate(option)


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ({"type": "choice", "choices": ["a", "b"]}, ["a", "b"], ["c", "", None, 1, [], "A"]),
        ({"type": "boolean"}, [True, False], ["true", 0, 1, None]),
        ({"type": "integer", "minimum": 0, "maximum": 4}, [0, 4], [-1, 5, 2.0, "2", True, None]),
        ({"type": "number", "minimum": 0.5}, [0.5, 1, 2.5], [0.4, "1", False, None]),
        ({}, ["", "a,b", "user@host:/x"], ["a b", "a;b", "$(id)", "a\nb", '"', "'", "größe", 1, None]),
        ({"pattern": "[a-z ]+"}, ["a b"], ["", "A", "a\n", "a b\n"]),
        ({"pattern": "(?s).*"}, ["a b"], ["a\nb", "a\x00b", "a\u2028b"]),
    ],
)  # fmt: skip
def test_an_option_takes_what_it_describes_and_nothing_else(
    option: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    checked = Option.model_validate({"name": "x", **option})
    assert [checked.check(value) for value in good] == [None] * len(good)
    assert [value for value in bad if checked.check(value) is None] == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    """JSON as Python reads it has them."""
    assert Option(name="x", type="number").check(value) is not None
    assert Option(name="x", type="number", minimum=0, maximum=1).check(value) is not None


def test_what_is_out_of_bounds_is_told_with_the_bound() -> None:
    option = Option(name="gpus", type="integer", minimum=1, maximum=4)
    assert option.check(9) == "9 is above the maximum of 4"
    assert option.check(0) == "0 is below the minimum of 1"

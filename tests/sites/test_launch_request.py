"""What a user asks for: what is filled in, and what is wrong with it, all of it at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.clusters.groups import FixedScaling, WorkerShape
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.errors import InvalidRequest, SiteNotFound
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.machine import local_site
from hpcdask_ext.sites.request import Launch, read_launch

from .samples import KERNELS, all_sites, centre

HOUR = timedelta(hours=1)


def ask(**body: Any) -> Launch:
    return read_launch(body, all_sites(), KERNELS)


def wrong(**body: Any) -> dict[str, str]:
    """Return what is wrong with a request, by field."""
    with pytest.raises(InvalidRequest) as caught:
        ask(**body)
    fields = [error.field for error in caught.value.errors]
    assert sorted(fields) == sorted(set(fields)), "one entry for each field"
    return {error.field: error.message for error in caught.value.errors}


def test_an_empty_request_gets_the_first_of_everything() -> None:
    launch = ask()
    assert (launch.site.name, launch.main.queue, launch.main.size) == ("centre", "regular", "small")
    assert launch.main.shape == WorkerShape(cores=4, memory=16 * 2**30)
    assert (launch.main.scaling, launch.main.walltime) == (FixedScaling(workers=2), HOUR)
    assert (launch.account, launch.environment.name, launch.name) == ("science", "python3", None)
    assert launch.options == {"qos": "normal"}


def test_a_full_request_gets_what_it_asks_for() -> None:
    launch = ask(
        site="centre",
        queue="debug",
        size={"workers": 4, "cores": 8, "memory": "8 GiB", "workers_per_job": 2},
        walltime="00:20:00",
        account="teaching",
        environment="geo",
        layout="elastic",
        name="era5",
        options={"qos": "debug", "gpus": 2, "exclusive": True},
        scaling={"mode": "fixed", "workers": 2},
    )
    assert (launch.main.queue, launch.main.size, launch.name) == ("debug", None, "era5")
    assert launch.main.shape == WorkerShape(cores=8, memory=2**33, workers_per_job=2)
    assert (launch.main.scaling.workers, launch.main.walltime) == (2, timedelta(minutes=20))
    assert (launch.account, launch.environment.name) == ("teaching", "geo")
    assert launch.options == {"qos": "debug", "gpus": 2, "exclusive": True}


def test_every_field_that_is_wrong_is_told_at_once_with_its_value() -> None:
    errors = wrong(
        queue="regulr",
        size={"workers": 0, "cores": "4", "memory": "much", "workers_per_job": 0},
        walltime="soon",
        account="a b",
        environment="nowhere",
        layout="mesh",
        name="two\nlines",
        options={"qos": "turbo", "gpus": 9, "nope": 1},
        scaling={"mode": "fixed", "workers": -1},
        colour="blue",
    )
    found = {
        "queue": "'regulr'", "size.workers": "0", "size.cores": "'4'", "size.memory": "'much'",
        "size.workers_per_job": "0", "walltime": "'soon'", "account": "'a b'", "environment": "'nowhere'",
        "layout": "'mesh'", "name": r"'two\nlines'", "options.qos": "'turbo'", "options.gpus": "9",
        "options.nope": "'nope'", "scaling.workers": "-1", "colour": "'colour'",
    }  # fmt: skip
    assert errors.keys() == found.keys()
    assert {field: value for field, value in found.items() if value not in errors[field]} == {}
    assert "4" in errors["options.gpus"]


def test_more_than_the_queue_allows_is_told_with_the_limit_and_each_field_by_itself() -> None:
    errors = wrong(size={"workers": 65, "cores": 33, "memory": "121 GiB"}, walltime="24:00:01")
    assert errors == {
        "size.workers": "65 workers are more than the queue regular allows: 64",
        "size.cores": "33 cores are more than the queue regular allows: 32",
        "size.memory": "121 GiB is more than the queue regular allows: 120 GiB",
        "walltime": "24:00:01 is longer than the queue regular allows: 24:00:00",
    }


def test_what_the_queue_just_allows_is_right() -> None:
    launch = ask(size={"workers": 64, "cores": 32, "memory": "120 GiB"}, walltime="24:00:00")
    assert (launch.main.scaling.workers, launch.main.walltime) == (64, timedelta(hours=24))


def test_limits_on_cores_and_memory_count_all_workers_of_a_job() -> None:
    errors = wrong(size={"workers": 4, "cores": 9, "memory": "31 GiB", "workers_per_job": 4})
    assert errors == {
        "size.cores": "36 cores for 4 workers per job are more than the queue regular allows: 32",
        "size.memory": "124 GiB for 4 workers per job is more than the queue regular allows: 120 GiB",
    }


def test_a_named_size_that_a_queue_does_not_allow_is_told_at_the_size() -> None:
    errors = wrong(queue="debug", size="packed")
    assert errors == {"size": "8 workers are more than the queue debug allows: 4"}


def test_a_named_size_with_more_workers_is_told_at_the_scaling() -> None:
    assert list(wrong(size="small", scaling={"workers": 65})) == ["scaling.workers"]


def test_a_walltime_that_comes_from_the_size_is_held_to_the_queue_as_well() -> None:
    assert wrong(queue="debug", size="small") == {
        "walltime": "01:00:00 is longer than the queue debug allows: 00:30:00"
    }


def test_a_size_without_a_walltime_gets_the_queues() -> None:
    assert ask(size="packed").main.walltime == timedelta(hours=24)


@pytest.mark.parametrize("workers", [1, 5, 7])
def test_workers_fill_the_jobs_and_the_numbers_that_do_are_named(workers: int) -> None:
    size = {"workers": workers, "cores": 1, "memory": "1 GiB", "workers_per_job": 4}
    fits = [number for number in (workers - workers % 4, workers - workers % 4 + 4) if number]
    message = wrong(size=size)["size.workers"]
    assert message == f"{workers} workers cannot be split into jobs of 4: choose {' or '.join(map(str, fits))}"


def test_a_cluster_may_begin_without_workers() -> None:
    assert ask(size="packed", scaling={"workers": 0}).main.scaling.workers == 0


def test_a_size_of_ones_own_needs_all_its_parts() -> None:
    assert set(wrong(size={"workers": 2})) == {"size.cores", "size.memory"}
    assert set(wrong(size={})) == {"size.workers", "size.cores", "size.memory"}


def test_an_unknown_site_alone_is_not_found_and_what_there_is_is_told() -> None:
    with pytest.raises(SiteNotFound) as caught:
        ask(site="center", name="x")
    (error,) = caught.value.errors
    assert error.field == "site"
    assert error.message == "Unknown site 'center'. Available: centre, local"


def test_an_unknown_site_among_other_mistakes_is_one_of_them() -> None:
    with pytest.raises(InvalidRequest) as caught:
        ask(site="center", walltime="soon", name="")
    assert not isinstance(caught.value, SiteNotFound)
    assert {error.field for error in caught.value.errors} == {"site", "walltime", "name"}


def test_without_any_site_every_launch_is_refused() -> None:
    with pytest.raises(SiteNotFound):
        read_launch({}, Sites(()), KERNELS)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"queue": "debugg"}, "Unknown queue 'debugg'. Available: debug, regular"),
        ({"size": "pack"}, "Unknown size 'pack'. Available: packed, small"),
        ({"account": "teach"}, "Unknown account 'teach'. Available: teaching, science"),
        ({"environment": "pyton3"}, "Unknown environment 'pyton3'. Available: python3, geo"),
        ({"layout": "mesh"}, "Unknown layout 'mesh'. Available: elastic, allocation"),
    ],
)
def test_what_there_is_instead_is_told_the_nearest_first(body: dict[str, Any], message: str) -> None:
    assert list(wrong(**body).values()) == [message]


def test_an_unknown_option_or_field_is_told_with_those_that_there_are() -> None:
    message = wrong(options={"gpu": 1})["options.gpu"]
    assert message.startswith("Unknown option 'gpu'. Available: gpus, ")
    assert "Available: queue, " in wrong(queu="regular")["queu"]
    assert "Available: cores, " in wrong(size={"workers": 1, "core": 1, "memory": 1})["size.core"]
    scaling = wrong(scaling={"mode": "fixed", "workers": 1, "worker": 2})
    assert list(scaling) == ["scaling.worker"]
    assert "Available: workers, mode" in scaling["scaling.worker"]


def test_where_no_account_is_listed_any_plain_one_may_be_given() -> None:
    sites = Sites((centre(accounts=[]),))
    assert read_launch({"account": "proj-2026.a"}, sites, KERNELS).account == "proj-2026.a"
    assert read_launch({}, sites, KERNELS).account is None


def test_a_sites_own_environment_comes_before_a_kernel_of_the_same_name() -> None:
    own = {"name": "geo", "argv": ["/site/python"]}
    sites = Sites((centre(environments=[own]),))
    assert read_launch({}, sites, KERNELS).environment.argv == ("/site/python",)
    assert read_launch({"environment": "geo"}, sites, KERNELS).environment.kind == "site"
    assert read_launch({"environment": "python3"}, sites, KERNELS).environment.kind == "kernel"


def test_a_site_may_do_without_the_users_kernels() -> None:
    sites = Sites((centre(kernels=False, environments=[{"name": "geo", "argv": ["/site/python"]}]),))
    with pytest.raises(InvalidRequest, match=r"Unknown environment 'python3'. Available: geo"):
        read_launch({"environment": "python3"}, sites, KERNELS)


def test_without_any_environment_a_launch_is_refused_in_words() -> None:
    none: tuple[Environment, ...] = ()
    with pytest.raises(InvalidRequest, match="install a Python kernel"):
        read_launch({}, Sites((centre(),)), none)


def test_on_this_machine_a_walltime_is_only_what_was_asked_for() -> None:
    here = Sites((local_site(),))
    assert read_launch({}, here, KERNELS).main.walltime is None
    assert read_launch({"walltime": "01:00:00"}, here, KERNELS).main.walltime == HOUR


@pytest.mark.parametrize("argument", ["a\nb", "x\n#$ -P other", "a\rb", "a\0b"])
def test_an_argument_that_a_job_script_would_misread_is_refused(argument: str) -> None:
    told = wrong(script={"path": "analysis.py", "arguments": ["--fine", argument]})
    assert told["script.arguments.1"].startswith("an argument must be one line")


def test_any_other_argument_of_a_script_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "analysis.py").touch()
    arguments = ["$(touch FIRED)", "it's", "a\tb", "é\u00a0", "--x=`id`", ""]
    body = {"script": {"path": "analysis.py", "arguments": arguments}}
    launch = read_launch(body, all_sites(), KERNELS, tmp_path)
    assert launch.script is not None
    assert list(launch.script.arguments) == arguments

"""Workers end by themselves before the walltime of their job, and not all at once."""

from __future__ import annotations

import subprocess
import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from hpcdask_ext.batch.local import LocalSystem
from hpcdask_ext.batch.slurm import SlurmSystem
from hpcdask_ext.clusters.groups import AdaptiveScaling
from hpcdask_ext.launchers.batch import BatchLauncher
from hpcdask_ext.launchers.dask_command import worker_command

from .test_job_request import HERE, cluster_with, requests, site_with

CUDA = [{"name": "regular", "worker_command": ["-m", "dask", "cuda", "worker"]}]


REPLACED = AdaptiveScaling(minimum=2, maximum=4, workers=2)


def words_of(command: str, began: int, index: int = 1) -> list[str]:
    """Return the words, and the variables, with which the shell of a job that began then runs its workers."""
    told = command.replace("/opt/env/bin/python", 'sh -c \'env | grep LIFETIME; printf "%s\\n" "$@"\'', 1)
    script = f"hpcdask_began={began}; HPCDASK_INDEX={index}; {told}"
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()


def lifetimes(site: dict[str, Any], began: int, index: int = 1, **cluster: Any) -> list[str]:
    """Return what the workers of a job are told of their lifetime."""
    (*_, workers) = requests(site_with(**site), cluster_with(**cluster))
    words = words_of(workers.command, began, index)
    options = [after for before, after in pairwise(words) if before in ("--lifetime", "--lifetime-stagger")]
    return options or [word.rpartition("=")[2] for word in sorted(words) if "LIFETIME" in word]


def seconds(text: str) -> int:
    return int(text.removesuffix(" seconds"))


@pytest.mark.parametrize("site", [{}, {"queues": CUDA}, {"batch_system": "local"}])
def test_they_end_a_margin_before_it_however_long_their_job_has_run_already(site: dict[str, Any]) -> None:
    for waited in (0, 600):
        lifetime, stagger = lifetimes(site, int(time.time()) - waited)
        assert 55 * 60 - waited - 30 < seconds(lifetime) <= 55 * 60 - waited
        assert stagger == "150 seconds"


@pytest.mark.parametrize("site", [{}, {"queues": CUDA}, {"batch_system": "local"}])
def test_jobs_that_are_replaced_end_over_a_longer_time_but_the_workers_of_one_together(site: dict[str, Any]) -> None:
    began = int(time.time())
    told = [lifetimes(site, began, index, scaling=REPLACED) for index in range(1, 11)]
    assert {stagger for _, stagger in told} == {"150 seconds"}, "the margin, in which the job has workers of several"
    ends = sorted(seconds(lifetime) for lifetime, _ in told)
    assert 55 * 60 - 13 * 60 - 30 < ends[0] < ends[-1] <= 55 * 60
    steps = [after - before for before, after in pairwise(ends)]
    assert 10 < min(steps) < max(steps) < 180, "ten of them in 13 minutes, one after another"


def test_submissions_of_single_jobs_end_one_after_another_too() -> None:
    launcher = BatchLauncher(site_with(), {"host": LocalSystem(), "batch": SlurmSystem()}, {}, HERE)
    cluster, began = cluster_with(scaling=REPLACED), int(time.time())
    ends = set()
    for _ in range(5):
        cluster = cluster.with_job(launcher.more_workers(cluster, cluster.main, 2))
        words = words_of(worker_command(cluster, launcher.site, cluster.jobs[-1]), began)
        ends.add(seconds(words[words.index("--lifetime") + 1]) // 60)
    assert len(ends) == 5


def test_a_short_walltime_has_a_short_margin() -> None:
    lifetime, stagger = lifetimes({}, int(time.time()), walltime=timedelta(minutes=10))
    assert 540 - 30 < seconds(lifetime) <= 540
    assert stagger == "30 seconds"


@pytest.mark.parametrize(
    ("site", "cluster", "told"),
    [
        ({"worker_arguments": ["--lifetime", "20m"]}, {}, ["20m"]),
        ({"options": [{"name": "life", "worker_argument": "--lifetime {value}"}]}, {"options": {"life": "9m"}}, ["9m"]),
        ({}, {"walltime": None}, []),
    ],
)
def test_what_a_site_says_itself_stays_and_without_a_walltime_nothing_is_said(
    site: dict[str, Any], cluster: dict[str, Any], told: list[str]
) -> None:
    assert lifetimes(site, 0, **cluster) == told


def test_workers_of_a_single_job_stay_as_long_as_their_scheduler() -> None:
    (job,) = requests(site_with(), cluster_with(layout="allocation"))
    assert "lifetime" not in job.tasks.command
    (job,) = requests(site_with(batch_system="local"), cluster_with(layout="allocation"))
    assert "--lifetime '3600 seconds'" in job.tasks.command, "no batch system ends it"


@pytest.mark.parametrize(
    ("site", "cluster", "shortest"),
    [
        ({}, {}, timedelta(minutes=52, seconds=28)),
        ({}, {"scaling": REPLACED}, timedelta(minutes=39, seconds=28)),
        ({"worker_arguments": ["--lifetime=20m"]}, {}, timedelta()),
        ({"batch_system": "local"}, {}, timedelta(minutes=52, seconds=28)),
        ({"batch_system": "local"}, {"walltime": None}, None),
    ],
)
def test_a_job_knows_when_it_may_end_because_its_workers_do(
    site: dict[str, Any], cluster: dict[str, Any], shortest: timedelta | None
) -> None:
    launcher = BatchLauncher(site_with(**site), {"host": LocalSystem(), "batch": SlurmSystem()}, {}, HERE)
    assert launcher.first_jobs(cluster_with(**cluster))[-1].lifetime == shortest

"""Records of clusters that ran for long: they do not grow with each job that is over, and lose nothing that counts."""

from __future__ import annotations

import json

import pytest

from hpcdask_ext.clusters.groups import AdaptiveScaling
from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.reports import read_reports
from hpcdask_ext.clusters.states import ClusterState, JobState
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.folding import folded
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.usage import core_hours
from hpcdask_ext.control.view import cluster_view

from .conftest import after, job
from .conversation import until
from .test_reconcile import ADDRESS, UP, explain

HOUR = 3600
DAY = 24 * HOUR


def workers(number: int, start: float, *, over: bool = True, cores: int | None = 2, group: str = "workers") -> Job:
    """Return a job of two elements of half an hour, or of two that still run."""
    ended = {"state": JobState.ENDED, "ended": after(start + HOUR / 2)} if over else {"state": JobState.RUNNING}
    one = Element(started=after(start), **ended)
    made = job(f"{group}-{number}", 2).model_copy(update={"elements": {1: one, 2: one}, "cores": cores})
    return made.model_copy(update={"group": group, "submitted": after(start)})


@pytest.fixture
def long(make_cluster) -> Cluster:
    """Return a cluster that has run for a hundred hours with a job of workers in each, and whose scheduler runs."""
    jobs = [workers(number, number * HOUR) for number in range(1, 100)]
    scaling = AdaptiveScaling(minimum=0, maximum=8)
    scheduler = job("scheduler", 1, "host", "s").with_elements([1], state=JobState.RUNNING, started=after(1))
    values = {"started": after(1), "state": ClusterState.RUNNING, "scaling": scaling}
    return make_cluster(scheduler, *jobs, workers(100, 100 * HOUR, over=False), **values)


def test_old_jobs_become_totals_and_core_hours_stay(long):
    now = after(100 * HOUR + 60)
    left = folded(long, now)
    assert [one.tag for one in left.jobs] == ["scheduler", *(f"workers-{number}" for number in range(80, 101))]
    assert (left.main.past.number, left.main.past.elements) == (79, 158)
    assert core_hours(left, now) == pytest.approx(core_hours(long, now))
    assert (
        cluster_view(left, None, "/")["groups"][0]["workers"] == cluster_view(long, None, "/")["groups"][0]["workers"]
    )
    assert folded(left, now) is left
    assert Cluster.model_validate_json(left.model_dump_json()) == left


def test_numbers_of_jobs_are_never_used_again(long):
    assert folded(long, after(DAY * 9)).next_number(long.main) == 101
    over = long.without_job("workers-100")
    few = folded(over, after(DAY * 9)).model_copy(update={"jobs": long.jobs[:1]})
    assert few.next_number(few.main) == 80


async def test_the_next_job_does_not_get_the_name_of_one_that_was_folded(long, manager):
    launcher = await manager._catalogue.launcher("centre")
    left = folded(long, after(100 * HOUR + 60))
    assert launcher.more_workers(left, left.main, 2).tag == "workers-101"


def test_what_ended_within_the_hour_stays_and_so_does_what_may_not_be_over(make_cluster):
    recent = [workers(number, number) for number in range(1, 40)]
    assert folded(make_cluster(*recent), after(HOUR)).jobs == tuple(recent)
    assert len(folded(make_cluster(*recent), after(DAY)).jobs) == 20
    unknown = workers(1, 1).with_elements([2], ended=None)
    assert unknown in folded(make_cluster(unknown, *recent[1:]), after(DAY)).jobs


def test_each_group_keeps_its_own_jobs_and_what_is_unknown_stays_unknown(make_cluster):
    cluster = make_cluster(*(workers(number, number) for number in range(1, 31)))
    cluster = cluster.with_new_group(cluster.main.model_copy(update={"name": "gpu"}))
    for number in range(1, 26):
        cluster = cluster.with_job(workers(number, number, cores=None, group="gpu"))
    left = folded(cluster, after(DAY))
    assert [group.past.number for group in left.groups] == [10, 5]
    assert [group.past.core_seconds for group in left.groups] == [10 * 2 * 2 * HOUR / 2, None]
    assert core_hours(left, after(DAY)) is None


def test_a_running_cluster_is_folded_as_it_is_observed_and_goes_on(long):
    told = SchedulerStatus(version=1, workers=2, nthreads=2, memory_limit=0, clients=0, groups={"workers": 2})
    seen = reconcile(long, Observation(after(100 * HOUR + 60), UP, ADDRESS, told), explain)
    assert (seen.state, len(seen.jobs)) == (ClusterState.RUNNING, 22)
    assert len(seen.model_dump_json()) < len(long.model_dump_json()) / 2


async def test_what_folded_jobs_reported_is_removed_and_their_logs_stay(long, manager):
    launched = await manager.launch({})
    await until(lambda: manager.get(launched.id).state is ClusterState.PENDING)
    changes = {"jobs": (*launched.jobs[:1], *long.jobs[1:]), "state": ClusterState.RUNNING, "started": after(1)}
    await manager._ledger.change(launched.id, lambda old: old.model_copy(update=changes))
    folders = [launched.directory / name for name in ("reports", "logs")]
    for number in range(1, 101):
        (folders[0] / f"workers-{number}.1.started").write_text(f"time={int(after(number * HOUR).timestamp())}\n")
        (folders[1] / f"workers-{number}.1.log").write_text("worked")
    told = SchedulerStatus(version=1, workers=2, nthreads=2, memory_limit=0, clients=0, groups={"workers": 2})
    await manager._tracker._apply(launched.id, Observation(after(100 * HOUR + 60), {}, ADDRESS, told))
    assert manager.get(launched.id).main.past.number == 79
    assert sorted(read_reports(launched.directory)) == sorted((f"workers-{number}", 1) for number in range(80, 101))
    assert len(list(folders[1].glob("workers-*"))) == 100


def test_a_record_without_totals_is_read_as_one_without_past_jobs(long):
    told = json.loads(long.model_dump_json())
    for group in told["groups"]:
        del group["past"]
    assert Cluster.model_validate(told) == long

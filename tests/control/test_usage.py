"""How much a cluster has used, and when it will end because nobody uses it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hpcdask_ext.clusters.models import Element
from hpcdask_ext.clusters.reports import Report, read_reports
from hpcdask_ext.clusters.states import ClusterState, JobState
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.idle import idle_ends_at
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.usage import core_hours, cores_running
from hpcdask_ext.control.view import cluster_view
from hpcdask_ext.sites.units import time_in_words

from .conftest import START, after, job
from .test_reconcile import ADDRESS, UP, explain

HOUR = 3600
RUNNING, ENDED = JobState.RUNNING, JobState.ENDED


def used(tag: str, cores: int | None, *elements: Element):
    one = job(tag, len(elements))
    return one.model_copy(update={"cores": cores, "elements": dict(enumerate(elements, start=1))})


def test_core_hours_are_the_cores_asked_for_times_the_time_from_start_to_end(make_cluster):
    workers = used(
        "workers-1",
        8,
        Element(state=ENDED, started=after(0), ended=after(HOUR / 2)),
        Element(state=RUNNING, started=after(HOUR)),
        Element(),
    )
    other = used("gpu-1", 16, Element(state=RUNNING, started=after(HOUR)))
    cluster = make_cluster(used("scheduler", 2, Element(state=RUNNING, started=START)), workers, other)
    assert core_hours(cluster, after(2 * HOUR)) == 2 * 2 + 8 * 0.5 + 8 * 1 + 16 * 1
    assert cores_running(cluster) == 2 + 8 + 16


def test_what_has_not_started_has_used_nothing(make_cluster):
    cluster = make_cluster(used("scheduler", 2, Element()), used("workers-1", 8, Element(), Element()))
    assert (core_hours(cluster, after(HOUR)), cores_running(cluster)) == (0, 0)
    failed = make_cluster(used("workers-1", 8, Element(state=JobState.FAILED, ended=after(9))))
    assert (core_hours(failed, after(HOUR)), cores_running(failed)) == (0, 0)


def test_an_ended_cluster_uses_nothing_more_even_where_an_end_is_unknown(make_cluster):
    unknown = used("workers-1", 4, Element(state=JobState.UNKNOWN, started=START))
    over = used("workers-2", 4, Element(state=ENDED, started=START))
    cluster = make_cluster(unknown, over, state=ClusterState.STOPPED, ended=after(HOUR))
    assert core_hours(cluster, after(9 * HOUR)) == 8
    assert cores_running(cluster) == 0


def test_a_node_s_clock_that_is_ahead_does_not_make_it_less_than_nothing(make_cluster):
    ahead = used("workers-1", 4, Element(state=RUNNING, started=after(60)))
    assert core_hours(make_cluster(ahead), START) == 0


@pytest.mark.parametrize("kind", ["gateway", "factory", "adopted"])
def test_what_others_run_is_not_known(make_cluster, kind):
    cluster = make_cluster(used("workers-1", 4, Element(state=RUNNING, started=START)), kind=kind)
    assert (core_hours(cluster, after(HOUR)), cores_running(cluster)) == (None, None)


def test_what_an_earlier_version_launched_is_not_known(make_cluster):
    cluster = make_cluster(used("workers-1", None, Element(state=RUNNING, started=START)))
    assert (core_hours(cluster, after(HOUR)), cores_running(cluster)) == (None, None)


def status(idle_since=None, version: int = 1) -> SchedulerStatus:
    return SchedulerStatus(version=version, workers=2, nthreads=2, memory_limit=0, clients=0, idle_since=idle_since)


def seen(cluster, told: SchedulerStatus | None, at: float, reports=UP):
    return reconcile(cluster, Observation(after(at), reports, ADDRESS, told), explain)


def test_the_end_of_an_idle_cluster_is_told_and_does_not_move_with_each_look(make_cluster):
    cluster = seen(make_cluster(idle_timeout=timedelta(hours=1)), status(), 5)
    assert cluster_view(cluster, None, "/")["idle_ends_at"] is None
    cluster = seen(cluster, status(after(60)), 70)
    assert idle_ends_at(cluster) == after(60 + HOUR)
    assert cluster_view(cluster, None, "/")["idle_ends_at"] == "2026-11-20T13:01:00Z"
    assert seen(cluster, status(after(62)), 500) == cluster, "moments are no news"
    assert idle_ends_at(seen(cluster, status(after(90), 2), 100)) == after(90 + HOUR)
    assert idle_ends_at(seen(cluster, status(None, 2), 100)) is None


def test_an_older_answer_does_not_undo_what_a_user_has_just_kept(make_cluster):
    cluster = seen(make_cluster(idle_timeout=timedelta(hours=1)), status(after(60)), 70)
    kept = cluster.model_copy(update={"idle_since": after(600)})
    assert idle_ends_at(seen(kept, status(after(60)), 601)) == after(600 + HOUR)


def test_without_a_timeout_an_idle_cluster_does_not_end(make_cluster):
    assert idle_ends_at(seen(make_cluster(), status(after(60)), 70)) is None


@pytest.mark.parametrize("exit_code", [None, 0, 1])
@pytest.mark.parametrize("tag", ["scheduler", "allocation"])
def test_one_that_ended_for_idleness_says_so_whoever_looks_and_whatever_ends_first(make_cluster, tag, exit_code):
    """Its workers may be gone before its scheduler, and this server may have been away meanwhile."""
    jobs = (job(tag, 1), job("workers-1", 2))
    ended = None if exit_code is None else after(1805)
    reports = {(tag, 1): Report(after(1), "n", ended, exit_code, idle=1800)}
    reports |= {("workers-1", index): Report(after(1), "n", after(1801), 0) for index in (1, 2)}
    cluster = seen(make_cluster(*jobs, idle_timeout=timedelta(minutes=30)), None, 9999, reports)
    assert cluster.reason == "It ended because it was idle for 30 minutes: it had neither a client nor a task."
    assert (cluster.outcome or cluster.state) is ClusterState.STOPPED


def test_the_report_is_read_whatever_is_in_it(tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "scheduler.1.idle").write_text("seconds=90\n")
    (folder / "allocation.1.idle").write_text("garbage")
    reports = read_reports(tmp_path)
    assert (reports["scheduler", 1].idle, reports["allocation", 1].idle) == (90, None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (60, "1 minute"),
        (90, "1 minute and 30 seconds"),
        (3600, "1 hour"),
        (7260, "2 hours and 1 minute"),
        (0, "0 seconds"),
    ],
)
def test_times_are_told_in_words(seconds, words):
    assert time_in_words(timedelta(seconds=seconds)) == words

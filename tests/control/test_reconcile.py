"""What is observed becomes what is recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.groups import FixedScaling
from hpcdask_ext.clusters.reach import SchedulerAddress
from hpcdask_ext.clusters.reports import Report
from hpcdask_ext.clusters.states import ClusterState, JobState
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.reconcile import Answer, Observation, reconcile

from .conftest import START, after, job

ADDRESS = SchedulerAddress("tls://10.0.0.1:1", "https://10.0.0.1:2")
UP = {("scheduler", 1): Report(after(1), "login1")}


def explain(place: str, reason: str) -> str:
    return f"Waiting ({reason})"


def workers(count: int) -> SchedulerStatus:
    return SchedulerStatus(version=1, workers=count, nthreads=count, memory_limit=0, clients=0)


def pending(reason: str, name: str = "hpcdask-c-workers-1", indexes: tuple[int, ...] = (1, 2)) -> JobStatus:
    return JobStatus("7", name, JobState.PENDING, indexes, reason, estimated_start=after(600))


def asked(*statuses: JobStatus, seconds: float = 60) -> dict[str, Answer]:
    return {"batch": Answer(after(seconds), statuses)}


def test_workers_that_wait_in_the_queue_make_the_cluster_pending_with_the_reason_in_words(make_cluster):
    seen = Observation(after(60), UP, ADDRESS, workers(0), asked(pending("Priority")))
    cluster = reconcile(make_cluster(), seen, explain)
    assert (cluster.state, cluster.reason) == (ClusterState.PENDING, "Waiting (Priority)")
    assert cluster.jobs[1].estimated_start == after(600)
    assert cluster.address == "tls://10.0.0.1:1"


def test_a_scheduler_that_waits_in_the_queue_makes_the_cluster_pending(make_cluster):
    cluster = make_cluster(job("scheduler", 1, job_id="6"), job("workers-1", 2))
    waiting = JobStatus("6", "hpcdask-c-scheduler", JobState.PENDING, None, "Resources")
    cluster = reconcile(cluster, Observation(after(60), answers=asked(waiting, pending("Priority"))), explain)
    assert (cluster.state, cluster.reason) == (ClusterState.PENDING, "Waiting (Resources)")


def test_a_started_job_whose_workers_have_not_connected_is_starting(make_cluster):
    reports = UP | {("workers-1", 1): Report(after(5), "n1")}
    cluster = reconcile(make_cluster(), Observation(after(6), reports, ADDRESS, workers(0)), explain)
    assert cluster.state is ClusterState.STARTING
    assert cluster.jobs[1].elements[1].node == "n1"
    assert cluster.started is None


def test_the_first_worker_makes_the_cluster_running(make_cluster):
    seen = Observation(after(9), UP, ADDRESS, workers(1), asked(pending("Priority", indexes=(2,))))
    cluster = reconcile(make_cluster(), seen, explain)
    assert (cluster.state, cluster.reason, cluster.workers) == (ClusterState.RUNNING, "", 1)
    assert cluster.started == after(9)


def test_a_cluster_that_was_asked_for_without_workers_is_running_once_its_scheduler_is(make_cluster):
    cluster = make_cluster(job("scheduler", 1, "host", "s"), scaling=FixedScaling(workers=0))
    cluster = reconcile(cluster, Observation(after(9), UP, ADDRESS, workers(0)), explain)
    assert cluster.state is ClusterState.RUNNING


def test_who_could_not_be_asked_changes_nothing_but_reachable(make_cluster):
    before = reconcile(make_cluster(), Observation(after(9), UP, ADDRESS, workers(2)), explain)
    cluster = reconcile(before, Observation(after(999), UP, ADDRESS, silent="squeue did not answer"), explain)
    assert cluster.reachable is False
    assert cluster.model_copy(update={"reachable": True, "unreachable_since": None, "reason": ""}) == before


def test_a_job_that_a_good_answer_lacks_is_gone_only_after_the_batch_system_had_time_to_know_it(make_cluster):
    soon = reconcile(make_cluster(), Observation(after(6), UP, answers=asked(seconds=5)), explain)
    assert soon.jobs[1].live == (1, 2)
    late = reconcile(make_cluster(), Observation(after(61), UP, answers=asked(seconds=60)), explain)
    assert late.jobs[1].live == ()
    assert (late.state, late.outcome) == (ClusterState.STOPPING, ClusterState.FAILED)
    assert "disappeared without a report" in late.reason


def test_no_answer_never_makes_a_job_gone(make_cluster):
    cluster = reconcile(make_cluster(), Observation(after(9999), UP, silent="away"), explain)
    assert cluster.jobs[1].live == (1, 2)
    assert cluster.state is not ClusterState.STOPPING


def test_an_own_report_counts_more_than_what_the_batch_system_says(make_cluster):
    reports = UP | {("workers-1", index): Report(after(5), "n1", after(50), 0) for index in (1, 2)}
    cluster = reconcile(make_cluster(), Observation(after(60), reports, answers=asked(pending("Priority"))), explain)
    assert [element.state for element in cluster.jobs[1].elements.values()] == [JobState.ENDED] * 2


def test_a_submission_whose_answer_was_lost_is_found_by_its_name(make_cluster):
    lost = job("workers-1", 2, job_id=None).model_copy(update={"submitted": START})
    cluster = make_cluster(job("scheduler", 1, "host", "s"), lost)
    cluster = reconcile(cluster, Observation(after(60), UP, answers=asked(pending("Priority"))), explain)
    assert cluster.job("workers-1").id == "7"
    assert cluster.job("workers-1").live == (1, 2)


def test_a_lost_submission_that_was_never_made_fails(make_cluster):
    lost = job("workers-1", 2, job_id=None).model_copy(update={"submitted": START})
    cluster = make_cluster(job("scheduler", 1, "host", "s"), lost)
    cluster = reconcile(cluster, Observation(after(60), UP, answers=asked()), explain)
    assert cluster.job("workers-1").live == ()


@pytest.mark.parametrize(
    ("report", "outcome", "reason"),
    [
        (Report(after(1), "n", after(50), 0), ClusterState.STOPPED, "shut down"),
        (Report(after(1), "n", after(50), 1), ClusterState.FAILED, "exit code 1"),
        (Report(after(1), "n", after(3595), 143), ClusterState.STOPPED, "walltime"),
    ],
)
def test_the_scheduler_s_end_is_the_cluster_s_end(make_cluster, report, outcome, reason):
    scheduler = job("scheduler", 1, job_id="6").model_copy(update={"walltime": timedelta(hours=1)})
    cluster = make_cluster(scheduler, job("workers-1", 2), walltime=timedelta(hours=8))
    cluster = reconcile(cluster, Observation(after(4000), {("scheduler", 1): report}), explain)
    assert (cluster.state, cluster.outcome) == (ClusterState.STOPPING, outcome)
    assert reason in cluster.reason


def test_workers_that_end_with_their_walltime_stop_the_cluster_and_do_not_fail_it(make_cluster):
    reports = UP | {("workers-1", index): Report(after(5), "n1", after(3600), 143) for index in (1, 2)}
    timed = job("workers-1", 2).model_copy(update={"walltime": timedelta(hours=1)})
    cluster = make_cluster(job("scheduler", 1, "host", "s"), timed)
    cluster = reconcile(cluster, Observation(after(3601), reports, ADDRESS, workers(0)), explain)
    assert cluster.outcome is ClusterState.STOPPED
    assert "walltime" in cluster.reason


@pytest.mark.parametrize(
    ("at_walltime", "outcome"), [(True, ClusterState.STOPPED), (False, ClusterState.FAILED)], ids=["at", "before"]
)
@pytest.mark.parametrize("word", ["TIMEOUT", "TERM_RUNLIMIT"])
def test_that_the_walltime_was_reached_is_the_batch_system_s_to_say_in_its_own_word(
    make_cluster, word, at_walltime, outcome
):
    over = JobStatus("7", "hpcdask-c-workers-1", JobState.FAILED, (1, 2), word, at_walltime=at_walltime)
    cluster = reconcile(make_cluster(), Observation(after(60), UP, ADDRESS, workers(0), asked(over)), explain)
    assert cluster.outcome is outcome


def test_one_failed_worker_job_is_a_warning_with_its_reason_while_others_live(make_cluster):
    reports = UP | {("workers-1", 1): Report(after(5), "n1")}
    running = JobStatus("7", "hpcdask-c-workers-1", JobState.RUNNING, (1,))
    failed = JobStatus("7", "hpcdask-c-workers-1", JobState.FAILED, (2,), "OUT_OF_MEMORY")
    answers = asked(running, failed)
    cluster = reconcile(make_cluster(), Observation(after(60), reports, ADDRESS, workers(1), answers), explain)
    assert cluster.state is ClusterState.RUNNING
    assert cluster.warnings == ("1 of 2 worker jobs failed or ended early (OUT_OF_MEMORY): see their logs.",)
    again = reconcile(cluster, Observation(after(61), reports, ADDRESS, workers(1), answers), explain)
    assert again.warnings == cluster.warnings


def test_what_somebody_else_cancelled_is_missed(make_cluster):
    running = JobStatus("7", "hpcdask-c-workers-1", JobState.RUNNING, (1,))
    cancelled = JobStatus("7", "hpcdask-c-workers-1", JobState.ENDED, (2,), "CANCELLED")
    seen = Observation(after(60), UP, ADDRESS, workers(1), asked(running, cancelled))
    cluster = reconcile(make_cluster(), seen, explain)
    assert cluster.warnings == ("1 of 2 worker jobs failed or ended early (CANCELLED): see their logs.",)


def test_a_stopping_cluster_has_ended_once_none_of_its_jobs_is_left_and_not_before(make_cluster):
    cluster = make_cluster(state=ClusterState.STOPPING, outcome=ClusterState.STOPPED, workers=2)
    reports = {("scheduler", 1): Report(after(1), "n", after(50), 0)}
    waiting = reconcile(cluster, Observation(after(60), reports, answers=asked(pending("Priority"))), explain)
    assert waiting.state is ClusterState.STOPPING
    reports |= {("workers-1", index): Report(after(1), "n", after(51), 143) for index in (1, 2)}
    ended = reconcile(waiting, Observation(after(61), reports), explain)
    assert (ended.state, ended.ended, ended.workers) == (ClusterState.STOPPED, after(61), 0)


def test_the_end_of_what_we_cancelled_is_no_failure(make_cluster):
    cancelled = job("workers-1", 2).with_elements([1, 2], cancelled=True)
    cluster = make_cluster(job("scheduler", 1, "host", "s"), cancelled, state=ClusterState.STOPPING)
    reports = {("workers-1", 1): Report(after(5), "n1", after(9), 143)}
    gone = JobStatus("7", "hpcdask-c-workers-1", JobState.FAILED, (2,), "CANCELLED")
    cluster = reconcile(cluster, Observation(after(60), reports, answers=asked(gone)), explain)
    assert [element.state for element in cluster.jobs[1].elements.values()] == [JobState.ENDED] * 2


def test_a_running_cluster_whose_workers_wait_again_says_so(make_cluster):
    cluster = make_cluster(started=after(1), state=ClusterState.RUNNING)
    seen = Observation(after(60), UP, ADDRESS, workers(0), asked(pending("Resources")))
    cluster = reconcile(cluster, seen, explain)
    assert (cluster.state, cluster.reason) == (ClusterState.RUNNING, "No worker is connected. Waiting (Resources)")


def test_without_a_walltime_nothing_is_ever_over(make_cluster):
    reports = UP | {("workers-1", index): Report(after(5), "n1", after(999999), 1) for index in (1, 2)}
    cluster = make_cluster(walltime=None)
    cluster = reconcile(cluster, Observation(after(999999), reports, ADDRESS, workers(0)), explain)
    assert cluster.outcome is ClusterState.FAILED


def test_reconciling_the_same_twice_changes_nothing(make_cluster):
    seen = Observation(after(60), UP, ADDRESS, workers(1), asked(pending("Priority", indexes=(2,))))
    once = reconcile(make_cluster(), seen, explain)
    assert reconcile(once, seen, explain) == once
    assert once.jobs[1].elements[2].reason == "Priority"


def in_words(place: str, reason: str) -> str:
    return f"It was killed because it used too much memory: launch with more ({reason})" if reason == "OOM" else ""


def test_what_ended_the_workers_is_told_in_our_words_and_the_batch_systems(make_cluster):
    over = JobStatus("7", "hpcdask-c-workers-1", JobState.FAILED, (1, 2), "OOM")
    cluster = reconcile(make_cluster(), Observation(after(60), UP, answers=asked(over)), in_words)
    assert cluster.reason == (
        "All worker jobs have failed or ended. It was killed because it used too much memory: launch with more (OOM)."
    )
    reports = UP | {("workers-1", index): Report(after(5), "n1", after(9), 3) for index in (1, 2)}
    cluster = reconcile(make_cluster(), Observation(after(60), reports), explain)
    assert cluster.reason == "All worker jobs have failed or ended (exit code 3): see their logs."

"""What a cluster warns of, and how it ends where its environment turns out to be unusable."""

from __future__ import annotations

import json

import pytest

from hpcdask_ext.clusters.models import Element, Environment
from hpcdask_ext.clusters.reports import Report
from hpcdask_ext.clusters.states import ClusterState, JobState
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.setbacks import setback, with_warning
from hpcdask_ext.control.warnings import warnings
from hpcdask_ext.sites.pace import Pace

from .conftest import after, job
from .test_reconcile import ADDRESS, UP, explain

NODES_ONLY = Environment(name="shifter", title="Shifter", argv=("shifter", "python"), probe="job")
VERSIONS = {"python": "3.11.2", "distributed": "2025.7.0", "tornado": "6.6.1"}
FOUND = json.dumps({"versions": VERSIONS}) + "\n\nexit=0\n"


def status(**pandas: str) -> SchedulerStatus:
    """Return what a scheduler tells, with the version of pandas by role."""
    packages = {role: {"pandas": (version,)} for role, version in pandas.items()}
    return SchedulerStatus(version=1, workers=2, nthreads=2, memory_limit=0, clients=1, packages=packages)


def seen(told: SchedulerStatus | None, reports: dict[tuple[str, int], Report] = UP) -> Observation:
    return Observation(after(60), reports, ADDRESS, told)


def test_a_difference_is_a_warning_for_as_long_as_it_lasts(make_cluster):
    cluster = make_cluster(warnings=("“A” lacks the package “bokeh”.",))
    cluster = reconcile(cluster, seen(status(clients="1.5.3", scheduler="2.2.2", workers="2.2.2")), explain)
    kept, differing = cluster.warnings
    assert kept == "“A” lacks the package “bokeh”."
    assert differing.startswith("pandas differs: notebook 1.5.3, scheduler and workers 2.2.2.")
    assert reconcile(cluster, seen(None), explain).warnings == (kept, differing), "it does not answer now"
    cluster = reconcile(cluster, seen(status(clients="2.1.0", scheduler="2.2.2", workers="2.2.2")), explain)
    assert [text[:31] for text in cluster.warnings[1:]] == ["pandas differs: notebook 2.1.0,"]
    cluster = reconcile(cluster, seen(status(scheduler="2.2.2", workers="2.2.2")), explain)
    assert cluster.warnings == (kept,)


def test_differences_and_lost_jobs_are_warned_of_together(make_cluster):
    lost = UP | {("workers-1", 2): Report(after(1), "n", after(2), 1), ("workers-1", 1): Report(after(1), "n")}
    cluster = reconcile(make_cluster(), seen(status(clients="1.5.3", workers="2.2.2"), lost), explain)
    again = reconcile(cluster, seen(status(clients="1.5.3", workers="2.2.2"), lost), explain)
    assert again.warnings == cluster.warnings
    assert [text[:14] for text in cluster.warnings] == ["pandas differs", "1 of 2 worker "]


def test_lost_jobs_are_no_news_an_hour_later_once_others_have_started(make_cluster):
    failed = Element(state=JobState.FAILED, started=after(0), ended=after(9), reason="exit code 1")
    runs = Element(state=JobState.RUNNING, started=after(60))
    lost = job("workers-1", 2).model_copy(update={"elements": {1: failed, 2: failed}})
    more = job("workers-2", 1).model_copy(update={"elements": {1: runs}})
    told = "2 of {} worker jobs failed or ended early (exit code 1): see their logs."
    assert warnings(make_cluster(lost), None, after(99_999)) == (told.format(2),), "nothing has started since"
    assert warnings(make_cluster(lost, more), None, after(3600)) == (told.format(3),)
    assert warnings(make_cluster(lost, more), None, after(3610)) == ()
    beside = more.model_copy(update={"elements": {1: runs.model_copy(update={"started": after(0)})}})
    assert warnings(make_cluster(lost, beside), None, after(99_999)) == (told.format(3),), "they are still missing"


def test_that_adapting_is_paused_is_told_once_even_if_groups_were_added_since(make_cluster):
    failed = Element(state=JobState.FAILED, started=after(0), ended=after(9), reason="exit code 1")
    workers = job("workers-1", 3).model_copy(update={"elements": dict.fromkeys((1, 2, 3), failed)})

    def paused(cluster):
        return setback(cluster, cluster.main, Pace(), after(60)).warning

    cluster = make_cluster(workers, warnings=("other",))
    cluster = with_warning(cluster, "workers", paused(cluster))
    cluster = cluster.with_new_group(cluster.main.model_copy(update={"name": "gpu"}))
    assert with_warning(cluster, "gpu", None).warnings == cluster.warnings
    assert paused(cluster).startswith("Adapting is paused for the workers “workers”: the last 3 worker jobs ended")
    cluster = with_warning(cluster, "workers", paused(cluster))
    assert cluster.warnings == ("other", paused(cluster))
    assert with_warning(cluster, "workers", None).warnings == ("other",)


@pytest.mark.parametrize("tag", ["scheduler", "allocation"])
def test_what_a_job_finds_in_its_environment_is_recorded_once(make_cluster, tag):
    jobs = (job(tag, 1, job_id="6"), job("workers-1", 2))
    started = {(tag, 1): Report(after(1), "n1", probe=FOUND), ("workers-1", 1): Report(after(2), "n2")}
    cluster = reconcile(make_cluster(*jobs, environment=NODES_ONLY), seen(status(), started), explain)
    assert cluster.versions == VERSIONS
    assert [text.split(" ")[0] for text in cluster.warnings] == ["“Shifter”", "distributed"]
    assert reconcile(cluster, seen(status(), started), explain) == cluster


def test_what_a_job_could_find_is_of_no_interest_where_the_host_has_looked(make_cluster):
    reports = {("scheduler", 1): Report(after(1), "n1", probe=FOUND)}
    assert reconcile(make_cluster(), seen(status(), reports), explain).versions == {}


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("shifter: no such image\n\nexit=1\n", "“Shifter” cannot be started (exit code 1)"),
        ('{"versions": {"python": "3.11.2"}}\n\nexit=3\n', "“Shifter” lacks the package “distributed”"),
    ],
)
def test_an_environment_that_only_the_job_finds_unusable_is_the_reason_on_the_card(make_cluster, printed, reason):
    cluster = make_cluster(job("scheduler", 1, job_id="6"), job("workers-1", 2), environment=NODES_ONLY)
    running = reconcile(cluster, seen(None, {("scheduler", 1): Report(after(1), "n1", probe=printed)}), explain)
    assert running.outcome is None
    ended = {("scheduler", 1): Report(after(1), "n1", after(2), 1, probe=printed)}
    cluster = reconcile(running, seen(None, ended), explain)
    assert (cluster.state, cluster.outcome) == (ClusterState.STOPPING, ClusterState.FAILED)
    assert reason in cluster.reason
    assert "Tried: shifter python" in cluster.reason


def test_a_scheduler_that_fails_in_a_good_environment_fails_for_another_reason(make_cluster):
    cluster = make_cluster(job("scheduler", 1, job_id="6"), job("workers-1", 2), environment=NODES_ONLY)
    ended = {("scheduler", 1): Report(after(1), "n1", after(2), 1, probe=FOUND)}
    cluster = reconcile(cluster, seen(None, ended), explain)
    assert cluster.jobs[0].elements[1].state is JobState.FAILED
    assert cluster.reason == "The scheduler failed (exit code 1): see its log."

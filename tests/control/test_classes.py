"""What is special about clusters of a Dask cluster class, as observations show it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.clusters.groups import AdaptiveScaling, FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.reach import SchedulerAddress
from hpcdask_ext.clusters.reports import Report
from hpcdask_ext.clusters.states import JobState, Role
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.reconcile import Observation, reconcile

BEGIN = datetime(2026, 11, 20, 10, 5, tzinfo=timezone.utc)
JOB = Job(
    tag="scheduler", name="hpcdask-x-scheduler", role=Role.SCHEDULER, place="host", id="1", elements={1: Element()}
)
ADDRESS = SchedulerAddress("tcp://127.0.0.1:1", "http://127.0.0.1:2", "https://127.0.0.1:3")


@pytest.fixture
def cluster(make_record: Callable[..., Cluster], tmp_path: Path) -> Cluster:
    group = WorkerGroup(shape=WorkerShape(cores=0, memory=0), scaling=FixedScaling(workers=2))
    return make_record(tmp_path, kind="factory", jobs=(JOB,)).model_copy(update={"groups": (group,)})


def seen(cluster: Cluster, seconds: float, report: Report | None = None, **observed: Any) -> Cluster:
    """Return the cluster some seconds after its process has started."""
    reports = {("scheduler", 1): report or Report(started=BEGIN)}
    observation = Observation(BEGIN + timedelta(seconds=seconds), reports, **observed)
    return reconcile(cluster, observation, lambda _, reason: reason)


def status(workers: int, **told: Any) -> SchedulerStatus:
    return SchedulerStatus(1, workers, workers, workers, None, groups={"workers": workers}, **told)


def test_a_class_that_takes_long_is_said_to_since_when(cluster: Cluster) -> None:
    assert seen(cluster, 2).reason == "The scheduler is starting"
    late = seen(cluster, 60)
    assert late.reason.startswith("The cluster class is still starting, since 10:05 UTC: its log may say why.")
    assert late.state.value == "starting"
    assert seen(late, 4000).reason == late.reason, "no news"


def test_the_reason_of_a_failure_is_what_the_process_tells(cluster: Cluster) -> None:
    report = Report(started=BEGIN, ended=BEGIN, exit_code=1, reason="x.Y could not be started: ValueError: no")
    failed = seen(cluster, 2, report)
    assert (failed.state.value, failed.reason) == ("failed", "x.Y could not be started: ValueError: no")
    killed = seen(cluster, 2, Report(started=BEGIN, ended=BEGIN, exit_code=137))
    assert "exit code 137" in killed.reason


def test_a_class_that_adapts_wants_what_it_plans(cluster: Cluster) -> None:
    adapting = cluster.with_group("workers", scaling=AdaptiveScaling(minimum=0, maximum=9))
    after = seen(adapting, 5, address=ADDRESS, scheduler=status(1, wishes={"workers": 4}))
    assert after.main.scaling == AdaptiveScaling(minimum=0, maximum=9, workers=4)
    assert seen(adapting, 5, address=ADDRESS, scheduler=status(3)).main.scaling.workers == 3, "it does not tell"


def test_what_a_class_starts_before_it_is_scaled_is_not_what_was_asked_for(cluster: Cluster) -> None:
    after = seen(cluster, 5, address=ADDRESS, scheduler=status(16, wishes={"workers": 16}))
    assert (after.main.scaling, after.workers) == (FixedScaling(workers=2), 16)
    assert after.jobs[0].elements[1].state is JobState.RUNNING

"""Ends of workers: which have reached their walltime, and which end an adaptive cluster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from hpcdask_ext.clusters.groups import AdaptiveScaling
from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.states import ClusterState, JobState
from hpcdask_ext.control.endings import ending, is_over
from hpcdask_ext.control.setbacks import setback
from hpcdask_ext.control.warnings import warnings
from hpcdask_ext.sites.pace import Pace

from .conftest import START, after, job

HOUR = {"walltime": timedelta(hours=1), "lifetime": timedelta(minutes=52, seconds=28)}
ADAPTIVE = AdaptiveScaling(minimum=0, maximum=8, workers=3)
Make = Callable[..., Cluster]


def ended(start: float | None, end: float, code: int = 1) -> Element:
    """Return an element that ran from one second after the launch to another, or never did."""
    state = JobState.FAILED if code else JobState.ENDED
    started = None if start is None else after(start)
    reason = f"exit code {code}" if code else ""
    return Element(state=state, started=started, ended=after(end), exit_code=code, reason=reason)


def workers(*elements: Element, **changes: object) -> Job:
    return job("workers-1", 0).model_copy(update={"elements": dict(enumerate(elements, 1)), **changes})


@pytest.mark.parametrize(("minutes", "code", "over"), [(53, 0, True), (50, 0, False), (53, 1, False), (59.5, 1, True)])
def test_workers_that_end_well_near_their_lifetime_have_reached_the_walltime(
    make_cluster: Make, minutes: float, code: int, over: bool
) -> None:
    element = ended(0, minutes * 60, code)
    assert is_over(element, workers(**HOUR)) is over
    assert bool(warnings(make_cluster(workers(element, **HOUR)), None, after(7200))) is not over


@pytest.mark.parametrize(
    ("started", "code", "outcome"),
    [(True, 0, None), (True, 1, None), (False, 0, None), (False, 1, ClusterState.FAILED)],
)
def test_an_adaptive_cluster_that_ran_outlives_its_workers(
    make_cluster: Make, started: bool, code: int, outcome: ClusterState | None
) -> None:
    both = workers(*[ended(0, 50, code)] * 2)
    cluster = make_cluster(job("scheduler", 1), both, started=START if started else None)
    cluster = cluster.with_group("workers", scaling=ADAPTIVE)
    found = ending(cluster, {}, lambda place, reason: "", is_connected=False)
    assert (found[0] if found else None) is outcome


def test_a_job_that_ends_well_but_at_once_or_in_the_queue_did_not_last(make_cluster: Make) -> None:
    cluster = make_cluster(workers(*[ended(0, 5, code=0)] * 2, ended(None, 20)))
    found = setback(cluster, cluster.main, Pace(), after(60))
    assert found is not None
    assert "exit code 0; exit code 1" in found.warning

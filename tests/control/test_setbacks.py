"""Workers that did not last: for how long an adaptive group pauses, and when it tries again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hpcdask_ext.clusters.groups import WorkerGroup
from hpcdask_ext.clusters.models import Element, Job
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.control.setbacks import setback, with_warning
from hpcdask_ext.sites.pace import Pace

from .conftest import after, job

WAITS = Element()


def ran(start: float, end: float | None = None, **changes: object) -> Element:
    """Return an element that has run between those seconds, and failed, or still runs."""
    ended = {"state": JobState.FAILED, "ended": after(end), "reason": "exit code 1"} if end is not None else {}
    return Element(**({"state": JobState.RUNNING, "started": after(start)} | ended | changes))


def workers(number: int, *elements: Element) -> Job:
    return job(f"workers-{number}", 1).model_copy(update={"elements": dict(enumerate(elements, start=1))})


FAILED = workers(1, ran(0, 10), ran(0, 20), ran(5, 30))


@pytest.fixture
def held(make_cluster):
    def held(now: float, *jobs: Job, forgiven: float | None = None):
        cluster = make_cluster(*jobs)
        return setback(cluster, cluster.main, Pace(), after(now), None if forgiven is None else after(forgiven))

    return held


def test_three_that_did_not_last_pause_a_group_and_two_do_not(held):
    assert held(60, FAILED).until == after(30) + timedelta(minutes=10)
    assert "exit code 1" in held(60, FAILED).warning
    assert held(60, workers(1, ran(0, 10), ran(0, 20))) is None


def test_a_trial_that_waits_or_has_just_started_is_waited_for(held):
    assert held(10_000, FAILED, workers(2, WAITS)).until is None
    assert held(10_000, FAILED, workers(2, ran(9_900))).until is None
    assert held(10_000, FAILED, workers(2, Element(cancelled=True))).until == after(630)


def test_a_trial_that_lasts_ends_the_pause_and_one_that_does_not_begins_it_anew(held):
    assert held(10_000, FAILED, workers(2, ran(9_800))) is None
    assert held(10_000, FAILED, workers(2, ran(9_800, 9_900))).until == after(9_900 + 600)


def test_pauses_grow_up_to_an_hour(held):
    trials = [workers(number, ran(number * 4_000, number * 4_000 + 10)) for number in range(2, 20)]
    pauses = [held(10**6, FAILED, *trials[:count]).until - after((count + 1) * 4_000 + 10) for count in (1, 3, 10, 18)]
    assert pauses == [timedelta(minutes=minutes) for minutes in (10, 20, 60, 60)]


def test_what_was_let_go_reached_its_walltime_or_is_forgiven_is_no_setback(held):
    assert held(60, workers(1, *(ran(0, 10, cancelled=True),) * 3)) is None
    assert held(60, workers(1, *(ran(0, 10, at_walltime=True),) * 3)) is None
    assert held(60, FAILED, forgiven=40) is None
    assert held(60, FAILED, forgiven=25) is None, "a single one has ended since"


def test_a_submission_that_never_appeared_is_no_setback_of_workers(held):
    lost = workers(1, *(Element(state=JobState.FAILED, ended=after(30), reason="never seen"),) * 3)
    assert held(60, lost) is not None, "they were in the queue, and were removed there"
    assert held(60, lost.model_copy(update={"id": None})) is None


def test_the_warning_goes_with_its_reason_even_if_other_groups_were_added_since(make_cluster, held):
    cluster = with_warning(make_cluster(FAILED, warnings=("other",)), "workers", held(60, FAILED).warning)
    assert len(cluster.warnings) == 2
    cluster = cluster.with_new_group(WorkerGroup(name="gpu", shape=cluster.main.shape, scaling=cluster.main.scaling))
    assert with_warning(cluster, "gpu", None).warnings == cluster.warnings
    again = setback(cluster, cluster.main, Pace(), after(60))
    assert again.warning.startswith("Adapting is paused for the workers “workers”: the last 3 worker jobs ended")
    both = with_warning(cluster, "workers", again.warning)
    assert both.warnings == ("other", again.warning)
    assert with_warning(both, "workers", None).warnings == ("other",)

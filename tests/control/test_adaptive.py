"""How many workers an adaptive group gets next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import pytest

from hpcdask_ext.clusters.groups import AdaptiveScaling
from hpcdask_ext.control.adaptive import Decision, Look, Memory, Rules, Setback, decide
from hpcdask_ext.sites.pace import Pace

START = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


@dataclass
class Group:
    """A group whose queue does what a test says; `look` carries a decision out at once."""

    minimum: int = 0
    maximum: int = 64
    per_job: int = 1
    running: int = 0
    pending: int = 0
    waiting: int = 0
    memory: Memory = field(default_factory=Memory)
    setback: Setback | None = None
    pace: Pace = field(default_factory=Pace)
    due: float | None = None

    def decide(self, seconds: float, wish: int) -> Decision:
        rules = Rules(AdaptiveScaling(minimum=self.minimum, maximum=self.maximum), self.per_job, self.pace)
        look = Look(START + timedelta(seconds=seconds), wish, self.running, self.pending, self.waiting)
        decision = decide(rules, look, self.memory, self.setback)
        self.memory = decision.memory
        self.due = (decision.due - START).total_seconds() if decision.due else None
        return decision

    def look(self, seconds: float, wish: int) -> tuple[int, int]:
        """Return how many workers run and wait after what is decided; those who are let go are gone at once."""
        decision = self.decide(seconds, wish)
        capacity = self.running + self.pending
        if decision.workers > capacity:
            self.pending += decision.workers - capacity
        else:
            self.pending = decision.pending
            self.running = decision.workers - decision.pending
        return self.running, self.pending


def test_a_rise_is_submitted_as_a_whole_once_it_has_settled():
    group = Group()
    assert group.look(0, 1) == (0, 0)
    assert group.due == 3
    assert group.look(1, 20) == (0, 0)
    assert group.look(3, 40) == (0, 40)


def test_a_moment_of_demand_submits_nothing():
    group = Group()
    group.look(0, 9)
    group.look(2, 0)
    assert group.look(3, 9) == (0, 0)
    assert group.look(4, 0) == (0, 0)


def test_jobs_in_the_queue_are_on_their_way():
    group = Group(pending=10)
    for seconds in (0, 10, 1000, 100_000):
        assert group.look(seconds, 10) == (0, 10)
    assert group.due is None


def test_the_next_submission_waits_a_minute_and_one_more_for_each_job_in_the_queue():
    group = Group()
    group.look(0, 8)
    assert group.look(3, 8) == (0, 8)
    group.waiting = 1
    group.look(4, 16)
    assert group.due == 3 + 120
    assert group.look(122, 16) == (0, 8)
    assert group.look(123, 16) == (0, 16)
    group.running, group.pending, group.waiting = 16, 0, 0
    group.look(130, 20)
    assert group.due == 123 + 60


def test_a_few_that_are_missing_wait_longer():
    group = Group(maximum=200, running=100, memory=Memory(submitted=START))
    group.look(100, 105)
    assert group.due == 300
    group.look(101, 120)
    assert group.due == 103


def test_refused_submissions_are_repeated_ever_more_rarely_but_not_given_up():
    group = Group()
    group.look(0, 8)
    group.decide(3, 8)
    for refused, pause in ((1, 120), (2, 240), (4, 960), (9, 1800), (5000, 1800)):
        group.memory = replace(group.memory, lacking_since=None, submitted=START, refused=refused)
        group.decide(100, 8)
        assert group.due == pause


@pytest.mark.parametrize(("wish", "workers"), [(0, 4), (5, 8), (8, 8), (9, 12), (1000, 16)])
def test_bounds_are_kept_and_jobs_are_whole(wish, workers):
    group = Group(minimum=4, maximum=16, per_job=4)
    group.look(0, wish)
    assert group.look(3, wish) == (0, workers)


def test_workers_that_have_ended_are_replaced_up_to_the_minimum_even_without_work():
    group = Group(minimum=2, running=2)
    group.look(0, 0)
    group.running = 0
    group.look(1000, 0)
    assert group.look(1003, 0) == (0, 2)


def test_running_workers_go_once_the_wish_was_lower_for_two_minutes_without_a_break():
    group = Group(running=8)
    group.look(0, 8)
    group.look(10, 2)
    assert group.due == 10 + 120
    assert group.look(100, 5) == (8, 0)
    group.look(110, 2)
    assert group.look(129, 2) == (8, 0)
    assert group.look(130, 2) == (5, 0)  # there was a wish for five a moment ago
    assert group.due is None or group.due > 130
    assert group.look(229, 2) == (5, 0)
    assert group.look(230, 2) == (2, 0)


def test_running_workers_may_be_kept_longer_than_places_in_the_queue():
    group = Group(running=4, pending=4, pace=Pace(patience=timedelta(hours=1)))
    group.look(0, 8)
    group.look(1, 0)
    assert group.look(1201, 0) == (4, 0)
    assert group.look(3600, 0) == (4, 0)
    assert group.look(3601, 0) == (0, 0)


def test_a_place_in_the_queue_is_kept_much_longer():
    group = Group(running=4, pending=20)
    group.look(0, 24)
    assert group.look(1, 0) == (4, 20)
    assert group.look(121, 0) == (0, 20)
    assert group.look(1200, 0) == (0, 20)
    assert group.look(1201, 0) == (0, 0)


def test_jobs_are_withdrawn_only_every_few_minutes():
    group = Group(pending=20)
    for seconds, wish in ((0, 20), (1, 12), (100, 7), (200, 0)):
        group.look(seconds, wish)
    assert group.look(1201, 0) == (0, 12)
    assert group.look(1301, 0) == (0, 12)
    assert group.due == 1400
    assert group.look(1500, 0) == (0, 12)
    assert group.due == 1501
    assert group.look(1501, 0) == (0, 0)


def test_jobs_that_start_late_for_nothing_go_again():
    group = Group(pending=4)
    group.look(0, 4)
    group.look(1, 0)
    group.look(500, 0)
    group.running, group.pending = 4, 0
    assert group.look(501, 0) == (0, 0)


def test_after_a_restart_nothing_is_let_go_before_it_was_watched_long_enough():
    group = Group(running=4, pending=4)
    assert group.look(0, 0) == (4, 4)
    assert group.look(119, 0) == (4, 4)
    assert group.look(120, 0) == (0, 4)
    assert group.look(1200, 0) == (0, 0)


def test_reductions_are_a_minute_apart():
    group = Group(running=8)
    for seconds, wish in ((0, 8), (1, 7), (10, 6), (20, 0)):
        group.look(seconds, wish)
    assert group.look(121, 0) == (7, 0)
    assert group.look(140, 0) == (7, 0)
    assert group.due == 121 + 60
    assert group.look(181, 0) == (0, 0)


def test_what_is_above_a_new_maximum_goes_at_once():
    group = Group(running=8, pending=8)
    group.look(0, 16)
    group.memory, group.maximum = Memory(), 4
    assert group.look(1, 16) == (4, 0)


def test_while_a_trial_is_on_its_way_no_other_is_submitted():
    group = Group(setback=Setback(None, "why"), memory=Memory(submitted=START))
    group.pending = group.waiting = 1
    group.look(600, 20)
    assert group.look(100_000, 20) == (0, 1)
    assert group.due is None


def test_after_a_setback_one_job_is_tried():
    group = Group(running=2, per_job=2, setback=Setback(START + timedelta(seconds=600), "why"))
    group.look(0, 20)
    assert group.due == 600
    assert group.look(599, 20) == (2, 0)
    assert group.look(600, 20) == (2, 2)

"""Hours of an adaptive group with a fake clock: what its policy asks of queues of all kinds.

What holds whatever happens: never more than the maximum; at most one submission and one request to retire workers a
minute, and one withdrawal from the queue in five; and a wish is met as soon as those allow it.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import pytest

from hpcdask_ext.clusters.groups import AdaptiveScaling
from hpcdask_ext.control.adaptive import Look, Memory, Rules, decide
from hpcdask_ext.sites.pace import Pace

START = datetime(2026, 11, 20, tzinfo=timezone.utc)
HOUR = 3600
MAXIMUM = 1000
PER_HOUR = 61
"""Submissions in any hour, and requests to retire workers, at most: one a minute, and one at either end."""
WITHDRAWALS_PER_HOUR = 13
"""Cancellations of jobs in the queue in any hour, at most."""


def heavy_tailed(random_: random.Random) -> float:
    """Return for how long a job waits: a minute in the median, hours for some, days for a few."""
    return 20 * random_.paretovariate(0.63)


def at_once(random_: random.Random) -> float:
    return 2.0


def never(random_: random.Random) -> float:
    return 10.0**9


@dataclass
class Simulation:
    """A group of workers, its queue, and the work that they do, second by second.

    A burst is (second, tasks, seconds for each). Jobs end by themselves after `walltime` seconds, more or less.
    """

    wait: Callable[[random.Random], float]
    bursts: Sequence[tuple[float, int, float]] = ()
    wish: Callable[[int], int] | None = None
    walltime: float = 55 * 60
    seed: int = 1
    minimum: int = 0
    now: int = 0
    memory: Memory = field(default_factory=Memory)
    submitted: list[int] = field(default_factory=list)
    retired: list[int] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)
    most: int = 0
    lacking: int = 0
    longest_lack: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.rules = Rules(AdaptiveScaling(minimum=self.minimum, maximum=MAXIMUM), 1, Pace())
        self.queue: list[tuple[float, int]] = []  # when each job starts, and with which submission it came
        self.waiting: Counter[int] = Counter()  # how many jobs of each submission do not run yet
        self.looked: tuple[int, ...] = ()
        self.due: datetime | None = None
        self.ends: list[float] = []
        self.work: list[list[float]] = []  # tasks that are left, and seconds for each
        self.done = 0.0

    def run(self, hours: float) -> Simulation:
        bursts = sorted(self.bursts)
        for self.now in range(int(hours * HOUR)):
            while bursts and bursts[0][0] <= self.now:
                _, tasks, seconds = bursts.pop(0)
                self.work.append([float(tasks), seconds])
            self._pass_a_second()
            self._look()
        return self

    def _pass_a_second(self) -> None:
        while self.queue and self.queue[0][0] <= self.now:
            self._start(heapq.heappop(self.queue)[1])
            heapq.heappush(self.ends, self.now + self.walltime * self.random.uniform(0.95, 1.05))
        while self.ends and self.ends[0] <= self.now:
            heapq.heappop(self.ends)
        free = float(len(self.ends))
        for burst in self.work:
            busy = min(free, burst[0])
            burst[0] -= busy / burst[1]
            self.done += busy
            free -= busy
        self.work = [burst for burst in self.work if burst[0] > 0.01]

    def _start(self, submission: int) -> None:
        self.waiting[submission] -= 1
        if not self.waiting[submission]:
            del self.waiting[submission]

    def _wish(self) -> int:
        """Return what Dask would wish for: to be done in five seconds, and one worker for each task at most."""
        if self.wish is not None:
            return self.wish(self.now)
        tasks = sum(-(-burst[0] // 1) for burst in self.work)
        load = sum(burst[0] * burst[1] for burst in self.work)
        return int(max(min(tasks, -(-load // 5)), min(tasks, len(self.ends))))

    def _look(self) -> None:
        """Look if anything has changed, or if it is time."""
        time, wish = START + timedelta(seconds=self.now), self._wish()
        here = (min(wish, MAXIMUM), len(self.ends), len(self.queue))
        if here != self.looked or (self.due is not None and time >= self.due):
            self._decide(Look(time, *here, len(self.waiting)))
        self.looked = (here[0], len(self.ends), len(self.queue))
        capacity = len(self.ends) + len(self.queue)
        self.most = max(self.most, capacity)
        self.lacking = self.lacking + 1 if capacity < here[0] else 0
        self.longest_lack = max(self.longest_lack, self.lacking)

    def _decide(self, look: Look) -> None:
        decision = decide(self.rules, look, self.memory)
        self.memory, self.due = decision.memory, decision.due
        missing = decision.workers - look.capacity
        if missing > 0:
            self.submitted.append(self.now)
            self.waiting[len(self.submitted)] = missing
            for _ in range(missing):
                heapq.heappush(self.queue, (self.now + self.wait(self.random), len(self.submitted)))
            return
        if decision.pending < look.pending:
            self.withdrawn.append(self.now)
            ordered = sorted(self.queue)
            self.queue = ordered[: decision.pending]
            for _, submission in ordered[decision.pending :]:
                self._start(submission)
        if (retired := look.running - (decision.workers - decision.pending)) > 0:
            self.retired.append(self.now)
            del self.ends[-retired:]
            heapq.heapify(self.ends)


def most_in_an_hour(times: Sequence[int]) -> int:
    """Return how many of the times lie within any one hour, at most."""
    return max((sum(time <= other < time + HOUR for other in times) for time in times), default=0)


def bursts_of(seed: int, hours: float) -> list[tuple[float, int, float]]:
    """Return bursts of up to a million core-seconds, close together and hours apart."""
    random_, time, bursts = random.Random(seed), 60.0, []
    while time < hours * HOUR:
        bursts.append((time, random_.choice([3, 50, 400, 5000]), random_.choice([1.0, 30.0, 200.0])))
        time += random_.choice([5, 60, 600, 5400]) * random_.uniform(0.5, 1.5)
    return bursts


@pytest.mark.parametrize("seed", range(3))
def test_hours_with_a_queue_that_lets_some_wait_for_hours(seed: int) -> None:
    run = Simulation(heavy_tailed, bursts_of(seed, 7), seed=seed).run(9)
    assert run.most <= MAXIMUM
    assert most_in_an_hour(run.submitted) <= 12
    assert most_in_an_hour(run.withdrawn) <= 6
    assert most_in_an_hour(run.retired) <= PER_HOUR
    assert not run.work, "all that was to be done has been done"


@pytest.mark.parametrize("seed", range(2))
def test_a_fast_queue_meets_the_demand_and_lets_go_what_is_not_needed(seed: int) -> None:
    run = Simulation(at_once, bursts_of(seed, 3), seed=seed).run(4)
    assert run.longest_lack <= 305, "a minute, or five where only a few are missing"
    assert not run.work
    assert run.ends == run.queue == []
    assert run.withdrawn == []


@pytest.mark.parametrize("period", [2, 30, 61, 119, 125, 700, 1199, 1300, 5000])
@pytest.mark.parametrize("wait", [never, heavy_tailed, at_once])
def test_demand_that_comes_and_goes_makes_no_loop_whatever_its_period_and_the_queue(
    period: int, wait: Callable[[random.Random], float]
) -> None:
    run = Simulation(wait, wish=lambda now: MAXIMUM if now // period % 2 else 0, walltime=10 * HOUR).run(4)
    assert run.most <= MAXIMUM
    assert most_in_an_hour(run.submitted) <= PER_HOUR
    assert most_in_an_hour(run.retired) <= PER_HOUR
    if period < 1200:
        assert run.withdrawn == [], "a place in the queue is not given up for a shorter pause"
    if period < 120:
        assert len(run.submitted) <= 1
        assert run.retired == []
    if wait is never:
        assert len(run.withdrawn) <= len(run.submitted) <= 1 + 4 * HOUR / (2 * period)


def test_demand_that_grows_all_the_time_is_submitted_ever_more_rarely_while_the_queue_stands() -> None:
    run = Simulation(never, wish=lambda now: 1 + now // 10).run(3)
    assert most_in_an_hour(run.submitted) <= 12
    assert len(run.submitted) < 20
    assert run.retired == run.withdrawn == []


def test_demand_that_shrinks_slowly_is_followed_seldom() -> None:
    run = Simulation(never, wish=lambda now: max(0, MAXIMUM - now // 5)).run(3)
    assert len(run.submitted) == 1
    assert 0 < most_in_an_hour(run.withdrawn) <= WITHDRAWALS_PER_HOUR
    assert run.queue == []


def test_jobs_that_end_at_their_walltime_are_replaced_for_a_day() -> None:
    run = Simulation(at_once, wish=lambda now: 200).run(24)
    assert most_in_an_hour(run.submitted) <= 20
    assert run.longest_lack <= 305
    assert run.retired == run.withdrawn == []


def test_noise_in_the_demand_moves_little() -> None:
    noise = random.Random(7)
    run = Simulation(heavy_tailed, wish=lambda now: 100 + noise.randint(-40, 40), walltime=24 * HOUR).run(4)
    assert len(run.submitted) <= 4
    assert run.retired == run.withdrawn == []

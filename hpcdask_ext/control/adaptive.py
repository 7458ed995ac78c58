"""How many workers an adaptive group should have next: a pure policy.

Its input is the wish of the group's scheduler: how many workers could be used now. A job in the queue counts as on its
way, however long it waits there. Hysteresis works both ways, so that no loop of submitting and cancelling can arise
however slow the queue is:

- More workers are submitted as soon as the wish has settled, all that are missing at once; then only after a pause that
  is longer the more jobs are waiting already, and if only a few are missing, as where jobs end at their walltime one
  after another.
- Running workers are let go once the wish has been lower for some minutes, and jobs are withdrawn from the queue only
  once it has been for much longer, and seldom: their place there may be worth hours.

The times are the site's `Pace`. All numbers are of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hpcdask_ext.clusters.groups import AdaptiveScaling, Scaling
from hpcdask_ext.sites.pace import Pace

_LONGEST_INTERVAL = timedelta(minutes=30)
_FEW = 0.1  # of the workers that are wanted
_PATIENCE_WITH_FEW = 5  # intervals
_WITHDRAWALS = 4  # in the time for which the wish has to be lower, at most


@dataclass(frozen=True)
class Rules:
    """What binds a group: its bounds, how many workers share a job, and its site's pace."""

    bounds: AdaptiveScaling
    per_job: int
    pace: Pace

    def fit(self, wish: int) -> int:
        """Return the number of workers, in whole jobs and within the bounds, that suits a wish best."""
        jobs = -(-wish // self.per_job)
        return max(self.bounds.minimum, min(self.bounds.maximum, jobs * self.per_job))


@dataclass(frozen=True)
class Look:
    """What is known of a group at one moment; `waiting` is how many jobs have elements in the queue."""

    time: datetime
    wish: int
    running: int
    pending: int
    waiting: int = 0

    @property
    def capacity(self) -> int:
        """How many workers there are, or will be."""
        return self.running + self.pending


@dataclass(frozen=True)
class Memory:
    """What earlier looks have left.

    `peaks` are the wishes that were higher than all later ones, each with the moment when it was last seen, and at the
    end the newest one. `refused` is how many submissions in a row have failed. Workers that ended before they were
    `forgiven` are no setback.
    """

    peaks: tuple[tuple[datetime, int], ...] = ()
    lacking_since: datetime | None = None
    submitted: datetime | None = None
    reduced: datetime | None = None
    withdrew: datetime | None = None
    refused: int = 0
    forgiven: datetime | None = None


@dataclass(frozen=True)
class Setback:
    """The newest workers did not last: nothing is submitted until a time, and then one job as a trial.

    While a trial is on its way, there is no such time.
    """

    until: datetime | None
    warning: str


@dataclass(frozen=True)
class Decision:
    """There should be `workers`, of which `pending` may stay in the queue; look again when `due`, even if all is quiet.

    There is something to do if that is not what there is.
    """

    workers: int
    pending: int
    memory: Memory
    due: datetime | None = None


def starting_from(scaling: Scaling, workers: int) -> Scaling:
    """Return the scaling that a user asks for; one that adapts begins with the number of workers that there is."""
    if not isinstance(scaling, AdaptiveScaling):
        return scaling
    within = max(scaling.minimum, min(scaling.maximum, workers))
    return scaling.model_copy(update={"workers": within})


def decide(rules: Rules, look: Look, memory: Memory, setback: Setback | None = None) -> Decision:
    """Return the next number of workers of a group."""
    wanted = rules.fit(look.wish)
    memory = replace(memory, peaks=_peaks(rules, look, memory))
    if wanted > look.capacity:
        if setback is not None:
            wanted = min(wanted, look.capacity + rules.per_job)
        return _rise(wanted, look, memory, rules.pace, setback)
    return _fall(look, replace(memory, lacking_since=None), rules.pace)


def _peaks(rules: Rules, look: Look, memory: Memory) -> tuple[tuple[datetime, int], ...]:
    # What came before the first look is unknown: what there is may have been wished for until now.
    before = memory.peaks or ((look.time, min(look.capacity, rules.bounds.maximum)),)
    *older, newest = before
    seen = [*older, (look.time, newest[1])]  # the newest wish has lasted until now
    wanted = rules.fit(look.wish)
    oldest = look.time - max(rules.pace.patience, rules.pace.queue_patience)
    return (*((time, wish) for time, wish in seen if wish > wanted and time > oldest), (look.time, wanted))


def _rise(wanted: int, look: Look, memory: Memory, pace: Pace, setback: Setback | None) -> Decision:
    since = memory.lacking_since or look.time
    earliest = [since + pace.settle]
    if memory.submitted is not None:
        few = _PATIENCE_WITH_FEW if wanted - look.capacity < _FEW * wanted else 1
        pause = pace.interval * max(few, 1 + look.waiting) * 2 ** min(memory.refused, 10)
        earliest.append(memory.submitted + min(pause, max(_LONGEST_INTERVAL, pace.interval)))
    if setback is not None:
        if setback.until is None:
            return Decision(look.capacity, look.pending, replace(memory, lacking_since=since))
        earliest.append(setback.until)
    due = max(earliest)
    if look.time < due:
        return Decision(look.capacity, look.pending, replace(memory, lacking_since=since), due)
    return Decision(wanted, look.pending, replace(memory, lacking_since=None, submitted=look.time))


def _fall(look: Look, memory: Memory, pace: Pace) -> Decision:
    lately, long = (_highest(memory.peaks, look.time - time) for time in (pace.patience, pace.queue_patience))
    running = min(look.running, lately)
    pending = min(look.pending, max(0, long - running))
    dues = []
    if running < look.running and memory.reduced and look.time < (due := memory.reduced + pace.interval):
        dues, running = [due], look.running
    between = pace.queue_patience / _WITHDRAWALS
    if pending < look.pending and memory.withdrew and look.time < (due := memory.withdrew + between):
        dues, pending = [*dues, due], look.pending
    if running < look.running:
        memory = replace(memory, reduced=look.time)
    if pending < look.pending:
        memory = replace(memory, withdrew=look.time)
    return Decision(running + pending, pending, memory, min([*dues, *_ends(look, memory, pace)], default=None))


def _highest(peaks: Sequence[tuple[datetime, int]], since: datetime) -> int:
    return max(wish for time, wish in peaks if time > since)


def _ends(look: Look, memory: Memory, pace: Pace) -> list[datetime]:
    """Return when wishes that keep workers or jobs will have been long enough ago, if there are too many of them."""
    if look.capacity <= memory.peaks[-1][1]:
        return []
    times = [time + patience for time, _ in memory.peaks[:-1] for patience in (pace.patience, pace.queue_patience)]
    return [time for time in times if time > look.time]

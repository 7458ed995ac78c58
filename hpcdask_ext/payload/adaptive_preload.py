"""Tells how many workers the work in a scheduler could use, for a cluster that adapts to it.

It is passed by path with `--preload`, behind `dask_preload.py`, to a scheduler in the user's environment, and imports
nothing of ours. It may meet any `distributed` from 2023.5 on.

A status request (``GET /hpcdask/status``) asks with ``adaptive=GROUPS``, where GROUPS is
``{"workers": {"cores": 4, "most": 64, "resources": {}}, ...}``: of each group of workers, what one of them has and
offers, and how many there may be at most. The answer then has ``{"wishes": {"workers": 12, ...}}``, and comes early if
they change. They are looked at once a second, and only while somebody asks. A look costs O(workers), never O(tasks):

- What the whole cluster could use is the scheduler's own `adaptive_target`.
- What a group could use at least, beside others, comes from the tasks that ask for the resources that it offers. A few
  of the tasks that cannot run, and of those that its workers have, stand for all.
- The group ``workers`` is to do what the others do not.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-call,misc"
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from time import monotonic
from typing import Any

import dask
from dask.utils import parse_timedelta
from tornado.ioloop import PeriodicCallback

_MAIN = "workers"
_PERIOD = 1000  # milliseconds between looks
_INTEREST = 60  # seconds for which wishes stay of interest after a request, which may be held for 50
_SAMPLE = 100  # tasks that stand for all of them
_UNKNOWN_DURATION = 0.5  # seconds, as in Dask


class Wishes:
    """Knows how many workers of each group could be used, while somebody asks.

    Parameters
    ----------
    scheduler
        The scheduler.
    watch
        The plugin of `dask_preload.py`, which knows the workers' groups and tells of changes.
    """

    def __init__(self, scheduler: Any, watch: Any) -> None:
        self._scheduler, self._watch = scheduler, watch
        self._question = ""
        self._groups: dict[str, Any] = {}
        self._asked = 0.0
        self._told: dict[str, int] = {}
        self._looking = PeriodicCallback(self._look_again, _PERIOD)

    def ask(self, question: str) -> None:
        """Begin to look, or go on; `question` is JSON, see above."""
        self._asked = monotonic()
        if question != self._question or not self._looking.is_running():
            self._question, self._groups = question, json.loads(question)
            self.look()
            self._looking.start()

    def tell(self) -> dict[str, int]:
        """Return the wishes as they were found last."""
        return self._told

    def look(self) -> None:
        """Find out what is wished for now, and say so if that is new."""
        told = wishes(self._scheduler, self._watch.groups, self._groups)
        if told != self._told:
            self._told = told
            self._watch.bump()

    def _look_again(self) -> None:
        if monotonic() - self._asked > _INTEREST:
            self._looking.stop()
            self._told = {}
        else:
            self.look()


def wishes(scheduler: Any, members: Mapping[str, str], groups: Mapping[str, Any]) -> dict[str, int]:
    """Return how many workers of each of `groups` could be used; `members` has the group of each worker's address."""
    workers = dict.copy(scheduler.workers)  # the scheduler's own is sorted, and slow to go through
    strangers = {address: name for address, name in members.items() if name != _MAIN and address in workers}
    told = {_MAIN: 0}
    threads = 0  # that other groups provide, or should
    if strangers or len(groups) > 1:
        parts = {name: [workers[address] for address, group in strangers.items() if group == name] for name in groups}
        parts[_MAIN] = [worker for address, worker in workers.items() if address not in strangers]
        told = {name: max(_wish(scheduler, group, parts[name]), _busy(parts[name])) for name, group in groups.items()}
        threads = sum(workers[address].nthreads for address in strangers)
        for name in set(groups) - {_MAIN}:
            provided = sum(worker.nthreads for worker in parts[name])
            threads += max(0, told[name] * groups[name]["cores"] - provided)
    rest = _threads_wished(scheduler, workers) - threads - _stranded(scheduler, groups)
    told[_MAIN] = max(told[_MAIN], math.ceil(rest / groups[_MAIN]["cores"]))
    return {name: min(count, groups[name]["most"]) for name, count in told.items()}


def _threads_wished(scheduler: Any, workers: Mapping[str, Any]) -> float:
    """Return how many threads the work could use; Dask speaks of workers as they are on average, if there are any."""
    target = type(scheduler).adaptive_target(_Frugal(scheduler, workers))
    threads = target * scheduler.total_nthreads / len(workers) if workers else target
    return float(round(threads, 6))  # so that a whole number stays one


class _Frugal:
    """A scheduler that goes through its `workers` fast, and need not know which of them it could do without."""

    def __init__(self, scheduler: Any, workers: Mapping[str, Any]) -> None:
        self._scheduler, self.workers = scheduler, workers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)

    def workers_to_close(self) -> range:
        """Return as many entries as Dask would: all who are idle, but those left have twice the memory of the data."""
        workers = self.workers.values()
        idle = sum(not (worker.processing or worker.long_running) for worker in workers)
        data = sum(worker.nbytes for worker in workers)
        memory = sum(worker.memory_limit for worker in workers)
        spare = int(max(0, memory - 2 * data) / memory * len(workers)) if memory else 0 if data else idle
        return range(min(idle, spare))


def _busy(workers: Iterable[Any]) -> int:
    return sum(bool(worker.processing) for worker in workers)


def _wish(scheduler: Any, group: Mapping[str, Any], workers: list[Any]) -> int:
    """Return how many workers the tasks could use that ask for what a group offers."""
    room = load = 0.0  # how many workers could begin at once, and for how many seconds one of them would be busy
    some = workers[:_SAMPLE]
    each = -(-_SAMPLE // len(some)) if some else 0
    sources = [(scheduler.unrunnable, _SAMPLE, 1.0)]
    sources += [(worker.processing, each, len(workers) / len(some)) for worker in some]
    for tasks, most, weight in sources:
        for task, count in _sample(tasks, most):
            if at_once := _at_once(task, group):
                room += weight * count / at_once
                load += weight * count / at_once * _duration(task)
    return math.ceil(round(min(room, max(1, load / _target_duration())), 6))


def _stranded(scheduler: Any, groups: Mapping[str, Any]) -> int:
    """Return how many threads Dask wishes for tasks that no worker of ours will ever run."""
    room = load = 0.0
    for task, count in _sample(scheduler.unrunnable, _SAMPLE):
        if task.resource_restrictions and not any(_at_once(task, group) for group in groups.values()):
            room += count
            load += count * _duration(task)
    return math.ceil(min(room, max(1, load / _target_duration())))


def _sample(tasks: Any, most: int) -> Iterator[tuple[Any, float]]:
    """Return some tasks, and how many each of them stands for."""
    some = list(islice(tasks, most))
    return ((task, len(tasks) / len(some)) for task in some)


def _at_once(task: Any, group: Mapping[str, Any]) -> int:
    """Return how many tasks that ask for the same resources a worker of a group runs at once; 0 if it runs none."""
    asked, offered = task.resource_restrictions, group["resources"]
    if not asked or any(amount > offered.get(name, 0) for name, amount in asked.items()):
        return 0
    return min([int(group["cores"]), *(int(offered[name] / amount) for name, amount in asked.items() if amount)])


def _duration(task: Any) -> float:
    """Return how many seconds a task is expected to take, as Dask does."""
    prefix = task.prefix
    if prefix.duration_average >= 0:
        return float(prefix.duration_average)
    return float(2 * prefix.max_exec_time if prefix.max_exec_time > 0 else _UNKNOWN_DURATION)


def _target_duration() -> float:
    return float(parse_timedelta(dask.config.get("distributed.adaptive.target-duration")))


def dask_setup(scheduler: Any) -> None:
    """Let a scheduler be asked for its wishes."""
    watch = scheduler.plugins["hpcdask-watch"]
    found = Wishes(scheduler, watch)
    watch.more["wishes"] = found.tell
    watch.asked["adaptive"] = found.ask

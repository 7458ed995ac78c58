"""Ends a scheduler that nobody uses, whether or not any Jupyter server looks at it.

It is passed by path with `--preload`, behind `dask_preload.py`, to a scheduler in the user's environment, and imports
nothing of ours. It may meet any `distributed` from 2023.5 on.

A scheduler is idle while it has neither a client nor a task that runs or waits to run. Looking is O(workers + clients),
never O(tasks): what happened to tasks between two looks shows in a counter. Variables say what to do about it:

- ``HPCDASK_IDLE_TIMEOUT``: after so many seconds, the scheduler closes, and its workers with it.
- ``HPCDASK_IDLE_REPORT``: the file that then tells why, in a line ``seconds=N``.
- ``HPCDASK_AWAITS_WORKERS``: it was launched with workers, so it is not idle before the first of them has come, or a
  week has passed.

A status request says with ``wanted=0`` that no workers are wanted any more, and with ``wanted=1`` that some are: then
their first one is waited for again.

The status (``GET /hpcdask/status``) has as ``idle`` for how many seconds it has been idle, or null, and
``POST /hpcdask/keep`` lets that time begin anew and returns ``{"idle"}``.
"""

from __future__ import annotations

# mypy: allow-subclassing-any, disable-error-code="no-untyped-call,misc"
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin
from tornado import web
from tornado.ioloop import PeriodicCallback

_MOST_OFTEN, _RAREST = 1.0, 10.0  # seconds between looks; a short timeout needs more of them
_LONGEST_QUEUE = 7 * 24 * 3600.0  # seconds; workers that have not come by then may have failed with nobody looking


class Idleness(SchedulerPlugin):
    """Knows since when a scheduler has been idle, and ends it after the timeout.

    Parameters
    ----------
    scheduler
        The scheduler.
    watch
        The plugin of `dask_preload.py`, which knows the clients and tells of changes.
    variables
        The environment.
    """

    name = "hpcdask-idle"

    def __init__(self, scheduler: Any, watch: Any, variables: Mapping[str, str]) -> None:
        self._scheduler, self._watch = scheduler, watch
        self._timeout = float(variables["HPCDASK_IDLE_TIMEOUT"])
        self._report = Path(variables["HPCDASK_IDLE_REPORT"])
        self._are_wanted = self._awaits_workers = "HPCDASK_AWAITS_WORKERS" in variables
        self._used = self._wanted_since = monotonic()
        self._is_idle = self._is_closing = False
        self._transitions = -1

    @property
    def period(self) -> float:
        """How many seconds there may be between two looks."""
        return min(_RAREST, max(_MOST_OFTEN, self._timeout / 100))

    def seconds(self) -> float | None:
        """Return for how long the scheduler has been idle, or None if it is not, as far as was seen."""
        return monotonic() - self._used if self._is_idle else None

    def keep(self) -> None:
        """Let the idle time begin anew."""
        self._used = monotonic()
        self._watch.bump()

    def hear(self, wanted: str) -> None:
        """Learn whether workers are wanted: `0` if none are."""
        are_wanted = wanted != "0"
        if are_wanted is not self._are_wanted:
            self._are_wanted = self._awaits_workers = are_wanted
            self._wanted_since = monotonic()
            self.look()

    def add_client(self, *args: Any, **kwargs: Any) -> None:
        self.look()  # it may be gone again by the next regular look

    def look(self) -> None:
        """See whether the scheduler is in use, and end it if it has not been for too long."""
        is_used = self._is_used()
        if is_used:
            self._used = monotonic()
        if self._is_idle is is_used:
            self._is_idle = not is_used
            self._watch.bump()
        if monotonic() - self._used >= self._timeout and not self._is_closing:
            self._is_closing = True
            self._tell()
            self._scheduler.loop.add_callback(self._scheduler.close)

    def _is_used(self) -> bool:
        """Return whether there is, or was since the last look, anything to do or anybody to do it for."""
        scheduler = self._scheduler
        if scheduler.workers or monotonic() - self._wanted_since > _LONGEST_QUEUE:
            self._awaits_workers = False
        before, self._transitions = self._transitions, scheduler.transition_counter
        return bool(
            self._awaits_workers
            or self._transitions != before
            or self._watch.clients()
            or scheduler.queued
            or scheduler.unrunnable
            or any(worker.processing for worker in scheduler.workers.values())
        )

    def _tell(self) -> None:
        with suppress(OSError):  # then the cluster just ends without an explanation
            unfinished = self._report.with_suffix(".new")
            unfinished.write_text(f"seconds={self._timeout:.0f}\n", "utf-8")
            unfinished.replace(self._report)


class KeepHandler(web.RequestHandler):
    """Lets the idle time begin anew."""

    def initialize(self, idleness: Idleness) -> None:
        self.idleness = idleness

    async def post(self) -> None:
        self.idleness.keep()
        self.write({"idle": self.idleness.seconds()})


def dask_setup(scheduler: Any) -> None:
    """Begin to look at a scheduler."""
    watch = scheduler.plugins["hpcdask-watch"]
    idleness = Idleness(scheduler, watch, os.environ)
    scheduler.add_plugin(idleness)
    watch.more["idle"] = idleness.seconds
    watch.asked["wanted"] = idleness.hear
    scheduler.http_application.add_handlers(r".*$", [(r"/hpcdask/keep", KeepHandler, {"idleness": idleness})])
    scheduler.periodic_callbacks[idleness.name] = looking = PeriodicCallback(idleness.look, idleness.period * 1000)
    looking.start()

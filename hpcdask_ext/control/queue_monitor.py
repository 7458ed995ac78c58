"""Asking a batch system as rarely as possible: one query for all jobs, only when needed, with back-off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timezone

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.control.reconcile import Answer
from hpcdask_ext.errors import BatchError

log = logging.getLogger(__name__)

FIRST_INTERVAL = 5.0  # seconds
LAST_INTERVAL = 60.0
_GROWTH = 1.5
_BURST = 0.5  # seconds to wait for others who ask at about the same time


class QueueMonitor:
    """Keeps the newest answer of one batch system, asking only while somebody needs it.

    Parameters
    ----------
    ask
        The query. It raises `BatchError` when there is no answer.
    pace
        Returns how many seconds there are between two queries at first and in the end, or None for the usual ones.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[Sequence[JobStatus]]],
        pace: Callable[[], tuple[float, float] | None] = lambda: None,
    ) -> None:
        self.answer: Answer | None = None
        self.trouble = ""
        self._ask, self._pace = ask, pace
        self._needed_by: dict[str, Callable[[], None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def need(self, key: str, wake: Callable[[], None]) -> None:
        """Keep asking for `key`, and call `wake` after each answer or failure, until `release`."""
        if key not in self._needed_by:
            self._needed_by[key] = wake
            self.hurry()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def release(self, key: str) -> None:
        """Stop asking for `key`."""
        self._needed_by.pop(key, None)

    def hurry(self) -> None:
        """Ask again soon, because something was just submitted or cancelled."""
        self._hurry.set()

    async def close(self) -> None:
        """Stop asking for good."""
        self._needed_by.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        first, last = self._pace() or (FIRST_INTERVAL, LAST_INTERVAL)
        interval = first
        while self._needed_by:
            if self._hurry.is_set():
                self._hurry.clear()
                interval = first
                await asyncio.sleep(min(_BURST, first / 2))
            before = self.answer
            await self._ask_once()
            for wake in tuple(self._needed_by.values()):
                wake()
            if before is not None and self.answer is not None and before.jobs != self.answer.jobs:
                interval = first
            await self._rest(first, interval)
            interval = min(interval * _GROWTH, last)

    async def _rest(self, first: float, interval: float) -> None:
        """Wait, so that there are never two queries within the first interval, however often `hurry` is called."""
        await asyncio.sleep(first - min(_BURST, first / 2))
        hurrying = asyncio.create_task(self._hurry.wait())
        try:
            await asyncio.wait([hurrying], timeout=max(0.0, interval - first))
        finally:
            hurrying.cancel()

    async def _ask_once(self) -> None:
        try:
            self.answer = Answer(datetime.now(timezone.utc), await self._ask())
            self.trouble = ""
        except (BatchError, OSError) as error:
            if self.trouble != str(error):
                log.warning("The batch system did not answer: %s", error)
            self.trouble = str(error)

"""How the process of a cluster class has it add and remove workers, and learns what the class has against that.

It is loaded by `factory.py`, imports nothing of ours, and may meet any `distributed` from 2023.5 on.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-call"
import asyncio
import inspect
import traceback
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from distributed import SpecCluster

NOTICE = 3.0
"""Seconds for a class to take notice of the number of workers that it was given."""
_LOOK = 0.1


class Refused(Exception):
    """The class does not do what it was asked to do; the message says why."""


class Scaler:
    """Has a cluster add or remove workers. What may block runs in a thread, one call at a time."""

    def __init__(self, cluster: Any, name: str, in_thread: Any) -> None:
        self._cluster, self._name, self._in_thread = cluster, name, in_thread
        self._adaptive: Any = None
        self._has_own_loop = isinstance(cluster, SpecCluster)
        self._turn = asyncio.Lock()

    async def scale(self, scaling: Mapping[str, Any], patience: float | None = None) -> None:
        """Have so many workers, or adapt their number to the work; wait no longer than `patience` for workers."""
        if "maximum" in scaling:
            if self._is_fixed():
                raise Refused(f"{self._name} cannot adapt: it has the workers that it was made with")
            bounds = {"minimum": scaling["minimum"], "maximum": scaling["maximum"]}
            self._adaptive = await self._call(lambda: self._cluster.adapt(**bounds))
        else:
            await self._call(self._fix)
            await self._scale(int(scaling["workers"]), patience)

    async def _call(self, act: Callable[..., Any], *arguments: Any) -> Any:
        async with self._turn:
            return await self._in_thread(act, *arguments)

    def _is_fixed(self) -> bool:
        """Return whether the class can have no more workers than it was made with, as Dask's own classes tell."""
        return getattr(self._cluster, "_supports_scaling", True) is False

    def _fix(self) -> None:
        """Stop adapting, which `scale` does not do by itself."""
        if self._adaptive is not None and hasattr(self._adaptive, "stop"):
            self._adaptive.stop()
        self._adaptive = None

    async def _scale(self, workers: int, patience: float | None) -> None:
        before = self.planned()
        if before == workers:
            return
        if before is not None and before < workers and self._is_fixed():
            raise Refused(f"{self._name} has no more than the {before} workers that it was made with")
        await self._begin(workers, patience)
        end = monotonic() + NOTICE
        while before is not None and self.planned() == before:
            if monotonic() > end:
                raise Refused(f"{self._name} was asked for {workers} workers, but still plans to have {before}")
            await asyncio.sleep(_LOOK)

    async def _begin(self, workers: int, patience: float | None) -> None:
        """Have the class add or remove workers; raise what it raises by then, also while it starts them."""
        if self._has_own_loop:  # what goes wrong with workers is raised only in its loop
            work = asyncio.run_coroutine_threadsafe(
                _scale_there(self._cluster, workers), self._cluster.loop.asyncio_loop
            )
            begun: asyncio.Future[Any] = asyncio.wrap_future(work)
        else:
            begun = asyncio.ensure_future(self._call(self._cluster.scale, workers))
        done, _ = await asyncio.wait([begun], timeout=patience)
        if done:
            await begun
        else:
            begun.add_done_callback(_log_failure)

    def planned(self) -> int | None:
        """Return how many workers the class wants to have now, if it tells."""
        try:
            return len(self._cluster.plan)
        except Exception:  # noqa: BLE001  (whatever the class does there)
            return None


async def _scale_there(cluster: Any, workers: int) -> None:
    """Scale a cluster in its own loop, and wait for the workers."""
    result = cluster.scale(workers)
    if inspect.isawaitable(result):
        await result
    await cluster


def _log_failure(work: asyncio.Future[Any]) -> None:
    if not work.cancelled() and (error := work.exception()):
        traceback.print_exception(type(error), error, error.__traceback__)

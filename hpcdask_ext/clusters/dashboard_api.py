"""Asking a Dask scheduler that is not ours, over the HTTP server that its dashboard has.

Every scheduler answers ``/json/identity.json`` there, with or without bokeh, also after ``--no-dashboard``. It costs
the scheduler O(workers); ``counts.json`` beside it walks all tasks.
"""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import httpx

from hpcdask_ext.clusters.groups import MAIN_GROUP
from hpcdask_ext.clusters.reach import Endpoint
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.errors import SchedulerUnreachable

_TIMEOUT = 10.0  # seconds
_LONGEST_WAIT = 50.0  # seconds after which a status is returned although nothing differs
_FIRST_INTERVAL, _LAST_INTERVAL, _GROWTH = 1.0, 15.0, 1.5  # seconds between questions while nothing differs
_REST = 30  # times as long as the last answer took, at least: so the largest clusters are asked every few seconds
_MOST = 64 * 2**20  # bytes of an answer; 10,000 workers make 25 MB


@dataclass(frozen=True)
class Identity:
    """What a scheduler says about itself; `id` is another one after each start."""

    id: str
    address: str
    started: datetime
    workers: int
    nthreads: int
    memory_limit: int

    @property
    def status(self) -> SchedulerStatus:
        """The same as a status, whose version tells equal ones from different ones."""
        version = zlib.crc32(repr(self).encode())
        groups = {MAIN_GROUP: self.workers}
        return SchedulerStatus(version, self.workers, self.nthreads, self.memory_limit, None, groups=groups)


class DashboardAPI:
    """A `StatusSource` for a scheduler of somebody else.

    Parameters
    ----------
    endpoint
        Where its dashboard is.
    first_interval
        Seconds between the first two questions of a `status` that waits; the later ones grow.
    """

    def __init__(self, endpoint: Endpoint, *, first_interval: float = _FIRST_INTERVAL) -> None:
        self._client = httpx.AsyncClient(
            base_url=endpoint.url,
            headers=endpoint.headers,
            verify=endpoint.context or endpoint.url.startswith("https:"),  # without TLS, no context is to be made
            timeout=_TIMEOUT,
            trust_env=False,  # a site's web proxy does not lead to a compute node
        )
        self._first_interval = first_interval
        self._took = 0.0

    async def status(self, since: int | None = None) -> SchedulerStatus:
        """Return the status, as `StatusSource` says; an equal one after 50 seconds."""
        if since is None:
            return (await self.identity()).status
        waited, interval = 0.0, self._first_interval
        while True:
            interval = max(interval, min(_REST * self._took, _LAST_INTERVAL))
            await asyncio.sleep(interval)
            status = (await self.identity()).status
            waited += interval
            if status.version != since or waited >= _LONGEST_WAIT:
                return status
            interval = min(interval * _GROWTH, _LAST_INTERVAL)

    async def identity(self) -> Identity:
        """Ask the scheduler what it is."""
        began = time.monotonic()
        try:
            content = await self._read()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SchedulerUnreachable(f"The scheduler's dashboard did not answer ({type(error).__name__}).") from error
        self._took = time.monotonic() - began
        try:
            return await asyncio.to_thread(_read_identity, content)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, OSError) as error:
            raise _foreign() from error

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _read(self) -> bytes:
        async with self._client.stream("GET", "/json/identity.json") as response:
            if response.is_server_error:
                response.raise_for_status()
            if response.status_code != httpx.codes.OK:
                raise _foreign(f"HTTP status {response.status_code}")
            content, deadline = bytearray(), time.monotonic() + 2 * _TIMEOUT
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _MOST or time.monotonic() > deadline:
                    raise _foreign("an answer without an end")
        return bytes(content)


def _read_identity(content: bytes) -> Identity:
    told = json.loads(content)
    workers: list[dict[str, Any]] = list(told["workers"].values())
    return Identity(
        id=str(told["id"]),
        address=str(told["address"]),
        started=datetime.fromtimestamp(float(told["started"]), timezone.utc),
        workers=len(workers),
        nthreads=sum(int(worker["nthreads"]) for worker in workers),
        memory_limit=sum(int(worker["memory_limit"] or 0) for worker in workers),
    )


def _foreign(what: str = "") -> SchedulerUnreachable:
    found = f" ({what})" if what else ""
    return SchedulerUnreachable(f"Something other than a Dask scheduler's dashboard answers at its address{found}.")

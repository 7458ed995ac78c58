"""Asking a Dask scheduler that is not ours, over the HTTP server that its dashboard has.

Every scheduler has a page there with a table of its workers, with or without bokeh, also after ``--no-dashboard``. It
costs the scheduler O(workers). The JSON beside it is of less use: ``counts.json`` walks all tasks, and
``identity.json`` fails with a traceback in the scheduler's log, or notebook, while tasks run (the workers' metrics then
have keys that JSON cannot have). It is asked only where the table is missing or has changed.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
import zlib
from dataclasses import dataclass
from typing import Any

import httpx

from hpcdask_ext.clusters.groups import MAIN_GROUP
from hpcdask_ext.clusters.reach import Endpoint
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.errors import SchedulerUnreachable

_TIMEOUT = 10.0  # seconds for one part of an answer
_PATIENCE = 20.0  # seconds for all of it
_LONGEST_WAIT = 50.0  # seconds after which a status is returned although nothing differs
_FIRST_INTERVAL, _LAST_INTERVAL, _GROWTH = 1.0, 15.0, 1.5  # seconds between questions while nothing differs
_REST = 30  # times as long as the last answer took, at least: so the largest clusters are asked every few seconds
_MOST = 64 * 2**20  # bytes of an answer; 10,000 workers make 15 MB

WORKERS_PAGE = "/info/main/workers.html"
_IDENTITY = "/json/identity.json"
# The same lines since 2023.5. Of each worker: its threads, and its memory limit, which is 0 or None without one.
_TITLE = re.compile(r'<h1 class="title">\s*Scheduler\s+([^\s<]+)\s*</h1>')
_LINK = re.compile(r'<a href="\.\./worker/')
_WORKER = re.compile(
    r"<td>\s*(\d{1,9})\s*</td>\s*<td[^<>]*>[^<]*</td>\s*"
    r'<td>\s*<progress class="progress" value="[^"]*" max="(\d*|None)">'
)


@dataclass(frozen=True)
class Identity:
    """What a scheduler's dashboard says: its own `address`, and how many workers it has with how much in all."""

    address: str
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
        """Ask what the scheduler is and has."""
        began = time.monotonic()
        for path, read in ((WORKERS_PAGE, _read_page), (_IDENTITY, _read_identity)):
            content = await self.read(path)
            self._took = time.monotonic() - began
            if identity := await asyncio.to_thread(read, content):
                return identity
        raise _foreign()

    async def read(self, path: str) -> bytes:
        """Return what is at a path, which is nothing if there is no such page. Whatever answers, this ends soon."""
        # Not `wait_for`: before Python 3.12 it swallows a cancellation that arrives together with what it waits for.
        reading = asyncio.create_task(self._read(path))
        try:
            await asyncio.wait([reading], timeout=_PATIENCE)
            if not reading.done():
                raise SchedulerUnreachable(f"The scheduler's dashboard did not answer within {_PATIENCE:g} s.")
            return reading.result()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SchedulerUnreachable(f"The scheduler's dashboard did not answer ({type(error).__name__}).") from error
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _read(self, path: str) -> bytes:
        async with self._client.stream("GET", path) as response:
            if response.is_server_error:
                response.raise_for_status()
            if response.status_code != httpx.codes.OK:
                return b""
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _MOST:
                    raise _foreign(" (an answer without an end)")
        return bytes(content)


def _read_page(content: bytes) -> Identity | None:
    """Return what the page with the table of workers says, or None if this is not such a page."""
    page = content.decode("utf-8", "replace")
    title, workers = _TITLE.search(page), _WORKER.findall(page)
    if title is None or len(workers) != len(_LINK.findall(page)):
        return None
    limits = [int(limit) for _, limit in workers if limit.isdecimal()]
    return Identity(html.unescape(title[1]), len(workers), sum(int(threads) for threads, _ in workers), sum(limits))


def _read_identity(content: bytes) -> Identity | None:
    """Return what the JSON says, or None if it is not a scheduler's."""
    try:
        told = json.loads(content)
        workers: list[dict[str, Any]] = list(told["workers"].values())
        limits = [int(worker["memory_limit"] or 0) for worker in workers]
        threads = [int(worker["nthreads"]) for worker in workers]
        return Identity(str(told["address"]), len(workers), sum(threads), sum(limits))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None


def _foreign(what: str = "") -> SchedulerUnreachable:
    return SchedulerUnreachable(f"Something other than a Dask scheduler's dashboard answers at its address{what}.")

"""The routes on which the process of a cluster class answers.

It is loaded by `factory.py`, imports nothing of ours, and may meet any `distributed` from 2023.5 on. The server listens
on the loopback, with the certificate of the cluster's folder, and answers only to its token, as schedulers of ours do:
`dask_preload.py` is the gate, here and before a scheduler in this process.

==========================  ==================================================================================
``GET  /hpcdask/status``    as of `dask_preload.py`; ``wishes`` has how many workers the class plans to have, and
                            of a scheduler elsewhere, ``clients`` is null
``POST /hpcdask/keep``      as of `idle_preload.py`; only of a scheduler in this process
``POST /hpcdask/scale``     ``{"workers": n}``, or ``{"minimum": a, "maximum": b}`` to adapt to the work; the
                            answer is ``{}``, or, with status 409, ``{"message"}``: why the class does not
==========================  ==================================================================================
"""

from __future__ import annotations

# mypy: allow-subclassing-any, disable-error-code="no-untyped-call,misc"
import asyncio
import json
import ssl
import traceback
from collections.abc import Coroutine
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any

from distributed import Scheduler
from distributed.core import rpc
from distributed.http.routing import RoutingApplication
from distributed.security import Security
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

_LOOPBACK = "127.0.0.1"
_GROUP = "workers"
_LOOK, _ASK = 0.25, 5.0  # seconds between looks at the cluster's own picture, and between questions to its scheduler
_PATIENCE = 10.0  # seconds for an answer of its scheduler
_NOTICE = 3.0  # seconds to wait for workers before answering


Preloads = tuple[ModuleType, Any]
"""`dask_preload.py`, and `idle_preload.py` or None: whether a scheduler in this process ends when nobody uses it."""


class Near:
    """The status of a scheduler in this process, in whose loop `dask_preload.py` watches it."""

    def __init__(self, scheduler: Any, preloads: Preloads) -> None:
        self._scheduler, (self._preload, self._idle) = scheduler, preloads
        self._loop = scheduler.loop.asyncio_loop

    async def begin(self) -> None:
        """Begin to watch."""
        await self._there(self._watch_it())

    async def status(self, since: int | None) -> dict[str, Any]:
        """Return the status: at once, or when it differs from the version `since`."""
        try:
            status: dict[str, Any] = await self._there(self._status(since))
        except (asyncio.CancelledError, RuntimeError) as error:
            raise ConnectionError("its loop has ended") from error
        return {**status, "groups": {_GROUP: status["workers"]}}

    async def keep(self) -> dict[str, Any]:
        """Let the idle time begin anew."""
        idleness = self._scheduler.plugins["hpcdask-idle"]

        async def keep() -> dict[str, Any]:
            idleness.keep()
            return {"idle": idleness.seconds()}

        kept: dict[str, Any] = await self._there(keep())
        return kept

    async def _watch_it(self) -> None:
        self._watch = self._preload.Watch(self._scheduler)
        self._scheduler.add_plugin(self._watch)
        for worker in list(self._scheduler.workers):
            self._watch.add_worker(self._scheduler, worker)
        if self._idle is not None:
            self._idle.dask_setup(self._scheduler)

    async def _status(self, since: int | None) -> Any:
        if since is not None:
            await self._watch.wait(since)
        return self._watch.status()

    def _there(self, work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        if not self._loop.is_running():
            work.close()
            raise ConnectionError("its loop has ended")
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


class Far:
    """The status of a scheduler in another process, as it tells; the cluster's own picture shows when to ask again."""

    def __init__(self, cluster: Any, longest_wait: float) -> None:
        security = getattr(cluster, "security", None) or Security()
        self._cluster, self._longest_wait = cluster, longest_wait
        self._rpc = rpc(cluster.scheduler_address, connection_args=security.get_connection_args("client"))
        self._version = 1
        self._seen: dict[str, Any] = {}

    async def begin(self) -> None:
        """Ask once."""
        self._seen = await self._ask()

    async def status(self, since: int | None) -> dict[str, Any]:
        """Return the status: at once, or when it differs from the version `since`."""
        end = monotonic() + self._longest_wait
        while True:
            seen = await self._ask()
            if seen != self._seen:
                self._version, self._seen = self._version + 1, seen
            if since != self._version or monotonic() > end:
                return {"version": self._version, **seen}
            await self._until_it_differs()

    async def _ask(self) -> dict[str, Any]:
        identity = await asyncio.wait_for(self._rpc.identity(), _PATIENCE)
        workers = list(identity["workers"].values())
        return {
            "workers": len(workers),
            "nthreads": sum(worker["nthreads"] for worker in workers),
            "memory_limit": sum(worker["memory_limit"] or 0 for worker in workers),
            "clients": None,
            "packages": {},
            "groups": {_GROUP: len(workers)},
        }

    async def _until_it_differs(self) -> None:
        end, before = monotonic() + _ASK, self._picture()
        while monotonic() < end and self._picture() == before:  # noqa: ASYNC110  (it has no event)
            await asyncio.sleep(_LOOK)

    def _picture(self) -> set[str]:
        return set((getattr(self._cluster, "scheduler_info", None) or {}).get("workers", ()))


class Handle:
    """Where this process answers. `is_local` says that the scheduler is in it, with a dashboard behind the gate."""

    def __init__(self, url: str, is_local: bool) -> None:
        self.url, self.is_local = url, is_local


class StatusHandler(web.RequestHandler):
    """Tells how the cluster is, at once or when that changes."""

    def initialize(self, source: Near | Far, scaler: Any) -> None:
        self.source, self.scaler = source, scaler

    async def get(self) -> None:
        since = self.get_query_argument("since", "")
        try:
            status = await self.source.status(int(since) if since.isdecimal() else None)
            planned = self.scaler.planned()
            self.write({**status, "wishes": {} if planned is None else {_GROUP: planned}})
        except (OSError, asyncio.TimeoutError) as error:
            self.set_status(503)
            self.write({"message": f"The scheduler does not answer ({type(error).__name__})"})


class KeepHandler(web.RequestHandler):
    """Lets the idle time of a scheduler in this process begin anew."""

    def initialize(self, source: Near) -> None:
        self.source = source

    async def post(self) -> None:
        self.write(await self.source.keep())


class ScaleHandler(web.RequestHandler):
    """Has the class add or remove workers."""

    def initialize(self, scaler: Any) -> None:
        self.scaler = scaler

    async def post(self) -> None:
        try:
            await self.scaler.scale(json.loads(self.request.body), _NOTICE)
            self.write({})
        except Exception as error:  # noqa: BLE001  (whatever a class raises is told)
            traceback.print_exc()
            self.set_status(409)
            words = str(error) if type(error).__name__ == "Refused" else f"{type(error).__name__}: {error}"
            self.write({"message": words})


async def start(cluster: Any, folder: Path, preloads: Preloads, scaler: Any) -> Handle:
    """Begin to answer for a cluster."""
    scheduler = getattr(cluster, "scheduler", None)
    is_local = isinstance(scheduler, Scheduler)
    source = Near(scheduler, preloads) if is_local else Far(cluster, preloads[0].LONGEST_WAIT)
    await source.begin()
    application = RoutingApplication(
        [
            (r"/hpcdask/status", StatusHandler, {"source": source, "scaler": scaler}),
            *([(r"/hpcdask/keep", KeepHandler, {"source": source})] if is_local and preloads[1] else []),
            (r"/hpcdask/scale", ScaleHandler, {"scaler": scaler}),
        ]
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls-cert.pem", folder / "tls-key.pem")
    sockets = bind_sockets(0, _LOOPBACK)
    HTTPServer(application, ssl_options=context).add_sockets(sockets)
    return Handle(f"https://{_LOOPBACK}:{sockets[0].getsockname()[1]}", is_local)

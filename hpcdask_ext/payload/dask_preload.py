"""Runs inside the scheduler and the workers of a cluster, in the user's environment.

It is passed by path with `--preload` and imports nothing of ours. It may meet any `distributed` from 2023.5 on.

What it does:

- From the moment that it is imported, which is before the process opens its HTTP server, that server answers 403 to
  every request, websockets included, that does not carry the cluster's token in the header `X-HPCDask-Token`.
  The token's file is named by the environment variable `HPCDASK_TOKEN_FILE`; without it nothing is served at all.
- In the scheduler, three routes of our own, whose cost is O(workers) at most and never O(tasks):

  ==============================  ==============================================================================
  ``GET  /hpcdask/status``        ``{"version", "workers", "nthreads", "memory_limit", "clients", "packages",
                                  "groups"}`` and what other preloads add; with ``?since=VERSION`` it waits up to 50 s
                                  until something differs from that version. ``groups`` has the number of workers of
                                  each group.
                                  ``packages`` has, for each of ``scheduler``, ``workers`` and ``clients``, the
                                  versions of Python and of the packages that Dask compares, each once:
                                  ``{"workers": {"pandas": ["2.2.2"], "lz4": [null]}}``; null is not installed
  ``POST /hpcdask/retire``        ``{"prefix": p, "jobs": n, "workers_per_job": k, "keep": m}``: of the workers whose
                                  names begin with p, retire those of the n least busy jobs (their data moves first),
                                  but let at least m jobs stay, and return ``{"retired": [NAME...],
                                  "kept": [NAME...]}``; those are kept whose data has no other place
  ==============================  ==============================================================================

- In the scheduler, a client of a newer `distributed` gets in although it asks in a way that an older scheduler does not
  know: only then do both sides learn how their versions differ.
"""

from __future__ import annotations

# mypy: allow-subclassing-any, disable-error-code="no-untyped-call,misc"
import asyncio
import hmac
import inspect
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.http.routing import RoutingApplication
from distributed.versions import get_versions
from tornado import web

LONGEST_WAIT = 50  # seconds; below the 60 s after which many proxies and NATs drop a silent connection
HEADER = "X-HPCDask-Token"
_OF_TASKS = "Client-worker-"
"""What the names of clients begin with that workers opened for their tasks."""


def _read_token() -> bytes:
    try:
        return Path(os.environ["HPCDASK_TOKEN_FILE"]).read_bytes().strip()
    except (KeyError, OSError):
        return b""


class Refused(web.RequestHandler):
    """Answers 403 to everything, before any other handler sees the request."""

    def prepare(self) -> None:
        self.set_status(403)
        self.finish("This dashboard is available only through JupyterLab.\n")


def _gate() -> None:
    """Let only requests with the token through to any HTTP application of this process."""
    route = RoutingApplication.find_handler
    if getattr(route, "is_gated", False):  # distributed imports a preload twice, once for each way to name it
        return
    token = _read_token()

    def find_handler(self: Any, request: Any, **kwargs: Any) -> Any:
        given = request.headers.get(HEADER, "").encode()
        if token and hmac.compare_digest(given, token):
            return route(self, request, **kwargs)
        return self.get_handler_delegate(request, Refused)

    find_handler.is_gated = True  # type: ignore[attr-defined]
    RoutingApplication.find_handler = find_handler  # type: ignore[method-assign]


_gate()


def _packages(versions: Mapping[str, Any] | None) -> str:
    """Return a process's versions as one text, which a thousand equal workers share."""
    return sys.intern(json.dumps((versions or {}).get("packages") or {}, sort_keys=True))


def _distinct(texts: Iterable[str]) -> dict[str, list[str | None]]:
    """Return each package's versions, each of them once."""
    found = defaultdict(set)
    for text in set(texts):
        for package, version in json.loads(text).items():
            found[package].add(version)
    return {package: sorted(versions, key=str) for package, versions in found.items()}


def _group(name: str) -> str:
    """Return the group of a worker named CLUSTER-GROUP-..., or nothing for one that somebody else added."""
    parts = name.split("-")
    return parts[1] if len(parts) > 2 else ""


class Watch(SchedulerPlugin):
    """Counts changes of workers and clients, and wakes those who wait for the next one.

    Other preloads find it among the scheduler's plugins: `more` is what they add to the status, by its name there,
    `asked` what they do with an argument of a status request, and `bump` tells that something has changed. `groups` has
    the group of each worker, by its address.
    """

    name = "hpcdask-watch"

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.version = 1
        self.more: dict[str, Callable[[], Any]] = {}
        self.asked: dict[str, Callable[[str], None]] = {}
        self.groups: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._own = _packages(get_versions())
        self._workers: dict[str, str] = {}

    def bump(self, *args: Any, **kwargs: Any) -> None:
        """Count one more change."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    add_client = remove_client = bump

    def add_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        state = scheduler.workers[worker]
        self._workers[worker] = _packages(state.versions)
        self.groups[worker] = _group(str(state.name))
        self.bump()

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        self._workers.pop(worker, None)
        self.groups.pop(worker, None)
        self.bump()

    async def wait(self, since: int) -> None:
        """Return when the version differs from `since`, or after `LONGEST_WAIT`."""
        if self.version == since:
            # Python 3.10 has two classes of that name.
            with suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LONGEST_WAIT)

    def clients(self) -> list[Any]:
        """Return the clients that are somebody's.

        The scheduler also has entries for what it was told to keep ("fire-and-forget", published data), which never
        said their versions, and for clients that tasks opened, which stay connected for as long as their workers.
        """
        clients = self.scheduler.clients.items()
        return [client for name, client in clients if client.versions and not name.startswith(_OF_TASKS)]

    def status(self) -> dict[str, Any]:
        """Return what a look at the cluster shows."""
        workers = list(self.scheduler.workers.values())
        clients = self.clients()
        return {
            "version": self.version,
            "workers": len(workers),
            "nthreads": sum(worker.nthreads for worker in workers),
            "memory_limit": sum(worker.memory_limit or 0 for worker in workers),
            "clients": len(clients),
            "groups": dict(Counter(self.groups.values())),
            "packages": {
                "scheduler": _distinct([self._own]),
                "workers": _distinct(self._workers.values()),
                "clients": _distinct(_packages(client.versions) for client in clients),
            },
            **{name: tell() for name, tell in self.more.items()},
        }


class StatusHandler(web.RequestHandler):
    """Tells how the cluster is, at once or when that changes."""

    def initialize(self, watch: Watch) -> None:
        self.watch = watch

    async def get(self) -> None:
        for name, ask in self.watch.asked.items():
            if argument := self.get_query_argument(name, ""):
                ask(argument)
        since = self.get_query_argument("since", "")
        if since.isdecimal():
            await self.watch.wait(int(since))
        self.write(self.watch.status())


class RetireHandler(web.RequestHandler):
    """Retires workers, the least busy first, and lets their data move before they go."""

    def initialize(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    async def post(self) -> None:
        request = json.loads(self.request.body)
        jobs = defaultdict(list)
        for worker in self.scheduler.workers.values():
            # With several workers in a job, Dask names them after it: JOB-0, JOB-1.
            name = str(worker.name)
            if not name.startswith(request["prefix"]):
                continue
            jobs[name.rpartition("-")[0] if request["workers_per_job"] > 1 else name].append(worker)
        idlest = sorted(
            jobs.values(), key=lambda job: (sum(len(w.processing) for w in job), sum(w.nbytes for w in job))
        )
        count = max(0, min(request["jobs"], len(jobs) - request.get("keep", 0)))
        chosen = [worker for job in idlest[:count] for worker in job]
        if chosen:
            await self.scheduler.retire_workers(
                workers=[worker.address for worker in chosen], close_workers=True, remove=True
            )
        told: dict[str, list[str]] = {"retired": [], "kept": []}
        for worker in chosen:
            told["kept" if worker.address in self.scheduler.workers else "retired"].append(str(worker.name))
        self.write(told)


def _let_newer_clients_in(scheduler: Any) -> None:
    """Answer what a client asks first, whatever arguments it adds; from 2025 on, that is `n_workers`."""
    identify = scheduler.handlers["identity"]
    known = inspect.signature(identify).parameters

    def identity(**options: Any) -> Any:
        return identify(**{name: value for name, value in options.items() if name in known})

    scheduler.handlers["identity"] = identity


def dask_setup(server: Any) -> None:
    """Add our routes to a scheduler; workers have only the gate."""
    if not hasattr(server, "clients"):
        return
    _let_newer_clients_in(server)
    watch = Watch(server)
    server.add_plugin(watch)
    server.http_application.add_handlers(
        r".*$",
        [
            (r"/hpcdask/status", StatusHandler, {"watch": watch}),
            (r"/hpcdask/retire", RetireHandler, {"scheduler": server}),
        ],
    )

"""A scheduler that wishes for what a test says, and jobs that start and end when it says so."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tornado import httpserver, web

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.models import Cluster
from tests.clusters.stub_scheduler import StubScheduler


@dataclass
class WishingScheduler:
    """Answers status requests as our preloads do: at once, or when a test `tell`s something new.

    `asked` has what the requests asked about, `told` whether they say that workers are wanted, `retired` what was asked
    to be retired. Who is retired ends at once, except for the workers in `kept`, whose data has no other place.
    """

    cluster: Cluster
    workers: set[str] = field(default_factory=set)
    wishes: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    retired: list[dict[str, object]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    version: int = 1

    def start(self) -> httpserver.HTTPServer:
        stub = StubScheduler(Credentials(self.cluster.directory))
        stub.pages = {"/hpcdask/status": self._status, "/hpcdask/retire": self._retire}
        self._changed = asyncio.Event()
        server = stub.start()
        self.report("scheduler", 1, "started")
        services = {"address": "tls://127.0.0.1:1", "services": {"dashboard": stub.port}}
        self.cluster.scheduler_file.write_text(json.dumps(services))
        return server

    def tell(self, **wishes: int) -> None:
        """Wish for so many workers of each group."""
        self.wishes = wishes
        self._bump()

    def start_job(self, tag: str, *indexes: int, ago: float = 0) -> None:
        """Let elements of a job start and their workers connect."""
        for index in indexes:
            self.report(tag, index, "started", ago)
            self.workers.add(f"{self.cluster.id}-{tag}-{index}")
        self._bump()

    def end_job(self, tag: str, *indexes: int, code: int = 0) -> None:
        """Let elements of a job end, and their workers disconnect."""
        for index in indexes:
            self.report(tag, index, "ended", code=code)
            self.workers.discard(f"{self.cluster.id}-{tag}-{index}")
        self._bump()

    def report(self, tag: str, index: int, what: str, ago: float = 0, code: int = 0) -> None:
        """Write what a job reports."""
        folder: Path = self.cluster.directory / "reports"
        folder.mkdir(exist_ok=True)
        text = f"host=node1\njob=7\nexit={code}\ntime={int(time.time() - ago)}\n"
        (folder / f"{tag}.{index}.{what}").write_text(text)

    def _bump(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def _status(self, handler: web.RequestHandler) -> None:
        groups = handler.get_query_argument("adaptive", "")
        self.asked.append(groups)
        self.told.append(handler.get_query_argument("wanted", ""))
        if handler.get_query_argument("since", "") == str(self.version):
            with suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(self._changed.wait(), 20)
        names = [name.split("-")[1] for name in self.workers]
        count = len(names)
        told = {"version": self.version, "workers": count, "nthreads": count, "memory_limit": count, "clients": 0}
        told |= {"groups": {name: names.count(name) for name in names}}
        handler.write(told | ({"wishes": self.wishes} if groups else {}))

    async def _retire(self, handler: web.RequestHandler) -> None:
        request = json.loads(handler.request.body)
        self.retired.append(request)
        chosen = sorted(name for name in self.workers if name.startswith(request["prefix"]))[: request["jobs"]]
        gone = [name for name in chosen if name not in self.kept]
        for name in gone:
            tag, _, index = name.removeprefix(f"{self.cluster.id}-").rpartition("-")
            self.end_job(tag, int(index))
        handler.write({"retired": gone, "kept": [name for name in chosen if name in self.kept]})

"""Asking a scheduler of somebody else: of a server whose answers can be chosen. (tests/adopted asks real ones.)"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
import pytest_asyncio
from tornado import httpserver, netutil, web

from hpcdask_ext.clusters.dashboard_api import DashboardAPI
from hpcdask_ext.clusters.reach import Endpoint, Reach, SchedulerAddress
from hpcdask_ext.clusters.scheduler_api import status_source
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.errors import SchedulerUnreachable

from .stub_scheduler import Answer, answer

WORKER = {"nthreads": 2, "memory_limit": 2**30, "name": "w", "metrics": {"cpu": 1.5}}


def identity(count: int = 1, **changes: Any) -> dict[str, Any]:
    """Return what the schedulers of today and of 2023 say alike."""
    told = {"type": "Scheduler", "id": "Scheduler-1", "address": "tcp://10.0.0.1:8786", "started": 1.7e9}
    return {**told, "services": {}, "workers": {f"tcp://w:{n}": WORKER for n in range(count)}, **changes}


class Stub:
    """A server that gives its `answers` one after another, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.paths: list[str] = []
        self.url = ""

    def will(self, *answers: Answer | dict[str, Any] | bytes) -> None:
        self.answers = [one if callable(one) else answer(one) for one in answers]

    def start(self) -> httpserver.HTTPServer:
        stub = self

        class Page(web.RequestHandler):
            async def get(self) -> None:
                stub.paths.append(self.request.path)
                await (stub.answers.pop(0) if len(stub.answers) > 1 else stub.answers[0])(self)

        server = httpserver.HTTPServer(web.Application([(r".*", Page)]))
        sockets = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        return server


@pytest_asyncio.fixture
async def stub() -> AsyncIterator[Stub]:
    stub = Stub()
    server = stub.start()
    yield stub
    server.stop()
    await server.close_all_connections()


@pytest_asyncio.fixture
async def api(stub: Stub) -> AsyncIterator[DashboardAPI]:
    api = DashboardAPI(Endpoint(stub.url), first_interval=0.01)
    yield api
    await api.aclose()


async def test_the_status_sums_up_what_the_workers_have(stub: Stub, api: DashboardAPI) -> None:
    stub.will(identity(3))
    status = await api.status()
    assert status == SchedulerStatus(status.version, 3, 6, 3 * 2**30, None, groups={"workers": 3})
    assert stub.paths == ["/json/identity.json"], "not counts.json, which walks all tasks"


async def test_it_is_asked_below_a_path_where_its_dashboard_is(stub: Stub) -> None:
    stub.will(identity())
    api = DashboardAPI(Endpoint(f"{stub.url}/some/where"))
    await api.status()
    await api.aclose()
    assert stub.paths == ["/some/where/json/identity.json"]


async def test_it_answers_again_as_soon_as_something_differs(stub: Stub, api: DashboardAPI) -> None:
    stub.will(identity())
    first = await api.status()
    stub.will(identity(), identity(), identity(2))
    second = await asyncio.wait_for(api.status(first.version), 20)
    assert (second.workers, second.version != first.version) == (2, True)
    assert len(stub.paths) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "Scheduler-2"},
        {"workers": {"a": {**WORKER, "nthreads": 1}}},
        {"workers": {"a": {**WORKER, "memory_limit": 5}}},
    ],
    ids=["another scheduler", "threads", "memory"],
)
async def test_the_version_tells_apart_what_differs(stub: Stub, api: DashboardAPI, changes: dict[str, Any]) -> None:
    noise = {"workers": {"elsewhere": {**WORKER, "metrics": {"cpu": 99}}}}
    stub.will(identity(), identity(**noise), identity(**changes))
    versions = [(await api.status()).version for _ in range(3)]
    assert versions[0] == versions[1] != versions[2]


async def test_a_worker_without_a_limit_of_memory_has_none_to_count(stub: Stub, api: DashboardAPI) -> None:
    stub.will(identity(workers={"a": {**WORKER, "memory_limit": None}}))
    assert (await api.status()).memory_limit == 0


async def fail(handler: web.RequestHandler) -> None:
    handler.set_status(500)


async def leave(handler: web.RequestHandler) -> None:
    handler.redirect("http://127.0.0.1:1/json/identity.json")


async def never_end(handler: web.RequestHandler) -> None:
    for _ in range(65):
        handler.write(b"[" * 2**20)
        await handler.flush()


def strange() -> Iterable[Any]:
    yield from (b"", b"[]", b"5", b"null", b"<html>", b"\xff", b"{}", b"[" * 100_000, fail, leave)
    for field in ("id", "address", "started", "workers"):
        yield {name: value for name, value in identity().items() if name != field}
    yield from (identity(workers=[]), identity(workers={"a": None}), identity(workers={"a": {}}))
    yield from (identity(started="now"), identity(started=1e300), json.dumps(identity(started=float("nan"))).encode())


@pytest.mark.parametrize("content", list(strange()), ids=lambda content: str(content)[:40])
async def test_an_answer_that_makes_no_sense_is_a_scheduler_that_does_not_answer(
    stub: Stub, api: DashboardAPI, content: Any
) -> None:
    stub.will(content)
    with pytest.raises(SchedulerUnreachable):
        await api.status()
    assert len(stub.paths) == 1, "no redirect is followed"


async def test_an_answer_without_an_end_is_broken_off(stub: Stub, api: DashboardAPI) -> None:
    stub.will(never_end)
    with pytest.raises(SchedulerUnreachable, match="without an end"):
        await api.status()


async def test_nobody_there_is_told_without_waiting() -> None:
    api = DashboardAPI(Endpoint("http://127.0.0.1:1"))
    with pytest.raises(SchedulerUnreachable, match=r"did not answer \(ConnectError\)"):
        await asyncio.wait_for(api.status(), 5)
    await api.aclose()


async def test_a_web_proxy_of_the_site_is_no_way_to_it(
    stub: Stub, api: DashboardAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    stub.will(identity())
    assert (await api.status()).workers == 1


async def test_it_is_the_source_for_schedulers_without_our_own_routes(stub: Stub) -> None:
    stub.will(identity(2))
    source = status_source(Reach(SchedulerAddress("tcp://10.0.0.1:8786", stub.url), Endpoint(stub.url), None))
    assert (await source.status()).workers == 2
    await source.aclose()

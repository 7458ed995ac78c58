"""Asking a scheduler of somebody else: of a server whose answers can be chosen. (tests/adopted asks real ones.)"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from tornado import httpserver, netutil, web

from hpcdask_ext.clusters.dashboard_api import DashboardAPI
from hpcdask_ext.clusters.plots import read_plots
from hpcdask_ext.clusters.reach import Endpoint, Reach, SchedulerAddress
from hpcdask_ext.clusters.scheduler_api import status_source
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.errors import SchedulerUnreachable

from .stub_scheduler import Answer, answer

PAGE, JSON = "/info/main/workers.html", "/json/identity.json"
TITLE = '<h1 class="title"> Scheduler tcp://10.0.0.1:8786 </h1>\n'
ROW = """
        <tr >
            <td><a href="../worker/tcp%3A%2F%2F10.0.0.2%3A1.html">tcp://10.0.0.2:1</a></td>
            <td> &lt;td&gt; 7 &lt;/td&gt; </td>
            <td> {threads} </td>
            <td data-sort="{memory}"> 1.00 GiB </td>
            <td> <progress class="progress" value="5" max="{memory}"></progress>
            </td>
            <td data-sort="0"> {busy} </td>"""
WORKER = {"nthreads": 2, "memory_limit": 2**30}
TOLD = {"address": "tcp://10.0.0.1:8786", "workers": {"w": WORKER}}


def page(*workers: dict[str, object]) -> bytes:
    """Return what the schedulers of today and of 2023 say alike."""
    values = {"threads": 2, "memory": 2**30, "busy": "0 us"}
    return (TITLE + "".join(ROW.format(**(values | worker)) for worker in workers)).encode()


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
    stub.will(page({}, {}, {"threads": 4, "memory": 5}))
    status = await api.status()
    assert status == SchedulerStatus(status.version, 3, 8, 2 * 2**30 + 5, None, groups={"workers": 3})
    assert (await api.identity()).address == "tcp://10.0.0.1:8786"
    assert set(stub.paths) == {PAGE}, (
        "neither counts.json, which walks all tasks, nor identity.json, which fails in work"
    )


@pytest.mark.parametrize("limit", ["None", 0])
async def test_a_worker_without_a_limit_of_memory_has_none_to_count(
    stub: Stub, api: DashboardAPI, limit: object
) -> None:
    stub.will(page({"memory": limit}, {}))
    assert (await api.status()).memory_limit == 2**30


async def test_it_is_asked_below_a_path_where_its_dashboard_is(stub: Stub) -> None:
    stub.will(page())
    api = DashboardAPI(Endpoint(f"{stub.url}/some/where"))
    assert (await api.status()).workers == 0
    await api.aclose()
    assert stub.paths == [f"/some/where{PAGE}"]


@pytest.mark.parametrize("table", [b"", b"<html>", TITLE.encode() + b'<a href="../worker/x.html">in new clothes</a>'])
async def test_the_json_is_asked_where_the_table_is_another(stub: Stub, api: DashboardAPI, table: bytes) -> None:
    stub.will(table, TOLD)
    assert (await api.status()).nthreads == 2
    assert stub.paths == [PAGE, JSON]


async def test_it_answers_again_as_soon_as_something_differs(stub: Stub, api: DashboardAPI) -> None:
    stub.will(page({}))
    first = await api.status()
    stub.will(page({}), page({"busy": "3 s"}), page({}, {}))
    second = await asyncio.wait_for(api.status(first.version), 20)
    assert (second.workers, second.version != first.version) == (2, True)
    assert len(stub.paths) == 4


@pytest.mark.parametrize("changes", [{"threads": 1}, {"memory": 5}], ids=str)
async def test_the_version_tells_apart_what_differs(stub: Stub, api: DashboardAPI, changes: dict[str, Any]) -> None:
    stub.will(page({}), page({"busy": "3 s"}), page(changes))
    versions = [(await api.status()).version for _ in range(3)]
    assert versions[0] == versions[1] != versions[2]


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
    yield from ({"address": "tcp://10.0.0.1:8786"}, {"workers": {}})
    yield from (
        {**TOLD, "workers": workers} for workers in ([], {"a": None}, {"a": {}}, {"a": {**WORKER, "nthreads": "x"}})
    )


@pytest.mark.parametrize(
    "content", list(strange()), ids=lambda content: getattr(content, "__name__", str(content)[:40])
)
async def test_an_answer_that_makes_no_sense_is_a_scheduler_that_does_not_answer(
    stub: Stub, api: DashboardAPI, content: Any
) -> None:
    stub.will(content)
    with pytest.raises(SchedulerUnreachable):
        await api.status()
    assert set(stub.paths) <= {PAGE, JSON}, "no redirect is followed"


async def test_an_answer_without_an_end_is_broken_off(stub: Stub, api: DashboardAPI) -> None:
    stub.will(never_end)
    with pytest.raises(SchedulerUnreachable, match="without an end"):
        await api.status()


async def test_an_answer_that_never_gets_anywhere_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        with suppress(OSError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()
        closed.release()

    closed = asyncio.Semaphore(0)
    monkeypatch.setattr("hpcdask_ext.clusters.dashboard_api._PATIENCE", 0.3)
    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        endpoint = Endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        api = DashboardAPI(endpoint)
        with pytest.raises(SchedulerUnreachable, match=r"did not answer within 0\.3 s"):
            await asyncio.wait_for(api.status(), 20)
        await api.aclose()
        with pytest.raises(SchedulerUnreachable):
            await asyncio.wait_for(read_plots(endpoint), 20)
        for _ in range(2):
            await asyncio.wait_for(closed.acquire(), 20)


async def test_a_page_made_to_keep_its_reader_busy_does_not(stub: Stub, api: DashboardAPI) -> None:
    stub.will(TITLE.encode() + b"<td>1</td><td" + b">" * 2**20)
    began = time.monotonic()
    assert (await api.status()).workers == 0
    assert time.monotonic() - began < 30, "it would take half an hour if the time grew with the square of the length"


async def test_a_list_of_plots_without_an_end_is_broken_off(stub: Stub) -> None:
    stub.will(never_end)
    with pytest.raises(SchedulerUnreachable, match="without an end"):
        await read_plots(Endpoint(stub.url))


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
    stub.will(page({}))
    assert (await api.status()).workers == 1


async def test_it_is_the_source_for_schedulers_without_our_own_routes(stub: Stub) -> None:
    stub.will(page({}, {}))
    source = status_source(Reach(SchedulerAddress("tcp://10.0.0.1:8786", stub.url), Endpoint(stub.url), None))
    assert (await source.status()).workers == 2
    await source.aclose()

"""The way to a dashboard: what gets through, what is held back, and that it leads nowhere else.

The dashboard is a stub that keeps what it was asked; `test_dashboard.py` opens real ones.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tornado import httpserver, web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from hpcdask_ext.clusters.credentials import TOKEN_HEADER, Credentials
from hpcdask_ext.clusters.groups import FixedScaling
from hpcdask_ext.clusters.models import Element, Job
from hpcdask_ext.clusters.states import ClusterState, JobState, Role
from hpcdask_ext.clusters.store import ClusterStore, new_id
from tests.clusters.stub_scheduler import UP, StubScheduler, answer
from tests.conftest import record

from .conftest import Server, closed


class Stub(StubScheduler):
    """The stub, and what a test wants to know of it."""

    cluster_id = ""
    server: httpserver.HTTPServer

    def asked(self) -> list[str]:
        """Return what was asked for, but for the questions of the watch."""
        return [request.uri or "" for request in self.seen if request.path != "/hpcdask/status"]


@pytest_asyncio.fixture
async def stub(server: Server, cluster_directory: Path) -> AsyncIterator[Stub]:
    """Return a dashboard that belongs to a tracked, running cluster."""
    store, cluster_id, now = ClusterStore(cluster_directory), new_id(), datetime.now(timezone.utc)
    directory, ending = store.create(cluster_id), asyncio.Event()

    async def status(handler: web.RequestHandler) -> None:
        if handler.get_query_argument("since", None) is not None:
            await ending.wait()  # nothing ever changes
            raise web.HTTPError(503)
        handler.write(UP)

    Credentials(directory).create()
    stub = Stub(Credentials(directory), {"/hpcdask/status": status, "/status": answer("<html>plots</html>")})
    stub.server, stub.cluster_id = stub.start(), cluster_id
    (directory / "reports" / "scheduler.1.started").write_text(f"host=here\ntime={int(time.time())}\n")
    address = {"address": f"tls://127.0.0.1:{stub.port}", "services": {"dashboard": stub.port}}
    (directory / "scheduler.json").write_text(json.dumps(address))
    name = f"hpcdask-{cluster_id}-scheduler"
    element = Element(state=JobState.RUNNING, started=now)
    job = Job(
        tag="scheduler", name=name, role=Role.SCHEDULER, place="host", id=name, submitted=now, elements={1: element}
    )
    changes = {"state": ClusterState.RUNNING, "started": now, "dashboard": stub.url, "scaling": FixedScaling(workers=0)}
    store.save(record(directory, id=cluster_id, jobs=(job,), **changes))
    yield stub
    await server.close()
    ending.set()
    stub.server.stop()
    await stub.server.close_all_connections()


async def test_a_page_gets_through_with_its_query_and_head_without_its_body(server: Server, stub: Stub) -> None:
    path = f"hpcdask/proxy/{stub.cluster_id}/status"
    page = await server.ask("GET", path, params={"theme": "dark mode"})
    assert (page.status, page.text) == (200, "<html>plots</html>")
    head = await server.ask("HEAD", path)
    assert (head.status, head.text) == (200, "")
    assert stub.asked() == ["/status?theme=dark+mode", "/status"]
    assert (await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/no/such/page")).status == 404


async def test_the_clusters_token_goes_along_and_nothing_of_the_users(server: Server, stub: Stub) -> None:
    mine = {"Cookie": "username-localhost=mine; _xsrf=mine", "X-XSRFToken": "mine", TOKEN_HEADER: "forged"}
    page = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/status", headers=mine)
    assert page.status == 200
    request = stub.seen[-1]
    sent = "\n".join(f"{name}: {value}" for name, value in request.headers.get_all())
    assert request.headers.get_list(TOKEN_HEADER) == [stub.credentials.token_file.read_text()]
    assert "mine" not in sent
    assert server.app.identity_provider.token not in sent
    assert stub.credentials.token_file.read_text() not in page.text + str(page.headers)


async def test_the_users_token_does_not_go_along_in_the_address(server: Server, stub: Stub) -> None:
    token = server.app.identity_provider.token
    params = {"token": token, "theme": "dark"}
    page = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/status", params=params, auth=False)
    assert page.status == 200, "so Jupyter lets in who opens a link that has it"
    assert "theme=dark" in stub.asked()[-1]
    assert token not in stub.asked()[-1]


async def test_a_redirect_stays_with_the_cluster(server: Server, stub: Stub) -> None:
    async def leave(handler: web.RequestHandler) -> None:
        handler.redirect("/status?x=1")

    stub.pages["/"] = leave
    answered = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/")
    assert (answered.status, answered.headers["Location"]) == (
        302,
        f"/a%40b/hpcdask/proxy/{stub.cluster_id}/status?x=1",
    )


async def test_a_dashboard_that_does_not_answer_is_502_with_a_sentence(
    server: Server, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.server.stop()
    page = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/status")
    assert (page.status, page.headers["Content-Type"]) == (502, "text/plain; charset=utf-8")
    assert page.text.startswith("The dashboard does not answer.")
    assert "Uncaught exception" not in caplog.text, "tiles ask often, and this is no fault of the server"


async def test_another_server_at_that_port_is_not_believed_and_not_told_the_token(server: Server, stub: Stub) -> None:
    stub.credentials.create()  # so the certificate at the port is not this cluster's any more
    page = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/status")
    assert page.status == 502
    assert stub.asked() == []


async def test_a_cluster_whose_credentials_are_gone_is_an_answer_and_no_fault(server: Server, stub: Stub) -> None:
    assert (await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/status")).status == 200
    stub.credentials.remove()
    page = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/status")
    assert (page.status, page.headers["Content-Type"]) == (504, "text/plain; charset=utf-8")
    assert str(stub.credentials.directory) not in page.text


async def test_without_a_token_a_page_is_the_login_and_a_websocket_403(
    server: Server, stub: Stub, jp_ws_fetch: Any
) -> None:
    page = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/status", auth=False)
    assert page.status in (302, 403)
    with pytest.raises(HTTPClientError) as caught:
        await jp_ws_fetch(f"hpcdask/proxy/{stub.cluster_id}/ws/echo", headers={"Authorization": ""})
    assert caught.value.code == 403
    assert stub.asked() == []


async def test_a_websocket_carries_text_and_bytes_both_ways(server: Server, stub: Stub, jp_ws_fetch: Any) -> None:
    path = f"hpcdask/proxy/{stub.cluster_id}/ws/echo"
    connection = await jp_ws_fetch(
        path, headers={"Cookie": "mine=1"}, params={"a": "b"}, subprotocols=["bokeh", "token"]
    )
    messages = ["text", "größe", b"\x00\xff", "x" * 2_000_000]
    for message in messages:
        await connection.write_message(message, binary=isinstance(message, bytes))
    assert [await asyncio.wait_for(connection.read_message(), 10) for _ in messages] == messages
    assert connection.selected_subprotocol == "bokeh"
    await closed(connection)
    assert stub.asked() == ["/ws/echo?a=b"]
    (request,) = (request for request in stub.seen if request.path == "/ws/echo")
    assert (request.headers.get("Cookie"), request.headers.get("Authorization")) == (None, None)


async def test_when_the_dashboard_ends_a_websocket_ends(server: Server, stub: Stub, jp_ws_fetch: Any) -> None:
    connection = await jp_ws_fetch(f"hpcdask/proxy/{stub.cluster_id}/ws/echo")
    stub.server.stop()
    await stub.server.close_all_connections()
    assert await asyncio.wait_for(connection.read_message(), 10) is None
    connection.close()


async def test_a_page_of_another_origin_opens_no_websocket(server: Server, stub: Stub, http_server_port: Any) -> None:
    """A browser sends its cookie along, whoever's page asks it to."""
    login = await server.ask("GET", "api/status", auth=False, params={"token": server.app.identity_provider.token})
    cookie = login.headers["Set-Cookie"].split(";")[0]
    place = f"127.0.0.1:{http_server_port[1]}"

    def request(origin: str) -> HTTPRequest:
        url = f"ws://{place}/a%40b/hpcdask/proxy/{stub.cluster_id}/ws/echo"
        return HTTPRequest(url, headers={"Cookie": cookie, "Origin": origin})

    with pytest.raises(HTTPClientError) as caught:
        await websocket_connect(request("https://evil.example"))
    assert caught.value.code == 403
    assert stub.asked() == []
    connection = await websocket_connect(request(f"http://{place}"))
    await connection.write_message("let in")
    assert await asyncio.wait_for(connection.read_message(), 10) == "let in"
    await closed(connection)
    assert stub.asked() == ["/ws/echo"]


TRICKS = [
    "//OTHER/x", "@OTHER/x", ":80@OTHER/x", "http://OTHER/x", "https:/OTHER/x", "\\\\OTHER/x", "%40OTHER/x",
    "%2f%2fOTHER/x", "x?@OTHER/", "%3F@OTHER/", "%23@OTHER/", "../../../OTHER", "%2e%2e/%2e%2e/x", "..%2f..%2fx",
    "%0d%0aHost:%20OTHER/x", "x%0aX-Injected:%201", "%00", "%E2%80%A8", "x y", "[::1]/x", ".OTHER/x",
]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
async def test_no_path_leads_anywhere_but_to_the_dashboard(
    server: Server, stub: Stub, http_server_port: Any, trick: str
) -> None:
    connections: list[object] = []
    other = await asyncio.start_server(lambda _, writer: (connections.append(writer), writer.close()), "127.0.0.1", 0)
    place = f"127.0.0.1:{other.sockets[0].getsockname()[1]}"
    target = f"/a%40b/hpcdask/proxy/{stub.cluster_id}/{trick.replace('OTHER', place)}"
    status = await raw(http_server_port[1], target, server.app.identity_provider.token)
    other.close()
    await other.wait_closed()
    assert connections == []
    assert status in (400, 404, 405), "the stub has no such page"
    assert status in (400, 405) or len(stub.asked()) <= 1
    assert all("X-Injected" not in request.headers for request in stub.seen)


async def raw(port: int, target: str, token: str) -> int:
    """Send a request line as it is; return the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: token {token}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode())
    line = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    await writer.wait_closed()
    return int(line.split()[1]) if line else 400


async def test_an_address_that_a_record_does_not_have_is_reached_by_no_id(server: Server, stub: Stub) -> None:
    for cluster_id in (
        "localhost",
        "127.0.0.1",
        f"127.0.0.1:{stub.port}",
        str(stub.port),
        new_id(),
        stub.cluster_id.upper(),
    ):
        assert (await server.ask("GET", f"hpcdask/proxy/{cluster_id}/status")).status == 404
    assert stub.asked() == []

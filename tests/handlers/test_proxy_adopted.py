"""The way to the dashboard of an adopted cluster, without TLS or token, perhaps below a path: it leads nowhere else.

The dashboard is a stub that keeps what it was asked; `tests/adopted` opens real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tornado import httpserver, httputil, netutil, web, websocket

from hpcdask_ext.clusters.groups import FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import NO_ENVIRONMENT, Cluster, Element, Job
from hpcdask_ext.clusters.states import ClusterState, JobState, Role
from hpcdask_ext.clusters.store import ClusterStore, new_id

from .conftest import Server, closed
from .test_proxy import TRICKS, raw

WORKERS = '<h1 class="title"> Scheduler tcp://127.0.0.1:1 </h1>'


class Dashboard:
    """A web server whose dashboard is below `prefix`, and which has other pages than that."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.cluster_id = prefix, new_id()
        self.seen: list[httputil.HTTPServerRequest] = []
        self.port, self.redirect = 0, ""

    def asked(self) -> list[str]:
        """Return what was asked for, but for the questions of the watch."""
        return [request.uri or "" for request in self.seen if not request.path.endswith("workers.html")]

    def start(self) -> httpserver.HTTPServer:
        server = httpserver.HTTPServer(web.Application([(r".*/ws", Echo, {"to": self}), (r".*", Page, {"to": self})]))
        sockets = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]
        return server

    def record(self, directory: Path) -> Cluster:
        now = datetime.now(timezone.utc)
        element = Element(state=JobState.RUNNING, started=now)
        job = Job(
            tag="scheduler", name="s", role=Role.SCHEDULER, place="elsewhere", id="tcp://x:1", elements={1: element}
        )
        group = WorkerGroup(shape=WorkerShape(cores=0, memory=0), scaling=FixedScaling(workers=0))
        return Cluster(
            id=self.cluster_id, kind="adopted", name="adopted-1", site="", site_title="Adopted", groups=(group,),
            environment=NO_ENVIRONMENT, directory=directory, created=now, started=now, state=ClusterState.RUNNING,
            jobs=(job,), address="tcp://127.0.0.1:1", dashboard=f"http://127.0.0.1:{self.port}{self.prefix}",
        )  # fmt: skip


class Page(web.RequestHandler):
    def initialize(self, to: Dashboard) -> None:
        self.to = to

    def get(self) -> None:
        self.to.seen.append(self.request)
        path = self.request.path.removeprefix(self.to.prefix)
        if path == "/info/main/workers.html":
            self.write(WORKERS)
        elif path == "/elsewhere":
            self.set_status(302)
            self.set_header("Location", self.to.redirect)
        elif path == "/old":
            self.redirect(f"{self.to.prefix}/status?x=1")
        elif path == "/status":
            self.set_cookie("theirs", "1")
            self.write(f'<script src="{self.to.prefix}/static/bokeh.js"></script><a href="tasks">Tasks</a>')
        else:
            raise web.HTTPError(404)

    head = get


class Echo(websocket.WebSocketHandler):
    def initialize(self, to: Dashboard) -> None:
        to.seen.append(self.request)

    def check_origin(self, origin: str) -> bool:
        return True

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


@pytest_asyncio.fixture(params=["", "/some/where"], ids=["at the root", "below a path"])
async def dashboard(request: Any, server: Server, cluster_directory: Path) -> AsyncIterator[Dashboard]:
    """Return a dashboard that belongs to a tracked, adopted cluster."""
    dashboard, store = Dashboard(request.param), ClusterStore(cluster_directory)
    listening = dashboard.start()
    store.save(dashboard.record(store.create(dashboard.cluster_id)))
    yield dashboard
    await server.close()
    listening.stop()
    await listening.close_all_connections()


async def test_pages_and_redirects_stay_with_the_cluster(server: Server, dashboard: Dashboard) -> None:
    proxy, token = f"hpcdask/proxy/{dashboard.cluster_id}", server.app.identity_provider.token
    page = await server.ask("GET", f"{proxy}/status", params={"theme": "dark"}, headers={"Cookie": "mine=1"})
    script = f"/a%40b/{proxy}/static/bokeh.js" if dashboard.prefix else "/static/bokeh.js"
    assert (page.status, page.text) == (200, f'<script src="{script}"></script><a href="tasks">Tasks</a>')
    assert "theirs" not in str(page.headers)
    assert dashboard.asked() == [f"{dashboard.prefix}/status?theme=dark"]
    sent = str(dict(dashboard.seen[-1].headers))
    assert token not in sent
    assert "mine" not in sent
    root = await server.ask("GET", f"{proxy}/old")
    assert (root.status, root.headers["Location"]) == (302, f"/a%40b/{proxy}/status?x=1")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert (await server.ask(method, f"{proxy}/status", {})).status == 405


async def test_a_websocket_carries_both_ways(server: Server, dashboard: Dashboard, jp_ws_fetch: Any) -> None:
    connection = await jp_ws_fetch(f"hpcdask/proxy/{dashboard.cluster_id}/individual/ws")
    for message in ("text", b"\x00\xff"):
        await connection.write_message(message, binary=isinstance(message, bytes))
        assert await asyncio.wait_for(connection.read_message(), 10) == message
    await closed(connection)
    assert dashboard.asked() == [f"{dashboard.prefix}/individual/ws"]


@pytest.mark.parametrize("trick", [*TRICKS, "..", "x/..", "x\\..\\..", "%2e%2e%2f%2e%2e%2fstatus", ".%2e/x"])
async def test_no_path_leads_out_of_the_dashboard(
    server: Server, dashboard: Dashboard, http_server_port: Any, trick: str
) -> None:
    connections: list[object] = []
    other = await asyncio.start_server(lambda _, writer: (connections.append(writer), writer.close()), "127.0.0.1", 0)
    place = f"127.0.0.1:{other.sockets[0].getsockname()[1]}"
    target = f"/a%40b/hpcdask/proxy/{dashboard.cluster_id}/{trick.replace('OTHER', place)}"
    status = await raw(http_server_port[1], target, server.app.identity_provider.token)
    other.close()
    await other.wait_closed()
    assert connections == []
    assert status in (400, 404, 405), "the stub has no such page"
    assert all(path.startswith(f"{dashboard.prefix}/") for path in dashboard.asked())
    assert all(".." not in path for path in dashboard.asked())

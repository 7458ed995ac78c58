"""Logging in to gateways and their dashboards, where those ask for it; with servers that do, in place of a gateway."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from hpcdask_ext.clusters.groups import FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import NO_ENVIRONMENT, Cluster
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotStarted
from hpcdask_ext.launchers import gateway_client
from hpcdask_ext.launchers.gateway import GatewayLauncher, gateway_job
from hpcdask_ext.sites.gateway import GatewaySite

TOKEN = "a-token-of-the-hub"
REPORT = {"dashboard_route": "/clusters/abc/status", "start_time": 0, "stop_time": None, "options": {}}


class Guard:
    """Answers like a gateway, to those who log in as a hub's users do; `open_dashboards` need no login."""

    def __init__(
        self,
        *,
        open_dashboards: bool = False,
        cookie: bool = False,
        redirects: bool = False,
        has_dashboards: bool = True,
    ) -> None:
        self.open_dashboards, self.cookie, self.redirects = open_dashboards, cookie, redirects
        self.has_dashboards = has_dashboards
        self.seen: list[tuple[str, str | None]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        header = request.headers.get("Authorization")
        self.seen.append((request.path, header))
        is_dashboard = request.path.startswith("/clusters/")
        if is_dashboard and not self.has_dashboards:
            return web.Response(status=404)
        if header != f"jupyterhub {TOKEN}" and not (is_dashboard and self.open_dashboards):
            return (
                web.Response(status=302, headers={"Location": "/hub"})
                if self.redirects and is_dashboard
                else (web.json_response({"error": "Authentication required"}, status=401))
            )
        if is_dashboard:
            response = web.json_response({"type": "Scheduler"})
            if self.cookie:
                response.set_cookie("session", "of-this-user")
            return response
        return web.json_response({"name": "abc", "status": "RUNNING", "tls_cert": "c", "tls_key": "k", **REPORT})


Start = Callable[[Guard], Any]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    runners: list[web.AppRunner] = []

    async def start(guard: Guard) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", guard.answer)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        site = web.TCPSite(runners[-1], "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


def launcher(address: str, token: str = TOKEN, **site: Any) -> GatewayLauncher:
    auth = {"type": "jupyterhub", "kwargs": {"api_token": token}}
    return GatewayLauncher(GatewaySite.model_validate({"name": "hub", "address": address, "auth": auth, **site}))


def running(directory: Path) -> Cluster:
    job = gateway_job("0123456789", "abc").with_elements([1], state=JobState.RUNNING)
    group = WorkerGroup(shape=WorkerShape(cores=0, memory=0), scaling=FixedScaling(workers=0))
    return Cluster(
        id="0123456789", kind="gateway", name="mine", site="hub", site_title="Hub", environment=NO_ENVIRONMENT,
        groups=(group,), directory=directory, created=datetime.now(timezone.utc), jobs=(job,),
    )  # fmt: skip


async def test_dashboards_that_ask_for_no_login_get_no_token(start: Start, tmp_path: Path) -> None:
    guard = Guard(open_dashboards=True)
    address = await start(guard)
    asked = launcher(address)
    reach = await asked.reach(running(tmp_path))
    assert reach is not None
    assert reach.dashboard.url == reach.address.dashboard == f"{address}/clusters/abc"
    assert (reach.api, reach.dashboard.context, reach.dashboard.headers) == (None, None, {})
    pages = [path for path, _ in guard.seen if path.startswith("/clusters/")]
    assert pages == ["/clusters/abc/info/main/workers.html"], "which no scheduler fails to make while tasks run"
    count = len(guard.seen)
    assert await asked.reach(running(tmp_path)) is reach
    assert len(guard.seen) == count, "a page with many parts is looked up once"


@pytest.mark.parametrize("redirects", [False, True])
async def test_dashboards_that_ask_get_the_token_and_the_cookie(start: Start, tmp_path: Path, redirects: bool) -> None:
    guard = Guard(cookie=True, redirects=redirects)
    reach = await launcher(await start(guard)).reach(running(tmp_path))
    assert reach is not None
    assert reach.dashboard.headers == {"Authorization": f"jupyterhub {TOKEN}", "Cookie": "session=of-this-user"}
    assert TOKEN not in repr(reach)
    assert "/hub" not in [path for path, _ in guard.seen], "a token is sent to nobody but who asks"


async def test_a_public_address_that_is_only_a_path_leads_to_the_address(start: Start, tmp_path: Path) -> None:
    address = await start(Guard())
    reach = await launcher(address, public_address="/services/dask-gateway/").reach(running(tmp_path))
    assert reach is not None
    assert reach.dashboard.url == f"{address}/clusters/abc"


async def test_dashboards_that_only_the_public_address_has_are_found_there(start: Start, tmp_path: Path) -> None:
    public = await start(Guard(open_dashboards=True))
    address = await start(Guard(has_dashboards=False))
    reach = await launcher(address, public_address=public).reach(running(tmp_path))
    assert reach is not None
    assert reach.dashboard.url == f"{public}/clusters/abc"


async def test_a_gateway_that_does_not_say_the_way_is_left_alone_for_a_while(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Guard()
    asked = launcher(await start(guard), token="an-old-one")
    counts = []
    for _ in range(3):
        with pytest.raises(BatchRefused, match="did not accept the login"):
            await asked.reach(running(tmp_path))
        counts.append(len(guard.seen))
    assert counts[0] == counts[2] > 0
    monkeypatch.setattr("hpcdask_ext.launchers.gateway._PAUSE", 0)
    again = launcher(await start(guard), token="an-old-one")
    for _ in range(2):
        with pytest.raises(BatchRefused, match="did not accept the login"):
            await again.reach(running(tmp_path))
        counts.append(len(guard.seen))
    assert counts[2] < counts[3] < counts[4]


async def test_a_token_that_has_expired_is_told(start: Start, tmp_path: Path) -> None:
    address = await start(Guard())
    with pytest.raises(BatchRefused, match=r"did not accept the login \(401 .*restart your server") as caught:
        await launcher(address, token="an-old-one").query("batch")
    assert "an-old-one" not in caught.value.message


async def test_a_login_that_fails_by_itself_is_told(start: Start) -> None:
    address = await start(Guard())
    auth = {"type": "tests.gateway.own_login.BrokenLogin", "kwargs": {"username": "alice"}}
    site = GatewaySite.model_validate({"name": "own", "address": address, "auth": auth})
    with pytest.raises(BatchRefused, match=r"Logging in .* failed .no credentials cache found"):
        await GatewayLauncher(site).query("batch")


async def test_a_gateway_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpcdask_ext.launchers.gateway_client._PATIENCE", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(BatchUnreachable, match="did not answer") as caught:
            await launcher(f"http://127.0.0.1:{silent.getsockname()[1]}").query("batch")
    assert not isinstance(caught.value, NotStarted)


async def test_a_missing_client_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask_gateway.client", None)
    gateway_client._import_client.cache_clear()
    with pytest.raises(NotStarted, match=r"pip install 'hpcdask-ext\[gateway\]'"):
        await launcher("http://127.0.0.1:1").options()

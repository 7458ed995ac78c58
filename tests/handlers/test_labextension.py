"""dask-labextension's routes, answered by us: what its front end asks, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tornado.httpclient import AsyncHTTPClient

from hpcdask_ext.clusters.models import Cluster
from tests.labextension import inserted_code
from tests.servers import JupyterServer
from tests.waiting import until

from .conftest import SMALL, Server
from .test_life import ONLY_DISTRIBUTED, run
from .test_proxy import Stub, stub  # noqa: F401

FIELDS = {"id", "name", "scheduler_address", "dashboard_link", "workers", "cores", "memory", "adapt"}
COMPUTE = "\nprint('answer', client.submit(sum, range(10**6)).result(timeout=60))\n"
LINK = "\nprint('link', client.dashboard_link)\n"
Check = Callable[[str], Awaitable[Any]]
CENTRE = """
batch_system: local
name: centre
queues: [{name: regular, limits: {workers: 3}}]
sizes: [{name: small, workers: 1, cores: 1, memory: 256 MiB}]
"""


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any], jp_config_dir: Path) -> dict[str, Any]:
    folder = jp_config_dir / "hpcdask" / "sites.d"
    folder.mkdir(parents=True)
    (folder / "centre.yaml").write_text(CENTRE)
    jp_server_config["HPCDaskApp"]["answer_dask_labextension"] = True
    return jp_server_config


@pytest.fixture
def check(server: Server, http_server_port: Any) -> Check:
    """Return a function that has a URL checked, encoded as the front end encodes it."""

    async def ask(url: str) -> Any:
        place = f"http://127.0.0.1:{http_server_port[1]}/a%40b/dask/dashboard-check/{quote(url, safe='')}"
        headers = {"Authorization": f"token {server.app.identity_provider.token}"}
        return json.loads((await AsyncHTTPClient().fetch(place, headers=headers)).body)

    return ask


async def listed(server: Server) -> list[dict[str, Any]]:
    answer = await server.ask("GET", "dask/clusters")
    assert answer.status == 200, answer
    models: list[dict[str, Any]] = answer.json
    return models


async def test_a_cluster_lives_in_its_list(server: Server) -> None:
    assert await listed(server) == []
    answer = await server.ask("PUT", "dask/clusters")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    launched, path = answer.json, f"dask/clusters/{answer.json['id']}"
    assert set(launched) == FIELDS
    assert launched["name"] == "small-1, submitting"
    assert [launched[field] for field in ("workers", "cores", "memory", "adapt")] == [1, 1, "256 MiB", None]
    assert launched["dashboard_link"] == ""
    (ours,) = (await server.get("clusters"))["clusters"]
    assert (ours["site"], ours["size"], ours["id"]) == ("centre", "small", launched["id"])

    early = asyncio.create_task(run(ONLY_DISTRIBUTED + inserted_code(launched["scheduler_address"]) + COMPUTE))
    await server.follow(ours["id"], "running", workers={"requested": 1, "pending": 0, "running": 1})
    (running,) = await listed(server)
    assert running == (await server.ask("GET", path)).json
    assert (running["name"], running["id"]) == ("small-1", launched["id"])
    assert running["dashboard_link"] == f"/a%40b/dask/dashboard/{ours['id']}/status"
    assert running["scheduler_address"].startswith("tls://127.0.0.1:")
    code = inserted_code(running["scheduler_address"])
    assert "answer 499999500000" in await early, "what was inserted while it was pending waits for the scheduler"
    assert "answer 499999500000" in await run(ONLY_DISTRIBUTED + code + COMPUTE)

    await the_dialog_scales(server, path, running)
    stopped = await server.ask("DELETE", path)
    assert (stopped.status, stopped.text) == (204, "")
    assert await listed(server) == [], "its row goes at once"
    await server.follow(ours["id"], "stopped")
    assert (await server.ask("DELETE", path)).status == 204
    assert (await server.get(f"clusters/{ours['id']}"))["state"] == "stopped", "nothing is forgotten from there"


async def the_dialog_scales(server: Server, path: str, model: dict[str, Any]) -> None:
    scaled = await server.ask("PATCH", path, {**model, "workers": 2})
    assert (scaled.status, scaled.json["workers"], scaled.json["cores"]) == (200, 2, 2)
    await server.follow(model["id"], "running", workers={"requested": 2, "pending": 0, "running": 2})
    adapting = await server.ask("PATCH", path, {**model, "adapt": {"minimum": 1, "maximum": 3}})
    assert (adapting.status, adapting.json["adapt"]) == (200, {"minimum": 1, "maximum": 3})
    fixed = await server.ask("PATCH", path, {**adapting.json, "adapt": None, "workers": 1})
    assert (fixed.status, fixed.json["adapt"], fixed.json["workers"]) == (200, None, 1)


async def test_its_tiles_follow_the_cluster(server: Server) -> None:
    cluster_id = (await server.ask("PUT", "dask/clusters")).json["id"]
    plots = f"dask/dashboard/{cluster_id}/individual-plots.json"
    early = await server.ask("GET", plots)
    assert (early.status, early.json) == (200, {}), "or the front end would ask ever more rarely"
    assert (await server.ask("GET", f"dask/dashboard/{cluster_id}/status")).status == 404
    await server.follow(cluster_id, "running")
    found = (await server.ask("GET", plots)).json
    assert found["Individual Task Stream"] == "/individual-task-stream"
    assert found == (await server.ask("GET", f"hpcdask/proxy/{cluster_id}/individual-plots.json")).json
    for route in ("status", "individual-task-stream"):
        page = await server.ask("GET", f"dask/dashboard/{cluster_id}/{route}")
        assert (page.status, "<title>Dask" in page.text) == (200, True)
    await server.ask("DELETE", f"dask/clusters/{cluster_id}")
    assert (await server.ask("GET", plots)).status == 409


async def test_what_its_search_finds_in_a_notebook_is_recognised(server: Server, check: Check) -> None:
    model = (await server.ask("PUT", "dask/clusters")).json
    await server.follow(model["id"], "running")
    printed = await run(inserted_code(model["scheduler_address"]) + LINK)
    (link,) = re.findall(r"link (\S+)", printed)
    found = await check(link)
    assert (found["url"], found["isActive"]) == (link, True)
    assert found["effectiveUrl"] == f"/a%40b/dask/dashboard/{model['id']}", "the tiles go through our proxy"
    assert found["plots"]["Individual Progress"] == "/individual-progress"


@pytest.mark.parametrize("ending", ["", "/", "/status", "/status/", "/status?token=x", "?theme=dark"])
async def test_a_dashboard_of_ours_is_known_by_its_address(check: Check, stub: Stub, ending: str) -> None:  # noqa: F811
    stub.pages["/individual-plots.json"] = say({"Individual Progress": "/individual-progress"})
    url = f"{stub.url}{ending}"
    found = await check(url)
    assert (found["isActive"], found["url"]) == (True, url)
    assert stub.asked() == ["/individual-plots.json"]


@pytest.mark.parametrize("answer", ["[]", "<html>", "null", '"text"'])
async def test_what_lists_no_plots_is_no_dashboard(server: Server, check: Check, stub: Stub, answer: str) -> None:  # noqa: F811
    stub.pages["/individual-plots.json"] = say(answer)
    assert await check(stub.url) == {"url": stub.url, "isActive": False, "plots": {}}
    plots = await server.ask("GET", f"dask/dashboard/{stub.cluster_id}/individual-plots.json")
    assert (plots.status, "does not list its plots" in plots.json["message"]) == (504, True)


def say(content: Any) -> Any:
    async def write(handler: Any) -> None:
        handler.write(content)

    return write


ELSEWHERE = ["http://OTHER", "http://OTHER/status", "https://OTHER/", "http://user:pw@OTHER", "//OTHER", "OTHER",
             "http://OTHER#@127.0.0.1:1", "http://127.0.0.1:99999", "http://[::1", " ", "x", "file:///x"]  # fmt: skip


@pytest.mark.parametrize("url", ELSEWHERE)
async def test_no_other_address_is_ever_asked(check: Check, stub: Stub, url: str) -> None:  # noqa: F811
    connections: list[object] = []
    other = await asyncio.start_server(lambda _, writer: (connections.append(writer), writer.close()), "127.0.0.1", 0)
    asked = url.replace("OTHER", f"127.0.0.1:{other.sockets[0].getsockname()[1]}")
    found = await check(asked)
    other.close()
    await other.wait_closed()
    assert found == {"url": asked, "isActive": False, "plots": {}}
    assert (connections, stub.asked()) == ([], [])


async def test_its_dialogs_say_what_is_wrong(server: Server) -> None:
    model = (await server.ask("PUT", "dask/clusters")).json
    path = f"dask/clusters/{model['id']}"
    await server.follow(model["id"], "running")
    for change, wrong in (
        ({"workers": 4}, "3"),
        ({"workers": -1}, "-1"),
        ({"workers": None}, "Workers: Required"),
        ({"adapt": {"minimum": 3, "maximum": 2}}, "Minimum: 3"),
        ({"adapt": {"minimum": None, "maximum": None}}, "Maximum: "),
    ):
        answer = await server.ask("PATCH", path, {**model, **change})
        assert answer.status == 422
        assert wrong in answer.json["message"], answer.json
        assert "fields are wrong" not in answer.json["message"], "the dialog shows nothing but the message"
    assert (await server.ask("PATCH", "dask/clusters/0123456789", model)).status == 404
    await server.ask("DELETE", path)
    late = await server.ask("PATCH", path, {**model, "workers": 2})
    assert late.status == 409
    assert "cannot be scaled" in late.json["message"]


async def test_a_launch_that_is_refused_says_why(server: Server, jp_config_dir: Path) -> None:
    site = jp_config_dir / "hpcdask" / "sites.d" / "centre.yaml"
    site.write_text(CENTRE.replace("workers: 1,", "workers: 9,"))
    answer = await server.ask("PUT", "dask/clusters")
    assert answer.status == 422
    assert re.search(r"\b9\b.*\b3\b|\b3\b.*\b9\b", answer.json["message"]), answer.json
    assert await listed(server) == []


async def test_asking_for_the_list_again_and_again_is_cheap(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page asks every five seconds: no scheduler, no batch system and no credentials are bothered."""
    await server.launch(**SMALL)
    manager = await next(iter(server.app.extension_manager.extension_apps["hpcdask_ext"])).core.manager()
    (cluster,) = manager.all()
    await server.follow(cluster.id, "running", workers={"requested": 1, "pending": 0, "running": 1})
    asked: list[Cluster] = []
    monkeypatch.setattr(type(manager), "reach", lambda _, cluster_id: asked.append(cluster_id))
    assert len([await listed(server) for _ in range(20)]) == 20
    assert asked == []


@pytest.mark.parametrize("theirs", [True, False])
async def test_both_answering_is_warned_of_and_said_how_to_end(tmp_path: Path, theirs: bool) -> None:
    """The server is a real one, for a test must not import theirs: it would start what it is configured to start."""
    extensions = {"hpcdask_ext": True, "dask_labextension": theirs}
    server = JupyterServer(tmp_path, {}, extensions=extensions)
    server.configure(HPCDaskApp={"answer_dask_labextension": True})
    await asyncio.to_thread(server.start)
    try:
        assert (await asyncio.to_thread(server.http.get, "dask/clusters")).json() == []
        ours = (await asyncio.to_thread(server.http.get, "dask/dashboard-check/x")).headers
        log = await until(lambda: asyncio.to_thread((tmp_path / "server.log").read_text, "utf-8"))
    finally:
        await asyncio.to_thread(server.end)
    warnings = [line for line in log.splitlines() if "answer_dask_labextension is on" in line]
    assert len(warnings) == theirs, log
    assert all("jupyter server extension disable dask_labextension" in line for line in warnings)
    assert ours["Content-Type"] == "application/json"

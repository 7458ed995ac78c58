"""The dashboards of adopted clusters through our proxy: as their schedulers serve them, without TLS and with it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.servers import TOKEN

from .dask import Dask, Files, Start
from .jupyter import Jupyter


async def test_pages_with_their_links_and_a_bokeh_document(jupyter: Jupyter, plain: Dask) -> None:
    cluster = jupyter.adopt(address=plain.address)
    check_pages(jupyter, cluster["dashboard_url"])
    root = jupyter.http.get(cluster["dashboard_url"])
    assert (root.status_code, root.headers["Location"]) == (301, f"/a@b/{cluster['dashboard_url']}status")
    await check_document(jupyter, f"{cluster['dashboard_url']}individual-task-stream")


def test_a_dashboard_with_tls_is_reached_with_the_clusters_files(jupyter: Jupyter, start: Start, files: Files) -> None:
    setting = "DASK_DISTRIBUTED__SCHEDULER__DASHBOARD__TLS__"
    environment = {f"{setting}CERT": str(files.certificate), f"{setting}KEY": str(files.key)}
    dask = start(files=files, environment=environment, plots=True)
    url = dask.dashboard.replace("http:", "https:")
    cluster = jupyter.adopt(address=dask.address, tls=files.body)
    check_pages(jupyter, cluster["dashboard_url"])
    said = jupyter.refusal(address=f"tls://localhost:{dask.port}", dashboard=url)
    assert said["dashboard"].startswith(
        f"{url} cannot be used. The scheduler's dashboard did not answer (ConnectError)"
    )
    dask.start_worker()
    jupyter.wait(cluster["id"], reachable=True, cores=2)


def test_a_dashboard_below_a_path(jupyter: Jupyter, start: Start) -> None:
    dask = start(prefix="some/where", plots=True)
    said = jupyter.refusal(address=dask.address)
    assert said["dashboard"].startswith(f"The scheduler at {dask.address} answers, but not its dashboard at")
    cluster = jupyter.adopt(address=dask.address, dashboard=f"{dask.dashboard}/some/where/status")
    check_pages(jupyter, cluster["dashboard_url"])


def check_pages(jupyter: Jupyter, proxy: str) -> None:
    """Follow what the pages link to, as a browser does."""
    page = jupyter.http.get(f"{proxy}status")
    assert (page.status_code, "<title>Dask" in page.text) == (200, True)
    links = re.findall(r'(?:src|href)="([^"#:]+)"', page.text)
    assert len(links) > 5
    base = str(page.url)
    targets = sorted({urljoin(base, link.split("?")[0]) for link in links})
    assert all(proxy in target for target in targets), "no link leads out of the cluster's own routes"
    files = [target for target in targets if "/static/" in target]
    pages = [target for target in targets if target not in files]
    assert files
    for target in (*files, *pages[:2]):
        found = jupyter.http.get(urlsplit(target).path.removeprefix("/a@b"))
        assert found.status_code in (200, 302), target


async def check_document(jupyter: Jupyter, path: str) -> None:
    token = re.search(r'"token":"([^"]+)"', jupyter.http.get(path).text)
    assert token is not None
    url = str(jupyter.http.base_url.join(path)).replace("http:", "ws:")
    request = HTTPRequest(f"{url}/ws", headers={"Authorization": f"token {TOKEN}"})
    connection = await websocket_connect(request, subprotocols=["bokeh", token[1]])
    assert (await message(connection))["msgtype"] == "ACK"
    for fragment in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
        await connection.write_message(json.dumps(fragment))
    reply: dict[str, Any] = {}
    while reply.get("msgtype") != "PULL-DOC-REPLY":
        reply = await message(connection)
    assert reply["content"]["doc"]["roots"]
    connection.close()
    while await asyncio.wait_for(connection.read_message(), 10) is not None:
        pass


async def message(connection: Any) -> dict[str, Any]:
    """Read one message of Bokeh's: its header with its content."""
    header, _, content = [json.loads(await asyncio.wait_for(connection.read_message(), 20)) for _ in range(3)]
    for _ in range(2 * header.get("num_buffers", 0)):
        await connection.read_message()
    return {**header, "content": content}

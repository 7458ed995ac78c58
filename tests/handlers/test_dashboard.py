"""The dashboards of a real cluster, through the proxy, and the events that tell of its life."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from hpcdask_ext.app import EVENT_SCHEMA_ID
from hpcdask_ext.clusters.credentials import Credentials

from .conftest import Server, closed


async def test_a_bokeh_document_opens_and_every_change_is_told(
    server: Server, jp_ws_fetch: Any, cluster_directory: Path
) -> None:
    events: list[dict[str, Any]] = []

    async def listen(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        events.append(data)

    server.app.event_logger.add_listener(schema_id=EVENT_SCHEMA_ID, listener=listen)
    cluster_id = (await server.launch())["id"]
    await server.follow(cluster_id, "running", workers={"requested": 1, "pending": 0, "running": 1})
    proxy = f"hpcdask/proxy/{cluster_id}"
    secrets = Credentials(cluster_directory / cluster_id).headers().values()

    await the_pages_are_there(server, proxy)
    await a_document_opens(server, jp_ws_fetch, f"{proxy}/individual-task-stream")

    path = f"hpcdask/api/clusters/{cluster_id}"
    await server.ask("PATCH", path, {"name": "renamed"})
    await server.ask("DELETE", path)
    await server.follow(cluster_id, "stopped")
    await server.ask("DELETE", path)
    check_events(events, cluster_id, secrets)


async def the_pages_are_there(server: Server, proxy: str) -> None:
    page = await server.ask("GET", f"{proxy}/status")
    assert page.status == 200
    assert "<title>Dask" in page.text
    root = await server.ask("GET", f"{proxy}/")
    assert root.status in (301, 302)
    assert root.headers["Location"].endswith(f"{proxy}/status"), "the link itself, opened in a browser, stays with us"
    plots = (await server.ask("GET", f"{proxy}/individual-plots.json")).json
    assert "/individual-task-stream" in plots.values()
    for script in re.findall(r'src="(static[^"?]+\.js)', page.text)[:1]:
        assert (await server.ask("GET", f"{proxy}/{script}")).status == 200
    assert (await server.ask("HEAD", f"{proxy}/status")).text == ""


async def a_document_opens(server: Server, jp_ws_fetch: Any, path: str) -> None:
    page = await server.ask("GET", path)
    token = re.search(r'"token":"([^"]+)"', page.text)
    assert token is not None
    connection = await jp_ws_fetch(f"{path}/ws", subprotocols=["bokeh", token[1]])
    assert (await message(connection))["msgtype"] == "ACK"
    for fragment in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
        await connection.write_message(json.dumps(fragment))
    reply: dict[str, Any] = {}
    while reply.get("msgtype") != "PULL-DOC-REPLY":
        reply = await message(connection)
    assert reply["content"]["doc"]["roots"]
    await closed(connection)


async def message(connection: Any) -> dict[str, Any]:
    """Read one message of Bokeh's: its header with its content."""
    header, _, content = [json.loads(await asyncio.wait_for(connection.read_message(), 20)) for _ in range(3)]
    for _ in range(2 * header.get("num_buffers", 0)):
        await connection.read_message()
    return {**header, "content": content}


def check_events(events: list[dict[str, Any]], cluster_id: str, secrets: Any) -> None:
    ours = {"cluster", "change", "state", "previous", "site", "queue", "workers"}
    assert all(ours <= event.keys() and event["cluster"] == cluster_id for event in events)
    told = [(event["change"], event["previous"], event["state"]) for event in events]
    assert [entry for entry in told if entry[0] not in ("details", "workers")] == [
        ("launched", "submitting", "submitting"),
        ("state", "submitting", "starting"),
        ("state", "starting", "running"),
        ("renamed", "running", "running"),
        ("stopped", "running", "stopping"),
        ("state", "stopping", "stopped"),
        ("forgotten", "stopped", "stopped"),
    ]
    assert next(event["workers"] for event in events if event["state"] == "running") == 1
    assert events[-1]["workers"] == 0
    text = json.dumps(events)
    assert not any(secret in text for secret in (*secrets, "PRIVATE KEY", "/clusters/"))

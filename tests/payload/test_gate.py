"""Who gets in: a real scheduler and a real worker with our preload, asked with and without what opens them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from distributed import Client
from distributed.security import Security
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from hpcdask_ext.clusters.credentials import TOKEN_HEADER, Credentials

from .conftest import RealCluster

PAGES = [
    "/", "/status", "/individual-plots.json", "/info/main/workers.html", "/metrics", "/health", "/json/counts.json",
    "/api/v1/retire_workers", "/statics/css/base.css", "/hpcdask/status", "/hpcdask/retire", "/no/such/page",
]  # fmt: skip


def security_of(credentials: Credentials) -> Security:
    certificate, key = str(credentials.certificate), str(credentials.key)
    return Security(require_encryption=True, tls_ca_file=certificate, tls_client_cert=certificate, tls_client_key=key)


@pytest.mark.parametrize("token", [None, "", "wrong", "ünïcode"])
async def test_without_the_token_every_page_answers_403(cluster: RealCluster, token: str | None) -> None:
    headers = {} if token is None else {TOKEN_HEADER: token.encode()}
    async with cluster.client(token=False) as client:
        answers = [await client.request(method, page, headers=headers) for page in PAGES for method in ("GET", "POST")]
        answers.append(await client.get("/status", params={"token": cluster.credentials.token_file.read_text()}))
    assert {answer.status_code for answer in answers} == {403}
    assert {answer.text for answer in answers} == {"This dashboard is available only through JupyterLab.\n"}


async def test_with_the_token_the_dashboard_is_there(cluster: RealCluster) -> None:
    async with cluster.client(follow_redirects=True) as client:
        codes = {page: (await client.get(page)).status_code for page in ("/", "/status", "/health", "/hpcdask/status")}
        plots = (await client.get("/individual-plots.json")).json()
    assert set(codes.values()) == {200}
    assert "/individual-task-stream" in plots.values()


@pytest.mark.parametrize("page", ["/eventstream", "/status/ws"])
async def test_without_the_token_no_websocket_opens(cluster: RealCluster, page: str) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await open_websocket(cluster, page, {})
    assert caught.value.code == 403


async def test_with_the_token_a_websocket_opens(cluster: RealCluster) -> None:
    connection = await open_websocket(cluster, "/eventstream", cluster.credentials.headers())
    connection.close()
    while await connection.read_message() is not None:  # until the other side has closed it, too
        pass


async def open_websocket(cluster: RealCluster, page: str, headers: dict[str, str]) -> WebSocketClientConnection:
    url = cluster.address.dashboard.replace("https", "wss") + page
    return await websocket_connect(HTTPRequest(url, headers=headers, ssl_options=cluster.credentials.ssl_context()))


async def test_the_dashboard_speaks_nothing_but_tls_and_only_on_this_machine(cluster: RealCluster) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.HTTPError):
            await client.get(cluster.address.dashboard.replace("https", "http"))
    assert cluster.address.comm.startswith("tls://127.0.0.1:")
    assert cluster.address.dashboard.startswith("https://127.0.0.1:")


async def test_a_client_with_the_certificate_computes_and_no_open_port_serves_others(
    cluster: RealCluster,
) -> None:
    """Scheduler, nanny and worker: each of them has ports of its own."""
    cluster.start_workers("gate", (1,))
    async with Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True) as client:
        await client.wait_for_workers(1, timeout=30)
        assert await client.submit(sum, range(10**6)) == 499999500000
    connections = [entry for process in cluster.processes() for entry in process.net_connections("tcp")]
    ports = {(entry.laddr.ip, entry.laddr.port) for entry in connections if entry.status == psutil.CONN_LISTEN}
    codes = [code for ip, port in ports for code in await ask_anyhow(f"{ip}:{port}")]
    assert len(codes) >= 4, "the scheduler's server and the worker's answer something"
    assert set(codes) == {403}
    assert {ip for ip, _ in ports} == {"127.0.0.1"}


async def ask_anyhow(place: str) -> list[int]:
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    codes = []
    async with httpx.AsyncClient(verify=unchecked, trust_env=False, timeout=3) as client:
        for url in (
            f"{protocol}://{place}{page}" for protocol in ("http", "https") for page in ("/health", "/metrics")
        ):
            try:
                codes.append((await client.get(url)).status_code)
            except (httpx.HTTPError, OSError):
                continue  # this port does not speak HTTP, or not this way
    return codes


async def test_a_client_with_another_clusters_certificate_does_not_connect(
    cluster: RealCluster, tmp_path: Path
) -> None:
    other = Credentials(tmp_path)
    other.create()
    await is_kept_out(cluster.address.comm, security_of(other))


async def test_a_client_without_encryption_does_not_connect(cluster: RealCluster) -> None:
    await is_kept_out(cluster.address.comm.replace("tls", "tcp"), Security(require_encryption=False))


async def is_kept_out(address: str, security: Security) -> None:
    client = Client(address, security=security, asynchronous=True, timeout=1.5)
    try:
        with pytest.raises((OSError, TimeoutError, asyncio.TimeoutError)):
            await client
    finally:
        await client.close()


async def test_who_knows_the_certificate_and_not_its_key_is_cut_off(cluster: RealCluster) -> None:
    """What is public of a certificate opens nothing."""
    host, port = cluster.address.comm.removeprefix("tls://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=cluster.credentials.ssl_context())
    try:
        with pytest.raises((ssl.SSLError, OSError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
    finally:
        writer.close()
        with suppress(ssl.SSLError, OSError):
            await writer.wait_closed()


async def test_without_a_token_to_compare_with_nothing_is_served_at_all(
    spoilt_cluster: Callable[[], RealCluster],
) -> None:
    cluster = spoilt_cluster()
    async with cluster.client(token=False) as client:
        answers = [await client.get("/status", headers={TOKEN_HEADER: text}) for text in ("", "x", "None")]
        answers.append(await client.get("/status"))
    assert {answer.status_code for answer in answers} == {403}


def test_no_secret_is_to_be_seen_in_the_list_of_processes_nor_in_the_log(cluster: RealCluster) -> None:
    token = cluster.credentials.token_file.read_text()
    key = cluster.credentials.key.read_text().splitlines()[1]
    seen = [" ".join(process.cmdline()) for process in cluster.processes()]
    assert any("distributed.cli.dask_scheduler" in words for words in seen)
    environments = [str(process.environ()) for process in cluster.processes()]
    for text in (*seen, *environments, cluster.log, cluster.record.scheduler_file.read_text()):
        assert token not in text
        assert key not in text

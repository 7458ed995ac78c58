"""A real gateway for all tests here, and Jupyter servers of two of its users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import JupyterServer

from .server import PASSWORD, GatewayServer

Serve = Callable[..., JupyterServer]


def site_of(gateway: GatewayServer, user: str = "alice", name: str = "gw") -> str:
    """Return a site file for a gateway and one of its users; the password is in the environment."""
    return (
        f"name: {name}\ntitle: Test gateway\nkind: gateway\naddress: {gateway.address}\n"
        f"proxy_address: {gateway.proxy_address}\nworkers: 2\n"
        f"auth: {{type: basic, kwargs: {{username: {user}, password: '{{TEST_GATEWAY_PASSWORD}}'}}}}\n"
    )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    server = GatewayServer(tmp_path_factory.mktemp("gateway"))
    server.start()
    yield server
    server.stop_all("alice", "bob")
    server.end()


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Return a function that starts a Jupyter server with some site files; it is ended after the test."""
    monkeypatch.setenv("TEST_GATEWAY_PASSWORD", PASSWORD)
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path / "dask"))
    servers: list[JupyterServer] = []

    def serve(**sites: str) -> JupyterServer:
        server = JupyterServer(tmp_path / f"server{len(servers)}", sites)
        server.start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.end()

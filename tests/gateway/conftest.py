"""A real gateway for all tests here, and Jupyter servers of its users."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.servers import JupyterServer

from .server import PASSWORD, GatewayServer

Serve = Callable[..., JupyterServer]


def site_of(gateway: GatewayServer, user: str = "alice", password: str = "{TEST_GATEWAY_PASSWORD}") -> str:
    """Return a site file for a gateway and one of its users, whose password is in the environment."""
    return (
        f"name: gw\ntitle: Test gateway\nkind: gateway\naddress: {gateway.address}\n"
        f"proxy_address: {gateway.proxy_address}\nworkers: 2\n"
        f"auth: {{type: basic, kwargs: {{username: {user}, password: '{password}'}}}}\n"
    )


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    server = GatewayServer(tmp_path_factory.mktemp("gateway"))
    server.start()
    yield server
    server.stop_all("alice", "bob", "carol")
    server.end()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Return a function that starts a Jupyter server with some site files; it is ended after the tests of a module."""
    home, servers = tmp_path_factory.mktemp("servers"), list[JupyterServer]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_GATEWAY_PASSWORD", PASSWORD)
        patch.setenv("DASK_CONFIG", str(home / "dask"))

        def serve(**sites: str) -> JupyterServer:
            server = JupyterServer(home / f"server{len(servers)}", sites)
            server.start()
            servers.append(server)
            return server

        yield serve
        for server in servers:
            server.end()


@pytest.fixture(scope="module")
def server(gateway: GatewayServer, serve: Serve) -> JupyterServer:
    """Return a server of alice's."""
    return serve(gw=site_of(gateway))

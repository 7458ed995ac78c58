"""Clusters that are launched, scaled and stopped elsewhere, and those of somebody else; dashboards; restarts."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.servers import TOKEN, JupyterServer, run_client, until

from .conftest import Serve
from .server import PASSWORD, GatewayServer


@pytest.fixture(scope="module")
def names(gateway: GatewayServer) -> dict[str, str]:
    """Return the gateway's names of clusters that bob and carol have launched in notebooks."""
    return {user: gateway.submit(user, worker_cores=1) for user in ("bob", "carol")}


@pytest.fixture(scope="module")
def server(serve: Serve, names: dict[str, str]) -> JupyterServer:
    """Return a server of carol's, whose site says nothing that her gateway.yaml does not say."""
    return serve(mine="{name: mine, kind: gateway}", local="{name: local, batch_system: local, " + _LOCAL + "}")


_LOCAL = "queues: [{name: local}], sizes: [{name: one, workers: 1, cores: 1, memory: 256 MiB}]"


@pytest.fixture(scope="module", autouse=True)
def configuration(gateway: GatewayServer, serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    content = {
        "gateway": {
            "address": gateway.address,
            "proxy-address": gateway.proxy_address,
            "auth": {"type": "basic", "kwargs": {"username": "carol", "password": "{TEST_GATEWAY_PASSWORD}"}},
            "cluster": {"options": {"worker_cores": 3}},
        }
    }
    folder = tmp_path_factory.mktemp("dask")
    (folder / "gateway.yaml").write_text(json.dumps(content), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_CONFIG", str(folder))
        yield


@pytest.fixture
def cluster(server: JupyterServer, names: dict[str, str]) -> Any:
    """Return carol's cluster once it is found and runs."""
    server.ask("GET", "sites")
    (found,) = until(lambda: server.ask("GET", "clusters")["clusters"])
    cluster = server.wait_for(found["id"], "running")
    assert [job["id"] for job in cluster["jobs"]] == [names["carol"]]
    return cluster


def test_it_appears_by_itself_and_only_for_its_user(
    gateway: GatewayServer, serve: Serve, names: dict[str, str], cluster: Any
) -> None:
    kwargs = f"{{account: bob, word: {PASSWORD}}}"
    login = f"auth: {{type: tests.gateway.own_login.OwnLogin, kwargs: {kwargs}}}"
    other = serve(gw=f"name: gw\nkind: gateway\naddress: {gateway.address}\n{login}\n")
    assert other.ask("GET", "sites")["problems"] == []
    (found,) = until(lambda: other.ask("GET", "clusters")["clusters"])
    assert [job["id"] for job in found["jobs"]] == [names["bob"]]
    assert (found["kind"], found["site"], cluster["site"]) == ("gateway", "gw", "mine")
    assert PASSWORD not in str(found)
    other.ask("DELETE", f"clusters/{found['id']}")
    other.wait_for(found["id"], "stopped")
    until(lambda: gateway.clusters("bob") == {})
    assert list(gateway.clusters("carol")) == [names["carol"]]


def test_the_defaults_of_the_users_own_configuration_hold(server: JupyterServer) -> None:
    site = next(site for site in server.ask("GET", "sites")["sites"] if site["name"] == "mine")
    assert {option["name"]: option["default"] for option in site["options"]}["worker_cores"] == 3


def test_scaling_elsewhere_is_followed_and_the_notebook_connects(server: JupyterServer, cluster: Any) -> None:
    assert "Gateway()" in cluster["client_code"]
    lines = ["cluster.scale(1)", "client.wait_for_workers(1)", "print(client.submit(sum, [1, 2]).result())"]
    assert run_client(cluster["client_code"], *lines) == "3"
    assert server.wait_for_workers(cluster["id"], 1)["workers"]["requested"] == 1


def test_dashboards_come_through_our_proxy(server: JupyterServer, cluster: Any) -> None:
    proxy = f"hpcdask/proxy/{cluster['id']}"
    assert cluster["dashboard_url"] == f"{proxy}/"
    page = server.http.get(f"{proxy}/status")
    assert "<title>Dask" in page.text
    script = re.findall(r'src="(static[^"?]+\.js)', page.text)[0]
    assert server.http.get(f"{proxy}/{script}").status_code == 200
    assert server.http.get(f"{proxy}/").headers["Location"].endswith(f"{proxy}/status")
    plot = server.http.get(f"{proxy}/individual-task-stream").text
    token = re.search(r'"token":"([^"]+)"', plot)
    assert token is not None
    url = str(server.http.base_url.join(f"{proxy}/individual-task-stream/ws")).replace("http", "ws", 1)
    authorization = {"Authorization": f"token {TOKEN}"}
    connection = websocket.create_connection(url, subprotocols=["bokeh", token[1]], header=authorization, timeout=20)
    try:
        assert json.loads(connection.recv())["msgtype"] == "ACK"
    finally:
        connection.close()


def test_it_survives_restarts_of_the_gateway_and_of_jupyter(
    gateway: GatewayServer, server: JupyterServer, cluster: Any
) -> None:
    gateway.end()
    try:
        away = until(lambda: (found := server.cluster(cluster["id"]))["reachable"] is False and found, 60)
        assert away["state"] == "running"
        local = next(site for site in server.ask("GET", "sites")["sites"] if site["name"] == "local")
        assert local["sizes"]
        refused = server.http.post("hpcdask/api/clusters", json={"site": "mine"})
        assert refused.status_code == 201, "nothing was refused: the card tells"
        failed = server.wait_for(refused.json()["id"], "failed")
        assert "cannot be reached" in failed["reason"]
        server.ask("DELETE", f"clusters/{failed['id']}")
        server.restart(signal.SIGKILL)
        assert server.cluster(cluster["id"])["state"] == "running"
    finally:
        gateway.start()
    back = until(lambda: (found := server.cluster(cluster["id"]))["reachable"] and found, 60)
    assert (back["state"], back["reason"], back["workers"]["running"]) == ("running", "", 1)
    server.ask("GET", "sites")
    assert [one["id"] for one in server.ask("GET", "clusters")["clusters"]] == [cluster["id"]]


def test_one_that_appears_while_only_the_clusters_are_looked_at(
    gateway: GatewayServer, server: JupyterServer, names: dict[str, str]
) -> None:
    server.restart(signal.SIGTERM)  # who has not looked yet need not wait for a minute
    name = gateway.submit("carol", worker_cores=1)

    def found() -> Any:
        clusters = server.ask("GET", "clusters")["clusters"]
        return next((one for one in clusters if name in [job["id"] for job in one["jobs"]]), None)

    cluster = until(found, 60)
    server.wait_for(cluster["id"], "running")
    server.end()
    gateway.stop("carol", name)
    server.start()
    server.wait_for(cluster["id"], "stopped", 60)
    server.ask("DELETE", f"clusters/{cluster['id']}")


def test_one_that_is_stopped_elsewhere_has_stopped(
    gateway: GatewayServer, server: JupyterServer, cluster: Any, names: dict[str, str]
) -> None:
    gateway.stop("carol", names["carol"])
    stopped = server.wait_for(cluster["id"], "stopped")
    assert "shut down by a client" in stopped["reason"]
    server.ask("DELETE", f"clusters/{cluster['id']}")
    assert not Path(server.clusters / cluster["id"]).exists()

"""A cluster of a gateway in dask-labextension's own list, whose routes we answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labextension import inserted_code
from tests.servers import JupyterServer, run_client

from .conftest import site_of
from .server import PASSWORD, GatewayServer


def test_what_its_front_end_inserts_connects_through_the_gateway(
    gateway: GatewayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_GATEWAY_PASSWORD", PASSWORD)
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path / "dask"))
    sites, extensions = {"gw": site_of(gateway, "carol")}, {"dask_labextension": False}
    server = JupyterServer(tmp_path / "server", sites, extensions=extensions)
    server.configure(HPCDaskApp={"answer_dask_labextension": True})
    server.start()
    try:
        launched = server.http.put("dask/clusters").json()
        server.wait_for_workers(launched["id"], 2)
        (model,) = server.http.get("dask/clusters").json()
        assert (model["id"], model["workers"], model["adapt"]) == (launched["id"], 2, None)
        assert model["scheduler_address"].startswith("gateway://")
        code = inserted_code(model["scheduler_address"])
        assert run_client(code, "print(client.submit(sum, [1, 2]).result())").endswith("3")
        plots = server.http.get(f"dask/dashboard/{model['id']}/individual-plots.json").json()
        assert plots["Individual Progress"] == "/individual-progress"
        assert server.http.delete(f"dask/clusters/{model['id']}").status_code == 204
        server.wait_for(model["id"], "stopped")
        assert gateway.clusters("carol") == {}
    finally:
        server.stop_all()
        server.end()

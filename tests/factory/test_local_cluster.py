"""Dask's own `LocalCluster` as a cluster class: the whole life of a cluster."""

from __future__ import annotations

from tests.servers import JupyterServer, run_client

from .conftest import ONE_EACH, site

SITES = {"plain": site("plain", "dask.distributed", "LocalCluster", kwargs=ONE_EACH)}
COMPUTE = "print(client.submit(sum, range(10)).result(timeout=30))"


def test_a_cluster_lives(server: JupyterServer) -> None:
    cluster_id = server.launch(site="plain")
    cluster = server.wait_for(cluster_id, "running")
    cluster = server.wait_for_workers(cluster_id, 2)
    print(cluster)
    assert run_client(cluster["client_code"], COMPUTE) == "45"
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 3}})
    server.wait_for_workers(cluster_id, 3)
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    print(server.ask("GET", f"clusters/{cluster_id}/logs"))
    print(server.cluster(cluster_id))
    assert 0

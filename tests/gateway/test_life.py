"""A cluster of a real gateway, from the launch to the end, over our REST routes."""

from __future__ import annotations

from collections.abc import Callable

from tests.servers import JupyterServer, run_client, until

from .conftest import site_of
from .server import GatewayServer

Serve = Callable[..., JupyterServer]


def test_a_cluster_is_launched_scaled_used_and_stopped(gateway: GatewayServer, serve: Serve) -> None:
    server = serve(gw=site_of(gateway))
    (site,) = server.ask("GET", "sites")["sites"]
    assert {option["name"]: option["type"] for option in site["options"]} == {
        "worker_cores": "integer",
        "worker_memory": "number",
        "image": "string",
        "partition": "choice",
        "spot": "boolean",
        "environment": "string",
    }
    cluster_id = server.launch(
        site="gw", options={"worker_cores": 2, "environment": '{"FROM_THE_FORM": "yes"}'}, name="mine"
    )
    cluster = server.wait_for(cluster_id, "running")
    assert (cluster["kind"], cluster["name"], cluster["queue"], cluster["size"]) == ("gateway", "mine", "", None)
    (job,) = cluster["jobs"]
    assert gateway.clusters("alice") == {job["id"]: "RUNNING"}
    cluster = server.wait_for_workers(cluster_id, 2)
    assert (cluster["workers"]["requested"], cluster["cores"]) == (2, 4)

    answer = run_client(
        cluster["client_code"],
        "print(client.submit(lambda: __import__('os').environ['FROM_THE_FORM']).result())",
        "print(client.dashboard_link)",
    )
    assert answer.splitlines() == ["yes", f"/hpcdask/proxy/{cluster_id}/status"]

    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 1}})
    server.wait_for_workers(cluster_id, 1)
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 9}})
    limited = until(lambda: (found := server.cluster(cluster_id))["warnings"] and found)
    assert "resource limit of 3 workers" in limited["warnings"][0]
    assert limited["workers"]["requested"] == 3
    server.wait_for_workers(cluster_id, 3)

    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    assert gateway.clusters("alice") == {}
    server.ask("DELETE", f"clusters/{cluster_id}")
    assert server.ask("GET", "clusters")["clusters"] == []

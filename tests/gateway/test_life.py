"""A cluster of a real gateway, from the launch to the end, over our REST routes."""

from __future__ import annotations

from tests.servers import JupyterServer, run_client

from .server import GatewayServer


def test_a_cluster_is_launched_used_scaled_and_stopped(gateway: GatewayServer, server: JupyterServer) -> None:
    server.ask("GET", "sites")
    options = {"worker_cores": 2, "environment": '{"FROM_THE_FORM": "yes"}'}
    cluster_id = server.launch(site="gw", options=options, name="mine")
    cluster = server.wait_for_workers(cluster_id, 2)
    assert (cluster["kind"], cluster["name"], cluster["queue"], cluster["size"]) == ("gateway", "mine", "", None)
    assert (cluster["state"], cluster["workers"]["requested"], cluster["cores"]) == ("running", 2, 4)
    (job,) = cluster["jobs"]
    assert gateway.clusters("alice") == {job["id"]: "RUNNING"}

    answer = run_client(
        cluster["client_code"],
        "print(client.submit(lambda: __import__('os').environ['FROM_THE_FORM']).result())",
        "print(client.dashboard_link)",
    )
    assert answer.splitlines() == ["yes", f"/hpcdask/proxy/{cluster_id}/status"]

    # The gateway allows 3 workers, which it tells nobody before.
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 9}})
    cluster = server.wait_for_workers(cluster_id, 3)
    assert cluster["workers"]["requested"] == 3
    assert "resource limit of 3 workers" in cluster["warnings"][0]
    wrong = server.http.patch(f"hpcdask/api/clusters/{cluster_id}", json={"scaling": {"mode": "fixed", "workers": -1}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "scaling.workers")

    scaling = {"mode": "adaptive", "minimum": 0, "maximum": 2}
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": scaling})
    cluster = server.wait_for_workers(cluster_id, 0)
    assert (cluster["state"], cluster["scaling"], cluster["workers"]["requested"]) == ("running", scaling, 0)
    assert cluster["warnings"] == [], "what was said of another number is over"
    assert run_client(cluster["client_code"], "print(client.submit(sum, [1, 2]).result())") == "3"

    server.ask("DELETE", f"clusters/{cluster_id}")
    cluster = server.wait_for(cluster_id, "stopped")
    assert (cluster["client_code"], cluster["dashboard_url"]) == (None, None)
    assert gateway.clusters("alice") == {}
    stopped = server.http.patch(f"hpcdask/api/clusters/{cluster_id}", json={"scaling": {"mode": "fixed", "workers": 1}})
    assert stopped.status_code == 409
    server.ask("DELETE", f"clusters/{cluster_id}")
    assert server.ask("GET", "clusters")["clusters"] == []

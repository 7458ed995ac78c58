"""A cluster of a real gateway, from the launch to the end, over our REST routes."""

from __future__ import annotations

from tests.servers import run_client, until

from .conftest import Serve, site_of
from .server import GatewayServer


def test_a_cluster_is_launched_used_scaled_and_stopped(gateway: GatewayServer, serve: Serve) -> None:
    server = serve(gw=site_of(gateway))
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

    server.ask("DELETE", f"clusters/{cluster_id}")
    cluster = server.wait_for(cluster_id, "stopped")
    assert (cluster["client_code"], cluster["dashboard_url"]) == (None, None)
    assert gateway.clusters("alice") == {}
    stopped = server.http.patch(f"hpcdask/api/clusters/{cluster_id}", json={"scaling": {"mode": "fixed", "workers": 1}})
    assert stopped.status_code == 409


def test_a_cluster_adapts_between_its_bounds(gateway: GatewayServer, serve: Serve) -> None:
    server = serve(gw=site_of(gateway))
    scaling = {"mode": "adaptive", "minimum": 0, "maximum": 2}
    cluster_id = server.launch(site="gw", scaling=scaling)
    cluster = server.wait_for(cluster_id, "running")
    assert (cluster["scaling"], cluster["workers"]["running"]) == (scaling, 0)
    code = [
        cluster["client_code"],
        "import time, distributed",
        "slow = client.map(lambda n: time.sleep(4), range(20))",
        "client.wait_for_workers(2, timeout=40)",
        "print(len(client.scheduler_info()['workers']))",
        "distributed.wait(slow[:1])",
    ]
    assert run_client(*code) == "2"
    cluster = until(lambda: (c := server.cluster(cluster_id))["workers"]["running"] == 0 and c)
    assert (cluster["state"], cluster["workers"]["requested"]) == ("running", 0)
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")


def test_a_cluster_that_is_stopped_elsewhere_has_stopped(gateway: GatewayServer, serve: Serve) -> None:
    server = serve(gw=site_of(gateway))
    cluster_id = server.launch(site="gw", scaling={"mode": "fixed", "workers": 0})
    (job,) = server.wait_for(cluster_id, "running")["jobs"]
    gateway.stop("alice", job["id"])
    cluster = server.wait_for(cluster_id, "stopped")
    assert "shut down by a client" in cluster["reason"]

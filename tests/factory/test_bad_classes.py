"""Cluster classes that raise, never return, do not exist, refuse: a clear sentence, and nothing is left running."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.servers import JupyterServer, until

from .conftest import ONE_EACH, is_factory, processes_of, site

LOCAL = ("dask.distributed", "LocalCluster")
SITES = {
    "raising": site("raising", "classes", "Raising", kwargs={"region": "eu-2"}),
    "no-module": site("no-module", "no_such_package.clusters", "Cluster"),
    "no-class": site("no-class", "dask.distributed", "LocalClutser"),
    "no-cluster": site("no-cluster", "classes", "no_cluster"),
    "on-import": site("on-import", "broken", "Cluster"),
    "arguments": site("arguments", *LOCAL, kwargs={**ONE_EACH, "n_wrokers": 2}),
    "unreachable": site("unreachable", *LOCAL, kwargs={**ONE_EACH, "processes": False}),
    "endless": site("endless", "classes", "Endless"),
    "deaf": site("deaf", "classes", "Deaf"),
    "limited": site("limited", "classes", "Limited"),
    "leaving": site("leaving", "classes", "Leaving"),
    "stuck": site("stuck", "classes", "Stuck"),
}
REASONS = {
    "raising": "classes.Raising could not be started: RuntimeError: There is no region 'eu-2': choose eu-1",
    "no-module": "could not be started: ModuleNotFoundError: No module named 'no_such_package'",
    "no-class": "could not be started: AttributeError: module 'distributed' has no attribute 'LocalClutser'",
    "no-cluster": "classes.no_cluster could not be started: it is no Dask cluster class: what it makes has no "
    "scheduler_address",
    "on-import": "broken.Cluster could not be started: ZeroDivisionError",
    "arguments": "unexpected keyword argument 'n_wrokers'",
    "unreachable": "LocalCluster could not be started: its scheduler's address inproc://",
}


@pytest.mark.parametrize("name", REASONS)
def test_what_it_raises_is_the_reason(server: JupyterServer, name: str) -> None:
    (server.home / "notebooks" / "broken.py").write_text("1 / 0\n", "utf-8")
    cluster_id = server.launch(site=name)
    cluster = server.wait_for(cluster_id, "failed")
    assert REASONS[name] in cluster["reason"]
    assert "It printed" not in cluster["reason"]
    logs = server.ask("GET", f"clusters/{cluster_id}/logs?role=scheduler")["logs"]
    assert ("Traceback" in logs[0]["text"]) or name in ("no-cluster", "unreachable")
    until(lambda: not processes_of(cluster_id), 10)


def test_a_class_that_never_returns_stays_starting_and_is_stopped_at_once(server: JupyterServer) -> None:
    cluster_id = server.launch(site="endless")
    server.wait_for(cluster_id, "starting")

    def printed() -> bool:
        logs = server.ask("GET", f"clusters/{cluster_id}/logs?role=scheduler")["logs"]
        return "Waiting for a machine" in logs[0]["text"] if logs else False

    until(printed)
    scaled = server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 1}})
    assert (scaled["state"], scaled["scaling"]["workers"]) == ("starting", 1)
    begin = time.monotonic()
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    assert time.monotonic() - begin < 15, "less than a class has for closing"
    assert not processes_of(cluster_id)


def test_a_number_that_is_changed_while_the_class_starts_is_what_it_gets(server: JupyterServer) -> None:
    cluster_id = server.launch(site="limited", scaling={"mode": "fixed", "workers": 1})
    server.wait_for(cluster_id, "starting")
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 2}})
    assert server.wait_for_workers(cluster_id, 2)["warnings"] == []

    # What it refuses from then on stands on the card, in its own words.
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 3}})
    cluster = until(lambda: (found := server.cluster(cluster_id))["warnings"] and found)
    assert cluster["warnings"] == ["Scaling failed. ValueError: Your quota is 2 workers, not 3"]
    assert (cluster["state"], cluster["workers"]["requested"]) == ("running", 2)


def test_a_first_number_that_is_refused_is_a_reason_to_fail(server: JupyterServer) -> None:
    cluster_id = server.launch(site="limited", scaling={"mode": "fixed", "workers": 3})
    cluster = server.wait_for(cluster_id, "failed")
    assert "classes.Limited could not be started: ValueError: Your quota is 2 workers, not 3" in cluster["reason"]
    until(lambda: not processes_of(cluster_id), 10)


def test_a_class_that_takes_no_notice_of_scaling_is_told(server: JupyterServer) -> None:
    cluster_id = server.launch(site="deaf", scaling={"mode": "fixed", "workers": 1})
    server.wait_for(cluster_id, "running")
    server.wait_for_workers(cluster_id, 1)
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 2}})
    cluster = until(lambda: (found := server.cluster(cluster_id))["warnings"] and found)
    told = "Scaling failed. Deaf was asked for 2 workers, but still plans to have 1"
    assert (cluster["warnings"], cluster["workers"]["requested"]) == ([told], 1)


def test_a_class_that_does_not_close_is_ended(server: JupyterServer) -> None:
    cluster_id = server.launch(site="stuck", scaling={"mode": "fixed", "workers": 1})
    server.wait_for(cluster_id, "running")
    server.wait_for_workers(cluster_id, 1)
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    until(lambda: not processes_of(cluster_id), 10)


def test_programs_that_a_class_has_started_end_with_it(server: JupyterServer) -> None:
    cluster_id = server.launch(site="leaving", scaling={"mode": "fixed", "workers": 0})
    server.wait_for(cluster_id, "running")
    (factory,) = [pid for pid in processes_of(cluster_id) if is_factory(pid)]
    os.kill(factory, signal.SIGKILL)
    assert "exit code 137" in server.wait_for(cluster_id, "failed")["reason"]
    until(lambda: not processes_of(cluster_id), 20)

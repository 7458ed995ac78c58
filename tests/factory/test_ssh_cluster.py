"""Dask's `SSHCluster`, whose scheduler and workers are other hosts' affair, through a real sshd."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil
import pytest

from tests.servers import JupyterServer, run_client, until
from tests.sshd import Sshd

from .conftest import end, site, start

COMPUTE = "print(client.submit(sum, range(10)).result(timeout=30))"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    folder = tmp_path_factory.mktemp("sshd")
    started = Sshd(folder, {"PATH": "/usr/bin:/bin", "OF_SSHD": str(folder)})
    yield started
    started.end()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sshd: Sshd) -> Iterator[JupyterServer]:
    folder = sshd.client.parent
    connect = {
        "port": sshd.port,
        "username": getpass.getuser(),
        "client_keys": [str(folder / "user_key")],
        "known_hosts": str(folder / "known_hosts"),
    }
    kwargs: dict[str, Any] = {
        "connect_options": connect,
        "remote_python": sys.executable,
        "scheduler_options": {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"},
        "worker_options": {"host": "127.0.0.1", "nthreads": 1, "memory_limit": "512 MiB"},
    }
    hosts = ["127.0.0.1"] * 3
    wrong = {**kwargs, "connect_options": {**connect, "client_keys": [str(folder / "host_key")]}}
    sites = {
        "farm": site("farm", "dask.distributed", "SSHCluster", args=[hosts], kwargs=kwargs),
        "refused": site("refused", "dask.distributed", "SSHCluster", args=[hosts], kwargs=wrong),
    }
    started = start(tmp_path_factory.mktemp("server"), sites)
    yield started
    end(started)


def remote_processes(sshd: Sshd) -> list[psutil.Process]:
    """Return the processes that sessions of the sshd have started."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("OF_SSHD") == str(sshd.client.parent):
                found.append(process)
    return found


def refusal(server: JupyterServer, cluster_id: str, **scaling: Any) -> str:
    """Ask for another scaling; return the new warning that this brings, without its beginning."""
    before = server.cluster(cluster_id)["warnings"]
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": scaling})
    (warning,) = until(lambda: (found := server.cluster(cluster_id)["warnings"]) != before and found)
    begin = "Scaling failed. SSHCluster "
    assert warning.startswith(begin)
    return str(warning.removeprefix(begin))


def test_a_cluster_of_other_hosts_lives(server: JupyterServer, sshd: Sshd) -> None:
    cluster_id = server.launch(site="farm", scaling={"mode": "fixed", "workers": 2})
    server.wait_for(cluster_id, "running")
    cluster = server.wait_for_workers(cluster_id, 2)
    assert (cluster["clients"], cluster["cores"]) == (None, 2), "nobody tells its clients"
    assert run_client(cluster["client_code"], COMPUTE) == "45"
    page = server.http.get(f"{cluster['dashboard_url']}individual-plots.json")
    assert "/individual-task-stream" in page.json().values()
    assert len(remote_processes(sshd)) >= 3

    assert (
        refusal(server, cluster_id, mode="fixed", workers=3) == "has no more than the 2 workers that it was made with"
    )
    told = refusal(server, cluster_id, mode="adaptive", minimum=0, maximum=2)
    assert told == "cannot adapt: it has the workers that it was made with"
    assert server.cluster(cluster_id)["scaling"] == {"mode": "fixed", "workers": 2}

    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    until(lambda: not remote_processes(sshd), 20)


def test_a_host_that_lets_nobody_in_is_the_reason(server: JupyterServer) -> None:
    cluster = server.wait_for(server.launch(site="refused"), "failed")
    assert (
        "SSHCluster could not be started: RuntimeError: Cluster failed to start: Permission denied" in cluster["reason"]
    )

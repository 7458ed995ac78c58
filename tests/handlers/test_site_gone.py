"""Clusters on this machine end when they are told to, whatever has become of their site's file."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.servers import JupyterServer, until

from .test_life import processes_of

SITES = {
    "mine": "{name: mine, batch_system: local, queues: [{name: local}], "
    "sizes: [{name: one, workers: 1, cores: 1, memory: 256 MiB}]}",
    "class": "{name: class, kind: factory, factory: {module: distributed, class: LocalCluster, "
    "kwargs: {n_workers: 0, threads_per_worker: 1, dashboard_address: '127.0.0.1:0'}}, workers: 1}",
}


@pytest.mark.parametrize("site", SITES)
def test_a_cluster_whose_site_file_is_gone_can_be_stopped(site: str, tmp_path: Path) -> None:
    server = JupyterServer(tmp_path, {site: SITES[site]})
    server.start()
    try:
        cluster_id = server.launch(site=site, environment="python3")
        server.wait_for(cluster_id, "running", 60)
        (tmp_path / "config" / "hpcdask" / "sites.d" / f"{site}.yaml").unlink()
        server.restart(signal.SIGKILL)
        server.ask("DELETE", f"clusters/{cluster_id}")
        server.wait_for(cluster_id, "stopped", 60)
        until(lambda: not processes_of(cluster_id))
    finally:
        server.stop_all()
        server.end()

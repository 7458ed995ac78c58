"""A gateway whose clusters are jobs of a real Slurm, which `ci/slurm-up` has started."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import run_client, until

from .conftest import Serve, site_of
from .server import GatewayServer

pytestmark = pytest.mark.slurm

_SETTINGS = """
c.JobQueueClusterConfig.staging_directory = "{home}/staging"
c.ClusterConfig.environment = {{"SLURM_CONF": "{slurm}"}}
c.DBBackendBase.cluster_start_timeout = 120
c.DBBackendBase.worker_start_timeout = 120
"""


def gateways_jobs() -> list[str]:
    """Return the jobs of gateways that Slurm has not ended."""
    command = ["squeue", "--noheader", "--format=%i", "--name=dask-gateway"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.split()


@pytest.mark.timeout(240)
def test_a_cluster_of_jobs_is_launched_used_scaled_and_stopped(serve: Serve, tmp_path: Path) -> None:
    if "SLURM_CONF" not in os.environ or shutil.which("sbatch") is None:
        pytest.skip('needs a real Slurm: eval "$(ci/slurm-up /tmp/slurm)"')
    user = getpass.getuser()
    more = _SETTINGS.format(home=tmp_path, slurm=os.environ["SLURM_CONF"])
    gateway = GatewayServer(tmp_path / "gateway", backend="tests.gateway.slurm_backend.OwnSlurmBackend", more=more)
    gateway.start()
    try:
        server = serve(gw=site_of(gateway, user))
        cluster_id = server.launch(site="gw", options={"worker_memory": 0.25}, scaling={"mode": "fixed", "workers": 1})
        cluster = server.wait_for_workers(cluster_id, 1)
        assert len(gateways_jobs()) == 2
        lines = ["print(client.submit(lambda: 'SLURM_JOB_ID' in __import__('os').environ).result())"]
        assert run_client(cluster["client_code"], *lines) == "True"
        server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 2}})
        server.wait_for_workers(cluster_id, 2)
        assert server.http.get(f"hpcdask/proxy/{cluster_id}/status").is_success
        server.ask("DELETE", f"clusters/{cluster_id}")
        server.wait_for(cluster_id, "stopped")
        until(lambda: not gateways_jobs())
    finally:
        gateway.stop_all(user)
        gateway.end()

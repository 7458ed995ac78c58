"""A Jupyter server beside a real Grid Engine, which `ci/gridengine-up` has started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.servers import JupyterServer, until
from tests.slurm.conftest import processes_of

_COMMON = """
batch_system: sge
interface: lo
settings: {parallel_environment: smp, allocation_environment: mpi}
sizes:
  - {name: small, workers: 2, cores: 1, memory: 1 GiB, walltime: "01:00:00"}
"""
_QUEUES = """
queues: [{name: all.q}, {name: short.q}, {name: single.q}, {name: closed.q}, {name: nosuch.q}]
accounts: [science, nosuch]
"""
SITES = {
    "host": f"name: host\nscheduler: {{place: host}}\n{_COMMON}{_QUEUES}",
    "job": f"name: job\nscheduler: {{place: job, memory: 1 GiB}}\n{_COMMON}{_QUEUES}",
    "asked": f"name: asked\n{_COMMON}\nqueues: auto\naccounts: auto\n",
    "broken": f"name: broken\nprologue: ['echo the module dask was not found >&2; exit 3']\n{_COMMON}{_QUEUES}",
}


def grid_engine(*words: str) -> str:
    """Return what a command of Grid Engine prints."""
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def jobs_of(cluster_id: str) -> list[str]:
    """Return the elements of a cluster's jobs that Grid Engine has not ended, as `qdel` takes them."""
    listed = ElementTree.fromstring(grid_engine("qstat", "-g", "d", "-xml"))
    return [
        f"{job.findtext('JB_job_number')}.{job.findtext('tasks')}"
        for job in listed.iter("job_list")
        if f"-{cluster_id}-" in job.findtext("JB_name", "")
    ]


@pytest.fixture(scope="session", autouse=True)
def _grid_engine_runs() -> None:
    if "SGE_ROOT" not in os.environ or shutil.which("qsub") is None:
        pytest.skip('needs a real Grid Engine: eval "$(ci/gridengine-up /tmp/gridengine)"')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"), SITES)
    server.start()
    yield server
    server.stop_all()
    server.end()


@pytest.fixture
def nothing_left(server: JupyterServer) -> Iterator[None]:
    """Assert that a test's clusters leave neither job nor process behind."""
    before = {cluster["id"] for cluster in server.ask("GET", "clusters")["clusters"]}
    yield
    server.stop_all()
    for cluster in server.ask("GET", "clusters")["clusters"]:
        if cluster["id"] not in before:
            until(lambda: not jobs_of(cluster["id"]) and not processes_of(cluster["id"]), 20)  # noqa: B023

"""A Jupyter server beside a real Slurm, which `ci/slurm-up` has started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import JupyterServer, until

_QUEUES = """
queues:
  - {name: regular, gpus: 2, limits: {workers: 64, cores: 8, memory: 16 GiB, walltime: "24:00:00"}}
  - {name: maint}
  - {name: single}
  - {name: nosuch}
sizes:
  - {name: small, workers: 2, cores: 1, memory: 512 MiB, walltime: "01:00:00"}
"""
SITES = {
    "host": "name: host\nbatch_system: slurm\ninterface: lo\nscheduler: {place: host}\n" + _QUEUES,
    "job": "name: job\nbatch_system: slurm\ninterface: lo\nscheduler: {place: job, memory: 512 MiB}\n" + _QUEUES,
    "broken": "name: broken\nbatch_system: slurm\ninterface: lo\n"
    "prologue: ['echo the module dask was not found >&2; exit 3']\n" + _QUEUES,
    "options": "name: options\nbatch_system: slurm\ninterface: lo\n"
    "options: [{name: remark, pattern: '.*', directive: '--comment={value}'}]\n" + _QUEUES,
}


def slurm(*words: str) -> str:
    """Return what a command of Slurm prints."""
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def jobs_of(cluster_id: str) -> list[str]:
    """Return the elements of a cluster's jobs that Slurm has not ended."""
    lines = slurm("squeue", "--noheader", "--array", "--format=%i|%j").splitlines()
    return [line.partition("|")[0] for line in lines if f"-{cluster_id}-" in line]


def processes_of(cluster_id: str) -> list[int]:
    """Return the processes of this machine that belong to a cluster."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = path.read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile, or is not ours
            continue
        if any(one.startswith(b"HPCDASK_TOKEN_FILE=") and cluster_id.encode() in one for one in variables):
            found.append(int(path.parent.name))
    return found


@pytest.fixture(scope="session", autouse=True)
def _slurm_runs() -> None:
    if "SLURM_CONF" not in os.environ or shutil.which("sbatch") is None:
        pytest.skip('needs a real Slurm: eval "$(ci/slurm-up /tmp/slurm)"')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"), SITES, base_url="/user/alice/")
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

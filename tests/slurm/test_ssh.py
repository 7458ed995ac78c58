"""Jupyter on a host without Slurm: every command and the scripts travel through a real ssh."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import JupyterServer, until
from tests.slurm.conftest import jobs_of
from tests.sshd import Sshd

pytestmark = pytest.mark.slurm

SITE = """
name: far
batch_system: slurm
command_prefix: {prefix}
interface: lo
queues: [{{name: regular}}]
options: [{{name: remark, pattern: '.*', directive: '--comment={{value}}'}}]
sizes: [{{name: small, workers: 2, cores: 1, memory: 512 MiB, walltime: "01:00:00"}}]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    if not shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip("needs sshd: install openssh-server")
    sshd = Sshd(tmp_path_factory.mktemp("ssh"), {"SLURM_CONF": os.environ["SLURM_CONF"]})
    home = tmp_path_factory.mktemp("it's a home") / "ünd $(more)"
    server = JupyterServer(home, {"far": SITE.format(prefix=json.dumps(sshd.prefix))})
    del server.environment["SLURM_CONF"]  # so that nothing of Slurm works here
    server.start()
    yield server
    server.stop_all()
    server.end()
    sshd.end()


def test_a_cluster_lives_behind_ssh(server: JupyterServer) -> None:
    remark = 'it\'s "$HOME" `here`; a&b'
    cluster_id = server.launch(site="far", queue="regular", options={"remark": remark})
    server.wait_for_workers(cluster_id, 2)
    (log,) = server.ask("GET", f"clusters/{cluster_id}/logs?role=launch")["logs"]
    assert "sbatch" in log["text"]
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"workers": 3}})
    server.wait_for_workers(cluster_id, 3)
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    until(lambda: not jobs_of(cluster_id), 20)


def test_a_cluster_that_is_a_single_job_lives_behind_ssh(server: JupyterServer) -> None:
    cluster_id = server.launch(site="far", queue="regular", layout="allocation")
    server.wait_for_workers(cluster_id, 2)
    assert len(jobs_of(cluster_id)) == 1
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    until(lambda: not jobs_of(cluster_id), 20)


def test_the_queues_are_asked_there(server: JupyterServer) -> None:
    (site,) = server.ask("GET", "sites")["sites"]
    assert "regular" in [queue["name"] for queue in site["queues"]]


def test_a_host_that_cannot_be_reached_is_told_in_its_own_words(tmp_path: Path) -> None:
    prefix = json.dumps(["ssh", "-o", "BatchMode=yes", "-p", "1", "127.0.0.1"])
    site = SITE.format(prefix=prefix).replace("queues: auto", "queues: [{name: regular}]")
    server = JupyterServer(tmp_path, {"far": site})
    server.start()
    try:
        cluster_id = server.launch(site="far")
        cluster = until(lambda: (c := server.cluster(cluster_id))["state"] == "failed" and c)
        assert "Connection refused" in cluster["reason"]
    finally:
        server.end()

"""Adaptive clusters on a real Slurm: what they ask of it, and that they outlive their jobs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.servers import JupyterServer, run_client, until
from tests.slurm.conftest import jobs_of

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("nothing_left")]

COUNTING = """#!/bin/sh
for word; do
    case $word in sbatch | scancel | squeue) echo "$word" >>"$(dirname "$0")/asked" ;; esac
done
exec "$@"
"""
SITE = """
name: adaptive
batch_system: slurm
command_prefix: [{counting}]
interface: lo
scheduler: {{place: host}}
queues: [{{name: regular}}, {{name: single}}]
sizes: [{{name: small, workers: 1, cores: 1, memory: 512 MiB, walltime: "01:00:00"}}]
adaptive: {{settle: 1, interval: 5, patience: 4, queue_patience: 20}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Return a server with a site that writes down what is asked of its batch system."""
    home = tmp_path_factory.mktemp("adaptive")
    counting = home / "counting"
    counting.write_text(COUNTING)
    counting.chmod(0o755)
    server = JupyterServer(home, {"adaptive": SITE.format(counting=counting)})
    server.start()
    yield server
    server.stop_all()
    server.end()


@pytest.fixture
def asked(server: JupyterServer) -> Any:
    """Return a function that counts what was asked of the batch system since the test began."""
    path = server.home / "asked"
    path.write_text("")
    return lambda: Counter(path.read_text().split())


@contextmanager
def started_client(code: str, *lines: str) -> Iterator[subprocess.Popen[str]]:
    """Run the client code and the lines after it beside the test."""
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join([code, *lines])], stdout=subprocess.PIPE, text=True
    ) as client:
        try:
            yield client
        finally:
            client.kill()


def adaptive(minimum: int, maximum: int) -> dict[str, Any]:
    return {"mode": "adaptive", "minimum": minimum, "maximum": maximum}


def test_a_burst_in_a_slow_queue_and_then_none_is_a_handful_of_commands(server, asked):
    cluster_id = server.launch(queue="single", scaling=adaptive(0, 6))
    cluster = server.wait_for(cluster_id, "running")
    assert (asked()["sbatch"], cluster["workers"]["requested"]) == (0, 0)
    work = "print(sum(client.gather(client.map(lambda n: __import__('time').sleep(0.3) or n, range(60)))))"
    assert run_client(cluster["client_code"], work) == "1770"
    assert 1 <= asked()["sbatch"] <= 3
    until(lambda: server.cluster(cluster_id)["workers"]["requested"] == 0, 60)
    until(lambda: not jobs_of(cluster_id))
    assert asked()["sbatch"] <= 3
    assert 1 <= asked()["scancel"] <= 3
    cluster = server.cluster(cluster_id)
    assert (cluster["state"], cluster["warnings"]) == ("running", [])


def test_it_grows_in_one_submission_and_shrinks_without_any_command(server, asked):
    cluster_id = server.launch(scaling=adaptive(1, 5))
    cluster = server.wait_for_workers(cluster_id, 1)
    work = "client.gather(client.map(lambda n: __import__('time').sleep(0.5) or n, range(80)))"
    with started_client(cluster["client_code"], work) as client:
        server.wait_for_workers(cluster_id, 5)
        assert asked()["sbatch"] <= 3  # one for the minimum, and one or two for what is missing
        assert client.wait(60) == 0
    server.wait_for_workers(cluster_id, 1)
    until(lambda: len(jobs_of(cluster_id)) == 1)
    assert asked()["scancel"] == 0
    assert server.cluster(cluster_id)["warnings"] == []


def test_a_fixed_cluster_begins_to_adapt_and_stops_again_while_it_runs(server, asked):
    cluster_id = server.launch(size={"workers": 3, "cores": 1, "memory": "512 MiB"})
    server.wait_for_workers(cluster_id, 3)
    shown = server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": adaptive(1, 4)})
    assert shown["workers"]["requested"] == 3
    server.wait_for_workers(cluster_id, 1)
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 2}})
    server.wait_for_workers(cluster_id, 2)
    assert (asked()["sbatch"], asked()["scancel"]) == (2, 0)


@pytest.mark.timeout(300)
def test_workers_end_gracefully_before_their_walltime_and_are_replaced_while_tasks_run(server, asked):
    cluster_id = server.launch(scaling=adaptive(4, 4), walltime="00:01:00")
    cluster = server.wait_for_workers(cluster_id, 4)
    assert cluster["ends_at"] is None
    lines = [
        "kept = client.map(lambda n: bytes([n]) * 1000, range(20))",  # what moves from worker to worker
        "tasks = client.map(lambda n: __import__('time').sleep(1) or n, range(320))",
        "print(sum(client.gather(tasks)), len(b''.join(client.gather(kept))))",
    ]
    with started_client(cluster["client_code"], *lines) as client:
        output, _ = client.communicate(timeout=240)
    assert output.strip() == "51040 20000"
    cluster = server.cluster(cluster_id)
    assert (cluster["state"], cluster["warnings"]) == ("running", [])
    ended = [job for job in cluster["jobs"] if job["role"] == "worker" and job["state"] == "ended"]
    assert sum(job["count"] for job in ended) >= 4
    assert 2 <= asked()["sbatch"] <= 20
    assert asked()["scancel"] == 0
    log = "".join(path.read_text() for path in (server.clusters / cluster_id / "logs").glob("workers-1*"))
    assert "worker-lifetime-reached" in log

"""Clusters that are a single job of a real Slurm: where their tasks run, what they get, and what survives what."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.servers import JupyterServer, run_client, until
from tests.slurm.conftest import jobs_of, processes_of, slurm

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("nothing_left")]


def launch(server: JupyterServer, workers: int, **size: Any) -> str:
    return server.launch(
        site="host", layout="allocation", size={"workers": workers, "cores": 1, "memory": "256 MiB", **size}
    )


def asked_of_workers(cluster: Any, expression: str) -> list[Any]:
    """Return what an expression is in each worker."""
    lines = ("import json, os", f"print(json.dumps(list(client.run(lambda: {expression}).values())))")
    return list(json.loads(run_client(cluster["client_code"], *lines)))


def job_of(cluster_id: str) -> str:
    """Return what Slurm knows about a cluster's only job."""
    (job,) = jobs_of(cluster_id)
    assert "_" not in job
    return slurm("scontrol", "--details", "show", "job", job)


def cores_by_node(job: str) -> dict[str, int]:
    """Return how many CPUs a job has on each node."""
    found = {}
    for nodes, cpus in re.findall(r"^ *Nodes=(\S+) CPU_IDs=(\S+) ", job, re.MULTILINE):
        count = sum(int(last or first) - int(first) + 1 for first, last in re.findall(r"(\d+)(?:-(\d+))?", cpus))
        found |= dict.fromkeys(slurm("scontrol", "show", "hostnames", nodes).split(), count)
    return found


@contextmanager
def down(node: str) -> Iterator[None]:
    """Let a node fail, and repair it."""
    slurm("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    try:
        yield
    finally:
        # It fails where the node has come back by itself.
        subprocess.run(["scontrol", "update", f"nodename={node}", "state=resume"], capture_output=True, check=False)
        until(lambda: slurm("sinfo", "--noheader", f"--nodes={node}", "--format=%t").split()[0] in ("idle", "mix"))


def test_each_task_gets_its_cores_and_memory_where_slurm_placed_it(server):
    cluster_id = launch(server, 8, cores=2)
    cluster = server.wait_for_workers(cluster_id, 8)
    job = job_of(cluster_id)
    assert "NumTasks=9 CPUs/Task=2" in job
    assert "MinMemoryCPU=128M" in job
    places = asked_of_workers(cluster, "[os.environ['SLURMD_NODENAME'], os.environ['HPCDASK_TASK']]")
    (first,) = re.findall(r"BatchHost=(\S+)", job)
    tasks = Counter(node for node, _ in places) + Counter([first])
    assert {node: 2 * count for node, count in tasks.items()} == cores_by_node(job)
    assert sorted(number for _, number in places) == [str(number) for number in range(1, 9)]
    (log,) = server.ask("GET", f"clusters/{cluster_id}/logs?role=launch&tail=10000")["logs"]
    assert log["text"].count(" sbatch --parsable") == 1


def test_the_environment_reaches_every_worker(server):
    cluster_id = launch(server, 3)
    cluster = server.wait_for_workers(cluster_id, 3)
    assert asked_of_workers(cluster, "os.environ['OMP_NUM_THREADS']") == ["1"] * 3


@pytest.mark.parametrize("layout", ["elastic", "allocation"])
def test_each_worker_sees_its_own_gpus_only(server, layout):
    size = {"workers": 4, "cores": 1, "memory": "256 MiB", "gpus": 1}
    cluster_id = server.launch(site="host", layout=layout, size=size)
    cluster = server.wait_for_workers(cluster_id, 4)
    places = asked_of_workers(cluster, "[os.environ['SLURMD_NODENAME'], os.environ['CUDA_VISIBLE_DEVICES']]")
    assert {devices for _, devices in places} <= {"0", "1"}
    assert len({tuple(place) for place in places}) == 4


def test_a_worker_that_leaves_or_dies_leaves_the_others_alone(server):
    cluster_id = launch(server, 4)
    server.wait_for_workers(cluster_id, 4)
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 3}})
    cluster = server.wait_for_workers(cluster_id, 3)
    (victim, *_) = asked_of_workers(cluster, "os.getppid()")
    os.kill(victim, signal.SIGKILL)  # the nanny, which would start the worker again
    server.wait_for_workers(cluster_id, 2)
    assert run_client(cluster["client_code"], "print(client.submit(sum, [1, 2]).result())") == "3"
    assert server.cluster(cluster_id)["state"] == "running"


def test_when_the_scheduler_ends_the_job_does(server):
    cluster_id = launch(server, 3)
    cluster = server.wait_for_workers(cluster_id, 3)
    run_client(cluster["client_code"], "client.shutdown()")
    cluster = server.wait_for(cluster_id, "stopped")
    assert "shut down by a client" in cluster["reason"]
    until(lambda: not jobs_of(cluster_id) and not processes_of(cluster_id), 15)


def test_what_somebody_else_cancels_ends_completely(server):
    cluster_id = launch(server, 3)
    server.wait_for_workers(cluster_id, 3)
    slurm("scancel", *jobs_of(cluster_id))
    until(lambda: server.cluster(cluster_id)["state"] in ("stopped", "failed"))
    until(lambda: not jobs_of(cluster_id) and not processes_of(cluster_id), 15)


def test_a_node_that_fails_takes_only_its_own_workers(server):
    cluster_id = launch(server, 3, cores=8)
    cluster = server.wait_for_workers(cluster_id, 3)
    (first,) = re.findall(r"BatchHost=(\S+)", job_of(cluster_id))
    node = next(node for node in cores_by_node(job_of(cluster_id)) if node != first)
    with down(node):
        server.wait_for_workers(cluster_id, 2)
        assert run_client(cluster["client_code"], "print(client.submit(sum, [1, 2]).result())") == "3"
        assert server.cluster(cluster_id)["state"] == "running"


def test_a_stopped_allocation_that_waits_is_cancelled(server):
    cluster_id = server.launch(site="host", layout="allocation", queue="maint")
    until(lambda: "(PartitionDown)" in server.cluster(cluster_id)["reason"])
    assert len(jobs_of(cluster_id)) == 1
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    until(lambda: not jobs_of(cluster_id))


def test_a_script_runs_with_its_cluster_and_its_exit_code_is_the_command_s(server, tmp_path):
    script = tmp_path / "analysis.py"
    script.write_text(
        "import sys\nfrom distributed import Client\nclient = Client()\nclient.wait_for_workers(2)\n"
        "print('sum', client.submit(sum, [20, 22]).result(), flush=True)\nsys.exit(7)\n"
    )
    words = ("--site", "host", "--queue", "regular", "--size", "small", str(script))
    result = subprocess.run(
        [sys.executable, "-m", "hpcdask_ext.cli", "run", *words],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert "sum 42" in result.stdout, result.stderr
    assert result.returncode == 7

"""Clusters that a notebook has made: what its kernel tells of its client is enough to adopt them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient, KernelManager

from tests.servers import run_client

from .jupyter import Jupyter

LOCAL = "from distributed import LocalCluster\ncluster = LocalCluster(n_workers=1, threads_per_worker=2, OPTIONS)"
ON_LOOPBACK = "dashboard_address='127.0.0.1:0', worker_dashboard_address='127.0.0.1:0', memory_limit='256 MiB'"
JOBQUEUE = """
from dask_jobqueue.local import LocalCluster
cluster = LocalCluster(cores=2, processes=1, memory="256 MiB", worker_extra_args=["--dashboard-address", "127.0.0.1:0"],
                       scheduler_options={"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"})
cluster.scale(1)
"""
TELL = """
import json
from distributed import Client, default_client
client = Client(cluster)
client.wait_for_workers(1, timeout=60)
client = default_client()
port = client.scheduler_info()["services"]["dashboard"]
print(json.dumps({"address": client.scheduler.address, "dashboard": f"http://127.0.0.1:{port}/status"}))
"""

Run = Callable[[str], str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Return what runs code in a kernel and returns what that prints."""
    manager = KernelManager(kernel_name="python3", ip="127.0.0.1")
    manager.start_kernel(cwd=str(tmp_path_factory.mktemp("kernel")))
    client: BlockingKernelClient = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(code: str) -> str:
        printed: list[str] = []
        reply = client.execute_interactive(code, timeout=90, output_hook=lambda message: _keep(message, printed))
        assert reply["content"]["status"] == "ok", (reply["content"], printed)
        return "".join(printed)

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=False)
    manager.cleanup_resources()
    manager.context.term()


def _keep(message: dict[str, Any], printed: list[str]) -> None:
    if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
        printed.append(message["content"]["text"])


def details(run: Run, make: str) -> dict[str, Any]:
    """Return what the kernel tells once it has made a cluster and a client."""
    told: dict[str, Any] = json.loads(run(make + TELL).splitlines()[-1])
    return told


@pytest.mark.parametrize(
    "make", [LOCAL.replace("OPTIONS", ON_LOOPBACK), JOBQUEUE], ids=["LocalCluster", "dask-jobqueue"]
)
def test_a_cluster_of_a_kernel_is_adopted_and_stopped(jupyter: Jupyter, run: Run, make: str) -> None:
    told = details(run, make)
    cluster = jupyter.adopt(**told, name="of a notebook")
    assert (cluster["cores"], cluster["scheduler"]["address"]) == (2, told["address"])
    assert jupyter.http.get(f"{cluster['dashboard_url']}status").status_code == 200
    assert run_client(cluster["client_code"], "print(client.submit(sum, [1, 2]).result(timeout=30))") == "3"
    jupyter.ask("DELETE", f"clusters/{cluster['id']}")
    jupyter.wait_for(cluster["id"], "stopped")


def test_a_cluster_inside_a_kernel_is_watched_and_left_to_the_kernel(jupyter: Jupyter, run: Run) -> None:
    told = details(run, LOCAL.replace("OPTIONS", f"processes=False, {ON_LOOPBACK}"))
    assert told["address"].startswith("inproc://")
    assert list(jupyter.refusal(address=told["address"])) == ["dashboard"]
    cluster = jupyter.adopt(**told)
    assert (cluster["cores"], cluster["workers"]["running"]) == (2, 1)
    code = f"{cluster['client_code']}\nprint(client.submit(sum, [1, 2]).result())"
    assert run(code).splitlines()[-1] == "3", "in its own kernel the code connects"
    refused = jupyter.http.delete(f"hpcdask/api/clusters/{cluster['id']}")
    expected = f"“{cluster['name']}” runs inside another program, such as a kernel: close it there, or forget it."
    assert (refused.status_code, refused.json()["message"]) == (409, expected)
    run("client.close(); cluster.close()")
    jupyter.wait(cluster["id"], reachable=False, state="running")

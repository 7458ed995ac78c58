"""A cluster class in a kernel's environment with an old `distributed`: it lives as in a new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.factory.conftest import ONE_EACH, site
from tests.servers import JupyterServer, until

from .client import computed
from .old_python import VERSION

ASK = "print(client.submit(lambda: __import__('distributed').__version__).result())"


def test_a_local_cluster_of_an_old_kernel_lives(jupyter: Callable[..., JupyterServer], old_python: Path) -> None:
    server = jupyter(old=[str(old_python)])
    folder = server.home / "config" / "hpcdask" / "sites.d"
    text = site("class", "dask.distributed", "LocalCluster", kwargs=ONE_EACH, kernels=True, environments=[])
    (folder / "class.yaml").write_text(text, "utf-8")

    cluster_id = server.launch(site="class", environment="old", scaling={"mode": "fixed", "workers": 1})
    code = server.wait_for(cluster_id, "running")["client_code"]
    server.wait_for_workers(cluster_id, 1)
    assert computed(old_python, code, ASK) == [VERSION]
    assert "/individual-task-stream" in server.http.get(f"hpcdask/proxy/{cluster_id}/individual-plots.json").text
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 2}})
    server.wait_for_workers(cluster_id, 2)
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "adaptive", "minimum": 0, "maximum": 2}})
    server.wait_for_workers(cluster_id, 0)
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    logs = {log["role"]: log["text"] for log in server.ask("GET", f"clusters/{cluster_id}/logs")["logs"]}
    until(lambda: "Closing dask.distributed.LocalCluster" in logs["scheduler"])

"""A real Jupyter server whose sites are cluster classes, the own ones of the tests among them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from hpcdask_ext.batch import local_jobs
from hpcdask_ext.launchers.factory import FACTORY
from tests.servers import JupyterServer, until

CLASSES = Path(__file__).with_name("classes.py")
"""Cluster classes that do what they should not; they lie where the notebooks are."""

ONE_EACH = {"n_workers": 0, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": "512 MiB"}
"""The arguments of a `LocalCluster` with small workers, none of which it starts by itself."""


def site(name: str, module: str, cluster_class: str, **fields: object) -> str:
    """Return a site file; `args` and `kwargs` are those of the class."""
    factory = {"module": module, "class": cluster_class}
    factory |= {what: fields.pop(what) for what in ("args", "kwargs") if what in fields}
    environments = [{"name": "here", "argv": [sys.executable]}]
    content = {"name": name, "kind": "factory", "factory": factory, "environments": environments, "kernels": False}
    return yaml.safe_dump({**content, **fields})


def start(home: Path, sites: Mapping[str, str]) -> JupyterServer:
    """Return a server that has started."""
    server = JupyterServer(home, sites)
    (home / "notebooks" / "classes.py").write_text(CLASSES.read_text("utf-8"), "utf-8")
    server.start()
    return server


def processes_of(cluster_id: str) -> list[int]:
    """Return the processes of a cluster that are alive."""
    return [process.pid for process in local_jobs.processes() if f"-{cluster_id}-" in process.job]


def is_factory(pid: int) -> bool:
    """Return whether a process is the one that makes a cluster of a class, and not what watches over that."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    is_it = words[1:3] == [b"-u", os.fsencode(FACTORY)]
    return is_it and Path(f"/proc/{pid}/stat").read_text("utf-8").split()[3] == str(os.getpgid(pid))


def end(server: JupyterServer) -> None:
    """Stop what runs, and the server; see that nothing is left."""
    server.stop_all()
    ids = [cluster["id"] for cluster in server.ask("GET", "clusters")["clusters"]]
    server.end()
    until(lambda: not [pid for one in ids for pid in processes_of(one)], 10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[JupyterServer]:
    """Return a server with the `SITES` of the module, which all of its tests share."""
    started = start(tmp_path_factory.mktemp("server"), request.module.SITES)
    yield started
    end(started)

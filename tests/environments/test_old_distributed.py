"""A kernel's environment with an older `distributed` than the server's: everything works, and what is wrong is told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from hpcdask_ext.batch.runner import ProcessRunner
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.clusters.reach import own_endpoint
from hpcdask_ext.clusters.scheduler_api import SchedulerAPI
from hpcdask_ext.launchers.batch import BatchLauncher
from hpcdask_ext.launchers.dask_command import warm_directory
from hpcdask_ext.launchers.job_request import Directories
from hpcdask_ext.sites.machine import local_site
from hpcdask_ext.sites.probe import examine, probe
from tests.conftest import record
from tests.payload.conftest import RealCluster, make_cluster

# Those tests ask the fixture `cluster`, which is an old one here.
from tests.payload.test_gate import (  # noqa: F401
    test_no_secret_is_to_be_seen_in_the_list_of_processes_nor_in_the_log,
    test_the_dashboard_speaks_nothing_but_tls_and_only_on_this_machine,
    test_with_the_token_a_websocket_opens,
    test_with_the_token_the_dashboard_is_there,
    test_without_the_token_every_page_answers_403,
    test_without_the_token_no_websocket_opens,
)
from tests.payload.test_routes import follow
from tests.servers import JupyterServer
from tests.servers import until as wait_until
from tests.waiting import until

from .client import computed, notebook
from .old_python import VERSION

CODE = "from distributed import Client, Security"
CONNECT = (
    "security = Security(require_encryption=True, tls_ca_file={0!r}, tls_client_cert={0!r}, tls_client_key={1!r})",
    "client = Client({2!r}, security=security, timeout=20)",
)


def connect(cluster: RealCluster) -> tuple[str, ...]:
    """Return the lines that connect to a cluster from any Python."""
    names = (str(cluster.credentials.certificate), str(cluster.credentials.key), cluster.address.comm)
    return tuple(line.format(*names) for line in CONNECT)


@pytest_asyncio.fixture
async def api(cluster: RealCluster) -> AsyncIterator[SchedulerAPI]:
    api = SchedulerAPI(own_endpoint(cluster.address.dashboard, cluster.credentials))
    yield api
    await api.aclose()


async def test_the_check_finds_its_version(old: Environment) -> None:
    found = examine(old, await ProcessRunner().run(probe(old)))
    assert found.versions["distributed"] == VERSION
    assert any("CVE-2026-23528" in text and f"distributed {VERSION} in “Old”" in text for text in found.warnings)


async def test_workers_compute_are_seen_and_retire_with_their_data_kept(
    cluster: RealCluster, api: SchedulerAPI, old_python: Path
) -> None:
    processes = cluster.start_workers("old", (1, 2))
    status = await follow(api, 2)
    assert status.packages["scheduler"]["distributed"] == status.packages["workers"]["distributed"] == (VERSION,)
    lines = (
        "print(sum(client.gather(client.map(lambda x: x * x, range(10)))), flush=True)",
        "kept = client.scatter([b'x' * 1000] * 20, hash=False)",
        "print('scattered', flush=True)",
        "input()",
        "print(len(b''.join(client.gather(kept))))",
    )
    with notebook(old_python, CODE, *connect(cluster), *lines) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "285\n"
        assert await asyncio.to_thread(process.stdout.readline) == "scattered\n"
        connected = await until(api.status, lambda status: status.clients == 1)
        assert connected.packages["clients"]["distributed"] == (VERSION,)
        (name,) = (await api.retire("", 1, 1)).names
        await follow(api, 1)
        output, _ = await asyncio.to_thread(process.communicate, "\n", 30)
        assert output == "20000\n"
    gone = processes[int(name.rpartition("-")[2]) - 1]
    assert await asyncio.to_thread(gone.wait, 20) == 0
    assert (await until(api.status, lambda status: not status.clients)).workers == 1


async def test_it_tells_how_many_workers_its_work_could_use(cluster: RealCluster, old_python: Path) -> None:
    groups = {
        "workers": {"cores": 4, "most": 100, "resources": {}},
        "gpu": {"cores": 8, "most": 100, "resources": {"GPU": 1}},
    }
    api = SchedulerAPI(own_endpoint(cluster.address.dashboard, cluster.credentials), {"adaptive": json.dumps(groups)})
    before = await api.status()
    assert before.wishes == {"workers": 0, "gpu": 0}
    waiting = asyncio.create_task(api.status(before.version))
    lines = (
        "futures = client.map(lambda x: x, range(200), pure=False)",
        "futures += client.map(lambda x: -x, range(20), pure=False, resources={'GPU': 1}, key='asking')",
        "print('submitted', flush=True)",
        "input()",
    )
    with notebook(old_python, CODE, *connect(cluster), *lines) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "submitted\n"
        assert (await asyncio.wait_for(waiting, 20)).version > before.version
        found = await until(api.status, lambda status: status.wishes.get("gpu"))
        assert found.wishes["gpu"] >= 1
        assert found.wishes["workers"] >= 1
        cluster.start_workers("workers-1", (1, 2))
        await until(api.status, lambda status: status.workers == 2)
        await asyncio.to_thread(process.communicate, "\n", 30)
    assert (await until(api.status, lambda status: status.wishes == before.wishes)).workers == 2
    await api.retire("", 2, 1)
    await api.aclose()


async def test_several_workers_of_a_job_have_names_and_gpus_of_their_own(
    cluster: RealCluster, api: SchedulerAPI, old_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    cluster.start_workers("pair", (1,), per_job=2, gpus=1)
    await follow(api, 2)
    ask = "import os; print(sorted(client.run(lambda: os.environ['CUDA_VISIBLE_DEVICES']).values()))"
    assert await asyncio.to_thread(computed, old_python, CODE, *connect(cluster), ask) == ["['4', '7']"]
    assert len((await api.retire("", 1, 2)).names) == 2


@pytest.fixture
def warm_cluster(old: Environment, tmp_path: Path) -> Iterator[RealCluster]:
    """Return a cluster to start in the old environment, for which a warm process runs."""
    (tmp_path / "cluster").mkdir()
    root = tmp_path / "warm"
    directory = warm_directory(old, root)
    assert directory is not None
    made = make_cluster(tmp_path / "cluster")
    made.record, made.warm_root = record(made.record.directory, environment=old), root
    launcher = BatchLauncher(local_site(), {}, {"host": ProcessRunner()}, Directories(working=tmp_path, warm=root))
    try:
        asyncio.run(launcher.warm_up(old))
        wait_until((directory / "socket").exists)
        yield made
    finally:
        made.end()
        for process in psutil.process_iter(["cmdline"]):
            if str(directory) in (process.info["cmdline"] or ()):
                process.kill()


def test_a_scheduler_is_forked_from_a_process_that_is_warm(warm_cluster: RealCluster, old_python: Path) -> None:
    warm_cluster.start_scheduler()
    ask = "import os; print(client.run_on_scheduler(os.getpid))"
    (pid,) = computed(old_python, CODE, *connect(warm_cluster), ask)
    assert "start" in psutil.Process(int(pid)).cmdline(), "the command line is that of the process it was forked from"
    warm_cluster.started[0].terminate()
    assert warm_cluster.started[0].wait(20) == 0


def warnings_of(server: JupyterServer, cluster_id: str) -> list[str]:
    return [str(text) for text in server.cluster(cluster_id)["warnings"]]


def test_a_cluster_of_an_old_kernel_lives_its_whole_life(
    jupyter: Callable[..., JupyterServer], old_python: Path
) -> None:
    """Through the Jupyter server: the card's warnings, scaling, dashboards, and a notebook with another version."""
    server = jupyter(old=[str(old_python)])
    cluster_id = server.launch(environment="old", scaling={"mode": "fixed", "workers": 2})
    code = server.wait_for(cluster_id, "running")["client_code"]
    server.wait_for_workers(cluster_id, 2)
    assert any("CVE-2026-23528" in text for text in warnings_of(server, cluster_id))
    ask = "print(client.submit(lambda: __import__('distributed').__version__).result())"
    assert computed(old_python, code, ask) == [VERSION]
    assert "/individual-task-stream" in server.http.get(f"hpcdask/proxy/{cluster_id}/individual-plots.json").text
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 1}})
    server.wait_for_workers(cluster_id, 1)
    differing = _with_a_newer_notebook(server, cluster_id, code)
    assert f"scheduler and workers {VERSION}" in differing
    wait_until(lambda: not any("differ" in text for text in warnings_of(server, cluster_id)))


def _with_a_newer_notebook(server: JupyterServer, cluster_id: str, code: str) -> str:
    """Return the warning that appears while a notebook of the tests' own environment is connected."""
    with notebook(sys.executable, code, "print('connected', flush=True)", "input()") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "connected\n"

        def told() -> str | None:
            return next((text for text in warnings_of(server, cluster_id) if "dask and distributed" in text), None)

        warning = str(wait_until(told))
    assert f"notebook {version('distributed')}" in warning
    assert "choose the kernel's own environment for the cluster" in warning
    return warning


def test_what_is_too_old_is_refused_on_the_card(jupyter: Callable[..., JupyterServer], tmp_path: Path) -> None:
    """With a package that only says that it is old: that is all that is looked at."""
    packages = tmp_path / "packages"
    (packages / "distributed-2023.4.1.dist-info").mkdir(parents=True)
    (packages / "distributed-2023.4.1.dist-info" / "METADATA").write_text("Name: distributed\nVersion: 2023.4.1\n")
    (packages / "distributed").mkdir()
    (packages / "distributed" / "__init__.py").touch()
    server = jupyter(older=["/usr/bin/env", f"PYTHONPATH={packages}", sys.executable])
    cluster = server.wait_for(server.launch(environment="older"), "failed")
    assert "“Older” has distributed 2023.4.1, but distributed 2023.5 or later is needed." in cluster["reason"]
    assert cluster["jobs"] == []


def test_a_script_runs_with_a_cluster_of_an_old_kernel(old_python: Path, tmp_path: Path) -> None:
    kernel = tmp_path / "data" / "kernels" / "old"
    kernel.mkdir(parents=True)
    argv = [str(old_python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Old", "language": "python"}))
    ask = "print(client.submit(lambda: __import__('distributed').__version__).result())"
    (tmp_path / "script.py").write_text(f"from distributed import Client\nclient = Client()\n{ask}\n")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    result = subprocess.run(
        [sys.executable, "-m", "hpcdask_ext.cli", "run", "--environment", "old", "script.py"],
        env={**variables, "HOME": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path / "data")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == VERSION

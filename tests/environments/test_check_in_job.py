"""An environment that only a job can check: the job does so before Dask starts, and the card tells what it found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.servers import JupyterServer, run_client

NODES_ONLY = "only-on-nodes"


def program(path: Path, *lines: str) -> list[str]:
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return [str(path)]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., JupyterServer]]:
    """Return a starter of a server with one site, whose single environment has that launch prefix."""
    servers: list[JupyterServer] = []

    def start(argv: list[str], layout: str = "elastic") -> JupyterServer:
        site = {
            "name": "centre",
            "batch_system": "local",
            "layouts": [layout],
            "scheduler": {"place": "job"},
            "kernels": False,
            "queues": [{"name": "local"}],
            "sizes": [{"name": "small", "workers": 1, "cores": 1, "memory": "512 MiB"}],
            "environments": [{"name": NODES_ONLY, "title": "Nodes", "argv": argv, "probe": "job"}],
        }
        server = JupyterServer(tmp_path / "jupyter", {"centre": yaml.safe_dump(site)})
        servers.append(server)
        server.start()
        return server

    (tmp_path / "jupyter").mkdir()
    yield start
    for server in servers:
        server.stop_all()
        server.end()


def log_of_launch(server: JupyterServer, cluster_id: str) -> str:
    return (server.clusters / cluster_id / "logs" / "launch.log").read_text()


@pytest.mark.parametrize("layout", ["elastic", "allocation"])
def test_what_the_job_finds_is_on_the_card_and_nothing_was_run_before(
    serve: Callable[..., JupyterServer], tmp_path: Path, layout: str
) -> None:
    python = program(tmp_path / "python", f'echo "$@" >>{tmp_path}/calls', f'exec {sys.executable} "$@"')
    server = serve(python, layout)
    cluster_id = server.launch(environment=NODES_ONLY)
    code = server.wait_for(cluster_id, "running")["client_code"]
    server.wait_for_workers(cluster_id, 1)
    assert run_client(code, "print(client.submit(sum, [1, 2]).result())") == "3"
    assert "probe.py" not in log_of_launch(server, cluster_id)
    calls = (tmp_path / "calls").read_text().splitlines()
    # In an allocation, workers look for their scheduler meanwhile.
    own = [call for call in calls if layout == "elastic" or "dask_worker" not in call]
    assert ["payload/probe.py" in own[0], "dask_scheduler" in own[1]] == [True, True]
    assert all("dask_worker" in call for call in own[2:])
    report = next((server.clusters / cluster_id / "reports").glob("*.probe"))
    assert report.stat().st_mode & 0o777 == 0o600
    record = (server.clusters / cluster_id / "record.json").read_text()
    assert '"distributed":' in record.replace(" ", "")


@pytest.mark.parametrize("layout", ["elastic", "allocation"])
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["echo 'shifter: no such image' >&2", "exit 4"], "“Nodes” cannot be started (exit code 4)"),
        (['exec /usr/bin/python3 -I -S "$@"'], "“Nodes” lacks the package “distributed”"),
    ],
)
def test_what_is_wrong_is_the_reason_on_the_card_and_no_scheduler_starts(
    serve: Callable[..., JupyterServer], tmp_path: Path, layout: str, lines: list[str], reason: str
) -> None:
    python = program(tmp_path / "python", f'echo "$@" >>{tmp_path}/calls', *lines)
    server = serve(python, layout)
    cluster = server.wait_for(server.launch(environment=NODES_ONLY), "failed")
    assert reason in cluster["reason"]
    assert f"Tried: {tmp_path}/python" in cluster["reason"]
    calls = (tmp_path / "calls").read_text().splitlines()
    assert not [call for call in calls if "dask_scheduler" in call]

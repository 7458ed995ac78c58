"""Environments other than the one that runs the tests, as kernels of a real Jupyter server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hpcdask_ext.clusters.models import Environment
from tests.conftest import record
from tests.payload.conftest import RealCluster, make_cluster, no_workers_left
from tests.servers import JupyterServer

from .old_python import make_old_environment

__all__ = ["no_workers_left"]  # a fixture of every test here, too


@pytest.fixture(scope="session")
def old_python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with an old `distributed`."""
    cache = request.config.cache
    return make_old_environment(cache.mkdir("environments") if cache else tmp_path_factory.mktemp("environments"))


@pytest.fixture(scope="session")
def old(old_python: Path) -> Environment:
    return Environment(name="old", title="Old", argv=(str(old_python),))


@pytest.fixture(scope="session")
def cluster(old: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """Return a scheduler of the old environment, in place of the present one that `tests/payload` asks."""
    made = make_cluster(tmp_path_factory.mktemp("old-cluster"))
    made.record = record(made.record.directory, environment=old)
    try:
        made.start_scheduler()
        yield made
    finally:
        made.end()


@pytest.fixture
def jupyter(tmp_path: Path) -> Iterator[Callable[..., JupyterServer]]:
    """Return a starter of Jupyter servers whose only kernels are those with these names and launch prefixes."""
    servers: list[JupyterServer] = []

    def start(**prefixes: list[str]) -> JupyterServer:
        server = JupyterServer(tmp_path, {})
        for name, prefix in prefixes.items():
            folder = tmp_path / "data" / "kernels" / name
            folder.mkdir(parents=True)
            argv = [*prefix, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            (folder / "kernel.json").write_text(
                json.dumps({"argv": argv, "display_name": name.title(), "language": "python"})
            )
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop_all()
        server.end()

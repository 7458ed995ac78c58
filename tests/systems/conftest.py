"""One Jupyter server with a site for each batch system, each of which finds its own commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.engine import install
from tests.servers import JupyterServer, until
from tests.slurm.conftest import processes_of
from tests.systems.systems import QUEUES, SYSTEMS, Bench, System

# Without Dask's nannies, there are half as many processes.
_SITE = """
name: {name}
batch_system: {system}
interface: lo
scheduler: {{place: {place}, memory: 512 MiB}}
worker_arguments: [--no-nanny]
env: {{FROM_THE_SITE: "it's here"}}
queues: [regular, closed, nosuch]
sizes: [{{name: small, workers: 2, cores: 1, memory: 512 MiB, walltime: "01:00:00"}}]
"""


def _sites(system: System, commands: Path) -> Iterator[tuple[str, str]]:
    for place in ("host", "job"):
        text = _SITE.format(name=f"{system.name}-{place}", system=system.name, place=place)
        text = text.replace("[regular, closed, nosuch]", str([{"name": name} for name in (*QUEUES, "nosuch")]))
        if system.has_fake:
            text += f'command_prefix: [env, "PATH={commands}:/usr/bin:/bin"]\nsettings: {system.settings}\n'
        else:
            text = text.replace("interface: lo\n", "")
        yield f"{system.name}-{place}", text


@pytest.fixture(scope="session")
def benches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bench]:
    found = {}
    for system in SYSTEMS:
        home = tmp_path_factory.mktemp(system.name)
        store = install(home / "bin", home / "fake", system.name) if system.has_fake else None
        if store:
            store.change(queues=QUEUES)
        found[system.name] = Bench(system, store)
    return found


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, benches: dict[str, Bench]) -> Iterator[JupyterServer]:
    sites = dict(
        pair
        for bench in benches.values()
        for pair in _sites(bench.system, bench.store.bin if bench.store else Path("/nonexistent"))
    )
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"), sites)
    server.start()
    yield server
    for bench in benches.values():
        if bench.store:
            bench.store.mood(None)
    server.stop_all()
    server.end()


@pytest.fixture
def bench(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Bench:
    """Return the batch system that the test's parameter names."""
    return benches[request.param.name]


def nothing_is_left(server: JupyterServer, bench: Bench, cluster_id: str) -> None:
    """Stop a cluster, if it has not ended, and assert that it leaves neither job nor process behind."""
    if server.cluster(cluster_id)["state"] not in ("stopped", "failed"):
        server.ask("DELETE", f"clusters/{cluster_id}")
    until(lambda: server.cluster(cluster_id)["state"] in ("stopped", "failed"), 40)
    until(lambda: not processes_of(cluster_id), 20)
    until(lambda: not [job for job in bench.live if cluster_id in job], 20)

"""Clusters wait, their batch systems are away meanwhile, and nothing is lost.

They wait on all batch systems at the same time, so that the tests need not do it one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import JupyterServer, until
from tests.systems.systems import FAKES, Bench

pytestmark = pytest.mark.parametrize("bench", FAKES, ids=lambda system: system.name, indirect=True)


@pytest.fixture(scope="module")
def waiting(server: JupyterServer, benches: dict[str, Bench]) -> Iterator[dict[str, str]]:
    """Return the ids of clusters that wait, by batch system."""
    fakes = {name: bench for name, bench in benches.items() if bench.store}
    for bench in fakes.values():
        bench.store.hold("closed", bench.system.reason)
    clusters = {name: server.launch(site=f"{name}-host", queue="closed") for name in fakes}
    yield clusters
    for cluster_id in clusters.values():
        server.ask("DELETE", f"clusters/{cluster_id}")
    for name, cluster_id in clusters.items():
        server.wait_for(cluster_id, "stopped")
        until(lambda: not [job for job in benches[name].live if cluster_id in job])  # noqa: B023


@pytest.fixture(scope="module")
def _away(waiting: dict[str, str], server: JupyterServer, benches: dict[str, Bench]) -> Iterator[None]:
    """All batch systems are away, from when they have listed the jobs until the last test of this process at most.

    Tests that run in parallel processes may end with any of them, and clusters are stopped after it.
    """
    for name, cluster_id in waiting.items():
        server.wait_for(cluster_id, "pending")
        benches[name].store.mood("away")
    yield
    for name in waiting:
        benches[name].store.mood(None)


@pytest.fixture(scope="module")
def _back(_away: None, waiting: dict[str, str], server: JupyterServer, benches: dict[str, Bench]) -> None:
    """They are back, and no queue is held any more, from when it was seen that they were away."""
    for name, cluster_id in waiting.items():
        until(lambda: not server.cluster(cluster_id)["reachable"], 60)  # noqa: B023
        benches[name].store.mood(None)
        benches[name].store.release()


def test_the_card_says_why(server: JupyterServer, bench: Bench, waiting: dict[str, str]) -> None:
    system, cluster_id = bench.system, waiting[bench.system.name]
    cluster = until(lambda: (c := server.cluster(cluster_id))["reason"].startswith(system.sentence) and c, 60)
    assert cluster["state"] == "pending"
    assert cluster["workers"] == {"requested": 2, "pending": 2, "running": 0}
    assert system.reason in cluster["reason"]


@pytest.mark.usefixtures("_away")
def test_silence_is_not_an_end(server: JupyterServer, bench: Bench, waiting: dict[str, str]) -> None:
    cluster = until(lambda: not (c := server.cluster(waiting[bench.system.name]))["reachable"] and c, 60)
    assert cluster["state"] == "pending"
    assert cluster["workers"]["pending"] == 2


@pytest.mark.usefixtures("_back")
def test_jobs_that_started_meanwhile_are_found(server: JupyterServer, bench: Bench, waiting: dict[str, str]) -> None:
    cluster = until(lambda: (c := server.cluster(waiting[bench.system.name]))["reachable"] and c, 60)
    assert server.wait_for_workers(cluster["id"], 2)["state"] == "running"

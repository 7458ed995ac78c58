"""Clusters come up, compute, change their size and stop, in both layouts and with both places of the scheduler.

Those of one test are launched on all batch systems at once, because each of them waits a lot.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.servers import JupyterServer, run_client, until
from tests.systems.conftest import nothing_is_left
from tests.systems.systems import SYSTEMS, Bench

pytestmark = pytest.mark.parametrize("bench", SYSTEMS, ids=lambda system: system.name, indirect=True)
_COMPUTE = (
    "import os",
    "client.wait_for_workers(2, timeout=45)",
    "here = client.run(lambda: os.environ.get('FROM_THE_SITE'))",
    "print(client.submit(sum, range(10**6)).result(), sorted(here.values()))",
)
_COMPUTED = '499999500000 ["it\'s here", "it\'s here"]'

_PATIENCE = 80.0

# A bare client connects, and finds what the site has set.
_SCRIPT = """
import sys
from distributed import Client
with Client() as client:
    client.wait_for_workers(2, timeout=70)
    print("in all:", client.submit(sum, range(10**6)).result(), sys.argv[1:])
sys.exit(3)
"""
_OTHER = {"name": "other", "size": {"workers": 1, "cores": 2, "memory": "512 MiB"}, "resources": {"DISK": 1}}
_LAUNCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "test_workers_as_jobs_with_the_scheduler_on_the_host": ("host", {}),
    "test_workers_and_scheduler_as_jobs": ("job", {}),
    "test_two_groups_of_workers": ("host", {"groups": [_OTHER]}),
    "test_a_single_job": ("host", {"layout": "allocation"}),
    "test_a_script_has_the_cluster_for_itself_and_the_job_ends_with_it": (
        "host",
        {"layout": "allocation", "script": {"path": "count.py", "arguments": ["a b", "$c"]}},
    ),
}


@pytest.fixture(scope="module")
def fleet(server: JupyterServer, request: pytest.FixtureRequest) -> Callable[[str, str], str]:
    """Return a function that returns the id of a test's cluster on a batch system, launching those on others, too."""
    (server.home / "notebooks" / "count.py").write_text(_SCRIPT)
    launched: dict[tuple[str, str], str] = {}

    def launch(test: str, name: str) -> str:
        if (test, name) not in launched:
            items = [item for item in request.session.items if getattr(item, "originalname", "") == test]
            # Of several processes that run tests, none knows which the others run.
            is_alone = "PYTEST_XDIST_WORKER" not in os.environ
            names = [item.callspec.params["bench"].name for item in items] if is_alone else [name]
            place, body = _LAUNCHES[test]
            launched.update({(test, one): server.launch(site=f"{one}-{place}", **body) for one in names})
        return launched[test, name]

    return launch


@pytest.fixture
def cluster_id(
    fleet: Callable[[str, str], str], server: JupyterServer, bench: Bench, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Return the id of the cluster of this test on this batch system, of which nothing may be left in the end."""
    cluster_id = fleet(request.node.originalname, bench.system.name)
    yield cluster_id
    nothing_is_left(server, bench, cluster_id)


def logs(server: JupyterServer, cluster_id: str, role: str) -> list[str]:
    return [log["text"] for log in server.ask("GET", f"clusters/{cluster_id}/logs?role={role}")["logs"]]


def wait_for_workers(server: JupyterServer, cluster_id: str, count: int) -> Any:
    """Return a cluster once so many workers are connected; with all batch systems at once, that may take a while."""
    return until(lambda: (c := server.cluster(cluster_id))["workers"]["running"] == count and c, _PATIENCE)


def scale(server: JupyterServer, cluster_id: str, workers: int) -> None:
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": workers}})
    wait_for_workers(server, cluster_id, workers)


def stop(server: JupyterServer, cluster_id: str) -> None:
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped", _PATIENCE)


def test_workers_as_jobs_with_the_scheduler_on_the_host(server: JupyterServer, bench: Bench, cluster_id: str) -> None:
    cluster = wait_for_workers(server, cluster_id, 2)
    assert bench.saw(cluster_id, submissions=1)
    assert run_client(cluster["client_code"], *_COMPUTE) == _COMPUTED
    scale(server, cluster_id, 1)
    scale(server, cluster_id, 2)
    assert bench.saw(cluster_id, submissions=2)
    # A worker says so a moment after the scheduler knows it.
    until(lambda: all("Registered to:" in text for text in logs(server, cluster_id, "worker")))
    assert len(logs(server, cluster_id, "worker")) == 3
    stop(server, cluster_id)


def test_workers_and_scheduler_as_jobs(server: JupyterServer, bench: Bench, cluster_id: str) -> None:
    cluster = wait_for_workers(server, cluster_id, 2)
    assert bench.saw(cluster_id, submissions=2)
    assert {job["role"]: job["state"] for job in cluster["jobs"]} == {"scheduler": "running", "worker": "running"}
    assert any("Scheduler at:" in text for text in logs(server, cluster_id, "scheduler"))
    stop(server, cluster_id)


def test_two_groups_of_workers(server: JupyterServer, bench: Bench, cluster_id: str) -> None:
    cluster = wait_for_workers(server, cluster_id, 3)
    assert bench.saw(cluster_id, submissions=2)
    assert {(job["role"], job["group"]) for job in cluster["jobs"] if job["role"] == "worker"} == {
        ("worker", "workers"),
        ("worker", "other"),
    }
    where = "sorted({client.submit(lambda: __import__('distributed').get_worker().name.split('-')[1], pure=False, "
    ask = [f"print({where}resources={{{name!r}: 1}}).result() for _ in range(3)}}))" for name in ("DISK", "workers")]
    assert run_client(cluster["client_code"], *ask) == "['other']\n['workers']"
    body = {"group": "workers", "scaling": {"mode": "fixed", "workers": 1}}
    server.ask("PATCH", f"clusters/{cluster_id}", body)
    groups = wait_for_workers(server, cluster_id, 2)["groups"]
    assert [group["workers"]["running"] for group in groups] == [1, 1]
    stop(server, cluster_id)


def test_a_single_job(server: JupyterServer, bench: Bench, cluster_id: str) -> None:
    cluster = wait_for_workers(server, cluster_id, 2)
    assert bench.saw(cluster_id, submissions=1)
    assert len(cluster["jobs"]) == 1
    assert run_client(cluster["client_code"], *_COMPUTE) == _COMPUTED
    until(lambda: all("Registered to:" in text for text in logs(server, cluster_id, "worker") if text))
    scale(server, cluster_id, 1)
    grow = {"scaling": {"mode": "fixed", "workers": 3}}
    refused = server.http.request("PATCH", f"hpcdask/api/clusters/{cluster_id}", json=grow)
    assert refused.is_client_error, refused.text
    stop(server, cluster_id)


def test_a_script_has_the_cluster_for_itself_and_the_job_ends_with_it(
    server: JupyterServer, bench: Bench, cluster_id: str
) -> None:
    cluster = server.wait_for(cluster_id, "failed", _PATIENCE)
    assert cluster["exit_code"] == 3
    assert "count.py" in cluster["reason"]
    written = "".join(log["text"] for log in server.ask("GET", f"clusters/{cluster_id}/logs")["logs"])
    assert "in all: 499999500000 ['a b', '$c']" in written
    until(lambda: not [job for job in bench.live if cluster_id in job])

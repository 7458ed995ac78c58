"""Two groups of workers from two queues of a real Slurm, and clusters there that nobody uses."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import JupyterServer, run_client, until
from tests.slurm.conftest import jobs_of, processes_of, slurm
from tests.slurm.test_slurm import launch_log

pytestmark = pytest.mark.slurm

# A site's shortest time is a minute; its jobs are told to be quicker.
SECONDS = 8
SITES = {
    "two": """
name: two
batch_system: slurm
interface: lo
queues:
  - {name: regular, limits: {workers: 6, cores: 8, memory: 16 GiB, walltime: "24:00:00"}}
  - {name: debug, gpus: 2, limits: {workers: 4, cores: 8, memory: 16 GiB, walltime: "00:30:00"}}
  - {name: maint}
sizes: [{name: small, workers: 2, cores: 1, memory: 512 MiB, walltime: "01:00:00"}]
""",
    "hasty": f"""
name: hasty
batch_system: slurm
interface: lo
scheduler: {{place: job, memory: 512 MiB}}
idle_timeout: "00:01:00"
prologue: ['test -z "$HPCDASK_IDLE_TIMEOUT" || export HPCDASK_IDLE_TIMEOUT={SECONDS}']
queues: [{{name: regular}}]
sizes: [{{name: small, workers: 1, cores: 1, memory: 512 MiB, walltime: "01:00:00"}}]
""",
}
FAST = {
    "name": "fast",
    "queue": "debug",
    "size": {"workers": 2, "cores": 2, "memory": "512 MiB", "gpus": 1},
    "walltime": "00:20:00",
    "resources": {"GPU": 1},
}
BUSY = """
import time
from dask.distributed import get_worker
client.wait_for_workers(4, timeout=60)
with dask.annotate(resources={"workers": 1}):
    slow = client.submit(time.sleep, 600, pure=False)
with dask.annotate(resources={"fast": 1}):
    where = client.submit(lambda: get_worker().name.split("-")[1], pure=False)
with dask.annotate(resources={"GPU": 1}):
    gpus = client.submit(lambda: __import__("os").environ["CUDA_VISIBLE_DEVICES"].count(","), pure=False)
print(where.result(), gpus.result())
"""
BUSY_ONE = """
from dask.distributed import Variable, fire_and_forget, get_worker
client.wait_for_workers(5, timeout=60)

def work():
    import time
    Variable("busy").set(get_worker().name)
    time.sleep(600)

fire_and_forget(client.submit(work, resources={"fast": 1}))
print(Variable("busy").get(timeout=30))
"""
NAMES = "print(*[worker['name'] for worker in client.scheduler_info(n_workers=-1)['workers'].values()])"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"), SITES)
    server.start()
    yield server
    server.stop_all()
    for cluster in server.ask("GET", "clusters")["clusters"]:
        until(lambda: not jobs_of(cluster["id"]) and not processes_of(cluster["id"]), 20)  # noqa: B023
    server.end()


def connected(server: JupyterServer, cluster_id: str, **groups: int) -> Any:
    """Return a cluster once its groups have exactly so many workers."""

    def look() -> Any:
        cluster = server.cluster(cluster_id)
        seen = {group["name"]: group["workers"]["running"] for group in cluster["groups"]}
        return cluster if seen == groups else None

    return until(look, 60)


def queues_of(cluster_id: str) -> dict[str, list[str]]:
    """Return the partition and time limit of each of a cluster's live elements, by its group."""
    found: dict[str, list[str]] = {}
    for line in slurm("squeue", "--noheader", "--array", "--format=%j|%P|%l").splitlines():
        name, _, rest = line.partition("|")
        if f"-{cluster_id}-" in name:
            found.setdefault(name.rsplit("-", 2)[1], []).append(rest)
    return found


def scale(server: JupyterServer, cluster_id: str, group: str, workers: int) -> None:
    body = {"group": group, "scaling": {"mode": "fixed", "workers": workers}}
    server.ask("PATCH", f"clusters/{cluster_id}", body)


def test_two_groups_from_two_queues_are_scaled_each_by_itself(server: JupyterServer) -> None:
    cluster_id = server.launch(site="two", groups=[FAST])
    cluster = connected(server, cluster_id, workers=2, fast=2)
    assert launch_log(server, cluster_id).count(" sbatch --parsable\n") == 2
    assert queues_of(cluster_id) == {"workers": ["regular|1:00:00"] * 2, "fast": ["debug|20:00"] * 2}
    assert run_client(cluster["client_code"], BUSY) == "fast 0", "one GPU each"

    scale(server, cluster_id, "fast", 4)
    connected(server, cluster_id, workers=2, fast=4)
    assert launch_log(server, cluster_id).count(" sbatch --parsable\n") == 3
    scale(server, cluster_id, "workers", 3)
    cluster = connected(server, cluster_id, workers=3, fast=4)
    assert (cluster["cores"], cluster["cores_running"], cluster["gpus"]) == (11, 11, 4)
    assert cluster["core_hours"] > 0

    # More would be too many in that queue, however they are asked for.
    for method, path, body in (
        ("PATCH", f"clusters/{cluster_id}", {"group": "fast", "scaling": {"workers": 5}}),
        ("POST", f"clusters/{cluster_id}/groups", {"name": "more", "queue": "debug", "size": "small"}),
    ):
        refused = server.http.request(method, f"hpcdask/api/{path}", json=body)
        assert refused.status_code == 422, refused.text
        assert "the queue debug allows: 4" in refused.text


def test_a_group_shrinks_by_its_own_idle_workers(server: JupyterServer) -> None:
    """One worker of the group is busy, and all of the other group are idle."""
    cluster_id = server.launch(site="two", groups=[{**FAST, "size": {"workers": 3, "cores": 1, "memory": "512 MiB"}}])
    cluster = connected(server, cluster_id, workers=2, fast=3)
    name = run_client(cluster["client_code"], BUSY_ONE)
    scale(server, cluster_id, "fast", 1)
    connected(server, cluster_id, workers=2, fast=1)
    until(lambda: len(queues_of(cluster_id)["fast"]) == 1)
    left = run_client(cluster["client_code"], NAMES)
    assert name in left.split()
    assert sum("-workers-" in one for one in left.split()) == 2
    assert len(queues_of(cluster_id)["workers"]) == 2


def test_a_group_whose_queue_is_closed_waits_alone_and_another_can_be_added(server: JupyterServer) -> None:
    closed = {"name": "night", "queue": "maint", "size": {"workers": 3, "cores": 1, "memory": "512 MiB"}}
    cluster_id = server.launch(site="two", groups=[closed])
    cluster = connected(server, cluster_id, workers=2, night=0)
    assert cluster["state"] == "running"
    cluster = until(
        lambda: (
            (c := server.cluster(cluster_id))
            and [job for job in c["jobs"] if job["group"] == "night" and job["reason"] == "PartitionDown"]
            and c
        )
    )
    assert cluster["groups"][1]["workers"] == {"requested": 3, "pending": 3, "running": 0}
    scale(server, cluster_id, "night", 1)
    until(lambda: len(queues_of(cluster_id)["night"]) == 1)
    connected(server, cluster_id, workers=2, night=0)
    server.ask("POST", f"clusters/{cluster_id}/groups", {**FAST, "size": "small"})
    connected(server, cluster_id, workers=2, night=0, fast=2)
    scale(server, cluster_id, "night", 0)
    scale(server, cluster_id, "workers", 0)
    connected(server, cluster_id, workers=0, night=0, fast=2)
    until(lambda: set(queues_of(cluster_id)) == {"fast"})
    assert server.cluster(cluster_id)["state"] == "running"


def test_an_idle_cluster_ends_without_any_server_and_its_card_says_why(server: JupyterServer) -> None:
    cluster_id = server.launch(site="hasty")
    server.wait_for_workers(cluster_id, 1)
    server.end(signal.SIGKILL)
    until(lambda: not jobs_of(cluster_id), SECONDS + 40)
    server.start()
    cluster = server.wait_for(cluster_id, "stopped")
    assert (
        cluster["reason"] == f"It ended because it was idle for {SECONDS} seconds: it had neither a client nor a task."
    )


def test_a_task_without_a_client_keeps_a_cluster(server: JupyterServer) -> None:
    cluster_id = server.launch(site="hasty")
    cluster = server.wait_for_workers(cluster_id, 1)
    run_client(
        cluster["client_code"],
        "from dask.distributed import fire_and_forget",
        "import time",
        f"fire_and_forget(client.submit(time.sleep, {SECONDS * 2}))",
        "time.sleep(1)",
    )
    until(lambda: server.cluster(cluster_id)["clients"] == 0)
    until(lambda: (c := server.cluster(cluster_id))["idle_ends_at"] and c, SECONDS * 2 + 30)
    assert server.cluster(cluster_id)["core_hours"] * 3600 > SECONDS
    assert "it was idle" in server.wait_for(cluster_id, "stopped", SECONDS + 60)["reason"]

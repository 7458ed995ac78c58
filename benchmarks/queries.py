"""How often a batch system is asked for the state of jobs: `squeue` calls while clusters wait, and while one runs."""

import time

from benchmarks.servers import Server, end_clusters
from benchmarks.submissions import SITE, Slurm

WINDOW = 30.0  # seconds for which calls are counted

# The schedulers wait in the queue as well, so that a hundred clusters cost this machine nothing.
WAITING = SITE.replace("interface: lo", "interface: lo\nscheduler: {{place: job}}")


def queries_while_pending(server: Server, batch: Slurm, clusters: int, seconds: float = 120) -> int:
    """Launch clusters that wait in the queue; return how often `squeue` ran in a window once all of them wait."""
    for _ in range(clusters):
        server.api.post("hpcdask/api/clusters", json={}).raise_for_status()
    wait_for_all(server, "pending", clusters, seconds)
    count = count_queries(batch)
    end_clusters(server, seconds)
    return count


def queries_while_running(server: Server, batch: Slurm) -> int:
    """Launch a cluster that runs; return how often `squeue` ran in a window once all workers are there."""
    server.api.post("hpcdask/api/clusters", json={"queue": "regular"}).raise_for_status()
    wait_for_all(server, "running", 1, 60)
    time.sleep(6)  # the last answer from before may still lead to one more
    count = count_queries(batch)
    end_clusters(server)
    return count


def wait_for_all(server: Server, state: str, count: int, seconds: float) -> None:
    """Return once so many clusters are in a state, with all the workers that they can have there."""
    end = time.monotonic() + seconds
    while True:
        clusters = server.api.get("hpcdask/api/clusters").json()["clusters"]
        there = [c for c in clusters if c["state"] == state and (state != "running" or not c["workers"]["pending"])]
        if len(there) == count:
            return
        if time.monotonic() > end:
            raise RuntimeError(f"{len(there)} of {count} clusters are {state}")
        time.sleep(0.2)


def count_queries(batch: Slurm) -> int:
    """Return how often `squeue` runs in a window."""
    before = batch.calls("squeue")
    time.sleep(WINDOW)
    return batch.calls("squeue") - before

"""From the launch to all workers connected on a real Slurm, beside dask-jobqueue in a process of its own."""

import json
import os
import subprocess
import sys
import time

from benchmarks.servers import Server, end_clusters
from benchmarks.submissions import Slurm

WORKERS = 8

# What a notebook's cells do; the imports are not counted, because a notebook has them by then.
THEIRS = f"""
import json, time
from distributed import Client
from dask_jobqueue import SLURMCluster
start = time.perf_counter()
cluster = SLURMCluster(cores=1, memory="512MB", processes=1, queue="regular", walltime="00:30:00", interface="lo")
cluster.scale({WORKERS})
client = Client(cluster)
client.wait_for_workers({WORKERS}, timeout=120)
print(json.dumps(time.perf_counter() - start))
client.close()
cluster.close()
"""


def our_time(server: Server, layout: str, seconds: float = 120) -> float:
    """Return the milliseconds from the request to launch until all workers are connected."""
    size = {"workers": WORKERS, "cores": 1, "memory": 512 * 10**6}
    body = {"queue": "regular", "size": size, "layout": layout}
    start = time.perf_counter()
    answer = server.api.post("hpcdask/api/clusters", json=body)
    answer.raise_for_status()
    route = f"hpcdask/api/clusters/{answer.json()['id']}"
    while (cluster := server.api.get(route).json())["workers"]["running"] < WORKERS:
        if cluster["state"] in ("stopped", "failed") or time.perf_counter() - start > seconds:
            raise RuntimeError(f"The workers did not come: {cluster['state']}, {cluster['reason']}")
        time.sleep(0.02)
    took = (time.perf_counter() - start) * 1000
    end_clusters(server)
    return took


def their_time(batch: Slurm) -> float:
    """Return the same for dask-jobqueue."""
    command = [sys.executable, "-c", THEIRS]
    folder = batch.folder / "jobqueue"
    folder.mkdir(exist_ok=True)
    env = {**os.environ, **batch.env}
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=True)
    return float(json.loads(ran.stdout.strip().splitlines()[-1])) * 1000

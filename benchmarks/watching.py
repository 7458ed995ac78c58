"""What it costs a scheduler to be watched: its loop stands still for so long at each look.

A scheduler of its own process holds a million tasks, of which some wait, some run and most are results. Its workers are
entries in its books without a process behind them. Our preloads are in it as they are in the scheduler of a cluster.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from distributed import Scheduler
from distributed.core import Status
from distributed.http.scheduler.json import CountsJSON
from distributed.preloading import process_preloads
from distributed.scheduler import WorkerState

TASKS = 10**6
WORKERS = (10, 2000)
KINDS = (
    ("status", "the status of any cluster", "<= 1000 µs"),
    ("busy", "the wish of an adaptive one while all workers are busy", "<= 1000 µs"),
    ("idle", "the same while all are idle", "<= 1000 µs"),
    ("groups", "the same with two groups", "<= 1000 µs"),
)
LOOKS = 30
PAYLOAD = Path(__file__).parent.parent / "hpcdask_ext" / "payload"
GROUPS = {"workers": {"cores": 4, "most": 10**6, "resources": {"workers": 4}}}
GPUS = {"cores": 8, "most": 10**6, "resources": {"gpu": 8, "GPU": 1}}


def look_times(workers: int) -> dict[str, float]:
    """Return the microseconds that looks of several kinds take; see `measure`."""
    command = [sys.executable, "-m", "benchmarks.watching", str(workers)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    return dict(json.loads(ran.stdout.splitlines()[-1]))


async def measure(workers: int) -> dict[str, float]:
    """Return the median microseconds of each kind of look, at a scheduler with so many workers."""
    preloads = [str(PAYLOAD / "dask_preload.py"), str(PAYLOAD / "adaptive_preload.py")]
    scheduler = Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0", validate=False)
    for preload in process_preloads(scheduler, preloads, [[], []]):
        await preload.start()
    watch = scheduler.plugins["hpcdask-watch"]
    ask = watch.asked["adaptive"]
    fill(scheduler, watch, workers)
    naive = SimpleNamespace(server=scheduler, write=lambda answer: None)
    times = {"counts.json": timed(lambda: CountsJSON.get(naive)), "status": timed(watch.status)}
    ask(json.dumps(GROUPS))
    times["busy"] = timed(ask.__self__.look)
    take_away_the_work(scheduler)
    times["idle"] = timed(ask.__self__.look)
    for number, address in enumerate(watch.groups):
        watch.groups[address] = "workers" if number % 4 else "gpu"
    ask(json.dumps({**GROUPS, "gpu": GPUS}))
    return times | {"groups": timed(ask.__self__.look)}


def fill(scheduler: Any, watch: Any, workers: int) -> None:
    """Give a scheduler workers that are busy, and tasks that wait, run and have ended."""
    versions = {"packages": {"python": "3.11.7", "distributed": "2026.8.0", "numpy": "2.2.0"}}
    states = []
    for number in range(workers):
        state = WorkerState(
            address=f"tls://10.0.{number // 250}.{number % 250}:4000",
            status=Status.running,
            pid=number,
            name=f"k3v9x0q2ab-workers-1-{number}",
            nthreads=4,
            memory_limit=8 * 2**30,
            local_directory="",
            nanny="",
            server_id=str(number),
            versions=versions,
            scheduler=scheduler,
        )
        scheduler.workers[state.address] = state
        scheduler.running.add(state)
        scheduler.total_nthreads += state.nthreads
        watch.add_worker(scheduler, state.address)
        states.append(state)
    for number in range(TASKS):
        task = scheduler.new_task(f"task-{number}", None, "released")
        state = states[number % workers]
        if number < 8 * workers:
            task.state, task.processing_on = "processing", state
            state.add_to_processing(task)
        elif number < TASKS // 5:
            task.state = "queued"
            scheduler.queued.add(task)
        else:
            task.state, task.nbytes = "memory", 1000
            scheduler.add_replica(task, state)


def take_away_the_work(scheduler: Any) -> None:
    """Leave a scheduler nothing but results."""
    scheduler.queued.clear()
    for worker in scheduler.workers.values():
        for task in list(worker.processing):
            worker.remove_from_processing(task)


def timed(look: Callable[[], Any]) -> float:
    """Return the median microseconds that a look takes."""
    times = []
    for _ in range(LOOKS):
        start = time.thread_time()  # which other processes of the machine do not lengthen
        look()
        times.append((time.thread_time() - start) * 10**6)
    return statistics.median(times)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1])))))

"""What a Jupyter server saves if we answer for dask-labextension's server half."""

import statistics
import time

import psutil

from benchmarks import startup
from benchmarks.report import Row
from benchmarks.servers import Server, jupyter_server

ANSWERING = ("--HPCDaskApp.answer_dask_labextension=True",)
LISTS = 50
"""How often the list is asked for, as an open page does every five seconds."""


def measure(rounds: int) -> list[Row]:
    """Start servers with our answers and with both server halves, by turns."""
    started = Row("start of a Jupyter server, until it is ready to serve", "< theirs", " ms")
    busy = Row("processor time of that", "< theirs", " ms")
    small = Row("its memory then", "< theirs", " MB")
    listed = Row("its memory once a page has asked both extensions for their clusters", "< theirs", " MB")
    asked = Row("dask-labextension's list is answered, no clusters", "", " ms")
    startup.probe(hpcdask=True, theirs=True)  # writes the bytecode that Python caches, so that all rounds are alike
    for _ in range(rounds):
        both, alone = startup.probe(hpcdask=True, theirs=True), startup.probe(hpcdask=True, options=ANSWERING)
        for row, what in ((started, "wall"), (busy, "processor"), (small, "memory")):
            row.ours.append(alone[what])
            row.theirs.append(both[what])
        for answering in (True, False):
            with jupyter_server(19104, hpcdask=True, answering=answering) as server:
                memory, milliseconds = memory_and_time(server)
            (listed.ours if answering else listed.theirs).append(memory)
            (asked.ours if answering else asked.theirs).append(milliseconds)
    return [started, busy, small, listed, asked]


def memory_and_time(server: Server) -> tuple[float, float]:
    """Return the memory of a server that was asked for the lists, in MB, and the median time of an answer."""
    server.api.get("hpcdask/api/clusters").raise_for_status()
    times = []
    for _ in range(LISTS):
        start = time.perf_counter()
        server.api.get("dask/clusters").raise_for_status()
        times.append((time.perf_counter() - start) * 1000)
    return psutil.Process(server.pid).memory_info().rss / 2**20, statistics.median(times)

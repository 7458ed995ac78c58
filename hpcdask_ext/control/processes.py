"""Which process launches a cluster: another server, or a command line, may be in the middle of it."""

from __future__ import annotations

import os
import socket

import psutil

from hpcdask_ext.clusters.models import Process


def this_process() -> Process:
    """Return the process that this is."""
    own = psutil.Process()
    return Process(host=socket.gethostname(), pid=own.pid, started=own.create_time())


def is_another_alive(process: Process | None) -> bool:
    """Return whether a process of this host other than this one is still there; those of other hosts are not seen."""
    if process is None or process.host != socket.gethostname() or process.pid == os.getpid():
        return False
    try:
        return abs(psutil.Process(process.pid).create_time() - process.started) < 1
    except psutil.Error:
        return False

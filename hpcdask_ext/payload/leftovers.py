"""Ends what a local job leaves behind when its process ends, however that ends: even if it is killed outright.

It is loaded by `factory.py`, in the user's environment, and imports nothing of ours.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

_PATIENCE = 3.0  # seconds from SIGTERM to SIGKILL


def watch() -> None:
    """Have a process of its own end what is left of this one's group; there must be no threads yet.

    Nothing happens outside of a local job, which leads a session of its own.
    """
    if "HPCDASK_JOB" not in os.environ or os.getpgrp() != os.getsid(0):
        return
    reading, writing = os.pipe()
    if os.fork():
        os.close(reading)
        return  # the system closes the other end when this process ends
    os.close(writing)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        os.read(reading, 1)
        _end_the_rest()
    finally:
        os._exit(0)


def _end_the_rest() -> None:
    """End the group but for this process and the job's shell, which ends by itself once it has reported."""
    import psutil  # noqa: PLC0415  (of distributed, which needs it)

    group, spared, rest = os.getpgrp(), {os.getpid(), os.getpgrp()}, []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid not in spared and os.getpgid(process.pid) == group:
                process.terminate()
                rest.append(process)
    _, alive = psutil.wait_procs(rest, timeout=_PATIENCE)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()

"""What this machine, or the part of it that we were given, has; and the site `local` that is made from it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from hpcdask_ext.sites.models import Limits, Queue, Site, Size

_CGROUPS = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Return how many cores this process may use: those of its affinity mask, or its cgroup's share if that is less."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota, _, period = _cgroup_value("cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def usable_memory() -> int:
    """Return the bytes that this process may use: the machine's, or its cgroup's limit if that is less."""
    memory = int(psutil.virtual_memory().total)
    limit = _cgroup_value("memory.max") or _cgroup_value("memory/memory.limit_in_bytes")
    return min(memory, int(limit)) if limit.isdigit() else memory


def _cgroup_value(name: str) -> str:
    """Return a value of this process's cgroup (version 2: its own path; version 1: the container's root), or ''."""
    try:
        group = Path("/proc/self/cgroup").read_text("utf-8").strip().rpartition("::/")[2]
    except OSError:
        return ""
    for directory in (_CGROUPS / group, _CGROUPS):
        try:
            return (directory / name).read_text("utf-8").strip()
        except OSError:
            continue
    return ""


def local_site() -> Site:
    """Return the site that there is where nobody described one: this machine."""
    cores, memory = usable_cores(), usable_memory()
    sizes = [_size("small", "Small", 2, 1, memory // 8)]
    if cores >= 4:
        sizes.append(_size("medium", "Half", 2, cores // 4, memory // 4))
    if cores >= 2:
        sizes.append(_size("whole", "Whole", cores, 1, memory // cores) if cores < 8 else _whole(cores, memory))
    limits = Limits(workers=max(4, 2 * cores), cores=max(cores, 1), memory=memory)
    queue = Queue(name="local", title="This machine", limits=limits)
    description = f"Processes on the machine that runs Jupyter ({cores} cores)."
    return Site(
        name="local",
        title="This machine",
        description=description,
        batch_system="local",
        queues=(queue,),
        sizes=tuple(sizes),
    )


def _whole(cores: int, memory: int) -> Size:
    """Return the whole of a larger machine: workers of four threads, which share data without copying it."""
    workers = cores // 4
    return _size("whole", "Whole", workers, 4, memory // workers)


def _size(name: str, title: str, workers: int, cores: int, memory: int) -> Size:
    """Return a size with its memory rounded down to a quarter of a GiB, so that it reads well."""
    quarter = 2**28
    return Size(name=name, title=title, workers=workers, cores=cores, memory=max(quarter, memory // quarter * quarter))

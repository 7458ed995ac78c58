"""What this process may use of its machine, and the site `local` that is made from it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

import psutil

from hpcdask_ext.sites.models import BatchSite, Limits, Queue, Size

LOCAL = "local"
"""The name of the site that needs no file."""

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cores(cgroups: Path = _CGROUPS, own: Path = _OWN_CGROUP) -> int:
    """Return how many cores this process may use: those in its affinity mask, or a cgroup's quota if that is less."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    cores = [len(affinity(0)) if affinity else os.cpu_count() or 1]
    for value in _cgroup_values("cpu.max", cgroups, own):
        quota, _, period = value.partition(" ")
        if quota.isdecimal() and period.isdecimal():
            cores.append(max(1, int(quota) // int(period)))
    return min(cores)


def usable_memory(cgroups: Path = _CGROUPS, own: Path = _OWN_CGROUP) -> int:
    """Return the memory that this process may use, in bytes: the machine's, or a cgroup's limit if that is less."""
    limits = [
        *_cgroup_values("memory.max", cgroups, own),
        *_cgroup_values("memory/memory.limit_in_bytes", cgroups, own),
    ]
    return min([int(psutil.virtual_memory().total), *(int(limit) for limit in limits if limit.isdecimal())])


def _cgroup_values(name: str, cgroups: Path, own: Path) -> Iterator[str]:
    """Yield a value of this process's cgroup and its ancestors: a batch job's limit is set above that of its tasks."""
    try:
        group = PurePosixPath(own.read_text("utf-8").strip().rpartition("::")[2] or "/")
    except OSError:
        return
    for path in (group, *group.parents):
        with suppress(OSError):
            yield (cgroups / str(path).lstrip("/") / name).read_text("utf-8").strip()


def local_site() -> BatchSite:
    """Return the site that is used where no file describes one: this machine."""
    cores, memory = usable_cores(), usable_memory()
    sizes = [_size("small", "Small", 2, 1, memory // 8)]
    if cores >= 4:
        sizes.append(_size("medium", "Half", 2, cores // 4, memory // 4))
    if cores >= 2:
        sizes.append(_size("whole", "Whole", cores, 1, memory // cores) if cores < 8 else _whole(cores, memory))
    limits = Limits(workers=max(4, 2 * cores), cores=max(cores, 1), memory=memory)
    queue = Queue(name="local", title="This machine", limits=limits)
    description = f"Processes on the machine that runs Jupyter ({cores} cores)."
    return BatchSite(
        name=LOCAL,
        title="This machine",
        description=description,
        batch_system="local",
        queues=(queue,),
        sizes=tuple(sizes),
    )


def _whole(cores: int, memory: int) -> Size:
    """Return the size of a whole larger machine, in workers of four threads, which share data without copying it."""
    workers = cores // 4
    return _size("whole", "Whole", workers, 4, memory // workers)


def _size(name: str, title: str, workers: int, cores: int, memory: int) -> Size:
    """Return a size with its memory rounded down to a multiple of 256 MiB, so that it reads well."""
    quarter = 2**28
    return Size(name=name, title=title, workers=workers, cores=cores, memory=max(quarter, memory // quarter * quarter))

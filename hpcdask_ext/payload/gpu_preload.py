"""Shows each worker only its own GPUs, where several workers share the GPUs of a job.

It is passed by path with `--preload` to the workers, in the user's environment, and imports nothing of ours. It has to
act before anything in the worker's process looks for GPUs, which is when the worker starts::

    HPCDASK_GPUS_PER_WORKER=1 HPCDASK_WORKERS_PER_JOB=4 CUDA_VISIBLE_DEVICES=4,5,6,7

leaves ``CUDA_VISIBLE_DEVICES=6`` to the worker that Dask has named ``...-2``, the third one of its job. Devices are
named as the job names them: by number, by UUID, or as parts of a GPU (MIG).

Where a job sees more than its own workers need, others see the same: the tasks of an allocation on one node, if the
batch system does not tell them apart, or all jobs on this machine. Each worker then takes the first GPUs that no other
one of its cluster has taken, by a lock that ends with its process.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# From these, applications choose. On AMD's, they count within those of ROCR_VISIBLE_DEVICES, which therefore stay
# as they are (rocm.docs.amd.com, "GPU isolation techniques").
_CHOICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
_BELOW = "ROCR_VISIBLE_DEVICES"
_NO_DEVICES = ("", "-1", "NoDevFiles", "void", "none")

log = logging.getLogger("distributed.worker")


def visible(name: str, variables: Mapping[str, str], take: Callable[[Sequence[int]], bool]) -> dict[str, str]:
    """Return the variables to change so that the worker of that name sees only its own GPUs.

    `take` returns whether the worker may have those GPUs of its node, by their places in the list of all.
    """
    count = int(variables.get("HPCDASK_GPUS_PER_WORKER", "0"))
    if not count:
        return {}
    # Dask numbers the workers of a job from 0, if there is more than one.
    workers = int(variables.get("HPCDASK_WORKERS_PER_JOB", "1"))
    number = int(name.rpartition("-")[2]) if workers > 1 else 0
    chosen = [choice for choice in (*_CHOICES, _BELOW) if choice in variables]
    if any(choice in _CHOICES for choice in chosen):
        chosen = [choice for choice in chosen if choice != _BELOW]
    if chosen:
        lists = {choice: _split(variables[choice]) for choice in chosen if variables[choice] not in _NO_DEVICES}
    else:
        known = int(variables.get("HPCDASK_GPUS", (number + 1) * count))
        lists = {_CHOICES[0]: _of_batch_system(variables) or [str(device) for device in range(known)]}
    parts = min((len(devices) for devices in lists.values()), default=0) // count
    if parts >= 2 * workers:
        free = (part for part in range(number, parts, workers) if take(range(part * count, (part + 1) * count)))
        number = next(free, number)
    return {choice: ",".join(_own(devices, number, count)) for choice, devices in lists.items()}


def _split(text: str) -> list[str]:
    return [device.strip() for device in text.split(",") if device.strip()]


def _own(devices: list[str], number: int, count: int) -> list[str]:
    """Return a worker's own devices; where there are fewer than asked for, workers share them."""
    if len(devices) < (number + 1) * count:
        log.warning("The job has %d GPUs, which are too few for one worker each: they are shared.", len(devices))
    own = [devices[i % len(devices)] for i in range(number * count, (number + 1) * count)]
    return list(dict.fromkeys(own))


def _of_batch_system(variables: Mapping[str, str]) -> list[str]:
    """Return the numbers of the job's GPUs on this node from where batch systems list them besides."""
    if "SGE_HGR_gpu" in variables:  # a resource map of Grid Engine: "0 1", or "gpu0 gpu1"
        return re.findall(r"(\d+)(?:\s|$)", variables["SGE_HGR_gpu"])
    with suppress(KeyError, OSError):  # Torque: a line NODE-gpuNUMBER for each GPU of the job on any of its nodes
        lines = Path(variables["PBS_GPUFILE"]).read_text("utf-8").split()
        matches = [re.fullmatch(r"(.+)-gpu(\d+)", line) for line in lines]
        here = socket.gethostname().split(".")[0]
        return [match[2] for match in matches if match and match[1].split(".")[0] == here]
    return []


_taken: list[int] = []  # descriptors of locked files, which stay open for as long as the process lives


def _take(places: Sequence[int]) -> bool:
    """Return whether no other worker of the cluster has any of those GPUs of this node; they are ours then.

    One by one, because workers of different groups may have different numbers of them.
    """
    directory = Path(os.environ["HPCDASK_TOKEN_FILE"]).parent / "gpus"
    locked: list[int] = []
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        for place in places:
            locked.append(os.open(directory / f"{socket.gethostname()}.{place}", os.O_CREAT | os.O_RDWR, 0o600))
            fcntl.lockf(locked[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # one is taken; or this file system has no locks, and then none can be
        for descriptor in locked:
            os.close(descriptor)
        return False
    _taken.extend(locked)
    return True


def dask_setup(worker: Any) -> None:
    """Set the variables in a worker's process."""
    os.environ.update(visible(str(worker.name), os.environ, _take))

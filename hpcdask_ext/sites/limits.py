"""What a queue allows: the checks that are made of launches and of changes alike."""

from __future__ import annotations

import math

from hpcdask_ext.clusters.groups import WorkerShape
from hpcdask_ext.clusters.states import Layout
from hpcdask_ext.errors import FieldError
from hpcdask_ext.sites.models import Queue
from hpcdask_ext.sites.units import format_memory

NO_QUEUE = "unknown"
"""The name of a queue that stands for a whole site, if it has the site's title, or for one that is not known."""


def check_workers(field: str, workers: int, queue: Queue) -> list[FieldError]:
    """Return what is wrong with a number of workers in a queue."""
    most = queue.limits.workers
    if most is None or workers <= most:
        return []
    place = f"“{queue.title}”" if queue.name == NO_QUEUE and queue.title else f"the queue {queue.name}"
    return [FieldError(field, f"{workers} workers are more than {place} allows: {most}")]


def check_jobs(field: str, workers: int, shape: WorkerShape) -> list[FieldError]:
    """Return what is wrong with a number of workers that jobs share."""
    rest = workers % shape.workers_per_job
    if not rest:
        return []
    fits = workers - rest
    message = f"{workers} workers cannot be split into jobs of {shape.workers_per_job}: choose {fits or ''}".rstrip()
    return [FieldError(field, f"{message}{' or ' if fits else ' '}{fits + shape.workers_per_job}")]


def count_nodes(workers: int, shape: WorkerShape, layout: Layout, queue: Queue) -> int:
    """Return how many nodes a cluster fills at least: a queue's limits per job are the size of its nodes.

    Where they are not known, each job, or each task of an allocation, counts as a node.
    """
    jobs = math.ceil(workers / shape.workers_per_job) + (layout == "allocation")
    sizes = ((shape.cores, queue.limits.cores), (shape.memory, queue.limits.memory), (shape.gpus, queue.gpus))
    shares = [size * shape.workers_per_job / limit for size, limit in sizes if limit]
    return math.ceil(jobs * max(shares)) if shares else jobs


def check_nodes(field: str, nodes: int, queue: Queue) -> list[FieldError]:
    """Return what is wrong with the number of nodes that a cluster fills."""
    most = queue.limits.nodes
    if most is None or nodes <= most:
        return []
    return [FieldError(field, f"This needs at least {nodes} nodes; the queue {queue.name} allows {most}")]


def check_shape(shape: WorkerShape, queue: Queue, *, is_custom: bool, prefix: str = "") -> list[FieldError]:
    """Return what is too large for one job; the names of the fields begin with `prefix`."""
    errors = []

    def add(field: str, message: str) -> None:
        errors.append(FieldError(prefix + (f"size.{field}" if is_custom else "size"), message))

    per_job = f" for {shape.workers_per_job} workers per job" if shape.workers_per_job > 1 else ""
    cores, memory = shape.cores * shape.workers_per_job, shape.memory * shape.workers_per_job
    if queue.limits.cores and cores > queue.limits.cores:
        add("cores", f"{cores} cores{per_job} are more than the queue {queue.name} allows: {queue.limits.cores}")
    if queue.limits.memory and memory > queue.limits.memory:
        limit = format_memory(queue.limits.memory)
        add("memory", f"{format_memory(memory)}{per_job} is more than the queue {queue.name} allows: {limit}")
    gpus = shape.gpus * shape.workers_per_job
    if gpus and gpus > (queue.gpus or 0):
        add("gpus", f"{gpus} GPUs{per_job} are more than a node of the queue {queue.name} has: {queue.gpus or 0}")
    return errors

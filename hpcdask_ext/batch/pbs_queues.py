"""PBS's queues: their limits and load, and the size of the nodes that their jobs run on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap

from hpcdask_ext.batch.pbs_records import Record, duration, number, size
from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.errors import NotUnderstood

_WAITING = ("Queued", "Held", "Waiting")


def queue_infos(found: Iterable[Record]) -> list[QueueInfo]:
    """Return the queues, the default one first, from the records of queues, server and nodes."""
    all_records = list(found)
    queues = [record for record in all_records if record.kind == "Queue"]
    if not queues:
        raise NotUnderstood(f"qstat's answer has no queues: {all_records!r}"[:500])
    nodes = [record.fields for record in all_records if record.kind == "" and "state" in record.fields]
    defaults = {record.fields.get("default_queue") for record in all_records if record.kind == "Server"}
    infos = [_info(queue, _nodes_of(queue, nodes), queue.name in defaults) for queue in queues]
    return sorted(infos, key=lambda info: not info.is_default)


def _info(queue: Record, nodes: Sequence[Mapping[str, str]], is_default: bool) -> QueueInfo:
    fields = queue.fields
    note = _note(fields)
    counts = dict(re.findall(r"(\w+):(\d+)", fields.get("state_count", "")))
    walltime = fields.get("resources_max.walltime")
    free = [node for node in nodes if node["state"] == "free"]
    return QueueInfo(
        name=queue.name,
        is_open=not note,
        note=note,
        cores=_smaller(_largest(nodes, "ncpus"), number(fields.get("resources_max.ncpus"))),
        memory=_smaller(_largest(nodes, "mem"), size(fields.get("resources_max.mem", ""))),
        gpus=_smaller(_largest(nodes, "ngpus"), number(fields.get("resources_max.ngpus"))),
        walltime=duration(walltime) if walltime else None,
        nodes=len(nodes) or None,
        free_nodes=sum(_used(node) == 0 for node in free) if nodes else None,
        free_cores=sum((_amount(node, "ncpus") or 0) - _used(node) for node in free) if nodes else None,
        running_jobs=number(counts.get("Running")),
        pending_jobs=sum(int(counts[word]) for word in _WAITING if word in counts) if counts else None,
        is_default=is_default,
    )


def _note(fields: Mapping[str, str]) -> str:
    """Return what keeps a queue from taking or starting jobs, as PBS writes it."""
    against = {"enabled": "False", "started": "False", "from_route_only": "True"}
    return ", ".join(
        starmap("{} = {}".format, ((key, value) for key, value in against.items() if fields.get(key) == value))
    )


def _nodes_of(queue: Record, nodes: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the nodes on which jobs of a queue can run.

    Nodes belong to a queue by name, or (what the manual recommends) by the resource `Qlist`, which the queue gives to
    all of its chunks. What belongs to no queue is open to all that have no nodes of their own.
    """
    own = [node for node in nodes if node.get("queue") == queue.name]
    mark = queue.fields.get("default_chunk.Qlist")
    if mark:
        own += [node for node in nodes if mark in node.get("resources_available.Qlist", "").split(",")]
    return own or [node for node in nodes if "queue" not in node]


def _amount(node: Mapping[str, str], resource: str) -> int | None:
    text = node.get(f"resources_available.{resource}", "")
    return size(text) if resource == "mem" else number(text)


def _used(node: Mapping[str, str]) -> int:
    return number(node.get("resources_assigned.ncpus")) or 0


def _largest(nodes: Sequence[Mapping[str, str]], resource: str) -> int | None:
    return max((amount for node in nodes if (amount := _amount(node, resource)) is not None), default=None)


def _smaller(first: int | None, second: int | None) -> int | None:
    """Return the smaller of two bounds; None is no bound."""
    return min((bound for bound in (first, second) if bound is not None), default=None)

"""What a launch would submit and cost, as users see it before they launch."""

from __future__ import annotations

from collections.abc import Mapping
from operator import mul
from typing import Any

from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.clusters.groups import WorkerGroup
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import Layout
from hpcdask_ext.control.view import utc
from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.launchers.base import Preview
from hpcdask_ext.sites.group_request import most_workers
from hpcdask_ext.sites.limits import count_nodes
from hpcdask_ext.sites.models import BatchSite, Site
from hpcdask_ext.sites.units import format_walltime

_NOTHING: dict[str, Any] = {"scripts": [], "estimated_start": None, "note": ""}


def preview_view(cluster: Cluster, site: Site, queues: Mapping[str, QueueInfo], preview: Preview) -> dict[str, Any]:
    """Return a preview as JSON; `queues` is what is known of the queues now. See `docs/reference/rest.md`."""
    never = [note for group in cluster.groups for note in _never_starts(group, queues.get(group.queue))]
    return {
        "valid": True,
        "errors": [],
        "totals": _totals(cluster, site),
        "scripts": [{"role": role, "group": group, "text": text} for role, group, text in preview.scripts],
        # Slurm, for one, estimates a start even where the job will wait for ever.
        "estimated_start": None if never else utc(preview.estimated_start),
        "note": " ".join(note for note in (*never, preview.note) if note),
    }


def _totals(cluster: Cluster, site: Site) -> dict[str, Any]:
    """Return what a cluster would have, at most where it adapts; None is what others decide about."""
    numbers = [(most_workers(group.scaling), group) for group in cluster.groups]
    workers = {"workers": sum(number for number, _ in numbers)}
    if not isinstance(site, BatchSite):
        return workers | dict.fromkeys(("cores", "memory", "gpus", "nodes", "node_hours"))
    amounts = {
        what: sum(number * getattr(group.shape, what) for number, group in numbers)
        for what in ("cores", "memory", "gpus")
    }
    return workers | amounts | _node_totals(cluster, site)


def _node_totals(cluster: Cluster, site: BatchSite) -> dict[str, Any]:
    """Return how many nodes a cluster fills at least, and for how long; None without a walltime."""
    nodes = [_nodes(group, cluster.layout, site) for group in cluster.groups]
    hours = [group.walltime.total_seconds() / 3600 for group in cluster.groups if group.walltime is not None]
    if site.batch_system == "local":  # all groups share this machine
        nodes, hours = [1], [max(hours)] if len(hours) == len(nodes) else []
    is_limited = len(hours) == len(nodes)
    return {"nodes": sum(nodes), "node_hours": round(sum(map(mul, nodes, hours)), 2) if is_limited else None}


def _nodes(group: WorkerGroup, layout: Layout, site: BatchSite) -> int:
    queue = site.queue(group.queue)
    return 1 if queue is None else count_nodes(most_workers(group.scaling), group.shape, layout, queue)


def _never_starts(group: WorkerGroup, info: QueueInfo | None) -> list[str]:
    """Return why the jobs would be accepted but not start, as far as the batch system's word on the queue tells."""
    if info is None:
        return []
    notes = []
    if not info.is_open:
        notes.append(f"The queue {info.name} is closed ({info.note}): choose another one, or wait until it opens.")
    if group.walltime and info.walltime and group.walltime > info.walltime:
        longest = format_walltime(info.walltime)
        notes.append(f"The batch system allows at most {longest} in the queue {info.name}: choose a shorter walltime.")
    return notes


def invalid_preview_view(error: InvalidRequest) -> dict[str, Any]:
    """Return the preview of a launch that would be refused, as JSON."""
    errors = [{"field": entry.field, "message": entry.message} for entry in error.errors]
    return {"valid": False, "errors": errors, "totals": None, **_NOTHING}

"""What a launch would submit and cost, as users see it before they launch."""

from __future__ import annotations

from collections.abc import Mapping
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
    totals = [_totals(group, cluster.layout, site) for group in cluster.groups]
    hours = [entry["node_hours"] for entry in totals]
    return {
        "valid": True,
        "errors": [],
        "totals": {
            **{what: sum(entry[what] for entry in totals) for what in totals[0] if what != "node_hours"},
            "node_hours": None if None in hours else round(sum(hours), 2),
        },
        "scripts": [{"role": role, "group": group, "text": text} for role, group, text in preview.scripts],
        # Slurm, for one, estimates a start even where the job will wait for ever.
        "estimated_start": None if never else utc(preview.estimated_start),
        "note": " ".join(note for note in (*never, preview.note) if note),
    }


def _totals(group: WorkerGroup, layout: Layout, site: Site) -> dict[str, Any]:
    """Return what a group would have, of adaptive ones at most."""
    workers, shape, queue = most_workers(group.scaling), group.shape, site.queue(group.queue)
    is_local = isinstance(site, BatchSite) and site.batch_system == "local"
    nodes = 1 if is_local or queue is None else count_nodes(workers, shape, layout, queue)
    amounts = {what: workers * getattr(shape, what) for what in ("cores", "memory", "gpus")}
    hours = None if group.walltime is None else nodes * group.walltime.total_seconds() / 3600
    return {"workers": workers, **amounts, "nodes": nodes, "node_hours": hours}


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

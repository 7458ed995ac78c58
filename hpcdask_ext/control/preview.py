"""What a launch would submit and cost, as users see it before they launch."""

from __future__ import annotations

from typing import Any

from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.control.view import utc
from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.launchers.base import Preview
from hpcdask_ext.sites.limits import count_nodes
from hpcdask_ext.sites.models import Queue, Site
from hpcdask_ext.sites.units import format_walltime

_NOTHING: dict[str, Any] = {"scripts": [], "estimated_start": None, "note": ""}


def preview_view(
    cluster: Cluster, site: Site, queue: Queue, info: QueueInfo | None, preview: Preview
) -> dict[str, Any]:
    """Return a preview as JSON; `info` is what is known of the queue now. See `docs/reference/rest.md`."""
    notes = [*_never_starts(cluster, info), preview.note]
    is_local = site.batch_system == "local"
    nodes = 1 if is_local else count_nodes(cluster.scaling.workers, cluster.shape, cluster.layout, queue)
    hours = cluster.walltime.total_seconds() / 3600 if cluster.walltime else None
    return {
        "valid": True,
        "errors": [],
        "totals": {
            "workers": cluster.scaling.workers,
            "cores": cluster.scaling.workers * cluster.shape.cores,
            "memory": cluster.scaling.workers * cluster.shape.memory,
            "gpus": cluster.scaling.workers * cluster.shape.gpus,
            "nodes": nodes,
            "node_hours": None if hours is None else round(nodes * hours, 2),
        },
        "scripts": [{"role": role, "text": text} for role, text in preview.scripts],
        # Slurm, for one, estimates a start even where the job will wait for ever.
        "estimated_start": None if notes[:-1] else utc(preview.estimated_start),
        "note": " ".join(note for note in notes if note),
    }


def _never_starts(cluster: Cluster, info: QueueInfo | None) -> list[str]:
    """Return why the jobs would be accepted but not start, as far as the batch system's word on the queue tells."""
    if info is None:
        return []
    notes = []
    if not info.is_open:
        notes.append(f"The queue {info.name} is closed ({info.note}): choose another one, or wait until it opens.")
    if cluster.walltime and info.walltime and cluster.walltime > info.walltime:
        longest = format_walltime(info.walltime)
        notes.append(f"The batch system allows at most {longest} in the queue {info.name}: choose a shorter walltime.")
    return notes


def invalid_preview_view(error: InvalidRequest) -> dict[str, Any]:
    """Return the preview of a launch that would be refused, as JSON."""
    errors = [{"field": entry.field, "message": entry.message} for entry in error.errors]
    return {"valid": False, "errors": errors, "totals": None, **_NOTHING}

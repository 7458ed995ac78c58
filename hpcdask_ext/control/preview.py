"""What a launch would submit and cost, as users see it before they launch."""

from __future__ import annotations

from typing import Any

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.control.view import utc
from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.launchers.base import Preview
from hpcdask_ext.sites.limits import count_nodes
from hpcdask_ext.sites.models import Queue, Site

_NOTHING: dict[str, Any] = {"scripts": [], "estimated_start": None, "note": ""}


def preview_view(cluster: Cluster, site: Site, queue: Queue, preview: Preview) -> dict[str, Any]:
    """Return a preview as JSON; see `docs/reference/rest.md`."""
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
        "estimated_start": utc(preview.estimated_start),
        "note": preview.note,
    }


def invalid_preview_view(error: InvalidRequest) -> dict[str, Any]:
    """Return the preview of a launch that would be refused, as JSON."""
    errors = [{"field": entry.field, "message": entry.message} for entry in error.errors]
    return {"valid": False, "errors": errors, "totals": None, **_NOTHING}

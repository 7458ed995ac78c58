"""What users see of the sites: what their files say, and what their batch systems say about the queues now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.clusters.groups import FixedScaling, Scaling
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.models import BatchSite, Queue, Site, Size
from hpcdask_ext.sites.request import environments_of
from hpcdask_ext.sites.units import format_walltime

_OF_THE_SITE = {"directive", "argument", "worker_argument", "keyword", "title"}
"""The fields of an option that are no business of the form, and the title, which is always there."""
_LOAD = ("note", "nodes", "free_nodes", "free_cores", "running_jobs", "pending_jobs")


def sites_view(
    sites: Sites, kernels: Sequence[Environment], loads: Mapping[str, Mapping[str, QueueInfo]]
) -> dict[str, Any]:
    """Return the sites as JSON; `loads` has what is known of their queues. See `docs/reference/rest.md`."""
    problems = [{"file": entry.file, "where": entry.where, "message": entry.message} for entry in sites.problems]
    return {
        "sites": [_site_view(site, kernels, loads.get(site.name, {})) for site in sites.sites],
        "problems": problems,
    }


def _site_view(site: Site, kernels: Sequence[Environment], loads: Mapping[str, QueueInfo]) -> dict[str, Any]:
    environments = environments_of(site, kernels)
    size, queue = next(iter(site.sizes), None), next(iter(site.queues), None)
    walltime = (size.walltime if size else None) or (queue.limits.walltime if queue else None)
    batch = site if isinstance(site, BatchSite) else None
    return {
        "name": site.name,
        "title": site.label,
        "description": site.description,
        "kind": site.kind,
        "batch_system": batch.batch_system if batch else None,
        "layouts": list(site.layouts),
        "scheduler": {"place": batch.scheduler.place} if batch else None,
        "queues": [_queue_view(queue, loads.get(queue.name)) for queue in site.queues],
        "sizes": [_size_view(size) for size in site.sizes],
        "environments": [_environment_view(entry) for entry in environments],
        "accounts": list(site.accounts),
        "limits": site.limits.model_dump(mode="json"),
        "idle_timeout": format_walltime(site.idle_timeout),
        "options": [
            {
                "title": option.title or option.name,
                **option.model_dump(mode="json", exclude=_OF_THE_SITE),
            }
            for option in site.options
        ],
        "defaults": {
            "queue": queue.name if queue else None,
            "size": size.name if size else None,
            "workers": size.workers if size else site.workers,
            "scaling": _scaling_view(FixedScaling(workers=size.workers) if size else site.usual_scaling),
            "account": site.accounts[0] if site.accounts else None,
            "environment": environments[0].name if environments else None,
            "layout": site.layouts[0],
            "walltime": format_walltime(walltime),
        },
    }


def _scaling_view(scaling: Scaling) -> dict[str, Any]:
    return scaling.model_dump(mode="json", exclude={"workers"} if scaling.mode == "adaptive" else None)


def _queue_view(queue: Queue, info: QueueInfo | None) -> dict[str, Any]:
    return {
        "name": queue.name,
        "title": queue.title or queue.name,
        "limits": queue.limits.model_dump(mode="json"),
        "gpus": queue.gpus,
        "load": None if info is None else {"open": info.is_open, **{name: getattr(info, name) for name in _LOAD}},
    }


def _environment_view(environment: Environment) -> dict[str, Any]:
    image = environment.image
    return {
        "name": environment.name,
        "title": environment.label,
        "kind": environment.kind,
        "image": None if image is None else {**image.model_dump(mode="json"), "default": image.preset},
    }


def _size_view(size: Size) -> dict[str, Any]:
    return {**size.model_dump(mode="json"), "title": size.title or size.name}

"""What users see of a cluster: made from the record each time, never stored, and free of secrets."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import Any

from hpcdask_ext.clusters.groups import WorkerGroup
from hpcdask_ext.clusters.models import GENERATION, Cluster, Job, Script
from hpcdask_ext.clusters.states import JobState, Role
from hpcdask_ext.control.client_code import client_code
from hpcdask_ext.control.gateway_code import gateway_code
from hpcdask_ext.control.idle import idle_ends_at
from hpcdask_ext.control.usage import core_hours, cores_running
from hpcdask_ext.sites.group_request import room_for
from hpcdask_ext.sites.models import Site
from hpcdask_ext.sites.units import format_walltime


def cluster_view(cluster: Cluster, site: Site | None, base_url: str) -> dict[str, Any]:
    """Return a cluster as JSON; see `docs/reference/rest.md`."""
    main, groups = cluster.main, [_group_view(group, cluster, site) for group in cluster.groups]
    is_up = cluster.dashboard is not None and not cluster.state.is_final
    hours = core_hours(cluster, datetime.now(timezone.utc))
    return {
        "id": cluster.id,
        "kind": cluster.kind,
        "name": cluster.name,
        "site": cluster.site,
        "site_title": cluster.site_title,
        "queue": main.queue,
        "layout": cluster.layout,
        "account": cluster.account,
        "size": main.size,
        "environment": cluster.environment.name,
        "environment_title": cluster.environment.label,
        "image": cluster.image,
        "script": _script_view(cluster.script),
        "exit_code": cluster.exit_code,
        "state": cluster.state.value,
        "reason": cluster.reason,
        "reachable": cluster.reachable,
        "unreachable_since": utc(cluster.unreachable_since),
        "created": utc(cluster.created),
        "started": utc(cluster.started),
        "ended": utc(cluster.ended),
        "ends_at": utc(_ends_at(cluster)),
        "estimated_start": utc(_estimated_start(cluster)),
        "walltime": format_walltime(main.walltime),
        "workers": {what: sum(group["workers"][what] for group in groups) for what in groups[0]["workers"]},
        **{what: sum(group[what] for group in groups) for what in ("cores", "memory", "gpus")},
        "scaling": groups[0]["scaling"],
        "limits": groups[0]["limits"],
        "groups": groups,
        **_abilities(cluster),
        "clients": cluster.clients,
        "idle_ends_at": utc(idle_ends_at(cluster)),
        "core_hours": None if hours is None else round(hours, 4),
        "cores_running": cores_running(cluster),
        "jobs": [view for job in cluster.jobs for view in _job_views(job)],
        "scheduler": {
            "address": cluster.address,
            "file": None if cluster.kind == "adopted" else str(cluster.scheduler_file),
        },
        "dashboard_url": f"hpcdask/proxy/{cluster.id}/" if is_up else None,
        "client_code": _code(cluster, site, base_url),
        "warnings": list(cluster.warnings),
    }


def _abilities(cluster: Cluster) -> dict[str, bool]:
    """Return what can be done with a cluster of its kind."""
    is_ours = cluster.kind != "adopted"
    is_elastic = is_ours and cluster.layout == "elastic"
    can_adapt = is_elastic and (cluster.kind != "batch" or cluster.generation >= GENERATION)
    return {"can_scale": is_ours, "can_grow": is_elastic, "can_adapt": can_adapt, "can_forget": not is_ours}


def _code(cluster: Cluster, site: Site | None, base_url: str) -> str | None:
    if cluster.state.is_final:
        return None
    is_gateways = cluster.kind == "gateway"
    return gateway_code(cluster, site, base_url) if is_gateways else client_code(cluster, base_url)


def _group_view(group: WorkerGroup, cluster: Cluster, site: Site | None) -> dict[str, Any]:
    requested = group.connected if cluster.kind == "adopted" else group.scaling.workers
    hidden = {"workers"} if group.scaling.mode == "adaptive" else None
    worker = {what: getattr(group.shape, what) for what in ("cores", "memory", "gpus")}
    # Where somebody else decides what a worker has, a cluster has a single group.
    found = (cluster.threads, cluster.memory_limit) if group.connected else (0, 0)
    connected = {"cores": found[0], "memory": found[1], "gpus": 0}
    pending = 0 if cluster.state.is_final else max(0, requested - group.connected)
    return {
        "name": group.name,
        "queue": group.queue,
        "size": group.size,
        "walltime": format_walltime(group.walltime),
        "workers": {"requested": requested, "pending": pending, "running": group.connected},
        **({what: requested * each for what, each in worker.items()} if group.shape.cores else connected),
        "worker": worker,
        "scaling": group.scaling.model_dump(mode="json", exclude=hidden),
        "limits": {"workers": _most_workers(group, cluster, site)},
        "resources": group.resources,
    }


def _most_workers(group: WorkerGroup, cluster: Cluster, site: Site | None) -> int | None:
    """Return how many workers a group may have, or None if that is not limited."""
    queue = site.queue(group.queue) if site else None
    if queue is None:
        return site.limits.workers if site else None
    return room_for(group, cluster.groups, queue)


def _script_view(script: Script | None) -> dict[str, Any] | None:
    return None if script is None else {"path": str(script.path), "arguments": list(script.arguments)}


def _job_views(job: Job) -> list[dict[str, Any]]:
    """Return one entry for each group of a job's elements that are in the same state for the same reason."""
    if job.id is None and job.submitted is None:
        state = JobState.SUBMITTING.value
        entry = {"id": job.name, "role": job.role.value, "group": job.group, "state": state, "reason": ""}
        return [{**entry, "node": None, "count": len(job.elements)}]
    groups = Counter((element.state, element.reason) for element in job.elements.values())
    views = []
    for (state, reason), count in groups.items():
        members = [element for element in job.elements.values() if (element.state, element.reason) == (state, reason)]
        nodes = sorted({element.node for element in members if element.node})
        node = ", ".join(nodes) or None
        entry = {"id": job.id or job.name, "role": job.role.value, "group": job.group, "state": state.value}
        views.append({**entry, "reason": reason, "node": node, "count": count})
    return views


def _ends_at(cluster: Cluster) -> datetime | None:
    """Return when the walltime ends the cluster: the last worker, or the scheduler's job where that is earlier.

    Workers of an adaptive cluster are replaced.
    """
    if cluster.state.is_final:
        return None
    ends: dict[Role, list[datetime]] = {role: [] for role in Role}
    for job in cluster.jobs:
        if job.role is Role.WORKER and cluster.is_adaptive:
            continue
        starts = [job.elements[index].started for index in job.live]
        ends[job.role] += [start + job.walltime for start in starts if start and job.walltime]
    last = [max(times) for times in ends.values() if times]
    return min(last) if last else None


def _estimated_start(cluster: Cluster) -> datetime | None:
    if cluster.started is not None or cluster.state.is_final:
        return None
    starts = [job.estimated_start for job in cluster.jobs if job.estimated_start is not None and job.live]
    return min(starts) if starts else None


def utc(time: datetime | None) -> str | None:
    """Return a time as JSON has it."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None

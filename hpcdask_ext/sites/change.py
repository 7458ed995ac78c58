"""How a user wants a cluster changed, checked against the site and the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpcdask_ext.clusters.groups import AdaptiveScaling, Scaling
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.sites.bodies import ChangeRequest, read_fields, unknown
from hpcdask_ext.sites.group_request import check_queue, check_scaling, read_scaling
from hpcdask_ext.sites.limits import NO_QUEUE
from hpcdask_ext.sites.models import Queue, Site


@dataclass(frozen=True)
class Change:
    """A checked change of a cluster: its new name, and a group's new scaling."""

    name: str | None
    group: str
    scaling: Scaling | None


def read_change(body: Mapping[str, Any], site: Site | None, cluster: Cluster) -> Change:
    """Return the change of a cluster that `body` asks for.

    Raises
    ------
    InvalidRequest
        With every field that is wrong.
    """
    request, errors = read_fields(body, ChangeRequest)
    known = [group.name for group in cluster.groups]
    name = request.group or cluster.main.name
    scaling = None
    if name not in known:
        errors.append(FieldError("group", unknown("group", name, known)))
    elif request.scaling is not None:
        group = cluster.group(name)
        scaling = read_scaling(request.scaling, "scaling", errors)
        queue = (site.queue(group.queue) if site else None) or _whole(site)
        errors += check_scaling(scaling, "scaling.workers", group.shape, queue)
        others = [other for other in cluster.groups if other.name != name]
        changed = group.model_copy(update={"scaling": scaling})
        errors += check_queue([*others, changed], "scaling.workers", cluster.layout, queue)
        errors += _check_single_job(cluster, scaling)
    if errors:
        raise InvalidRequest(errors)
    return Change(request.name, name, scaling)


def _whole(site: Site | None) -> Queue:
    return Queue(name=NO_QUEUE, title=site.label, limits=site.limits) if site else Queue(name=NO_QUEUE)


def _check_single_job(cluster: Cluster, scaling: Scaling) -> list[FieldError]:
    """Return what keeps a cluster that is a single job from being scaled so."""
    if cluster.layout != "allocation":
        return []
    if isinstance(scaling, AdaptiveScaling):
        message = "A cluster that is a single job cannot adapt: launch one with the layout “elastic”"
        return [FieldError("scaling.mode", message)]
    most = cluster.main.scaling.workers
    if scaling.workers <= most:
        return []
    remedy = f"choose at most {most}, or launch another cluster"
    message = f"This cluster is a single job, which can shrink but not grow: {remedy}"
    return [FieldError("scaling.workers", message)]

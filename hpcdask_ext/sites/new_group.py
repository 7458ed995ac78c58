"""Workers of another kind that a user adds to a cluster, checked against the site and the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpcdask_ext.clusters.groups import WorkerGroup
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.errors import FieldError, InvalidRequest, WrongState
from hpcdask_ext.sites.bodies import MOST_GROUPS, GroupBody, read_fields
from hpcdask_ext.sites.group_request import GroupChecker, check_queue
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.models import Site


def read_new_group(body: Mapping[str, Any], sites: Sites, cluster: Cluster) -> WorkerGroup:
    """Return the group that `body` asks for, the site's defaults filled in.

    Raises
    ------
    WrongState
        The cluster cannot have other workers, or not now.
    InvalidRequest
        With every field that is wrong.
    """
    site = _site(sites, cluster)
    request, errors = read_fields(body, GroupBody)
    checker = GroupChecker(site, request, "", errors)
    group = checker.group()
    if any(known.name == group.name for known in cluster.groups):
        errors.append(FieldError("name", f"There is a group {group.name!r} already: scale it, or choose another name"))
    if len(cluster.groups) > MOST_GROUPS:
        errors.append(FieldError("name", f"There are {MOST_GROUPS} more groups already, which is the most"))
    errors += check_queue((*cluster.groups, group), checker.workers_field, cluster.layout, checker.queue)
    if errors:
        raise InvalidRequest(errors)
    return group


def _site(sites: Sites, cluster: Cluster) -> Site:
    """Return the cluster's site, or raise if it cannot get other workers there."""
    if not cluster.state.is_scalable:
        raise WrongState(f"“{cluster.name}” is {cluster.state.value} and cannot get other workers now.")
    if cluster.kind != "batch":
        raise WrongState(f"“{cluster.name}” cannot get other workers: they are not jobs of a batch system.")
    if cluster.layout == "allocation":
        raise WrongState(f"“{cluster.name}” is a single job and cannot get other workers: launch an elastic cluster.")
    site = sites.get(cluster.site)
    if site is None:
        raise WrongState(f"The site “{cluster.site}” has no valid site file here: ask your administrator.")
    return site

"""What a job has found out about its environment, where only a job can check that."""

from __future__ import annotations

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.reports import Reports
from hpcdask_ext.clusters.states import Role
from hpcdask_ext.errors import EnvironmentUnusable
from hpcdask_ext.sites.probe import Probed, examine_report


def with_check(cluster: Cluster, reports: Reports) -> Cluster:
    """Return a cluster with the versions and warnings that its job has found, once there are any."""
    if cluster.versions:
        return cluster
    try:
        found = _found(cluster, reports)
    except EnvironmentUnusable:  # the job ends by itself, and the cluster with it
        return cluster
    changes = {"versions": dict(found.versions), "warnings": (*cluster.warnings, *found.warnings)}
    return cluster.model_copy(update=changes) if found.versions else cluster


def unusable_environment(cluster: Cluster, reports: Reports) -> str:
    """Return why the cluster's environment cannot run Dask, if its job has found out that."""
    try:
        _found(cluster, reports)
    except EnvironmentUnusable as error:
        return error.message
    return ""


def _found(cluster: Cluster, reports: Reports) -> Probed:
    if cluster.environment.probe == "job":
        for job in cluster.jobs:
            report = reports.get((job.tag, 1))
            if job.role is not Role.WORKER and report is not None and report.probe:
                return examine_report(cluster.environment, report.probe) or Probed()
    return Probed()

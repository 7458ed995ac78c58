"""How and why a cluster ends: pure functions of its record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hpcdask_ext.clusters.models import Cluster, ClusterState, Element, Job, JobState, Role
from hpcdask_ext.clusters.reports import Reports
from hpcdask_ext.control.job_check import unusable_environment


def ending(cluster: Cluster, reports: Reports, *, is_connected: bool) -> tuple[ClusterState, str] | None:
    """Return how and why a cluster has to end, or None if it does not.

    `is_connected` says that workers are connected, whatever is known about their jobs.
    """
    for job in cluster.jobs:
        if job.role is not Role.WORKER and job.elements[1].state.is_final:
            if reason := unusable_environment(cluster, reports):
                return ClusterState.FAILED, reason
            if cluster.script is not None:
                return _ending_of_script(cluster.script.path.name, job)
            return _ending_of_scheduler(job.elements[1], job.walltime)
    workers = [element for job in cluster.jobs if job.role is Role.WORKER for element in job.elements.values()]
    is_working = any(not element.state.is_final for element in workers) or is_connected
    if not workers or is_working or cluster.scaling.workers == 0:
        return None
    return _ending_of_workers(workers, cluster.walltime)


def _ending_of_scheduler(scheduler: Element, walltime: timedelta | None) -> tuple[ClusterState, str]:
    if scheduler.state is JobState.ENDED:
        return (
            ClusterState.STOPPED,
            "The scheduler was shut down by a client, by another process, or because it was idle.",
        )
    if is_over(scheduler, walltime):
        return ClusterState.STOPPED, "The scheduler's job reached its walltime (walltime)."
    return ClusterState.FAILED, f"The scheduler failed ({scheduler.reason}): see its log."


def _ending_of_script(name: str, job: Job) -> tuple[ClusterState, str]:
    element = job.elements[1]
    if is_over(element, job.walltime):
        return ClusterState.FAILED, f"“{name}” was ended because the job reached its walltime (walltime)."
    if element.state is JobState.ENDED:
        return ClusterState.STOPPED, f"“{name}” has ended with exit code 0."
    return ClusterState.FAILED, f"“{name}” has failed ({element.reason}): see its log."


def _ending_of_workers(workers: Sequence[Element], walltime: timedelta | None) -> tuple[ClusterState, str]:
    if any(is_over(element, walltime) for element in workers):
        return ClusterState.STOPPED, "The workers' jobs reached their walltime (walltime)."
    reasons = sorted({element.reason for element in workers if element.state is JobState.FAILED})
    if reasons:
        return ClusterState.FAILED, f"All worker jobs have failed or ended ({'; '.join(reasons)}): see their logs."
    return ClusterState.STOPPED, "All workers have ended."


def is_over(element: Element, walltime: timedelta | None) -> bool:
    """Return whether an element reached its walltime: the batch system says so, or it ran for about that long."""
    if element.at_walltime:
        return True
    if walltime is None or element.started is None or element.ended is None:
        return False
    return element.ended - element.started >= walltime - min(timedelta(minutes=1), walltime / 10)

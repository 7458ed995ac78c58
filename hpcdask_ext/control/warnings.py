"""What a cluster warns of: made anew from each observation, so that a warning goes when its reason does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.states import Role
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.endings import is_over
from hpcdask_ext.sites.versions import differences, is_difference

_SEE_LOGS = ": see their logs."
_RECENT = timedelta(hours=1)


def warnings(cluster: Cluster, status: SchedulerStatus | None, now: datetime) -> tuple[str, ...]:
    """Return what a live cluster warns of; `status` is its scheduler's last answer, if it answers."""
    kept = [text for text in cluster.warnings if not (text.endswith(_SEE_LOGS) or is_difference(text))]
    differing = [text for text in cluster.warnings if is_difference(text)]
    if status is not None:
        differing = [*differences(status.packages)]
    return (*kept, *differing, *_lost_jobs(cluster, now))


def _lost_jobs(cluster: Cluster, now: datetime) -> Iterator[str]:
    """Return a warning for each group whose worker jobs have been lost while others live.

    It goes an hour later, once another job has started since.
    """
    for group in cluster.groups:
        jobs = [job for job in cluster.jobs if job.role is Role.WORKER and job.group == group.name]
        elements = [(element, _is_missed(element, job)) for job in jobs for element in job.elements.values()]
        good = [element.started for element, is_missed in elements if element.started and not is_missed]
        since = min(max(good), now - _RECENT) if good else None
        recent = [pair for pair in elements if since is None or not pair[0].ended or pair[0].ended > since]
        missed = [element for element, is_missed in recent if is_missed]
        if missed:
            reasons = "; ".join(sorted({element.reason or "exit code 0" for element in missed}))
            what = "worker jobs" if len(cluster.groups) == 1 else f"worker jobs of the group “{group.name}”"
            yield f"{len(missed)} of {len(recent)} {what} failed or ended early ({reasons}){_SEE_LOGS}"


def _is_missed(element: Element, job: Job) -> bool:
    """Return whether an element is over although it was neither cancelled nor at its walltime."""
    return element.state.is_final and not element.cancelled and not is_over(element, job)

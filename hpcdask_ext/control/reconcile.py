"""From observations to records: pure functions from a record and an observation to the next record.

Three sources are combined: the files in which jobs report themselves, the scheduler's own answer, and the batch
system's, if it was asked. A source that could not be asked changes nothing but `reachable`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hpcdask_ext.batch.base import JobStatus
from hpcdask_ext.clusters.models import Cluster, ClusterState, Element, Job, JobState, Role
from hpcdask_ext.clusters.reports import Report, Reports
from hpcdask_ext.clusters.scheduler_api import SchedulerAddress, SchedulerStatus
from hpcdask_ext.launchers.base import Place

_SETTLING = timedelta(seconds=20)
"""How long after a submission a batch system may still not know the job, or a file system not show a report."""

Explain = Callable[[Place, str], str]


@dataclass(frozen=True)
class Answer:
    """What a batch system answered, and when."""

    time: datetime
    jobs: Sequence[JobStatus]


@dataclass(frozen=True)
class Observation:
    """What is known at one moment; None and missing entries mean not asked, or not answered.

    `silent` says why a source that should have answered did not, or is empty. `host` is the one whose processes were
    asked about.
    """

    time: datetime
    reports: Reports = field(default_factory=dict)
    address: SchedulerAddress | None = None
    scheduler: SchedulerStatus | None = None
    answers: Mapping[Place, Answer] = field(default_factory=dict)
    silent: str = ""
    host: str = field(default_factory=socket.gethostname)

    def with_trouble(self, trouble: str) -> Observation:
        """Return the observation with one more reason added to `silent`."""
        return replace(self, silent=f"{self.silent} {trouble}".strip())


def reconcile(cluster: Cluster, seen: Observation, explain: Explain) -> Cluster:
    """Return the record updated with what was seen.

    A cluster that has to end becomes `stopping`; the caller then cancels its remaining jobs, and once none is left its
    state becomes its `outcome`.
    """
    jobs = tuple(_reconcile_job(job, seen) for job in cluster.jobs)
    changes: dict[str, object] = {"jobs": jobs, "reachable": not seen.silent}
    if seen.address is not None:
        changes |= {"address": seen.address.comm, "dashboard": seen.address.dashboard}
    if seen.scheduler is not None:
        changes |= {"workers": seen.scheduler.workers, "clients": seen.scheduler.clients}
    return _reconcile_state(cluster.model_copy(update=changes), seen, explain)


def _reconcile_job(job: Job, seen: Observation) -> Job:
    # What runs on another host cannot be seen from this one, which does not mean that it is gone.
    answer = seen.answers.get(job.place) if job.host in (None, seen.host) else None
    statuses = [status for status in answer.jobs if status.name == job.name] if answer else []
    if job.id is None and statuses:  # the submission whose answer was lost
        job = job.model_copy(update={"id": statuses[0].job_id, "submitted": seen.time})
    is_asked = answer is not None and job.submitted is not None and answer.time - job.submitted > _SETTLING
    by_index = {index: status for status in statuses for index in status.indexes or ()}
    rest = next((status for status in statuses if status.indexes is None), None)
    elements = {
        index: element
        if element.state.is_final
        else _reconcile_element(
            element, seen.reports.get((job.tag, index), Report()), by_index.get(index, rest), is_asked, seen.time
        )
        for index, element in job.elements.items()
    }
    starts = [status.estimated_start for status in statuses if status.estimated_start is not None]
    estimated_start = min(starts) if starts else None if answer else job.estimated_start
    return job.model_copy(update={"elements": elements, "estimated_start": estimated_start})


def _reconcile_element(
    element: Element, report: Report, status: JobStatus | None, is_asked: bool, now: datetime
) -> Element:
    """Return the element updated from its own report, else from the batch system, else unchanged."""
    if report.started is not None:
        element = element.model_copy(
            update={"state": JobState.RUNNING, "reason": "", "started": report.started, "node": report.node}
        )
    if report.ended is not None:
        is_good = report.exit_code == 0 or element.cancelled
        reason = "" if is_good else f"exit code {report.exit_code}"
        if status is not None and status.state is JobState.FAILED and status.reason:
            reason = status.reason
        state = JobState.ENDED if is_good else JobState.FAILED
        changes = {"state": state, "reason": reason, "ended": report.ended, "exit_code": report.exit_code}
        return element.model_copy(update=changes)
    if status is not None and status.state.is_final:
        # To the user, an element that somebody else cancelled is as lost as one that failed.
        is_good = element.cancelled or (status.state is JobState.ENDED and not status.reason)
        state = JobState.ENDED if is_good else JobState.FAILED
        return element.model_copy(update={"state": state, "reason": status.reason, "ended": now})
    if status is not None and report.started is None and status.state is not JobState.UNKNOWN:
        return element.model_copy(update={"state": status.state, "reason": status.reason, "node": status.node})
    if status is None and is_asked:
        state = JobState.ENDED if element.cancelled else JobState.FAILED
        reason = "" if element.cancelled else "disappeared without a report: killed, or its node failed"
        return element.model_copy(update={"state": state, "reason": reason, "ended": now})
    return element


def _reconcile_state(cluster: Cluster, seen: Observation, explain: Explain) -> Cluster:
    if cluster.state.is_final or cluster.state is ClusterState.SUBMITTING:
        return cluster
    if cluster.state is ClusterState.STOPPING:
        return _finish(_with_silence(cluster, seen.silent), seen.time)
    if ending := _ending(cluster, seen):
        outcome, reason = ending
        changes = {"state": ClusterState.STOPPING, "outcome": outcome, "reason": reason}
        return _finish(cluster.model_copy(update=changes), seen.time)
    cluster = cluster.model_copy(update={"warnings": _warnings(cluster)})
    if seen.scheduler is not None and (cluster.workers or not cluster.scaling.workers or cluster.started):
        started = cluster.started or seen.time
        reason = "" if cluster.workers or not cluster.scaling.workers else _no_worker(cluster, explain)
        reason = seen.silent or reason
        return cluster.model_copy(update={"state": ClusterState.RUNNING, "reason": reason, "started": started})
    if cluster.started is not None:  # it ran, and its scheduler does not answer now
        return cluster.model_copy(update={"reason": seen.silent})
    return _not_running_yet(cluster, seen, explain)


def _with_silence(cluster: Cluster, silent: str) -> Cluster:
    """Return a stopping cluster with a warning that says what delays its end, if anything does."""
    kept = tuple(text for text in cluster.warnings if not text.startswith(_NOT_ENDED))
    return cluster.model_copy(update={"warnings": (*kept, f"{_NOT_ENDED}{silent}") if silent else kept})


def _finish(cluster: Cluster, now: datetime) -> Cluster:
    """Return a stopping cluster as ended if none of its jobs is left."""
    if any(job.live for job in cluster.jobs):
        return cluster
    state = cluster.outcome or ClusterState.STOPPED
    changes = {"state": state, "ended": now, "workers": 0, "clients": 0, "reachable": True, "dashboard": None}
    return _with_silence(cluster, "").model_copy(update=changes)


def _ending(cluster: Cluster, seen: Observation) -> tuple[ClusterState, str] | None:
    """Return how and why a cluster has to end, or None if it does not."""
    for job in cluster.jobs:
        if job.role is not Role.WORKER and job.elements[1].state.is_final:
            if cluster.script is not None:
                return _ending_of_script(cluster.script.path.name, job)
            return _ending_of_scheduler(job.elements[1], job.walltime)
    workers = [element for job in cluster.jobs if job.role is Role.WORKER for element in job.elements.values()]
    is_working = any(not element.state.is_final for element in workers) or bool(seen.scheduler and cluster.workers)
    if not workers or is_working or cluster.scaling.workers == 0:
        return None
    return _ending_of_workers(workers, cluster.walltime)


def _ending_of_scheduler(scheduler: Element, walltime: timedelta | None) -> tuple[ClusterState, str]:
    if scheduler.state is JobState.ENDED:
        return (
            ClusterState.STOPPED,
            "The scheduler was shut down by a client, by another process, or because it was idle.",
        )
    if _is_over(scheduler, walltime):
        return ClusterState.STOPPED, "The scheduler's job reached its walltime (walltime)."
    return ClusterState.FAILED, f"The scheduler failed ({scheduler.reason}): see its log."


def _ending_of_script(name: str, job: Job) -> tuple[ClusterState, str]:
    element = job.elements[1]
    if _is_over(element, job.walltime):
        return ClusterState.FAILED, f"“{name}” was ended because the job reached its walltime (walltime)."
    if element.exit_code == 0:
        return ClusterState.STOPPED, f"“{name}” has ended with exit code 0."
    return ClusterState.FAILED, f"“{name}” has failed ({element.reason}): see its log."


def _ending_of_workers(workers: Sequence[Element], walltime: timedelta | None) -> tuple[ClusterState, str]:
    if any(_is_over(element, walltime) for element in workers):
        return ClusterState.STOPPED, "The workers' jobs reached their walltime (walltime)."
    reasons = sorted({element.reason for element in workers if element.state is JobState.FAILED})
    if reasons:
        return ClusterState.FAILED, f"All worker jobs have failed or ended ({'; '.join(reasons)}): see their logs."
    return ClusterState.STOPPED, "All workers have ended."


def _is_over(element: Element, walltime: timedelta | None) -> bool:
    """Return whether an element reached its walltime: its reason says so, or it ran for about that long."""
    if element.reason in ("TIMEOUT", "DEADLINE"):
        return True
    if walltime is None or element.started is None or element.ended is None:
        return False
    return element.ended - element.started >= walltime - min(timedelta(minutes=1), walltime / 10)


def _not_running_yet(cluster: Cluster, seen: Observation, explain: Explain) -> Cluster:
    waiting = _waiting(cluster)
    if waiting is None:
        reason = seen.silent or ("Workers are starting" if seen.address else "The scheduler is starting")
        return cluster.model_copy(update={"state": ClusterState.STARTING, "reason": reason})
    place, word = waiting
    reason = seen.silent or explain(place, word)
    return cluster.model_copy(update={"state": ClusterState.PENDING, "reason": reason})


def _waiting(cluster: Cluster) -> tuple[Place, str] | None:
    """Return where and why the cluster waits in a queue, or None unless its scheduler or all its workers do."""
    for role in (Role.SCHEDULER, Role.ALLOCATION, Role.WORKER):
        jobs = [job for job in cluster.jobs if job.role is role and job.place == "batch"]
        live = [(job, job.elements[index]) for job in jobs for index in job.live]
        if live and all(element.state is JobState.PENDING for _, element in live):
            job, element = max(live, key=lambda pair: bool(pair[1].reason))
            return job.place, element.reason
    return None


def _no_worker(cluster: Cluster, explain: Explain) -> str:
    waiting = _waiting(cluster)
    return f"No worker is connected. {explain(*waiting)}" if waiting else "No worker is connected."


def _warnings(cluster: Cluster) -> tuple[str, ...]:
    """Return the cluster's other warnings, and one if worker jobs have been lost while others live."""
    kept = tuple(text for text in cluster.warnings if not text.endswith(_SEE_LOGS))
    jobs = [job for job in cluster.jobs if job.role is Role.WORKER]
    missed = [element for job in jobs for element in job.elements.values() if _is_missed(element, job.walltime)]
    if not missed:
        return kept
    reasons = "; ".join(sorted({element.reason or "exit code 0" for element in missed}))
    count = sum(len(job.elements) for job in jobs)
    return (*kept, f"{len(missed)} of {count} worker jobs failed or ended early ({reasons}){_SEE_LOGS}")


def _is_missed(element: Element, walltime: timedelta | None) -> bool:
    """Return whether an element is over although it was neither cancelled nor at its walltime."""
    return element.state.is_final and not element.cancelled and not _is_over(element, walltime)


_NOT_ENDED = "Some jobs could not be ended yet. "
_SEE_LOGS = ": see their logs."

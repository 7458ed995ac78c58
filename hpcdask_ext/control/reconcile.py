"""From observations to records: pure functions from a record and an observation to the next record.

Three sources are combined: the files in which jobs report themselves, the scheduler's own answer, and the batch
system's, if it was asked. A source that could not be asked changes nothing but `reachable`.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.reach import SchedulerAddress
from hpcdask_ext.clusters.reports import Report, Reports
from hpcdask_ext.clusters.states import ClusterState, JobState, Place, Role
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.classes import planned, why_not_up
from hpcdask_ext.control.elsewhere import GONE, followed, is_about
from hpcdask_ext.control.endings import Explain, ending
from hpcdask_ext.control.folding import folded
from hpcdask_ext.control.job_check import with_check
from hpcdask_ext.control.warnings import warnings

_MOMENT = timedelta(seconds=5)
_SETTLING = timedelta(seconds=20)
"""How long after a submission a batch system may still not know the job, or a file system not show a report."""


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
    if cluster.kind == "adopted" and cluster.state is ClusterState.RUNNING and not (seen.scheduler or seen.silent):
        return cluster  # nobody has answered or been given up yet, as after a restart of the server
    jobs = tuple(_reconcile_job(job, cluster, seen) for job in cluster.jobs)
    since = (cluster.unreachable_since or seen.time) if seen.silent else None
    changes: dict[str, object] = {"jobs": jobs, "reachable": not seen.silent, "unreachable_since": since}
    if seen.address is not None:
        changes |= {"address": seen.address.comm, "dashboard": seen.address.dashboard}
    if seen.scheduler is not None:
        changes |= _counts(cluster, seen.scheduler)
    return _reconcile_state(with_check(cluster.model_copy(update=changes), seen.reports), seen, explain)


def _counts(cluster: Cluster, status: SchedulerStatus) -> dict[str, object]:
    """Return what a scheduler's status changes in the record."""
    changes: dict[str, object] = {"workers": status.workers, "clients": status.clients}
    changes |= {"threads": status.nthreads, "memory_limit": status.memory_limit}
    groups = [(group, status.groups.get(group.name, 0)) for group in cluster.groups]
    if cluster.kind == "gateway":
        groups = [(group.model_copy(update={"scaling": followed(group, count)}), count) for group, count in groups]
    if cluster.kind == "factory":
        groups = [(planned(group, status.wishes, count), count) for group, count in groups]
    changes["groups"] = tuple(group.model_copy(update={"connected": count}) for group, count in groups)
    # A difference of moments is no news, and an older answer may still be seen after the user has kept the cluster.
    known, since = cluster.idle_since, status.idle_since
    changes["idle_since"] = known if since and known and since < known + _MOMENT else since
    return changes


def _reconcile_job(job: Job, cluster: Cluster, seen: Observation) -> Job:
    # What runs on another host cannot be seen from this one, which does not mean that it is gone.
    answer = seen.answers.get(job.place) if job.host in (None, seen.host) else None
    statuses = [status for status in answer.jobs if is_about(status, job, cluster)] if answer else []
    if job.id is None and statuses:  # the submission whose answer was lost
        job = job.model_copy(update={"id": statuses[0].job_id, "submitted": seen.time})
    is_asked = answer is not None and job.submitted is not None and answer.time - job.submitted > _SETTLING
    lost = GONE if cluster.kind == "gateway" else _GONE if job.id else _NEVER_SEEN
    gone = lost if is_asked else None
    by_index = {index: status for status in statuses for index in status.indexes or ()}
    rest = next((status for status in statuses if status.indexes is None), None)
    elements = {
        index: element
        if element.state.is_final
        else _reconcile_element(
            element, seen.reports.get((job.tag, index), Report()), by_index.get(index, rest), gone, seen.time
        )
        for index, element in job.elements.items()
    }
    starts = [status.estimated_start for status in statuses if status.estimated_start is not None]
    estimated_start = min(starts) if starts else None if answer else job.estimated_start
    return job.model_copy(update={"elements": elements, "estimated_start": estimated_start})


def _reconcile_element(
    element: Element, report: Report, status: JobStatus | None, gone: str | None, now: datetime
) -> Element:
    """Return the element updated from its own report, else from the batch system, else unchanged.

    `gone` says what has become of it if it has no status, and is None if the batch system need not know it yet.
    """
    if report.started is not None:
        element = element.model_copy(
            update={"state": JobState.RUNNING, "reason": "", "started": report.started, "node": report.node}
        )
    if report.ended is not None:
        is_good = report.exit_code == 0 or element.cancelled
        changes: dict[str, object] = {"ended": report.ended, "exit_code": report.exit_code}
        changes["state"] = JobState.ENDED if is_good else JobState.FAILED
        changes["reason"] = "" if is_good else f"exit code {report.exit_code}"
        if status is not None and status.state is JobState.FAILED and status.reason:
            changes |= {"reason": status.reason, "at_walltime": status.at_walltime}
        return element.model_copy(update=changes)
    if status is not None and status.state.is_final:
        # To the user, an element that somebody else cancelled is as lost as one that failed.
        is_good = element.cancelled or (status.state is JobState.ENDED and not status.reason)
        state = JobState.ENDED if is_good else JobState.FAILED
        changes = {"state": state, "reason": status.reason, "at_walltime": status.at_walltime, "ended": now}
        return element.model_copy(update=changes)
    if status is not None and report.started is None and status.state is not JobState.UNKNOWN:
        return element.model_copy(update={"state": status.state, "reason": status.reason, "node": status.node})
    if status is None and gone is not None:
        state = JobState.ENDED if element.cancelled else JobState.FAILED
        reason = "" if element.cancelled else gone
        return element.model_copy(update={"state": state, "reason": reason, "ended": now})
    return element


def _reconcile_state(cluster: Cluster, seen: Observation, explain: Explain) -> Cluster:
    if cluster.state.is_final or cluster.state is ClusterState.SUBMITTING:
        return cluster
    if cluster.state is ClusterState.STOPPING:
        return _finish(_with_silence(cluster, seen.silent), seen.time)
    if end := ending(cluster, seen.reports, explain, is_connected=bool(seen.scheduler and cluster.workers)):
        outcome, reason = end
        changes = {"state": ClusterState.STOPPING, "outcome": outcome, "reason": reason}
        return _finish(cluster.model_copy(update=changes), seen.time)
    cluster = folded(cluster.model_copy(update={"warnings": warnings(cluster, seen.scheduler, seen.time)}), seen.time)
    if seen.scheduler is not None and (cluster.workers or not cluster.wanted or cluster.started):
        started = cluster.started or seen.time
        reason = "" if cluster.workers or not cluster.wanted else _no_worker(cluster, explain)
        reason = seen.silent or reason
        return cluster.model_copy(update={"state": ClusterState.RUNNING, "reason": reason, "started": started})
    if cluster.started is not None:  # it ran, and its scheduler does not answer now
        note = _MAY_HAVE_ENDED if cluster.kind == "adopted" else ""
        return cluster.model_copy(update={"reason": f"{seen.silent}{note}"})
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
    groups = tuple(group.model_copy(update={"connected": 0}) for group in cluster.groups)
    counts = {"groups": groups, "workers": 0, "clients": 0, "idle_since": None}
    reach = {"reachable": True, "unreachable_since": None, "dashboard": None}
    changes = {"state": state, "ended": now, **counts, **reach}
    return _with_silence(cluster, "").model_copy(update=changes)


def _not_running_yet(cluster: Cluster, seen: Observation, explain: Explain) -> Cluster:
    waiting = _waiting(cluster)
    if waiting is None:
        reason = seen.silent or ("Workers are starting" if seen.address else why_not_up(cluster, seen.time))
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


_MAY_HAVE_ENDED = " If the cluster has ended, forget it."
_NOT_ENDED = "Some jobs could not be ended yet. "
_GONE = "disappeared without a report: killed, or its node failed"
_NEVER_SEEN = "the batch system never answered its submission, and does not know it"

"""How and why a cluster ends: pure functions of its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.reports import Report, Reports
from hpcdask_ext.clusters.states import ClusterState, JobState, Place, Role
from hpcdask_ext.control.job_check import unusable_environment
from hpcdask_ext.sites.units import time_in_words

Explain = Callable[[Place, str], str]
"""Returns a sentence for a batch system's own word, with the word in brackets."""


def ending(
    cluster: Cluster, reports: Reports, explain: Explain, *, is_connected: bool
) -> tuple[ClusterState, str] | None:
    """Return how and why a cluster has to end, or None if it does not.

    `is_connected` says that workers are connected, whatever is known about their jobs.
    """
    idle = [report.idle for report in reports.values() if report.idle is not None]
    if idle:  # known before the jobs end, of which those with workers may be the first
        time = time_in_words(timedelta(seconds=idle[0]))
        return ClusterState.STOPPED, f"It ended because it was idle for {time}: it had neither a client nor a task."
    for job in cluster.jobs:
        if job.role is not Role.WORKER and job.elements[1].state.is_final:
            if reason := unusable_environment(cluster, reports):
                return ClusterState.FAILED, reason
            if cluster.script is not None:
                return _ending_of_script(cluster.script.path.name, job, explain)
            told = reports.get((job.tag, 1), Report()).reason
            return (ClusterState.FAILED, told) if told else _ending_of_scheduler(job, explain)
    workers = [(job, element) for job in cluster.jobs if job.role is Role.WORKER for element in job.elements.values()]
    is_working = any(not element.state.is_final for _, element in workers) or is_connected
    if not workers or is_working or cluster.wanted == 0:
        return None
    outcome, reason = _ending_of_workers(workers, explain)
    # There will be other workers, for as long as the scheduler stays.
    goes_on = cluster.is_adaptive and (cluster.started is not None or outcome is ClusterState.STOPPED)
    return None if goes_on else (outcome, reason)


def _ending_of_scheduler(job: Job, explain: Explain) -> tuple[ClusterState, str]:
    scheduler = job.elements[1]
    if scheduler.state is JobState.ENDED:
        return (
            ClusterState.STOPPED,
            "The scheduler was shut down by a client, by another process, or by Dask's own idle timeout.",
        )
    if is_over(scheduler, job):
        return ClusterState.STOPPED, "The scheduler's job reached its walltime (walltime)."
    return ClusterState.FAILED, _failure("The scheduler failed", "its log", explain, [(job.place, scheduler.reason)])


def _ending_of_script(name: str, job: Job, explain: Explain) -> tuple[ClusterState, str]:
    element = job.elements[1]
    if is_over(element, job):
        return ClusterState.FAILED, f"“{name}” was ended because the job reached its walltime (walltime)."
    if element.state is JobState.ENDED:
        return ClusterState.STOPPED, f"“{name}” has ended with exit code 0."
    return ClusterState.FAILED, _failure(f"“{name}” has failed", "its log", explain, [(job.place, element.reason)])


def _ending_of_workers(workers: Sequence[tuple[Job, Element]], explain: Explain) -> tuple[ClusterState, str]:
    if any(is_over(element, job) for job, element in workers):
        return ClusterState.STOPPED, "The workers' jobs reached their walltime (walltime)."
    failed = {(job.place, element.reason) for job, element in workers if element.state is JobState.FAILED}
    if failed:
        begin = "All worker jobs have failed or ended"
        return ClusterState.FAILED, _failure(begin, "their logs", explain, sorted(failed))
    return ClusterState.STOPPED, "All workers have ended."


def _failure(begin: str, logs: str, explain: Explain, found: Sequence[tuple[Place, str]]) -> str:
    """Return what has failed and why: in sentences of ours where there are some, else in the words that were found."""
    # A job that is over does not wait: that is what is said of words without a sentence.
    texts = [explain(place, reason) for place, reason in found]
    told = [text for text in texts if text and not text.startswith("Waiting")]
    if told:
        return f"{begin}. {'. '.join(told)}."
    return f"{begin} ({'; '.join(reason for _, reason in found)}): see {logs}."


def is_over(element: Element, job: Job) -> bool:
    """Return whether an element reached its walltime.

    The batch system says so, or it ran for about that long, or its workers ended by themselves ahead of it.
    """
    if element.at_walltime:
        return True
    if element.started is None or element.ended is None:
        return False
    ran = element.ended - element.started
    if job.lifetime is not None and element.state is JobState.ENDED and ran >= job.lifetime:
        return True
    return job.walltime is not None and ran >= job.walltime - min(timedelta(minutes=1), job.walltime / 10)

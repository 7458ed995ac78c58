"""Whether the newest workers of a group did not last: a pure function of the record.

What keeps workers from working, such as a broken environment or a network that they cannot cross, is not cured by more
of them. An adaptive group then pauses and tries single jobs, ever more rarely, until one lasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from hpcdask_ext.clusters.groups import MAIN_GROUP, WorkerGroup
from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.states import Role
from hpcdask_ext.control.adaptive import Setback
from hpcdask_ext.control.endings import is_over
from hpcdask_ext.sites.pace import Pace
from hpcdask_ext.sites.units import time_in_words

_MOST_PAUSES = 6
_PAUSED = "Adapting is paused"


def setback(
    cluster: Cluster, group: WorkerGroup, pace: Pace, now: datetime, forgiven: datetime | None = None
) -> Setback | None:
    """Return what keeps a group from growing, or None; what ended before it was `forgiven` does not count."""
    # A submission that was lost counts as refused where it was made: nothing of it has started.
    elements = [
        (job, element)
        for job in cluster.jobs
        if job.role is Role.WORKER and job.group == group.name and (job.id is not None or job.live)
        for element in job.elements.values()
    ]
    row = list(_row(elements, pace, now, forgiven))
    if len(row) < pace.failures:
        return None
    rounds = len({job.tag for job, _ in row})
    pause = pace.pause * min(_MOST_PAUSES, max(1, rounds - pace.failures + 1))
    reasons = "; ".join(sorted({element.reason or "exit code 0" for _, element in row}))
    where = _of(group.name) if len(cluster.groups) > 1 else _PAUSED
    warning = (
        f"{where}: the last {len(row)} worker jobs ended soon after their start ({reasons}). One more is tried "
        f"after {time_in_words(pause)}. Their logs say what to correct; changing the scaling tries again at once."
    )
    until = max(_end(element, now) for _, element in row) + pause
    return Setback(None if _is_tried(elements, pace, now) else until, warning)


def with_warning(cluster: Cluster, group_name: str, warning: str | None) -> Cluster:
    """Return the cluster with the warning that a group does not grow now, or without it."""
    # Other groups may have been added since.
    where = (_of(group_name), f"{_PAUSED}:") if group_name == MAIN_GROUP else _of(group_name)
    kept = tuple(text for text in cluster.warnings if not text.startswith(where))
    warnings = (*kept, warning) if warning else kept
    return cluster if warnings == cluster.warnings else cluster.model_copy(update={"warnings": warnings})


def _of(group_name: str) -> str:
    return f"{_PAUSED} for the workers “{group_name}”"


def _is_tried(elements: Sequence[tuple[Job, Element]], pace: Pace, now: datetime) -> bool:
    """Return whether some job waits, or has run for too short a time to tell whether it lasts."""
    live = [element for _, element in elements if not (element.state.is_final or element.cancelled)]
    return any(element.started is None or now - element.started < pace.early for element in live)


def _row(
    elements: Sequence[tuple[Job, Element]], pace: Pace, now: datetime, forgiven: datetime | None
) -> Iterator[tuple[Job, Element]]:
    """Return those that did not last, since the start of the newest one that did."""
    lasting = [e.started for _, e in elements if e.started and _end(e, now) - e.started >= pace.early]
    proven = max(lasting, default=None)
    for job, element in elements:
        if not element.state.is_final or element.cancelled or is_over(element, job):
            continue
        end = _end(element, now)
        start = element.started or end
        is_newer = proven is None or start > proven
        if end - start < pace.early and is_newer and (forgiven is None or end > forgiven):
            yield job, element


def _end(element: Element, now: datetime) -> datetime:
    return element.ended or now

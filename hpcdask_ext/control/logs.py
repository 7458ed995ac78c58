"""The last lines of a cluster's logs, including those of jobs that have ended."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hpcdask_ext.clusters.models import Cluster, Job
from hpcdask_ext.clusters.states import JobState, Role
from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.launchers.jobs import LAUNCH_LOG

_COMPLAINT = re.compile(r"error|exception|fail|not found|no such|denied|cannot|killed|exceed", re.IGNORECASE)
_ROLES = ("scheduler", "worker", "allocation", "launch")
_MOST_LINES = 10_000
_BYTES_PER_LINE = 400  # read this much for each line requested; with longer lines, fewer are returned
_MOST_BYTES = 1_000_000


def read_logs(cluster: Cluster, role: str | None, job: str | None, tail: str | None) -> list[dict[str, Any]]:
    """Return the last `tail` lines of each log, for one role, one job, or all; does file I/O.

    `job` is the id of a job (all elements of its array) or ``ID_INDEX`` (one element).

    Raises
    ------
    InvalidRequest
        There is no such role, or `tail` is not a valid number of lines.
    """
    lines = _check(role, tail or "200")
    return [
        {"job": name, "role": log_role, **_end_of(path, lines)}
        for name, log_role, path in _paths(cluster)
        if path.exists() and role in (None, log_role) and (job is None or job in (name, name.rpartition("_")[0]))
    ]


def last_words(cluster: Cluster) -> str:
    """Return the last complaint in the log of the first job that failed, or an empty text; does file I/O."""
    failed = (
        (job, index)
        for job in cluster.jobs
        for index, element in job.elements.items()
        if element.state is JobState.FAILED
    )
    for job, index in failed:
        # In an allocation without a script, it is the first task that failed, or the starter that should start it.
        first = [_task_path(cluster, job, 0)] if job.role is Role.ALLOCATION and not cluster.script else []
        complaints = (_complaint(path) for path in (*first, _path(cluster, job, index)) if path.exists())
        return next(filter(None, complaints), "")
    return ""


def _complaint(path: Path) -> str:
    lines = str(_end_of(path, 50)["text"]).splitlines()
    return next((line.strip() for line in reversed(lines) if _COMPLAINT.search(line)), "")


def _check(role: str | None, tail: str) -> int:
    errors = []
    if role not in (None, *_ROLES):
        errors.append(FieldError("role", f"{role!r} is not one of {', '.join(_ROLES)}"))
    if not tail.isdecimal() or not 1 <= int(tail) <= _MOST_LINES:
        errors.append(FieldError("tail", f"{tail!r} is not a number of lines from 1 to {_MOST_LINES}"))
    if errors:
        raise InvalidRequest(errors)
    return int(tail)


def _paths(cluster: Cluster) -> Iterator[tuple[str, str, Path]]:
    yield "launch", "launch", cluster.directory / "logs" / LAUNCH_LOG
    for job in cluster.jobs:
        name = job.id or job.name
        for index in job.elements:
            shown = name if len(job.elements) == 1 else f"{name}_{index}"
            yield shown, job.role.value, _path(cluster, job, index)
        if job.role is Role.ALLOCATION:
            for task in range(job.tasks + 1):
                role = Role.WORKER if task else Role.SCHEDULER
                yield f"{name}_task-{task}", role.value, _task_path(cluster, job, task)


def _path(cluster: Cluster, job: Job, index: int) -> Path:
    return cluster.directory / "logs" / f"{job.tag}.{index}.log"


def _task_path(cluster: Cluster, job: Job, task: int) -> Path:
    return cluster.directory / "logs" / f"{job.tag}.task-{task}.log"


def _end_of(path: Path, lines: int) -> dict[str, Any]:
    most = min(lines * _BYTES_PER_LINE, _MOST_BYTES)
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            text = file.read().decode("utf-8", "replace")
    except OSError as error:
        return {"text": f"This log cannot be read: {error.strerror}.", "truncated": False}
    kept = text.splitlines()[-lines:]
    is_truncated = size > most or len(kept) < len(text.splitlines())
    return {"text": "\n".join(kept), "truncated": is_truncated}

"""What LSF's commands answer: lists of jobs, of queues, of user groups, and complaints.

The forms are those of the IBM Spectrum LSF 10.1 command reference: `bjobs -o` with `-json`, `bqueues -l`, `bugroup -w`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.batch.indexes import parse_indexes
from hpcdask_ext.batch.lsf_words import CANCELLED, STATES, telling
from hpcdask_ext.batch.records import JOB_NAMES, CommandResult, JobStatus, QueueInfo
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import NotUnderstood

_UNREACHABLE = (
    r"please wait|daemon (\(lim\) )?not responding|lsf is down|lim is down|cannot connect to lsf|locate master lim"
    "|communication time ?out|timeout on connect|connection is lost|not registered"
    "|failed in sending/receiving a message|failed in an lsf library call|server is not connected|internal error"
    r"|unable to open file lsf\.conf|bad configuration environment|cannot allocate memory|batch daemon cannot fork"
)
# LSF asks again and again, and says so, until it is answered or until it is stopped.
_NOISE = re.compile(r".*(please wait|still trying).*\n?", re.IGNORECASE)
COMPLAINTS = Complaints("LSF", _UNREACHABLE, lambda text: _NOISE.sub("", text) or text)
_NO_JOBS = re.compile(rf"^(No (unfinished )?job found|Job <{JOB_NAMES}\*> is not found)", re.MULTILINE)
_NO_GROUPS = re.compile(r"^No user(/host)? group defined", re.MULTILINE)
_JOB_ID = re.compile(r"(\d+)(?:\[(\d+)\])?", re.ASCII)
_NAME = re.compile(r"(.*)\[(\d+)\]", re.ASCII | re.DOTALL)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) +(?P<day>\d+) (?P<hour>\d+):(?P<minute>\d+)(:(?P<second>\d+))?"
    r"( (?P<year>\d{4}))?( [A-Z])?",
    re.ASCII,
)
_QUEUE = re.compile(r"^QUEUE: (\S+)\n", re.MULTILINE)
_RUN_LIMIT = re.compile(r"^ *(?P<names>[A-Z ]*\bRUNLIMIT\b[A-Z ]*)\n(?P<values>.*)$", re.MULTILINE)


def job_statuses(result: CommandResult) -> Sequence[JobStatus]:
    """Return one status for each element that bjobs lists. Only its own words make an empty list of no list."""
    start = re.search(r"^\s*\{", result.stdout, re.MULTILINE)
    if start is None:
        if _NO_JOBS.search(result.stderr) or _NO_JOBS.search(result.stdout):
            return []
        COMPLAINTS.check(result, "did not list the jobs")
        raise NotUnderstood(f"bjobs answered without a list of jobs: {result.words[:500]!r}")
    try:
        answer = json.loads(result.stdout[start.start() :], strict=False)
        records = answer["RECORDS"]
        if answer["COMMAND"] != "bjobs" or int(answer["JOBS"]) != len(records):
            raise ValueError("it is not complete")
        return [_status(record) for record in records]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotUnderstood(f"bjobs's answer cannot be read ({error}): {result.stdout[:500]!r}") from error


def _status(record: Mapping[str, Any]) -> JobStatus:
    job_id = _JOB_ID.fullmatch(record["JOBID"])
    if job_id is None:
        raise ValueError(f"{record['JOBID']!r} is not the id of a job")
    # The elements of an array are told apart by their names: `name[3]`.
    name = _NAME.fullmatch(record["JOB_NAME"])
    index = job_id[2] or (name and name[2])
    state = STATES.get(record["STAT"], JobState.UNKNOWN)
    reason = record["STAT"]
    if record["STAT"] == "EXIT" and record["EXIT_REASON"]:
        reason = record["EXIT_REASON"].partition(":")[0].strip()
        state = JobState.ENDED if reason in CANCELLED else state
    elif state is JobState.PENDING:
        reason = telling(record["PEND_REASON"])
    elif record["STAT"] in ("RUN", "DONE"):
        reason = ""
    host = record["EXEC_HOST"].split(":")[0].split("*")[-1].strip(" -")
    return JobStatus(
        job_id=job_id[1],
        name=name[1] if name else record["JOB_NAME"],
        state=state,
        indexes=parse_indexes(index) if index else None,
        reason=reason,
        node=host or None,
        estimated_start=_time(record["ESTIMATED_START_TIME"]) if state is JobState.PENDING else None,
    )


def _time(text: str) -> datetime | None:
    """Return a time such as ``Nov 20 15:04 2026``, or None. Without a year it is the one that is nearest to now."""
    match = _TIME.fullmatch(text.strip())
    if match is None or match["month"] not in _MONTHS:
        return None
    month = 1 + _MONTHS.index(match["month"])
    day, hour, minute, second = (int(match[name] or 0) for name in ("day", "hour", "minute", "second"))
    now = datetime.now(timezone.utc)
    found = []
    for year in [int(match["year"])] if match["year"] else [now.year - 1, now.year, now.year + 1]:
        with suppress(ValueError):  # the 29th of February of another year
            found.append(datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc))
    return min(found, key=lambda time: abs(time - now), default=None)


def queue_infos(result: CommandResult) -> Sequence[QueueInfo]:
    """Return the queues that ``bqueues -l`` describes, the default one first."""
    if "No such queue" in result.words or re.search(r"^No queue", result.words, re.MULTILINE):
        return []
    COMPLAINTS.check(result, "did not list the queues")
    _, *parts = _QUEUE.split(result.stdout)
    if not parts:
        raise NotUnderstood(f"bqueues answered without a queue: {result.words[:500]!r}")
    queues = [_queue(name, text) for name, text in zip(parts[::2], parts[1::2], strict=True)]
    return sorted(queues, key=lambda queue: not queue.is_default)


def _queue(name: str, text: str) -> QueueInfo:
    lines = text.splitlines()
    try:
        heading = next(number for number, line in enumerate(lines) if re.match(r"\s*PRIO\b.*\bSTATUS\b", line))
        values = dict(zip(lines[heading].split(), lines[heading + 1].split(), strict=False))
        status, pending, running = values["STATUS"], int(values["PEND"]), int(values["RUN"])
    except (StopIteration, IndexError, KeyError, ValueError) as error:
        raise NotUnderstood(f"bqueues's answer about {name} cannot be read: {text[:500]!r}") from error
    note = "" if status == "Open:Active" else status
    if re.search(r"^SCHEDULING POLICIES:.*\bONLY_INTERACTIVE\b", text, re.MULTILINE):
        note = note or "ONLY_INTERACTIVE"
    return QueueInfo(
        name=name,
        is_open=not note,
        note=note,
        walltime=_run_limit(text),
        running_jobs=running,
        pending_jobs=pending,
        is_default="default queue" in " ".join(lines[:2]),
    )


def _run_limit(text: str) -> timedelta | None:
    """Return the longest run time: of two limits, the second is the maximum. Only times are in minutes."""
    match = _RUN_LIMIT.search(text, max(0, text.find("MAXIMUM LIMITS:")))
    if match is None:
        return None
    minutes = re.findall(r"(\d+(?:\.\d+)?) min\b", match["values"])
    place = [name for name in match["names"].split() if name in ("CPULIMIT", "RUNLIMIT")].index("RUNLIMIT")
    return timedelta(minutes=float(minutes[place])) if place < len(minutes) else None


def groups_of_user(result: CommandResult) -> Sequence[str]:
    """Return the groups whose members ``bugroup -r -w`` lists and that have the user, whose name is printed first."""
    if _NO_GROUPS.search(result.words):
        return []
    COMPLAINTS.check(result, "did not list the user groups")
    user, heading, rows = result.stdout, "", ""
    if match := re.search(r"^(\S+)\n+(GROUP_NAME\b.*)\n", result.stdout, re.MULTILINE):
        user, heading, rows = match[1], match[2], result.stdout[match.end() :]
    if not heading:
        raise NotUnderstood(f"bugroup answered without a heading: {result.words[:500]!r}")
    groups = [line.split() for line in rows.splitlines() if line.strip()]
    return [group for group, *members in groups if user in members or "all" in members]

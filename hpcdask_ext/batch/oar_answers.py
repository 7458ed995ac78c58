"""What OAR's commands print, taken apart."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.batch.oar_words import STATES, final, waiting
from hpcdask_ext.batch.records import CommandResult, JobStatus, QueueInfo
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import NotUnderstood

# Between the marks that the query prints.
_ANSWER = re.compile(r"^hpcdask-jobs\n(.*)^hpcdask$", re.DOTALL | re.MULTILINE)
_QUEUES = re.compile(
    r"(?P<nodes>.*)^hpcdask-free\n(?P<free>\d+)\nhpcdask-jobs\n(?P<jobs>.*)^hpcdask$",
    re.ASCII | re.DOTALL | re.MULTILINE,
)
_UNREACHABLE = (
    "DB connection error|cannot connect to (the )?(database|executor)|could not connect to the socket|DBI connect"
    "|is OAR started"
)
# What oarsub says of every array, the rules of a centre that agree, the trace of a wrong condition in SQL.
_NOISE = re.compile(r"^(Simple array job submission is used|\[ADMISSION RULE\] (?!Error).*|LINE \d+: .*|\s*[\^)].*)$")
_BEGIN = re.compile(r"^(\[ERROR\]|ERROR :|\[ADMISSION RULE\] Error:|# Error:|/!\\)\s*")
_PROPERTY = re.compile(r' +"(\w+)" : (.*?),?', re.ASCII)
_JOB = re.compile(r"\d+ .* (?P<state>[A-Z-]) (?P<queue>\S+)", re.ASCII)
_PENDING = ("W", "H", "L")


def _without_noise(text: str) -> str:
    """Return what people need of it. oarsub also prints a job id that is not one (`-5`)."""
    return "\n".join(_BEGIN.sub("", line.strip()) for line in text.splitlines() if not _NOISE.fullmatch(line))


COMPLAINTS = Complaints("OAR", _UNREACHABLE, _without_noise)


def job_statuses(result: CommandResult) -> Sequence[JobStatus]:
    """Return one status for each element.

    OAR submits a job again that its node could not start: the last one of the same array and index is the element.
    """
    COMPLAINTS.check(result, "did not list the jobs")
    match = _ANSWER.search(result.stdout)
    if match is None:
        raise NotUnderstood(f"oarstat's answer is not between its marks: {result.words[-500:]!r}")
    text = match[1].strip()
    try:
        found = json.loads(text) if text else {}
        jobs = sorted(found.values(), key=lambda job: int(job["Job_Id"]))
        latest = {(job["array_id"], job["array_index"]): job for job in jobs}
        return [_status(job) for job in latest.values()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"oarstat's answer cannot be read ({type(error).__name__}: {error}): {text[:500]!r}"
        raise NotUnderstood(message) from error


def queue_infos(
    result: CommandResult, names: Sequence[str], gpu: str, memory_per_core: str | None
) -> Sequence[QueueInfo]:
    """Return the queues `names`, and any others that have jobs; OAR does not tell which nodes are whose."""
    COMPLAINTS.check(result, "did not list the nodes")
    match = _QUEUES.search(result.stdout)
    if match is None:
        raise NotUnderstood(f"The answer of oarnodes and oarstat cannot be read: {result.words[-500:]!r}")
    resources = [
        one for one in _resources(match["nodes"]) if one.get("type") == "default" and one.get("state") != "Dead"
    ]
    hosts = {host: [one for one in resources if one.get("network_address") == host] for host in _hosts(resources)}
    running, pending = _count(match["jobs"])
    is_open = any(one.get("state") == "Alive" for one in resources)
    memory = [_memory(cores, memory_per_core) for cores in hosts.values()] if memory_per_core else []
    return [
        QueueInfo(
            name=name,
            is_open=is_open,
            note="" if is_open else "no node is Alive",
            cores=_most(hosts, "core"),
            memory=max(memory, default=None),
            gpus=_most(hosts, gpu),
            nodes=len(hosts),
            free_cores=int(match["free"]),
            running_jobs=running[name],
            pending_jobs=pending[name],
            is_default=name == "default",
        )
        for name in dict.fromkeys((*names, *running, *pending))
    ]


def _status(job: Mapping[str, Any]) -> JobStatus:
    word = job["state"]
    state, reason = STATES.get(word, JobState.UNKNOWN), ""
    if state is JobState.PENDING:
        reason = waiting(word, job.get("message") or "")
    elif state.is_final:
        state, reason = final(word, job.get("exit_code"), job.get("events") or ())
    elif word != "Running":
        reason = word
    start = job.get("scheduledStart") if state is JobState.PENDING else None
    return JobStatus(
        job_id=str(int(job["array_id"])),
        name=job.get("name") or "",
        state=state,
        indexes=(int(job["array_index"]),),
        reason=reason,
        node=next(iter(job.get("assigned_network_address") or ()), None),
        estimated_start=datetime.fromtimestamp(int(start), timezone.utc) if start else None,
    )


def _resources(text: str) -> Iterator[dict[str, Any]]:
    """Yield the properties of each resource: lines of oarnodes' JSON, of which each resource ends with a brace."""
    resource: dict[str, Any] = {}
    for line in text.splitlines():
        if line.strip(" ,") == "}":
            yield resource
            resource = {}
        elif match := _PROPERTY.fullmatch(line):
            try:
                resource[match[1]] = json.loads(match[2])
            except ValueError as error:
                raise NotUnderstood(f"oarnodes's answer has an unreadable line: {line[:500]!r}") from error


def _hosts(resources: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(one["network_address"]) for one in resources if one.get("network_address")))


def _most(hosts: Mapping[str, Sequence[Mapping[str, Any]]], name: str) -> int | None:
    """Return the highest number of different values of a property on one node; None if no node has that property."""
    if not any(name in one for resources in hosts.values() for one in resources):
        return None
    return max(len({one.get(name) for one in resources} - {None, "", 0, "0"}) for resources in hosts.values())


def _memory(resources: Sequence[Mapping[str, Any]], memory_per_core: str) -> int:
    """Return the memory of a node in bytes, from a property that has MiB for each core."""
    return sum(int(one.get(memory_per_core) or 0) for one in resources) * 2**20


def _count(text: str) -> tuple[Counter[str], Counter[str]]:
    """Return how many jobs of all users run and wait, by queue."""
    running: Counter[str] = Counter()
    pending: Counter[str] = Counter()
    for line in text.splitlines():
        if match := _JOB.fullmatch(line.strip()):
            counted = pending if match["state"] in _PENDING else running
            counted[match["queue"]] += 1
    return running, pending

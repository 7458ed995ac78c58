"""What Grid Engine's commands print, as statuses and queues. Tried with 8.1.9."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from xml.etree import ElementTree  # it comes from the batch system, which escapes what users wrote

from hpcdask_ext.batch.indexes import parse_indexes
from hpcdask_ext.batch.records import JobStatus, QueueInfo
from hpcdask_ext.batch.sge_words import SUSPENDED, job_state, telling
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import NotUnderstood

MARK = "hpcdask|"
"""Stands in a line of its own between the answers of two commands."""

# The lines that matter of `qstat -j ... -xml`: a job's number and its errors; messages of the scheduler, each after the
# numbers of the jobs that it is about, or after none if it is about all.
TELLING_LINES = "<(JB_job_number|QIM_message|ULNG_value|MES_message)>"
_TELLING_LINE = re.compile(rf"{TELLING_LINES}([^<\n]*)")
_ERROR_PREFIX = re.compile(r"^\d+/\d+/\d+ [\d:]+ \[\d+:\d+\]: (error: )?")

# States of a queue on one host in which it starts no job: disabled, suspended, unknown, in error, or orphaned.
_CLOSED = frozenset("dDsSCuEo")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}


@dataclass
class Explanations:
    """What `qstat -j` says about waiting jobs."""

    errors: dict[str, str] = field(default_factory=dict)
    own: dict[str, list[str]] = field(default_factory=dict)
    common: list[str] = field(default_factory=list)


def parse_jobs(text: str) -> Sequence[JobStatus]:
    """Return the jobs that `qstat -r -xml` lists, with the reasons that may follow behind the mark.

    Raises
    ------
    NotUnderstood
        It is no complete list.
    """
    listed, _, explained = text.partition(f"\n{MARK}\n")
    root = _xml(listed, "job_info", "qstat")
    explanations = parse_explanations(explained)
    return [_status(job, explanations) for job in root.iter("job_list")]


def parse_explanations(text: str) -> Explanations:
    """Return what was understood; nothing here is worth a failed query, so what was cut short does not matter."""
    found = Explanations()
    job_id, about = "", list[str]()
    for tag, escaped in _TELLING_LINE.findall(text):
        value = html.unescape(escaped).strip()
        if tag == "JB_job_number":
            job_id = value
        elif tag == "QIM_message":
            found.errors.setdefault(job_id, _ERROR_PREFIX.sub("", value))
        elif tag == "ULNG_value":
            about.append(value)
        else:
            for one in about:
                found.own.setdefault(one, []).append(value)
            if not about:
                found.common.append(value)
            about = []
    return found


def parse_queue_list(text: str) -> Sequence[QueueInfo]:
    """Return the queues of `qconf -sq '*'`, with the hosts and slots of `qhost -q -xml` behind the mark.

    Raises
    ------
    NotUnderstood
        Either cannot be read.
    """
    configured, mark, hosts = text.partition(f"\n{MARK}\n")
    limits = re.findall(r"^qname\s+(\S+)$(?:.*?)^h_rt\s+(.+?)$", configured, re.MULTILINE | re.DOTALL)
    if not mark or not limits:
        raise NotUnderstood(f"qconf's list of queues cannot be read: {text[:500]!r}")
    instances: dict[str, list[_Instance]] = {}
    for host in _xml(hosts, "qhost", "qhost").iter("host"):
        memory = _bytes(_values(host, "hostvalue").get("mem_total", ""))
        for queue in host.iter("queue"):
            values = _values(queue, "queuevalue")
            instance = _Instance(_number(values, "slots"), _number(values, "slots_used"), memory, values)
            instances.setdefault(queue.get("name", ""), []).append(instance)
    return [_queue(name, limit, instances.get(name, [])) for name, limit in limits]


@dataclass(frozen=True)
class _Instance:
    """A queue on one host."""

    slots: int
    used: int
    memory: int | None
    values: Mapping[str, str]

    @property
    def state(self) -> str:
        return self.values.get("state_string", "")

    @property
    def is_open(self) -> bool:
        return not _CLOSED & set(self.state)


def _queue(name: str, limit: str, instances: Sequence[_Instance]) -> QueueInfo:
    usable = [instance for instance in instances if instance.is_open]
    memory = [instance.memory for instance in instances if instance.memory is not None]
    return QueueInfo(
        name=name,
        is_open=bool(usable),
        note="" if usable else "".join(sorted({letter for one in instances for letter in one.state})) or "no hosts",
        cores=max((instance.slots for instance in instances), default=None),
        memory=max(memory, default=None),
        walltime=_longest(limit),
        nodes=len(instances),
        free_nodes=sum(instance.used == 0 for instance in usable),
        free_cores=sum(max(instance.slots - instance.used, 0) for instance in usable),
    )


def _status(job: ElementTree.Element, explanations: Explanations) -> JobStatus:
    job_id, word = job.findtext("JB_job_number", ""), job.findtext("state", "")
    if not re.fullmatch(r"[0-9]+", job_id) or not word:
        raise NotUnderstood(f"qstat's answer has an unreadable job: {ElementTree.tostring(job, 'unicode')[:500]!r}")
    state = job_state(word)
    reason = ""
    if state is JobState.PENDING:
        reason = _why(word, job, job_id, explanations)
    elif state is JobState.UNKNOWN or SUSPENDED & set(word):
        reason = word
    return JobStatus(
        job_id=job_id,
        name=job.findtext("full_job_name") or job.findtext("JB_name") or "",
        state=state,
        indexes=_indexes(job.findtext("tasks")),
        reason=reason,
        node=job.findtext("queue_name", "").partition("@")[2] or None,
    )


def _why(word: str, job: ElementTree.Element, job_id: str, explanations: Explanations) -> str:
    if "E" in word:
        error = explanations.errors.get(job_id)
        return f"{word}: {error}" if error else word
    if "h" in word:
        return word
    queues = [queue.text or "" for queue in job.iter("hard_req_queue")]
    return telling(explanations.own.get(job_id, ()), explanations.common, queues) or word


def _indexes(text: str | None) -> tuple[int, ...] | None:
    """Return the numbers of ``4-6:1,8,10``; None for a job that is not an array."""
    if text is None:
        return None
    try:
        return parse_indexes(text)
    except ValueError as error:
        raise NotUnderstood(f"qstat's answer has an unreadable job: {error}") from error


def _xml(text: str, tag: str, program: str) -> ElementTree.Element:
    """Return the root of an answer, which a login script may have printed something before."""
    try:
        root = ElementTree.fromstring(text[max(text.find("<?xml"), 0) :])  # noqa: S314  (see the import)
    except ElementTree.ParseError as error:
        raise NotUnderstood(f"{program}'s answer is not complete XML ({error}): {text[:500]!r}") from error
    if root.tag != tag:
        raise NotUnderstood(f"{program}'s answer is <{root.tag}> instead of <{tag}>: {text[:500]!r}")
    return root


def _values(parent: ElementTree.Element, tag: str) -> dict[str, str]:
    return {value.get("name", ""): (value.text or "").strip() for value in parent.findall(tag)}


def _number(values: Mapping[str, str], name: str) -> int:
    text = values.get(name, "")
    if not re.fullmatch(r"[0-9]+", text):
        raise NotUnderstood(f"qhost's answer has {text!r} where {name} should be")
    return int(text)


def _bytes(text: str) -> int | None:
    """Return a size such as ``23.5G``; None for ``-``, of a host that is down."""
    match = re.fullmatch(r"([0-9.]+)([KMGTP]?)", text)
    return int(float(match[1]) * _UNITS[match[2]]) if match else None


def _longest(limit: str) -> timedelta | None:
    """Return the longest of ``00:30:00,[n1=1:0:0]``, the limits of a queue and of some of its hosts; None for none."""
    return _longest_of(re.findall(r"(?:^|=)([^,\]]+)", limit.replace(" ", "")))


def _longest_of(times: Iterable[str]) -> timedelta | None:
    seconds = [_seconds(text) for text in times]
    longest = max(seconds, default=math.inf)
    return None if math.isinf(longest) else timedelta(seconds=longest)


def _seconds(text: str) -> float:
    """Return a time: seconds, or ``hours:minutes:seconds`` of which any may be empty; anything else is no limit."""
    if not re.fullmatch(r"\d+|\d*:\d*:\d*", text, re.ASCII):
        return math.inf
    hours, minutes, seconds = ([0, 0] + [int(part or 0) for part in text.split(":")])[-3:]
    return hours * 3600 + minutes * 60 + seconds

"""What Slurm's commands print, and what it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.batch.indexes import parse_indexes
from hpcdask_ext.batch.records import CommandResult, JobStatus, QueueInfo
from hpcdask_ext.batch.slurm_words import STATES, TELLING_STATES
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import NotUnderstood

# Marks the start of each record in an answer: other programs' job names may contain line breaks.
_MARK = "hpcdask|"
# %i id, %T state, %S start, %N nodes, %j name, %r reason. Our names have no bar; the rest may contain anything.
JOB_FORMAT = _MARK + "%i|%T|%S|%N|%j|%r"
_JOB = re.compile(r"(?P<id>[^|]*)\|(?P<state>\w+)\|(?P<start>[^|]*)\|(?P<node>[^|]*)\|(?P<rest>.*)", re.DOTALL)
_JOB_ID = re.compile(r"(?P<job>\d+)(?:\+\d+)?(?:_(?:(?P<one>\d+)|\[(?P<many>[^\]%]*)(?:%\d+)?\]))?", re.ASCII)

# %P queue (with an asterisk if it is the default), %a state, %l walltime, %F nodes and %C CPUs as allocated/idle/other/
# total, and of each node %c CPUs, %m memory, %B CPUs that jobs may have, %G GPUs and the like.
QUEUE_FORMAT = _MARK + "%P|%a|%l|%F|%C|%c|%m|%B|%G"
_QUEUE = re.compile(
    r"(?P<name>[^|]+?)(?P<default>\*?)\|(?P<state>\w+)\|(?P<walltime>[^|]*)\|\d+/(?P<free_nodes>\d+)/\d+/(?P<nodes>\d+)"
    r"\|\d+/(?P<free_cores>\d+)/\d+/\d+\|(?P<cores>\d+)\+?\|(?P<memory>\d+)\+?\|(?P<most>\w*)\|(?P<gres>.*)",
    re.ASCII,
)
_WALLTIME = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", re.ASCII)
# In gpu:2 or gpu:a100:4(S:0-1), but not in mps:100.
_GPUS = re.compile(r"(?:^|,)gpu(?::[^:,()]+)?:(\d+)", re.ASCII)
_START = re.compile(r"^sbatch: Job \d+ to start at (\S+) ", re.ASCII | re.MULTILINE)

_UNREACHABLE = (
    "unable to contact slurm controller|socket timed out|zero bytes were transmitted|controller not responding"
    "|authentication error|munge|cannot stat file|unable to process configuration|establish (a )?conf|fetch_config"
    "|communication (connection|shutdown) failure|message (send|receive) failure|in standby mode"
    "|incompatible versions"
)
_NOISE = re.compile(
    r"^((sbatch|squeue|scancel|sinfo|sacctmgr|slurm_load_\w+):? (error|fatal)|allocation failure|slurm_load_\w+): ",
    re.MULTILINE,
)
COMPLAINTS = Complaints("Slurm", _UNREACHABLE, lambda text: _NOISE.sub("", text))


def job_statuses(result: CommandResult) -> list[JobStatus]:
    """Return one status for each record of squeue's answer."""
    return [_status(record) for record in _records(result, "squeue", "JOBID|")]


def queue_infos(result: CommandResult) -> list[QueueInfo]:
    """Return the queues of sinfo's answer, which has a record for each kind of node in each, the default one first."""
    kinds: dict[str, list[re.Match[str]]] = {}
    for record in _records(result, "sinfo", "PARTITION|"):
        match = _QUEUE.fullmatch(record)
        if match is None:
            raise NotUnderstood(f"sinfo's answer has an unreadable record: {record[:500]!r}")
        kinds.setdefault(match["name"], []).append(match)
    return sorted((_queue(matches) for matches in kinds.values()), key=lambda queue: not queue.is_default)


def account_names(result: CommandResult) -> list[str]:
    """Return the accounts of sacctmgr's answer, the default one first; none where accounts are not kept."""
    if "supported accounting_storage plugin" in result.words:
        return []
    COMPLAINTS.check(result, "did not list the accounts")
    heading, *lines = result.stdout.splitlines() or [""]
    if heading != "Def Acct|Account":
        raise NotUnderstood(f"sacctmgr's answer has no heading: {result.words[:500]!r}")
    pairs = [line.partition("|") for line in lines]
    accounts = [account for _, _, account in sorted(pairs, key=lambda pair: pair[0] != pair[2])]
    return list(dict.fromkeys(account for account in accounts if account))


def estimated_start(result: CommandResult) -> datetime | None:
    """Return when the job of ``sbatch --test-only`` would start."""
    COMPLAINTS.check(result, "would not accept the job")
    match = _START.search(result.stderr)
    if match is None:
        raise NotUnderstood(f"sbatch did not say when the job would start: {result.words[:500]!r}")
    return _time(match[1])


def _records(result: CommandResult, program: str, heading: str) -> Iterator[str]:
    """Yield the records of an answer. The heading is required: it tells an empty answer from no answer."""
    COMPLAINTS.check(result, "did not answer")
    _, *records = re.split(rf"^{re.escape(_MARK)}", result.stdout, flags=re.MULTILINE)
    if not any(record.startswith(heading) for record in records):
        raise NotUnderstood(f"{program}'s answer has no heading: {result.words[:500]!r}")
    return (record.rstrip("\n") for record in records if not record.startswith(heading))


def _status(record: str) -> JobStatus:
    match = _JOB.fullmatch(record)
    job_id = _JOB_ID.fullmatch(match["id"]) if match else None
    if match is None or job_id is None:
        raise NotUnderstood(f"squeue's answer has an unreadable record: {record[:500]!r}")
    name, _, reason = match["rest"].partition("|")
    state = STATES.get(match["state"], JobState.UNKNOWN)
    if match["state"] in TELLING_STATES or state is JobState.UNKNOWN:
        reason = match["state"]
    elif reason == "None" or state in (JobState.RUNNING, JobState.ENDED):
        reason = "FAILED" if state is JobState.FAILED else ""
    return JobStatus(
        job_id=job_id["job"],
        name=name,
        state=state,
        indexes=_indexes(job_id, record),
        reason=reason,
        node=match["node"] or None,
        estimated_start=_time(match["start"]) if state is JobState.PENDING else None,
    )


def _indexes(job_id: re.Match[str], record: str) -> tuple[int, ...] | None:
    text = job_id["one"] or job_id["many"]
    if text is None:
        return None
    try:
        return parse_indexes(text)
    except ValueError as error:
        raise NotUnderstood(f"squeue's answer has an unreadable record: {record[:500]!r}: {error}") from error


def _time(text: str) -> datetime | None:
    """Return a time; None for ``N/A``, and for anything but seconds, since its time zone is unknown."""
    return datetime.fromtimestamp(int(text), timezone.utc) if re.fullmatch(r"[0-9]{1,11}", text) else None


def _queue(kinds: list[re.Match[str]]) -> QueueInfo:
    """Return what the records of one queue say together: sums of nodes, and the most that any node has."""
    first = kinds[0]
    is_open = first["state"] == "up"
    most = int(first["most"]) if first["most"].isdigit() else None
    cores = _most(int(kind["cores"]) for kind in kinds)
    return QueueInfo(
        name=first["name"],
        is_open=is_open,
        note="" if is_open else first["state"].upper(),
        cores=cores if most is None or cores is None else min(cores, most),
        memory=_most(int(kind["memory"]) * 2**20 for kind in kinds),
        gpus=max(sum(int(number) for number in _GPUS.findall(kind["gres"])) for kind in kinds),
        walltime=_duration(first["walltime"]),
        nodes=sum(int(kind["nodes"]) for kind in kinds),
        free_nodes=sum(int(kind["free_nodes"]) for kind in kinds),
        free_cores=sum(int(kind["free_cores"]) for kind in kinds),
        is_default=bool(first["default"]),
    )


def _most(values: Iterable[int]) -> int | None:
    """Return the largest value, or None if a queue has no nodes yet."""
    return max(values) or None


def _duration(text: str) -> timedelta | None:
    """Return a walltime such as ``1-00:00:00`` or ``30:00``; None for ``infinite``."""
    match = _WALLTIME.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

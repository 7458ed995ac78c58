"""What Torque's commands print, taken apart, and the shell text that asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.batch.pbs_records import Record, duration, number, records, size
from hpcdask_ext.batch.records import JOB_NAMES, CommandResult, JobStatus, QueueInfo
from hpcdask_ext.batch.torque_words import STATES, final, waiting
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import NotUnderstood

ARRAY_ID = re.compile(r"(\d+)\[\]([\w.:-]*)", re.ASCII)

# Every job has all its variables in its record: they do not pass, nor do jobs that are not ours. With -t there are no
# records of whole arrays.
JOBS = rf"""me=$(id -un) && answer=$(qstat -t -f -x -u "$me") || exit
echo hpcdask-jobs
printf '%s\n' "$answer" | sed 's|<Variable_List>[^<]*</Variable_List>||g; s|<Job>|\n<Job>|g; s|</Data>|\n</Data>|' |
    sed '/^<Job>/{{ /<Job_Name>{JOB_NAMES}/!d; }}' | tr -d '\n'
printf '\nhpcdask\n'"""
"""Asks for each element of our jobs of this user, as XML: without any job, some versions print nothing."""

_KEPT = "state_count|resources_max|enabled|started|default_queue|state|np|gpus|jobs|physmem"
QUEUES = rf"""queues=$(qstat -Q -f) && server=$(qstat -B -f) || exit
printf '%s\n' "$queues" "$server" "$(pbsnodes -a 2>/dev/null)" |
    sed -E 's/^( *)status = .*physmem=([0-9]+kb).*/\1physmem = \2/' |
    awk '/^\t/ {{ if (keep) print; next }} {{ keep = /^[^ ]|^ +({_KEPT})[a-z_.]* = / }} keep'
echo hpcdask"""
"""Asks for all queues, for the server, which names the default one, and for the nodes, if that is allowed."""

_JOB_ID = re.compile(r"(?P<number>\d+)(\[(?P<index>\d*)\])?(?P<server>[\w.:-]*)", re.ASCII)
_ANSWER = re.compile(r"^hpcdask-jobs\n(?P<xml>.*?)\s*^hpcdask$", re.DOTALL | re.MULTILINE)
_XML = re.compile(r"(<\?xml[^>]*\?>)?\s*<Data>(?P<jobs>(<Job>.*</Job>)?)\s*</Data>", re.DOTALL)
_FIELD = re.compile(
    r"<(Job_Id|Job_Name|job_state|comment|exec_host|Hold_Types|exit_status|start_time)>([^<]*)</\1>", re.ASCII
)
_WAITING = ("Queued", "Held", "Waiting")

_UNREACHABLE = (
    "can(no|')t connect to|no default server name|cannot resolve|communication failure|too many open connections"
    "|system call failure|server shutting down|time out|timed out|trqauthd|unable to (get connection|authorize)"
    "|socket|pbs_server daemon may not|end of file|no free connections|too busy|not available|munge"
)
_NOISE = re.compile(r"^(qsub|qstat|qdel): ", re.MULTILINE)
COMPLAINTS = Complaints("Torque", _UNREACHABLE, lambda text: _NOISE.sub("", text))


def job_statuses(result: CommandResult) -> Sequence[JobStatus]:
    """Return one status for each job, and for each element of an array."""
    COMPLAINTS.check(result, "did not list the jobs")
    match = _ANSWER.search(result.stdout)
    if match is None:
        raise NotUnderstood(f"qstat's answer is not between its marks: {result.words[-500:]!r}")
    return list(_statuses(match["xml"]))


def queue_infos(result: CommandResult) -> list[QueueInfo]:
    """Return the queues, the default one first. Torque does not tell which nodes a queue has: each may use all."""
    COMPLAINTS.check(result, "did not list the queues")
    text, mark, _ = result.stdout.rpartition("hpcdask\n")
    found = list(records(text))
    if not mark or not any(record.kind == "Queue" for record in found):
        raise NotUnderstood(f"qstat's answer has no queues, or is not complete: {result.words[-500:]!r}")
    nodes = [record.fields for record in found if record.kind == "" and "state" in record.fields]
    defaults = {record.fields.get("default_queue") for record in found if record.kind == "Server"}
    infos = [_info(record, nodes, record.name in defaults) for record in found if record.kind == "Queue"]
    return sorted(infos, key=lambda info: not info.is_default)


def _statuses(text: str) -> Iterator[JobStatus]:
    """Yield a status for each job in qstat's XML.

    It has no line breaks, and characters that XML would escape stand in values as they are: it is no input for a parser
    of XML. The values that are used have none.
    """
    match = _XML.fullmatch(text)
    if text and match is None:
        raise NotUnderstood(f"qstat's answer cannot be read: {text[:500]!r}")
    jobs = match["jobs"] if match else ""
    for record in jobs.removeprefix("<Job>").removesuffix("</Job>").split("</Job><Job>") if jobs else ():
        fields: dict[str, str] = {}
        for name, value in _FIELD.findall(record):
            fields.setdefault(name, value)  # of two the first counts: a later one may be part of a variable's value
        job_id = _JOB_ID.fullmatch(fields.get("Job_Id", ""))
        if job_id is None or "job_state" not in fields:
            raise NotUnderstood(f"qstat's answer has an unreadable record: {record[:500]!r}")
        if job_id["index"] != "":  # of an array as a whole nothing is known that is true of each element
            yield _status(fields, job_id)


def _status(fields: Mapping[str, str], job_id: re.Match[str]) -> JobStatus:
    letter, index = fields["job_state"], job_id["index"]
    state, reason = STATES.get(letter, JobState.UNKNOWN), ""
    if state is JobState.PENDING:
        reason = waiting(letter, fields)
    elif state is JobState.ENDED:
        state, reason = final(fields)
    elif state is JobState.UNKNOWN:
        reason = f"job_state={letter}"
    name = fields.get("Job_Name", "")
    return JobStatus(
        job_id=f"{job_id['number']}{'[]' if index else ''}{job_id['server']}",
        name=name.removesuffix(f"-{index}") if index else name,
        state=state,
        indexes=(int(index),) if index else None,
        reason=reason,
        node=fields.get("exec_host", "").partition("/")[0] or None,
    )


def _info(queue: Record, nodes: Sequence[Mapping[str, str]], is_default: bool) -> QueueInfo:
    fields = queue.fields
    note = ", ".join(f"{name} = False" for name in ("enabled", "started") if fields.get(name) == "False")
    counts = dict(re.findall(r"(\w+):(\d+)", fields.get("state_count", "")))
    walltime = fields.get("resources_max.walltime")
    free = [node for node in nodes if node["state"] == "free"]
    return QueueInfo(
        name=queue.name,
        is_open=not note,
        note=note,
        cores=max((number(node.get("np")) or 0 for node in nodes), default=None),
        memory=_smaller(
            max((size(node.get("physmem", "")) or 0 for node in nodes), default=0) or None,
            size(fields.get("resources_max.mem", "")),
        ),
        gpus=max((number(node.get("gpus")) or 0 for node in nodes), default=None),
        walltime=duration(walltime) if walltime else None,
        nodes=len(nodes) or None,
        free_nodes=sum(not node.get("jobs") for node in free) if nodes else None,
        free_cores=sum((number(node.get("np")) or 0) - _used(node.get("jobs", "")) for node in free) if nodes else None,
        running_jobs=number(counts.get("Running")),
        pending_jobs=sum(int(counts[word]) for word in _WAITING if word in counts) if counts else None,
        is_default=is_default,
    )


def _used(jobs: str) -> int:
    """Return how many cores of a node are in use: ``0-3/12.server,5/13.server``."""
    ranges = re.findall(r"(?:^|, ?)(\d+)(?:-(\d+))?(?=[/,])", jobs, re.ASCII)
    return sum(int(last or first) - int(first) + 1 for first, last in ranges)


def _smaller(first: int | None, second: int | None) -> int | None:
    """Return the smaller of two bounds; None is no bound."""
    return min((bound for bound in (first, second) if bound is not None), default=None)

"""What Moab's commands print, taken apart."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone

from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.batch.indexes import parse_indexes
from hpcdask_ext.batch.moab_words import STATES, final, waiting
from hpcdask_ext.batch.pbs_records import duration, number
from hpcdask_ext.batch.records import CommandResult, JobStatus
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import NotUnderstood

_ANSWER = re.compile(r"^hpcdask-jobs\n(.*)^hpcdask$", re.DOTALL | re.MULTILINE)
# Two documents: of live jobs, and of ended ones.
_DOCUMENT = re.compile(r"<Data>(.*?)</Data>", re.DOTALL)
_JOB = re.compile(r"<job\b((?:[^<>\"]|\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"', re.ASCII)
_JOB_ID = re.compile(r"(?P<job>([\w-]+\.)*\d+)(\[(?P<indexes>[\d,-]*)\](\(\d+\))?)?", re.ASCII)
_START = re.compile(r"^Estimated Rsv based start in +(?P<wait>[\d:]+) +on ", re.MULTILINE | re.ASCII)

_UNREACHABLE = (
    "timed out|cannot connect|can't connect|lost connection|communication"
    "|server (is )?(down|not|too busy|initializ)|cannot contact"
)
_NOISE = re.compile(r"^\s*ERROR:\s*", re.MULTILINE)
MOAB_COMPLAINTS = Complaints("Moab", _UNREACHABLE, lambda text: _NOISE.sub("", text))


def moab_statuses(result: CommandResult) -> Sequence[JobStatus]:
    """Return one status for each job, and for each element of an array."""
    MOAB_COMPLAINTS.check(result, "did not list the jobs")
    match = _ANSWER.search(result.stdout)
    documents = _DOCUMENT.findall(match[1]) if match else []
    if len(documents) < 2:
        raise NotUnderstood(f"showq's answer is not two documents between its marks: {result.words[-500:]!r}")
    return [_status(fields) for fields in _jobs("".join(documents))]


def estimated_start(result: CommandResult) -> datetime | None:
    """Return the time that `date` printed, with the wait that showstart printed added; None if it cannot tell."""
    MOAB_COMPLAINTS.check(result, "would not accept the job")
    first, _, answer = result.stdout.partition("\n")
    now = number(first.strip())
    if now is None or not answer.strip():
        raise NotUnderstood(f"showstart's answer cannot be read: {result.words[:500]!r}")
    match = _START.search(answer)
    wait = duration(match["wait"]) if match else None
    return datetime.fromtimestamp(now, timezone.utc) + wait if wait is not None else None


def _jobs(text: str) -> Iterator[dict[str, str]]:
    """Yield the attributes of each job."""
    found = _JOB.findall(text)
    if len(found) != len(re.findall(r"<job\b", text)):
        raise NotUnderstood(f"showq's answer has an unreadable record: {text[:500]!r}")
    for attributes in found:
        yield {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(attributes)}


def _status(fields: Mapping[str, str]) -> JobStatus:
    job_id = _JOB_ID.fullmatch(fields.get("JobID", ""))
    if job_id is None or "State" not in fields:
        raise NotUnderstood(f"showq's answer has an unreadable record: {str(dict(fields))[:500]}")
    word, indexes = fields["State"], job_id["indexes"]
    state, reason = STATES.get(word, JobState.UNKNOWN), ""
    if "CompletionCode" in fields or state.is_final:
        state, reason = final(fields)
    elif state is JobState.PENDING:
        reason = waiting(fields)
    elif word != "Running":
        reason = word
    start = number(fields.get("RsvStartTime")) if state is JobState.PENDING else None
    try:
        elements = parse_indexes(indexes) if indexes else None
    except ValueError as error:
        raise NotUnderstood(f"showq's answer has an unreadable job id: {job_id[0]!r}") from error
    return JobStatus(
        job_id=job_id["job"] if indexes is None else f"{job_id['job']}[]",
        name=re.sub(r"\.?\[\d+\]$", "", fields.get("JobName", "")),
        state=state,
        indexes=elements,
        reason=reason,
        node=fields.get("MasterHost"),
        estimated_start=datetime.fromtimestamp(start, timezone.utc) if start else None,
    )

"""The records in which PBS's commands print jobs, queues, servers and nodes, and the shell text that asks for them.

All of them (``qstat -f``, ``qstat -Q -f``, ``pbsnodes -a``) have the same form since the first PBS: a heading, then
indented lines ``name = value``, where a line that begins with a tab goes on with the line before. The other forms are
not used. JSON is invalid in many versions (openpbs issues 1255 and 2541, pull requests 585, 1033 and 2049), and lists
only the first of several jobs in one (issue 2672).

What is printed is cut down where it is printed, because every record has all variables of its job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from hpcdask_ext.batch.records import JOB_NAMES

END = "hpcdask exit"
"""Begins the last line of an answer, which tells whether it is complete."""

_HISTORY = 30
"""How many of the jobs that ended last are asked about: a server may keep them for weeks."""


def _kept(*patterns: str) -> str:
    """Return the call of awk that keeps the lines that match, and those that continue them."""
    return f"awk '/^\\t/ {{ if (keep) print; next }} {{ keep = /{'|'.join((*patterns, END))}/ }} keep'"


_JOB_FIELDS = r"Job_Name|job_state|substate|exec_host|comment|Hold_Types|Exit_status|estimated\.start_time"
# The table of `qstat -u` costs the server a single request; its id may be cut short behind the number. Without jobs
# it is empty; what is no table is shown as it is, without the last line of an answer.
QUERY = f"""set -f
me=$(id -un) && live=$(qstat -u "$me") || exit
history=-x
case $live in "" | *"Job ID "*) ;; *) printf '%s\\n' "$live"; exit 0 ;; esac
over=$(qstat -H -u "$me" 2>&1) || history=
case $over in *"maintain job history"* | *job_history_enable*) history= ;; esac
[ -n "$history" ] || over=
ours='$4 ~ /^{JOB_NAMES}/ {{ sub(/[.*].*/, "", $1); print $1 }}'
ids=$(printf '%s\\n' "$over" | awk "$ours" | tail -n {_HISTORY}; printf '%s\\n' "$live" | awk "$ours")
{{ [ -z "$ids" ] || qstat $history -f -t $ids; echo "{END} $?"; }} | {_kept("^Job Id: ", f"^    ({_JOB_FIELDS}) = ")}
"""
"""Asks for all of our jobs of this user: first for their ids, then for them."""

_QUEUE_FIELDS = (
    r"queue_type|state_count|resources_max\.[a-z]+|default_chunk\.Qlist|enabled|started|from_route_only|default_queue"
)
_NODE_FIELDS = r"state|queue|resources_available\.(ncpus|mem|ngpus|Qlist)|resources_assigned\.ncpus"
QUEUES = f"""{{ qstat -Q -f && qstat -B -f; code=$?; pbsnodes -a 2>/dev/null; echo "{END} $code"; }} |
{_kept("^[^ ]", f"^    ({_QUEUE_FIELDS}) = ", f"^     ({_NODE_FIELDS}) = ")}
"""
"""Asks for all queues, for the server, which names the default one, and for the nodes, if that is allowed."""


class Record(NamedTuple):
    """One record: its kind (`Job Id`, `Queue`, `Server`; empty for a node), its name and its fields."""

    kind: str
    name: str
    fields: Mapping[str, str]


def records(text: str) -> Iterator[Record]:
    """Yield each record. Of two fields of a name the first counts: a later one may be part of a variable's value."""
    heading, last = "", ""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        if line.startswith("\t"):
            if last:
                fields[last] += line[1:]
        elif line.startswith(" "):
            name, _, value = line.lstrip().partition(" = ")
            last = "" if name in fields else name
            fields.setdefault(name, value)
        elif line:
            if fields:
                yield _record(heading, fields)
            heading, fields, last = line, {}, ""
    if fields:
        yield _record(heading, fields)


def _record(heading: str, fields: Mapping[str, str]) -> Record:
    kind, is_named, name = heading.partition(": ")
    values = {field: value.strip() for field, value in fields.items()}
    return Record(kind, name, values) if is_named else Record("", heading, values)


def exit_code(text: str) -> int | None:
    """Return the exit code with which an answer ends, or None if it is not complete."""
    match = re.search(rf"^{END} (\d+)\n*\Z", text, re.MULTILINE | re.ASCII)
    return int(match[1]) if match else None


def duration(text: str) -> timedelta | None:
    """Return a duration, ``HH:MM:SS`` or in seconds, or None if `text` is not one."""
    if not re.fullmatch(r"\d+(:\d+){0,3}", text, re.ASCII):
        return None
    seconds = 0
    for part, unit in zip(reversed(text.split(":")), (1, 60, 3600, 86400), strict=False):
        seconds += int(part) * unit
    return timedelta(seconds=seconds)


def size(text: str) -> int | None:
    """Return a size in bytes (``32gb``; a word, as in ``4mw``, has 8), or None if `text` is not one."""
    match = re.fullmatch(r"(\d+)([kmgtp]?)([bw]?)", text.lower(), re.ASCII)
    if match is None:
        return None
    return (int(match[1]) << 10 * " kmgtp".index(match[2] or " ")) * (8 if match[3] == "w" else 1)


def number(text: str | None) -> int | None:
    """Return a whole number, or None if there is none."""
    return int(text) if text and re.fullmatch(r"\d+", text, re.ASCII) else None


def time(text: str) -> datetime | None:
    """Return a time as `ctime` writes it, in UTC (`TZ` is set for the command), or None for ``UNKNOWN``."""
    try:
        return datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=timezone.utc)
    except ValueError:
        return None

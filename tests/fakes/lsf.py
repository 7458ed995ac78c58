"""A fake LSF: bsub, bjobs, bkill, bqueues, bugroup and blaunch, as IBM's command reference of LSF 10.1 has them.

All hosts of an allocation are this machine, under the names n1, n2, ...
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys

from tests.fakes.engine import Element, Refused, Store, Task, run_tasks

DEFAULTS = {
    "queues": ["normal", "bigmem"],
    "default_queue": "normal",
    "run_limit": 1440,  # minutes
    "minute": 60.0,  # seconds: for tests that cannot wait
    "groups": {"climate": "ada grace", "everybody": "all"},
    "estimate": "",
}
_STATES = {"pending": "PEND", "running": "RUN", "killed": "EXIT", "lost": "UNKWN"}
_WITH_VALUE = ("-J", "-q", "-P", "-G", "-W", "-n", "-R", "-M", "-gpu", "-env", "-o")


def away(program: str) -> Refused:
    """Return what LSF's commands print as long as its daemon is down."""
    return Refused("LSF is down. Please wait ...\nLSF is down. Please wait ...", 255)


def bsub(store: Store, arguments: list[str]) -> None:
    text = sys.stdin.read()
    options = _options(text)
    queue = options.get("-q", store.settings["default_queue"])
    if queue not in store.settings["queues"]:
        raise Refused(f"{queue}: No such queue. Job not submitted.", 255)
    accounts = store.settings["accounts"]
    if accounts is not None and options.get("-G") not in accounts:
        raise Refused(f"{options.get('-G')}: User not in the specified user group. Job not submitted.", 255)
    minutes = _minutes(options["-W"]) if "-W" in options else None
    if minutes and minutes > store.settings["run_limit"]:
        raise Refused("RUNLIMIT: Cannot exceed queue's hard limit(s). Job not submitted.", 255)
    name, last = re.fullmatch(r"(.*)\[1-(\d+)\]", options["-J"]).groups()
    hosts = _hosts(int(options["-n"]), options["-R"])
    passed = {word: os.environ[word] for word in options["-env"].split(", ") if word in os.environ}
    number = store.submit(
        name,
        text,
        count=int(last),
        queue=queue,
        variables=lambda number, index: {
            **passed,
            "LSB_JOBID": str(number),
            "LSB_JOBINDEX": str(index),
            "LSB_JOBNAME": f"{name}[{index}]",
            "LSB_QUEUE": queue,
            "LSB_MCPU_HOSTS": hosts,
            # LSF puts its own programs on the PATH of jobs.
            "PATH": f"{store.bin}:{passed.get('PATH', '/usr/bin:/bin')}",
        },
        output=lambda number, index: options["-o"].replace("%J", str(number)).replace("%I", str(index)),
        attributes={"hosts": hosts, "options": options},
        walltime=minutes and minutes * store.settings["minute"],
    )
    is_named = "-q" in options
    print(f"Job <{number}> is submitted to {'' if is_named else 'default '}queue <{queue}>.")


def _options(text: str) -> dict[str, str]:
    """Return the options of the script, which bsub finds in every line, and of which the last counts."""
    options: dict[str, str] = {}
    for line in text.splitlines():
        if match := re.match(r"\s*#\s*BSUB\s+(-.*)", line):
            words = iter(shlex.split(match[1]))
            for word in words:
                if word not in (*_WITH_VALUE, "-rn"):
                    raise Refused(f"Illegal option: {word}. Job not submitted.", 255)
                options[word] = next(words) if word in _WITH_VALUE else ""
    return options


def _minutes(text: str) -> int:
    hours, _, minutes = text.rpartition(":")
    return int(hours or 0) * 60 + int(minutes)


def _hosts(slots: int, requirement: str) -> str:
    """Return LSB_MCPU_HOSTS for a number of slots."""
    tile = re.search(r"span\[ptile=(\d+)\]", requirement)
    if tile is None:
        return f"n1 {slots}"
    each = int(tile[1])
    return " ".join(f"n{number + 1} {each}" for number in range(slots // each))


def bjobs(store: Store, arguments: list[str]) -> int | None:
    if [*arguments[:2], *arguments[3:5]] != ["-a", "-J", "-json", "-o"] or not arguments[2].endswith("*"):
        raise Refused(f"bjobs: illegal options {arguments}", 255)
    elements = [element for element in store.elements() if element.name.startswith(arguments[2][:-1])]
    if not elements:
        raise Refused(f"Job <{arguments[2]}> is not found", 255)
    fields = arguments[5].split()
    records = [{field.upper(): _field(store, element, field) for field in fields} for element in elements]
    print(json.dumps({"COMMAND": "bjobs", "JOBS": len(records), "RECORDS": records}, indent=2).replace("/", "\\/"))
    return None


def _field(store: Store, element: Element, field: str) -> str:
    is_good = element.state == "done" and element.exit_code == 0
    reasons = {"killed": "TERM_OWNER: job killed by owner"}
    if element.timed_out:
        reasons[element.state] = "TERM_RUNLIMIT: job killed after reaching LSF run time limit"
    values = {
        "jobid": str(element.number),
        "stat": _STATES.get(element.state, "DONE" if is_good else "EXIT"),
        "job_name": f"{element.name}[{element.index}]",
        "exec_host": "" if element.started is None else element.attributes["hosts"].split()[0],
        "exit_reason": reasons.get(element.state, ""),
        "pend_reason": f"{element.reason};" if element.state == "pending" and element.reason else "",
        "estimated_start_time": store.settings["estimate"] if element.state == "pending" else "",
    }
    if field not in values:
        raise Refused(f"<{field}> in the format string is not a valid field name.", 255)
    return values[field]


def bkill(store: Store, arguments: list[str]) -> int:
    complaints = []
    for argument in arguments:
        number, numbers = re.fullmatch(r"(\d+)(?:\[(.*)\])?", argument).groups()
        indexes = [one for part in numbers.split(",") for one in _range(part)] if numbers else None
        try:
            ended = store.cancel(int(number), indexes)
        except KeyError:
            complaints.append(f"Job <{argument}>: No matching job found")
            continue
        if ended:
            print(f"Job <{argument}> is being terminated")
        else:
            complaints.append(f"Job <{argument}>: Job has already finished")
    if complaints:
        raise Refused("\n".join(complaints), 255)
    return 0


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def bqueues(store: Store, arguments: list[str]) -> None:
    if arguments[:2] != ["-l", "-u"]:
        raise Refused(f"bqueues: illegal options {arguments}", 255)
    found = store.elements()
    for queue in store.settings["queues"]:
        counts = [sum(one.queue == queue and one.state == state for one in found) for state in ("pending", "running")]
        note = "  This is the default queue." if queue == store.settings["default_queue"] else ""
        print(f"\nQUEUE: {queue}\n  -- No description provided.{note}\n\nPARAMETERS/STATISTICS")
        print("PRIO NICE STATUS          MAX JL/U JL/P JL/H NJOBS  PEND   RUN SSUSP USUSP  RSV PJOBS")
        status = "Closed:Active" if queue in store.settings["holds"] else "Open:Active"
        print(f" 30    0  {status}       -    -    -    -  {sum(counts)}  {counts[0]}  {counts[1]}  0  0  0  0")
        print(f"\nRUNLIMIT\n {store.settings['run_limit']:.1f} min of n1\n\nUSERS: all\nHOSTS:  all")


def bugroup(store: Store, arguments: list[str]) -> None:
    print("GROUP_NAME    USERS")
    for name, members in store.settings["groups"].items():
        print(f"{name:<13} {members}")


def blaunch(store: Store, arguments: list[str]) -> int:
    if arguments[:2] != ["-n", "-z"] or arguments[3] != "-no-shell":
        raise Refused(f"blaunch: illegal options {arguments}", 255)
    host = arguments[2]
    if host not in os.environ.get("LSB_MCPU_HOSTS", "").split()[::2]:
        raise Refused(f"blaunch: host {host} is not part of the allocation", 255)
    kept = {name: value for name, value in os.environ.items() if name.startswith("LSB_")}
    return run_tasks([Task(arguments[4:], kept)])[0]


PROGRAMS = {
    "bsub": bsub,
    "bjobs": bjobs,
    "bkill": bkill,
    "bqueues": bqueues,
    "bugroup": bugroup,
    "blaunch": blaunch,
}

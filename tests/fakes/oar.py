"""A fake OAR: oarsub, oarstat, oardel, oarnodes and oarsh, as a real OAR 2.5.9 was seen to behave.

All nodes are this machine. The elements of the job that the engine calls 3 are the jobs 3001, 3002, ...: their array is
3001.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Iterator
from typing import Any

from tests.fakes.engine import Element, Refused, Store, Task, run_tasks

DEFAULTS = {
    "queues": ["default", "besteffort"],
    "nodes": {"node1": 8, "node2": 8, "node3": 8},  # cores
    "second": 1.0,  # how long one of a walltime takes: for tests that cannot wait
    "grace": 0.05,  # OAR sends nothing but SIGKILL
    "estimate": None,
}
_FLAGS = ("--hold",)
_STATES = {"pending": "Waiting", "running": "Running", "done": "Terminated", "killed": "Error", "lost": "Error"}
_LIVE = re.compile(
    r"job_user = '\S+' AND job_name LIKE '([\w-]+)%' "
    r"AND \(state NOT IN \('Terminated', 'Error'\) OR stop_time > (\d+)\)"
)
_WHICH = re.compile(r"array_id = (\d+)(?: AND array_index IN \(([\d, ]+)\))?")
_MEMORY = 4096  # MiB per core


def away(program: str) -> Refused:
    """Return what OAR's commands print while its database is down, if they do not wait for it."""
    return Refused("DB connection error, exiting.", 25)


def oarsub(store: Store, arguments: list[str]) -> None:
    options, command = _options(arguments)
    queue = options.get("-q", "default")
    if queue not in store.settings["queues"]:
        raise Refused(f"ERROR : The queue {queue} does not exist", 248)
    accounts = store.settings["accounts"]
    if accounts is not None and options.get("--project") not in accounts:
        raise Refused(f"[ADMISSION RULE] Error: you may not use the project {options.get('--project')}", 254)
    nodes, cores, walltime = _resources(options["-l"])
    hosts = [host for host, size in store.settings["nodes"].items() if size >= cores][:nodes]
    if len(hosts) < nodes:
        print("OAR_JOB_ID=-5")
        raise Refused("There are not enough resources for your request", 8)
    count = int(options.get("--array", 1))
    file = store.file(f"nodes-{time.time_ns()}", "".join(f"{host}\n" * cores for host in hosts))
    number = store.submit(
        options.get("-n", ""),
        f"{command}\n",
        count=count,
        queue=queue,
        variables=lambda number, index: {
            "OAR_JOB_ID": str(number * 1000 + index),
            "OAR_ARRAY_ID": str(number * 1000 + 1),
            "OAR_ARRAY_INDEX": str(index),
            "OAR_NODEFILE": str(file),
        },
        output=lambda number, index: options["-O"],
        attributes={"hosts": hosts, "options": options},
        walltime=None if walltime is None else walltime * store.settings["second"],
        directory=options["-d"],
    )
    print("[ADMISSION RULE] Modify resource description with type constraints")
    for index in range(1, count + 1):
        print(f"OAR_JOB_ID={number * 1000 + index}")
    if count > 1:
        print(f"OAR_ARRAY_ID={number * 1000 + 1}")


def _options(arguments: list[str]) -> tuple[dict[str, str], str]:
    """Return the options, of which the last of each counts, and the command, which is one argument."""
    words, options, commands = iter(arguments), {}, []
    for word in words:
        if word in ("-n", "-q", "--project", "-l", "--array", "-d", "-O", "-E", "-p", "-t"):
            options[word] = next(words)
        elif word in _FLAGS:
            options[word] = ""
        elif word.startswith("-"):
            raise Refused(f"Unknown option: {word.strip('-')}", 1)
        else:
            commands.append(word)
    if len(commands) != 1:
        raise Refused("Usage: oarsub [options] [-I|-C|<script>]", 5)
    return options, commands[0]


def _resources(text: str) -> tuple[int, int, int | None]:
    """Return how many nodes, cores of each, and seconds are asked for."""
    pattern = r"(?:\{(\w+)>=(\d+)\})?/nodes=(\d+)(?:/gpu=\d+)?/core=(\d+)(?:,walltime=(\d+):(\d+):(\d+))?"
    match = re.fullmatch(pattern, text)
    if match is None:
        raise Refused(f"/!\\ Cannot recognize the resource description : {text}", 255)
    if match[1] and int(match[2]) > _MEMORY:
        raise Refused("There are not enough resources for your request", 8)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[4:])
    return int(match[3]), int(match[4]), hours * 3600 + minutes * 60 + seconds if match[5] else None


def oarstat(store: Store, arguments: list[str]) -> None:
    elements = store.elements()
    if arguments == ["--format", "1"]:
        print("Job id     Name           User           Submission Date     S Queue\n---------- --------------")
        for one in elements:
            if one.state in ("pending", "running"):
                what = f"{one.name:<14.14} user 2026-11-20 14:07:00 {_STATES[one.state][0]} {one.queue}"
                print(f"{one.number * 1000 + one.index:<10} {what}")
        return
    match = _LIVE.fullmatch(arguments[-1])
    if arguments[:-1] != ["-f", "-J", "--format", "2", "--sql"] or match is None:
        raise Refused(f"oarstat: unexpected arguments {arguments}", 1)
    shown = [one for one in elements if one.name.startswith(match[1]) and (one.ended or math.inf) > int(match[2])]
    if shown:
        jobs = {str(one.number * 1000 + one.index): _job(store, one) for one in shown}
        print(json.dumps(jobs, indent=3, separators=(",", " : ")))


def _job(store: Store, one: Element) -> dict[str, Any]:
    code = None if one.exit_code is None else one.exit_code << 8
    is_over = one.timed_out or one.state in ("killed", "lost")
    summary = f"R=2,W=0:10:0,J=B,N={one.name} (Karma=0.000,quota_ok)"
    return {
        "Job_Id": one.number * 1000 + one.index,
        "array_id": one.number * 1000 + 1,
        "array_index": one.index,
        "name": one.name,
        "state": "Error" if is_over else _STATES[one.state],
        "message": one.reason if one.state == "pending" and one.reason else summary,
        "exit_code": None if is_over else code if code is not None else one.signal,
        "scheduledStart": store.settings["estimate"] if one.state == "pending" else None,
        "assigned_network_address": [] if one.started is None else one.attributes["hosts"],
        "events": [{"type": kind, "description": ""} for kind in _events(one)] if is_over else [],
    }


def _events(one: Element) -> Iterator[str]:
    if one.state == "lost":
        yield "EXTERMINATE_JOB"
    else:
        yield "FRAG_JOB_REQUEST"
    if one.timed_out:
        yield "WALLTIME"
    yield "SEND_KILL_JOB"
    yield "SWITCH_INTO_ERROR_STATE"


def oardel(store: Store, arguments: list[str]) -> None:
    if arguments[0] != "--sql" or not arguments[1].startswith("state NOT IN ('Terminated', 'Error') AND ("):
        raise Refused(f"oardel: unexpected arguments {arguments}", 1)
    for array, indexes in _WHICH.findall(arguments[1]):
        number = int(array) // 1000
        if not any(one.number == number for one in store.elements()):
            continue
        wanted = [int(index) for index in indexes.split(",")] if indexes else None
        for one in store.cancel(number, wanted):
            print(f"Deleting the job = {one.number * 1000 + one.index} ...REGISTERED.")


def oarnodes(store: Store, arguments: list[str]) -> None:
    if arguments[0] != "-J":
        raise Refused(f"oarnodes: unexpected arguments {arguments}", 1)
    cores = [(host, core) for host, size in store.settings["nodes"].items() for core in range(size)]
    resources = {
        str(number): {
            "core": number,
            "memcore": _MEMORY,
            "network_address": host,
            "state": "Alive",
            "type": "default",
        }
        for number, (host, _) in enumerate(cores, 1)
    }
    print(json.dumps(resources, indent=3, separators=(",", " : ")))


def oarsh(store: Store, arguments: list[str]) -> int:
    """Run a command on another node of the job: like ssh, through a shell, and without passing signals on."""
    host, command = arguments
    if host not in store.settings["nodes"] or "OAR_JOB_ID" not in os.environ:
        raise Refused(f"oarsh: Cannot connect to {host}", 6)
    return run_tasks([Task(["/bin/sh", "-c", command], {"OAR_CPUSET": "/oar/job"})], passes_signals=False)[0]


PROGRAMS = {"oarsub": oarsub, "oarstat": oarstat, "oardel": oardel, "oarnodes": oarnodes, "oarsh": oarsh}

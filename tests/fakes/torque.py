"""A fake Torque 6.1: qsub, qstat, qdel, pbsnodes and pbsdsh.

From the manual pages and the source of Torque 6.1 (`qsub_functions.c`, `qstat.c`, `qdel.c`, `pbsdsh.c`), and from the
answers of real ones that other projects have published. All nodes of a job are this machine.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.fakes.engine import Element, Refused, Store, Task, run_tasks

SERVER = "server.example.org"
DEFAULTS = {
    "queues": ["batch", "long"],
    "nodes": {"n1": 8, "n2": 8, "n3": 8},  # cores
    "grace": 2.0,
    "second": 1.0,  # how long one of a walltime takes: for tests that cannot wait
    "shows_empty": True,  # whether qstat -x prints anything if there is no job
}
_MAXIMUM = 24 * 3600
_STATES = {"pending": "Q", "running": "R"}
_WITH_VALUE = ("-A", "-N", "-S", "-j", "-l", "-o", "-q", "-r", "-t")


class Request(NamedTuple):
    """What a script asks for."""

    options: dict[str, str]
    resources: dict[str, str]
    cores: int
    hosts: list[str]

    @property
    def walltime(self) -> int | None:
        if "walltime" not in self.resources:
            return None
        hours, minutes, seconds = self.resources["walltime"].split(":")
        return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def away(program: str) -> Refused:
    """Return what Torque's commands print while the server is down."""
    words = f"{program}: cannot connect to server {SERVER} (errno=111) Connection refused"
    return Refused(words, 111)


def request(store: Store, text: str, prefix: str) -> Request:
    """Return what the directives of a script ask for; they end with the first command, and of two the last counts."""
    options: dict[str, str] = {}
    resources: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith(prefix):
            words = iter(shlex.split(line.removeprefix(prefix)))
            for word in words:
                if word not in _WITH_VALUE:
                    raise Refused(f"qsub: invalid option -- '{word.strip('-')}'", 2)
                value = next(words)
                options[word] = value
                if word == "-l":
                    resources |= dict(part.partition("=")[::2] for part in value.split(","))
        elif line.strip() and not line.startswith("#"):
            break
    match = re.fullmatch(r"(\d+)(?::ppn=(\d+))?(?::gpus=\d+)?(:\w+)*", resources.get("nodes", "1"))
    if match is None:
        raise Refused("qsub: submit error (Illegal attribute or resource value for Resource_List.nodes)", 168)
    cores = int(match[2] or 1)
    # One node may be several of those that are asked for.
    places = [host for host, size in store.settings["nodes"].items() for _ in range(size // cores)]
    if len(places) < int(match[1]):
        raise Refused("qsub: submit error (Job exceeds queue resource limits MSG=cannot locate feasible nodes)", 188)
    return Request(options, resources, cores, places[: int(match[1])])


def check(store: Store, asked: Request) -> None:
    """Refuse what the server would not accept."""
    queue = asked.options.get("-q", store.settings["queues"][0])
    if queue not in store.settings["queues"]:
        raise Refused(f"qsub: submit error (Unknown queue MSG=requested queue not found: {queue})", 171)
    accounts = store.settings["accounts"]
    if accounts is not None and asked.options.get("-A") not in accounts:
        raise Refused("qsub: submit error (Invalid Account)", 201)
    if (asked.walltime or 0) > _MAXIMUM:
        words = "Job exceeds queue resource limits MSG=cannot satisfy queue max walltime requirement"
        raise Refused(f"qsub: submit error ({words})", 188)


def qsub(store: Store, arguments: list[str]) -> None:
    text = sys.stdin.read()
    asked = request(store, text, "#PBS")
    check(store, asked)
    array = re.fullmatch(r"1-(\d+)", asked.options.get("-t", ""))
    number = submit(store, text, asked, int(array[1]) if array else None)
    print(f"{number}{'[]' if array else ''}.{SERVER}")


def submit(store: Store, text: str, asked: Request, count: int | None, index_variable: str = "PBS_ARRAYID") -> int:
    """Queue a job that asks for that, and return its number."""
    file = store.file(f"nodes-{os.getpid()}", "".join(f"{host}\n" * asked.cores for host in asked.hosts))

    def variables(number: int, index: int) -> dict[str, str]:
        element = {index_variable: str(index)} if count else {}
        job_id = f"{number}[{index}].{SERVER}" if count else f"{number}.{SERVER}"
        return {
            **element,
            **{"PBS_JOBID": job_id, "PBS_NODEFILE": str(file), "PBS_ENVIRONMENT": "PBS_BATCH", "PBS_VNODENUM": "0"},
            **{"PBS_O_PATH": os.environ["PATH"], "PBS_JOBNAME": asked.options.get("-N", "STDIN")},
        }

    return store.submit(
        asked.options.get("-N", "STDIN"),
        text,
        count,
        queue=asked.options.get("-q", store.settings["queues"][0]),
        variables=variables,
        output=lambda number, index: asked.options.get("-o"),
        attributes={"hosts": asked.hosts, "cores": asked.cores, "requested": asked.walltime},
        walltime=None if asked.walltime is None else asked.walltime * store.settings["second"],
    )


def qstat(store: Store, arguments: list[str]) -> None:
    if arguments == ["-Q", "-f"]:
        print("\n".join(_queues(store)))
    elif arguments == ["-B", "-f"]:
        print(f"Server: {SERVER}\n    server_state = Active\n    default_queue = {store.settings['queues'][0]}\n")
    elif arguments[:-1] == ["-t", "-f", "-x", "-u"]:
        elements = store.elements()
        if elements or store.settings["shows_empty"]:
            print('<?xml version="1.0"?>')
            print(f"<Data>{''.join(f'<Job>{_record(element)}</Job>' for element in elements)}</Data>")
    else:
        raise Refused("usage: qstat [-f [-1]] [-W site_specific] [-x] [ job_identifier... | destination... ]", 2)


def _record(one: Element) -> str:
    values = {
        "Job_Id": f"{one.number}[{one.index}].{SERVER}" if one.is_array else f"{one.number}.{SERVER}",
        "Job_Name": f"{one.name}-{one.index}" if one.is_array else one.name,
        "resources_used": "<cput>00:00:00</cput><walltime>00:00:01</walltime>",
        "job_state": _STATES.get(one.state, "C"),
        "comment": one.reason,
        "exec_host": "+".join(f"{host}/0-{one.attributes['cores'] - 1}" for host in one.attributes["hosts"])
        if one.started
        else "",
        "Variable_List": "PBS_O_PATH=/a<b:/c&d,X=</Y>",
        "exit_status": exit_status(one),
        "start_time": str(int(one.started)) if one.started else "",
    }
    return "".join(f"<{name}>{value}</{name}>" for name, value in values.items() if value)


def exit_status(one: Element) -> str:
    """Return how an element ended, in Torque's numbers."""
    if one.state in ("pending", "running"):
        return ""
    if one.state == "lost":
        return "-1"
    if one.timed_out:
        return "-11"
    if one.state == "killed":
        return "271"
    return str(one.exit_code if one.exit_code is not None else 256 + (one.signal or 0))


def _queues(store: Store) -> Iterator[str]:
    for queue in store.settings["queues"]:
        states = [one.state for one in store.elements() if one.queue == queue]
        counts = {"Queued": states.count("pending"), "Held": 0, "Running": states.count("running")}
        words = " ".join(f"{word}:{count}" for word, count in counts.items())
        yield f"Queue: {queue}\n    queue_type = Execution\n    state_count = Transit:0 {words} Complete:0 "
        yield "    resources_max.walltime = 24:00:00\n    enabled = True"
        yield f"    started = {queue not in store.settings['holds']}\n"


def qdel(store: Store, arguments: list[str]) -> int:
    indexes = None
    if arguments[0] == "-t":
        parts = [part.partition("-") for part in arguments[1].split(",")]
        indexes = [index for first, _, last in parts for index in range(int(first), int(last or first) + 1)]
        arguments = arguments[2:]
    (job_id,) = arguments
    try:
        live = store.cancel(int(re.match(r"\d+", job_id)[0]), indexes)
    except KeyError:
        raise Refused(f"qdel: nonexistent job id: {job_id}", 153) from None
    if not live:
        raise Refused(f"qdel: Request invalid for state of job MSG=invalid state for job - COMPLETE {job_id}", 170)
    return 0


def pbsnodes(store: Store, arguments: list[str]) -> None:
    for host, size in store.settings["nodes"].items():
        status = f"rectime=1795183975,macaddr=02:00:00:00:00:01,ncpus={size},physmem=65938632kb,availmem=60000000kb"
        print(f"{host}\n     state = free\n     np = {size}\n     status = {status}\n     gpus = 0\n")


def pbsdsh(store: Store, arguments: list[str]) -> int:
    """Run a command on the node that has one of the job's numbered cores."""
    if arguments[0] != "-n" or "PBS_ENVIRONMENT" not in os.environ:
        raise Refused("pbsdsh: not executing under PBS", 1)
    with open(os.environ["PBS_NODEFILE"]) as file:  # noqa: PTH123
        nodes = file.read().split()
    vnode = int(arguments[1])
    if vnode >= len(nodes):
        raise Refused("pbsdsh: specified node doesn't exist", 1)
    kept: dict[str, Any] = {"PBS_JOBID": os.environ["PBS_JOBID"], "PBS_VNODENUM": str(vnode), "FAKE_NODE": nodes[vnode]}
    return run_tasks([Task(arguments[2:], kept)])[0]


PROGRAMS = {"qsub": qsub, "qstat": qstat, "qdel": qdel, "pbsnodes": pbsnodes, "pbsdsh": pbsdsh}

"""A fake HTCondor: condor_submit, condor_q, condor_rm and condor_status, as the HTCondor 25 manual has them.

A job of the parallel universe runs its script once for each node, all of them on this machine.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakes.engine import Element, Refused, Store

DEFAULTS = {"queues": ["default"], "queue_attribute": "JobFlavour"}
_IDLE, _RUNNING, _COMPLETED, _HELD = 1, 2, 4, 5
_NEEDED = ("executable", "arguments", "environment", "initialdir", "request_cpus", "request_memory", "batch_name")


def away(program: str) -> Refused:
    """Return what HTCondor's commands print as long as its daemon is down."""
    words = "CEDAR:6001:Failed to connect to <127.0.0.1:9618?addrs=127.0.0.1-9618>"
    before = {
        "condor_submit": "\nERROR: Failed to connect to local queue manager\n",
        "condor_q": "\n-- Failed to fetch ",
    }
    return Refused(before.get(program, "") + words, 1)


def condor_submit(store: Store, arguments: list[str]) -> None:
    if arguments != ["-terse", "-"]:
        raise Refused(f"\nERROR: illegal arguments {arguments}", 1)
    commands, count = _description(sys.stdin.read())
    if missing := [name for name in _NEEDED if name not in commands]:
        raise Refused(f"\nERROR: No '{missing[0]}' parameter was provided", 1)
    directory = _expand(commands["initialdir"], {})
    if not Path(directory).is_dir():
        raise Refused(f"\nERROR: No such directory: {directory}", 1)
    # HTCondor itself has no queues: a pool that has them looks at an attribute, and refuses what it does not know.
    queue = commands.get(f"+{store.settings['queue_attribute']}".lower(), '"default"').strip('"')
    if queue not in store.settings["queues"]:
        raise _rejected("QUEUE")
    accounts = store.settings["accounts"]
    if accounts is not None and commands.get("accounting_group") not in accounts:
        raise _rejected("GROUP")
    script = words(_expand(commands["arguments"], {}))[0]
    nodes = int(commands["machine_count"]) if commands["universe"] == "parallel" else 0
    passed = {name: os.environ[name] for name in commands["getenv"].split() if name in os.environ}

    def variables(number: int, index: int) -> Mapping[str, str]:
        macros = {"ClusterId": str(number), "Process": str(index - 1), "Node": "#pArAlLeLnOdE#"}
        settings = words(_expand(commands["environment"], macros))
        # The programs of the fake are found there.
        path = {"PATH": f"{store.bin}:{passed.get('PATH', '/usr/bin:/bin')}"}
        return {**passed, **dict(word.split("=", 1) for word in settings), **path}

    number = store.submit(
        commands["batch_name"],
        f"exec condor_nodes {nodes}\n" if nodes else Path(script).read_text(),
        count=count,
        queue=queue,
        variables=lambda number, index: {**variables(number, index), "FAKE_SCRIPT": script},
        output=lambda number, index: None,
        attributes=commands,
        walltime=float(commands["allowed_job_duration"]) if "allowed_job_duration" in commands else None,
        directory=directory,
    )
    print(f"{number}.0 - {number}.{count - 1}")


def _rejected(requirement: str) -> Refused:
    words = f"QMGMT rejected job submission.  Submit requirement {requirement} evaluated to FALSE."
    return Refused(f"\nERROR: Failed to commit job submission into the queue.\nERROR: {words}", 1)


def _description(text: str) -> tuple[dict[str, str], int]:
    """Return the commands of a submit description and how many processes it queues."""
    commands = {"universe": "vanilla", "getenv": ""}
    for line in text.splitlines():
        if match := re.fullmatch(r"queue (\d+)", line.strip()):
            return commands, int(match[1])
        key, equals, value = line.partition("=")
        if not equals:
            raise Refused(f"\nERROR: on Line 1 of submit file: {line}", 1)
        commands[key.strip().lower()] = value.strip()
    raise Refused("\nERROR: 'queue' command is missing", 1)


def _expand(text: str, macros: Mapping[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda match: {"DOLLAR": "$", **macros}[match[1]], text)


def words(text: str) -> list[str]:
    """Return the words of a list in the manual's new syntax."""
    inner = text[1:-1].replace('""', '"')
    found = re.findall(r"(?:'(?:[^']|'')*'|[^\s'])+", inner)
    return [re.sub(r"'((?:[^']|'')*)'", lambda match: match[1].replace("''", "'"), word) for word in found]


def condor_nodes(store: Store, arguments: list[str]) -> int:
    """Run a script on each node of a parallel job; end when the first node has ended, and with its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # every process of the job gets it
    nodes = [
        subprocess.Popen(
            ["/bin/sh", os.environ["FAKE_SCRIPT"]],
            env={**os.environ, "HPCDASK_NODE": os.environ["HPCDASK_NODE"].replace("#pArAlLeLnOdE#", str(node))},
            start_new_session=True,
        )
        for node in range(int(arguments[0]))
    ]
    code = nodes[0].wait()
    return 128 - code if code < 0 else code


def condor_q(store: Store, arguments: list[str]) -> None:
    asked = re.fullmatch(r'regexp\("(.*)", JobBatchName\)', arguments[1])
    if [arguments[0], *arguments[2:4]] != ["-constraint", "-json", "-attributes"] or asked is None:
        raise Refused(f"Error: illegal arguments {arguments}", 1)
    wanted = arguments[4].split(",")
    elements = [element for element in store.elements() if re.search(asked[1], element.name)]
    found = [ad for element in elements if (ad := _job(element)) is not None]
    _print([{name: ad[name] for name in wanted if name in ad} for ad in found])


def _job(element: Element) -> dict[str, Any] | None:
    """Return the ClassAd of a process, or None if it has left the queue."""
    ad: dict[str, Any] = {
        "ClusterId": element.number,
        "ProcId": element.index - 1,
        "JobBatchName": element.name,
        "NumJobStarts": 0 if element.started is None else 1,
    }
    if element.state == "killed":
        return None
    if element.state == "pending":
        return {**ad, "JobStatus": _IDLE, **({"LastRejMatchReason": element.reason} if element.reason else {})}
    if element.state == "lost":
        return {**ad, "JobStatus": _IDLE}
    if element.state == "running":
        return {**ad, "JobStatus": _RUNNING, "RemoteHost": "slot1_1@n1.example.org"}
    if element.timed_out:
        return {**ad, "JobStatus": _HELD, "HoldReasonCode": 46, "HoldReason": "The job exceeded allowed job duration"}
    how = {"ExitBySignal": element.signal is not None, "ExitSignal": element.signal, "ExitCode": element.exit_code}
    return {**ad, "JobStatus": _COMPLETED, **{name: value for name, value in how.items() if value is not None}}


def _print(ads: list[dict[str, Any]]) -> None:
    """Print ClassAds as HTCondor does, which is nothing at all for none."""
    if ads:
        print("[\n" + "\n,\n".join(json.dumps(ad, indent=2) for ad in ads) + "\n]")


def condor_rm(store: Store, arguments: list[str]) -> int:
    complaints = []
    for argument in arguments:
        number, dot, process = argument.partition(".")
        try:
            ended = store.cancel(int(number), [int(process) + 1] if dot else None)
        except KeyError:
            ended = []
        if ended and dot:
            print(f"Job {argument} marked for removal")
        elif ended:
            print(f"All jobs in cluster {number} have been marked for removal")
        else:
            complaints.append(
                f"Job {argument} not found" if dot else f"Couldn't find/remove all jobs in cluster {number}"
            )
    if complaints:
        raise Refused("\n".join(complaints), 1)
    return 0


def condor_status(store: Store, arguments: list[str]) -> None:
    if arguments[:3] != ["-constraint", 'SlotType =!= "Dynamic"', "-json"]:
        raise Refused(f"Error: illegal arguments {arguments}", 1)
    slot = {"Cpus": 2, "Memory": 3000, "SlotType": "Partitionable", "State": "Unclaimed"}
    totals = {"TotalSlotCpus": 4, "TotalSlotMemory": 8000}
    _print([{"Machine": f"n{number}.example.org", **slot, **totals} for number in (1, 2)])


PROGRAMS = {
    "condor_submit": condor_submit,
    "condor_q": condor_q,
    "condor_rm": condor_rm,
    "condor_status": condor_status,
    "condor_nodes": condor_nodes,
}

"""A fake Moab 9 above a fake Torque: msub, showq, canceljob and showstart, and Torque's own qstat, pbsnodes and pbsdsh.

From the Moab administrator's guide, and from the answers of real ones that other projects have published.
"""

from __future__ import annotations

import re
import sys
from xml.sax.saxutils import quoteattr

from tests.fakes import torque
from tests.fakes.engine import Element, Refused, Store

DEFAULTS = {**torque.DEFAULTS, "estimate": "1:02:03:04", "reserved": ""}
_STATES = {"pending": "Idle", "running": "Running", "done": "Completed", "killed": "Removed", "lost": "Removed"}


def away(program: str) -> Refused:
    """Return what Moab's commands print while the server is down."""
    return Refused("ERROR:    client timed out after 30 seconds (hostname:port=moab.example.org:42559)", 1)


def msub(store: Store, arguments: list[str]) -> None:
    text = sys.stdin.read()
    try:
        asked = torque.request(store, text, "#MSUB")
        torque.check(store, asked)
    except Refused as refusal:
        words = re.sub(r".*\((.*)\)", r"\1", str(refusal))
        raise Refused(f"\nERROR:    cannot submit job - {words}\n", 1) from refusal
    array = re.fullmatch(r"\[1-(\d+)\]", asked.options.get("-t", ""))
    number = torque.submit(store, text, asked, int(array[1]) if array else None, "MOAB_JOBARRAYINDEX")
    print(f"\nMoab.{number}{'[]' if array else ''}")


def showq(store: Store, arguments: list[str]) -> None:
    if arguments[-2] != "-w" or not arguments[-1].startswith("user="):
        raise Refused(f"ERROR:    unexpected arguments {arguments}", 1)
    is_over = arguments[:-2] == ["-c", "--xml"]
    shown = [one for one in store.elements() if (one.state not in ("pending", "running")) == is_over]
    print('<?xml version="1.0" encoding="UTF-8"?>\n<Data><Object>queue</Object><cluster LocalUpNodes="3" time="1"/>')
    print(f'<queue count="{len(shown)}" option="{"completed" if is_over else "active"}">')
    print("".join(_job(store, one) for one in shown) + "</queue></Data>")


def _job(store: Store, one: Element) -> str:
    requested = one.attributes["requested"] or 0
    values = {
        "AWDuration": str(requested + 1 if one.timed_out else 1),
        "BlockReason": one.reason if one.state == "pending" else "",
        "CompletionCode": "" if one.state in ("pending", "running") else _completion(one),
        "JobID": f"Moab.{one.number}[{one.index}]" if one.is_array else f"Moab.{one.number}",
        "JobName": one.name,
        "MasterHost": one.attributes["hosts"][0] if one.started else "",
        "ReqAWDuration": str(requested),
        "RsvStartTime": store.settings["reserved"] if one.state == "pending" else "",
        "State": _STATES[one.state],
    }
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in values.items() if value)
    return f"<job {attributes}/>"


def _completion(one: Element) -> str:
    status = torque.exit_status(one)
    return "CNCLD(271)" if status == "271" else status


def canceljob(store: Store, arguments: list[str]) -> int:
    complaints = []
    for word in arguments:
        number, index = re.fullmatch(r"Moab\.(\d+)(?:\[(\d*)\])?", word).groups()
        try:
            live = store.cancel(int(number), [int(index)] if index else None)
        except KeyError:
            live = []
        if live:
            print(f"\njob '{word}' cancelled\n")
        else:
            complaints.append(f"ERROR:  invalid job specified ({word})")
    if complaints:
        raise Refused("\n".join(complaints), 1)
    return 0


def showstart(store: Store, arguments: list[str]) -> None:
    cores, _, walltime = arguments[0].partition("@")
    if int(cores) > sum(store.settings["nodes"].values()):
        raise Refused("ERROR:    cannot determine start time: requested procs exceed available procs", 1)
    print(f"job {cores}@{walltime} requires {cores} procs for {walltime}\n")
    if wait := store.settings["estimate"]:
        print(f"Estimated Rsv based start in           {wait:>12} on Fri Aug 15 12:40:10")
        print("Estimated Rsv based completion in         1:15:31:22 on Sun Aug 17 00:40:10\n\nBest Partition: torque")


PROGRAMS = {
    "msub": msub,
    "showq": showq,
    "canceljob": canceljob,
    "showstart": showstart,
    "qstat": torque.qstat,
    "pbsnodes": torque.pbsnodes,
    "pbsdsh": torque.pbsdsh,
}

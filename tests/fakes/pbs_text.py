"""What the fake PBS prints, in the form of the recorded answers."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Sequence

from tests.fakes.engine import Element, Store

SERVER = "pbs01"
QUEUES = {"regular": "24:00:00", "closed": "24:00:00", "gpu": "01:00:00"}
_LETTERS = {"pending": "Q", "running": "R", "done": "F", "killed": "F", "lost": "F"}


def table(jobs: Iterable[Sequence[Element]], ended: bool) -> str:
    """Return what `qstat -u` prints: jobs that have ended, or those that have not."""
    lines = []
    for elements in jobs:
        letter = _state(elements)
        if (letter == "F") == ended:
            first = elements[0]
            name = first.name if len(first.name) <= 10 else f"{first.name[:9]}*"
            cut = _id(first, whole=True)
            cut = cut if len(cut) <= 15 else f"{cut[:14]}*"
            lines.append(
                f"{cut:<15.15} {'ada':<8.8} {(first.queue or ''):<8.8} {name:<10.10} {'--':>6} {1:>3} {1:>3} {'--':>6} "
                f"01:00 {letter}   -- \n"
            )
    if not lines:
        return ""
    heading = "Job ID          Username Queue    Jobname    SessID NDS TSK Memory Time  S Time\n"
    rule = "--------------- -------- -------- ---------- ------ --- --- ------ ----- - -----\n"
    return f"\n{SERVER}: \n{heading}{rule}{''.join(lines)}"


def job_record(elements: Sequence[Element], with_elements: bool) -> str:
    """Return what `qstat -f` prints of a job, with its elements if it is an array."""
    first = elements[0]
    if not first.is_array:
        return _element(first, _LETTERS[first.state])
    letter = _state(elements)
    waits = next((element.reason for element in elements if element.state == "pending"), "")
    words = {"Q": waits, "B": "Job Array Began at Fri Nov 20 at 09:32"}.get(letter, "and finished")
    text = _record(_id(first, whole=True), first, letter, {"comment": words, "array": "True"})
    if with_elements:
        text += "".join(_element(one, _letter_in_array(one, letter)) for one in elements)
    return text


def queue_records(store: Store) -> str:
    """Return what `qstat -Q -f` prints."""
    settings, text = store.settings, ""
    elements = store.elements()
    for name in settings["queues"]:
        counts = [sum(one.queue == name and one.state == state for one in elements) for state in ("pending", "running")]
        state = f"Transit:0 Queued:{counts[0]} Held:0 Waiting:0 Running:{counts[1]} Exiting:0 Begun:0 "
        fields = {"queue_type": "Execution", "total_jobs": str(sum(counts)), "state_count": state}
        fields |= {"resources_max.walltime": QUEUES.get(name, "24:00:00"), "enabled": "True"}
        fields["started"] = str(name not in settings["holds"])
        text += _lines(f"Queue: {name}", fields)
    return text


def server_record() -> str:
    """Return what `qstat -B -f` prints."""
    return _lines(
        f"Server: {SERVER}", {"server_state": "Active", "default_queue": "regular", "pbs_version": "23.06.06"}
    )


def node_records() -> str:
    """Return what `pbsnodes -a` prints."""
    text = ""
    for number in (1, 2):
        fields = {"Mom": f"n{number}", "ntype": "PBS", "state": "free", "resources_available.mem": "32gb"}
        fields |= {"resources_available.ncpus": "16", "resources_assigned.ncpus": "0"}
        text += f"n{number}\n" + "".join(f"     {name} = {value}\n" for name, value in fields.items()) + "\n"
    return text


def _element(element: Element, letter: str) -> str:
    host = os.uname().nodename
    fields = {}
    if element.state == "pending":
        fields = {"substate": "10", "comment": "" if element.is_array else element.reason}
    elif element.state == "running":
        fields = {
            "substate": "42",
            "exec_host": f"{host}/0",
            "comment": f"Job run at Fri Nov 20 at 09:32 on ({host}:ncpus=1)",
        }
    else:
        fields = _end(element)
    return _record(_id(element), element, letter, fields)


def _end(element: Element) -> dict[str, str]:
    began = f"Job run at Fri Nov 20 at 09:32 on ({os.uname().nodename}:ncpus=1)"
    if element.state == "killed":
        comment = began if element.started else "Not Running: Queue not started."
        return {"substate": "91", "comment": f"{comment} and terminated by ada@login1", "Exit_status": "271"}
    if element.timed_out:
        return {"substate": "93", "comment": f"{began} and exceeded resource walltime", "Exit_status": "-29"}
    if element.state == "lost":
        return {"substate": "93", "comment": f"{began} and failed", "Exit_status": "-20"}
    code = element.exit_code if element.exit_code is not None else 256 + (element.signal or 0)
    how = "failed" if code else "finished"
    return {"substate": "93" if code else "92", "comment": f"{began} and {how}", "Exit_status": str(code)}


def _record(name: str, element: Element, letter: str, fields: dict[str, str]) -> str:
    common = {"Job_Name": element.name, "Job_Owner": "ada@login1", "job_state": letter, "queue": element.queue or ""}
    common |= {"Hold_Types": "n", "Variable_List": f"PBS_O_PATH={os.environ.get('PATH', '')},PBS_O_SYSTEM=Linux"}
    return _lines(f"Job Id: {name}", common | {key: value for key, value in fields.items() if value})


def _lines(heading: str, fields: dict[str, str]) -> str:
    text = f"{heading}\n"
    for name, value in fields.items():
        start = f"    {name} = "
        first, rest = value[: 79 - len(start)], value[79 - len(start) :]
        more = textwrap.wrap(rest, 70, drop_whitespace=False, break_on_hyphens=False) if rest else []
        text += start + "\n\t".join([first, *more]) + "\n"
    return text + "\n"


def _state(elements: Sequence[Element]) -> str:
    states = {element.state for element in elements}
    if not elements[0].is_array:
        return _LETTERS[elements[0].state]
    return "Q" if states == {"pending"} else "B" if states & {"pending", "running"} else "F"


def _letter_in_array(element: Element, of_array: str) -> str:
    """Return the state of an element; one that has ended is `X` as long as others of its array have not."""
    letter = _LETTERS[element.state]
    return "X" if letter == "F" and of_array != "F" else letter


def _id(element: Element, whole: bool = False) -> str:
    index = "" if not element.is_array else "[]" if whole else f"[{element.index}]"
    return f"{element.number}{index}.{SERVER}"

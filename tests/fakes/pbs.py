"""A fake OpenPBS 23.06: qsub, qstat, qdel, pbsnodes, pbsdsh.

From the recorded answers in `tests/recordings/pbs`, the manual pages, and OpenPBS's source (`qsub.c`, `qstat.c`,
`qdel.c`, `pbsdsh.c`, `start_exec.c`).
"""

from __future__ import annotations

import os
import re
import sys
from getopt import GetoptError, getopt
from itertools import groupby
from pathlib import Path

from tests.fakes.engine import Element, Refused, Store, Task, run_tasks
from tests.fakes.pbs_options import Options, parse_options
from tests.fakes.pbs_text import SERVER, job_record, node_records, queue_records, server_record, table

DEFAULTS = {"chunks": ["ncpus", "mem", "ngpus", "mpiprocs", "ompthreads", "model"]}
_UNKNOWN, _FINISHED, _FINISHED_ELEMENT = 153, 35, 55
_MAXIMUM = 24 * 3600


def qsub(store: Store, arguments: list[str]) -> None:
    text = sys.stdin.read()
    options = parse_options(arguments, text)
    queue = options.get("q", "regular")
    _check_submission(store, options, queue)
    name = options.get("N", "STDIN")
    chunks, lines = options.chunks()
    nodes = store.file(f"nodes-{os.getpid()}", f"{os.uname().nodename}\n" * lines)
    count = options.count

    def variables(number: int, index: int) -> dict[str, str]:
        outside = {f"PBS_O_{key}": os.environ[key] for key in ("HOME", "LANG", "PATH", "SHELL") if key in os.environ}
        array = {"PBS_ARRAY_INDEX": str(index), "PBS_ARRAY_ID": f"{number}[].{SERVER}"} if count else {}
        return {
            **{**outside, "PBS_O_WORKDIR": str(Path.cwd()), "PBS_O_QUEUE": queue, "PBS_O_HOST": os.uname().nodename},
            **{"PBS_O_SYSTEM": "Linux", "PBS_JOBNAME": name, "PBS_QUEUE": queue, "PBS_JOBCOOKIE": "00A7", **array},
            **{"PBS_JOBID": f"{number}[{index}].{SERVER}" if count else f"{number}.{SERVER}", "PBS_TASKNUM": "1"},
            **{"PBS_NODEFILE": str(nodes), "PBS_NODENUM": "0", "PBS_MOMPORT": "15003", "SHELL": "/bin/bash"},
            **{"PBS_ENVIRONMENT": "PBS_BATCH", "ENVIRONMENT": "BATCH", "TMPDIR": "/tmp", "PBS_JOBDIR": store.home},
            **{"NCPUS": options.cores, "OMP_NUM_THREADS": options.cores},
        }

    number = store.submit(
        name,
        text,
        count,
        queue=queue,
        variables=variables,
        output=lambda _, index: options.get("o", os.devnull).replace("^array_index^", str(index)),
        attributes={"account": options.get("A"), "lines": lines, "chunks": chunks, **dict(options.resources)},
        walltime=options.walltime,
        by_name=True,
    )
    print(f"{number}{'[]' if count else ''}.{SERVER}")


def _check_submission(store: Store, options: Options, queue: str) -> None:
    settings = store.settings
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+.-]{0,229}", options.get("N", "STDIN")):
        raise Refused("qsub: illegal -N value\nusage: qsub [-a date_time] [-A account_string] [-c interval]", 2)
    if "J" in options.values and options.count is None:
        raise Refused("qsub: illegal -J value", 2)
    if options.count is not None and options.get("r") == "n":
        raise Refused("qsub:  cannot submit non-rerunable Array Job", 1)
    if queue not in settings["queues"]:
        raise Refused("qsub: Unknown queue", 170)
    if settings["accounts"] is not None and options.get("A") not in settings["accounts"]:
        raise Refused("qsub: Invalid Account", 201)
    options.check_resources(settings["chunks"])
    if (options.walltime or 0) > _MAXIMUM:
        raise Refused("qsub: Job violates queue and/or server resource limits", 188)


def qstat(store: Store, arguments: list[str]) -> int:
    try:
        flags, words = getopt(arguments, "u:HxftQBw")
    except GetoptError as error:
        raise Refused(f"qstat: invalid option -- '{error.opt}'", 2) from error
    given = dict(flags)
    if "-Q" in given:
        print(queue_records(store), end="")
        return 0
    if "-B" in given:
        print(server_record(), end="")
        return 0
    jobs = {number: list(elements) for number, elements in groupby(store.elements(), lambda element: element.number)}
    if {"-H", "-x"} & set(given) and not store.settings["history"]:
        print("qstat: PBS is not configured to maintain job history", file=sys.stderr)
        return 0
    if "-u" in given:
        print(table(jobs.values(), ended="-H" in given), end="")
        return 0
    code = 0
    for word in words:
        elements = jobs.get(int(word.partition("[")[0].partition(".")[0]))
        if elements is None or elements[0].is_array != ("[" in word):
            print(f"qstat: Unknown Job Id {_full(word)}", file=sys.stderr)
            code = _UNKNOWN
        elif _is_over(elements) and "-x" not in given:
            hint = "use -x or -H to obtain historical job information"
            print(f"qstat: {_full(word)} Job has finished, {hint}", file=sys.stderr)
            code = _FINISHED
        else:
            print(job_record(elements, with_elements="-t" in given), end="")
    return code


def qdel(store: Store, arguments: list[str]) -> int:
    code = 0
    for word in arguments:
        match = re.fullmatch(r"(\d+)(\[(?:(\d+)(?:-(\d+))?)?\])?(\.[\w.-]+)?", word)
        if match is None:
            print(f"qdel: illegally formed job identifier: {word}", file=sys.stderr)
            code = 1
            continue
        number, first, last = int(match[1]), match[3], match[4] or match[3]
        elements = [element for element in store.elements() if element.number == number]
        if not elements or elements[0].is_array != bool(match[2]):
            code = _complain("Unknown Job Id", word, _UNKNOWN)
        elif _is_over(elements):
            code = _complain("Job has finished", word, _FINISHED)
        elif not store.cancel(number, range(int(first), int(last) + 1) if first else None) and first == last:
            code = _complain("Request invalid for finished array subjob", word, _FINISHED_ELEMENT)
    return code


def pbsnodes(store: Store, arguments: list[str]) -> None:
    print(node_records(), end="")


def pbsdsh(store: Store, arguments: list[str]) -> int:
    flags, words = getopt(arguments, "c:n:h:svo")
    if "PBS_ENVIRONMENT" not in os.environ:
        raise Refused("pbsdsh: not executing under PBS", 1)
    number = int(re.match(r"\d+", os.environ["PBS_JOBID"])[0])
    job = next(element for element in store.elements() if element.number == number)
    lines = job.attributes["lines"]
    wanted = [int(dict(flags)["-n"])] if "-n" in dict(flags) else range(lines)
    # What a task gets is of the job, not of the script that starts it.
    of_job = {name: value for name, value in os.environ.items() if name.startswith("PBS_") or name == "ENVIRONMENT"}
    own = {"PBS_NODENUM": "0", "TMPDIR": "/tmp", "PBS_JOBDIR": store.home, "NCPUS": job.attributes["ncpus"]}
    own["OMP_NUM_THREADS"] = own["NCPUS"]
    tasks = [
        Task(words, {**of_job, **own, "PBS_TASKNUM": f"{2 + index % lines:08X}"}, index % lines) for index in wanted
    ]
    for task, code in zip(tasks, run_tasks(tasks, output=os.devnull), strict=True):
        if code:
            print(f"pbsdsh: task 0x{task.number:08X} exit status {code}")
    return 0  # whatever the tasks' exit codes are


def away(program: str) -> Refused:
    if program == "qdel":
        return Refused(f"Couldn't connect to cluster: {SERVER}", 111)
    return Refused(f"Connection refused\n{program}: cannot connect to server {SERVER} (errno=111)", 255)


def _is_over(elements: list[Element]) -> bool:
    return all(element.state not in ("pending", "running") for element in elements)


def _full(word: str) -> str:
    return word if "." in word else f"{word}.{SERVER}"


def _complain(words: str, job: str, code: int) -> int:
    print(f"qdel: {words} {_full(job)}", file=sys.stderr)
    return code


PROGRAMS = {"qsub": qsub, "qstat": qstat, "qdel": qdel, "pbsnodes": pbsnodes, "pbsdsh": pbsdsh}

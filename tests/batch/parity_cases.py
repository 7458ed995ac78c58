"""What is compared with dask-jobqueue 0.9: options, and every difference that is wanted, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GIB, MIB = 2**30, 2**20


@dataclass(frozen=True)
class Difference:
    """A value that is not the same there and here."""

    there: object
    here: object
    reason: str


@dataclass(frozen=True)
class Case:
    """The options of a job there, what a site has to say besides, and what then differs.

    `directives` are those of the site, if they are not the job's `job_extra_directives`.
    """

    system: str
    kind: str
    options: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    directives: tuple[str, ...] = ()
    differences: Mapping[str, Difference] = field(default_factory=dict)
    only_here: Mapping[str, str] = field(default_factory=dict)


_SMALL: dict[str, Any] = {"cores": 1, "memory": "4 GiB", "processes": 1, "queue": "regular", "walltime": "00:30:00"}
_PACKED: dict[str, Any] = {
    "cores": 8,
    "memory": "20 GB",
    "processes": 4,
    "queue": "bigmem",
    "walltime": "36:00:00",
    "interface": "ib0",
    "local_directory": "/local/scratch",
    "job_script_prologue": ["module load python", "export READY=yes"],
}
_NO_QUEUE = ("queue", "walltime")


def _without(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


_ROUNDED_TO_GIB = Difference(19 * GIB, 19074 * MIB, "dask-jobqueue rounds up to whole GiB, which may be too much")
_NO_SELECT = "dask-jobqueue writes PBS Professional's `select`, which Torque, below Moab, does not know"
_NODES = {"chunks": Difference(1, None, _NO_SELECT), "nodes": Difference(None, 1, _NO_SELECT)}

CASES = (
    Case("slurm", "small", _SMALL),
    Case(
        "slurm",
        "packed",
        {
            **_PACKED,
            "walltime": "1-12:00:00",
            "account": "science",
            "job_extra_directives": ["--qos=debug", "--constraint=a&b"],
        },
        differences={"memory": _ROUNDED_TO_GIB},
    ),
    Case("pbs", "small", _SMALL),
    Case(
        "pbs",
        "packed",
        {**_PACKED, "account": "science", "job_extra_directives": ["-W umask=022"]},
        differences={"memory": _ROUNDED_TO_GIB},
    ),
    Case("moab", "small", _SMALL, differences=_NODES),
    Case(
        "moab",
        "packed",
        {**_PACKED, "account": "science", "job_extra_directives": ["-W umask=022"]},
        differences={**_NODES, "memory": _ROUNDED_TO_GIB},
    ),
    Case(
        "torque",
        "packed",
        {**_PACKED, "account": "science", "resource_spec": "nodes=1:ppn=8,mem=19074mb"},
    ),
    Case(
        "lsf",
        "small",
        {**_SMALL, "walltime": "00:30", "lsf_units": "mb"},
        differences={
            "memory": Difference(4295 * MIB, 4096 * MIB, "dask-jobqueue counts in units of 1000 where LSF's are 1024")
        },
        only_here={r"-R span\[hosts=1\]": "dask-jobqueue leaves it out for a single core, where it changes nothing"},
    ),
    Case(
        "lsf",
        "packed",
        {**_PACKED, "walltime": "36:00", "project": "science", "lsf_units": "mb", "job_extra_directives": ["-x"]},
        differences={
            "memory": Difference(20000 * MIB, 19074 * MIB, "dask-jobqueue counts in units of 1000 where LSF's are 1024")
        },
    ),
    Case(
        "sge",
        "small",
        _SMALL,
        differences={
            "memory of a core": Difference(None, 4 * GIB, "dask-jobqueue leaves memory to directives, and so to chance")
        },
    ),
    Case(
        "sge",
        "packed",
        {
            **_PACKED,
            "project": "science",
            "resource_spec": "mem_free=20G",
            "job_extra_directives": ["-pe smp 8", "-p -10"],
        },
        settings={"memory_resource": None, "resource_spec": "mem_free=20G", "parallel_environment": "smp"},
        directives=("-p -10",),
    ),
    Case(
        "oar",
        "small",
        {**_SMALL, "memory_per_core_property_name": "memcore"},
        settings={"memory_per_core_property": "memcore"},
    ),
    Case(
        "oar",
        "packed",
        {
            **_PACKED,
            "project": "science",
            "memory_per_core_property_name": "memcore",
            "job_extra_directives": ["-t besteffort"],
        },
        settings={"memory_per_core_property": "memcore"},
    ),
    Case(
        "htcondor", "small", {**_without(_SMALL, *_NO_QUEUE), "disk": "1 GiB"}, directives=("request_disk = 1048576",)
    ),
    Case(
        "htcondor",
        "packed",
        {**_without(_PACKED, *_NO_QUEUE), "disk": "10 GB", "job_extra_directives": {"+Flavour": '"long"'}},
        directives=("request_disk = 9765625", '+Flavour = "long"'),
        differences={
            "memory": Difference(19073 * MIB, 19074 * MIB, "dask-jobqueue rounds down, so a little is missing")
        },
    ),
)

_ARRAY = "one submission for all jobs of a kind, whatever their number"
_LOG = "every job has a log, where the card finds it"
_OWN_LOG = "the script itself opens its log, to be read at once"
_RERUN = "the workers of a job that was started again would have the names of others"
_TORQUE = {
    "-r n": _RERUN,
    "-j oe": _LOG,
    "-o /dev/null": _OWN_LOG,
    "-S /bin/bash": "Torque ignores a script's first line, and starts the user's own shell",
}

ONLY_HERE: dict[str, dict[str, str]] = {
    "slurm": {
        "--comment=.*": "says in the centre's own listings what the job is",
        "--array=1-1": _ARRAY,
        "--output=.*": _LOG,
        "--chdir=.*": "workers run where the notebooks are, also when submitted from another host",
        "--no-requeue": _RERUN,
    },
    "pbs": {"-r n": _RERUN, "-j oe": _LOG, "-o /dev/null": _OWN_LOG},
    "torque": _TORQUE,
    "moab": _TORQUE,
    "lsf": {
        r"-R rusage\[mem=\d+(MB)?\]": "dask-jobqueue only limits memory and reserves none",
        "-env PATH": "jobs do not depend on the environment of the Jupyter server",
        "-o /dev/null": f"{_OWN_LOG}; without this, LSF sends mails",
        "-rn": _RERUN,
    },
    "sge": {
        "-S /bin/bash": "Grid Engine ignores a script's first line",
        "-t 1-1": _ARRAY,
        "-o .*": _LOG,
        "-r n": _RERUN,
        "-notify": "workers can close down before they are killed",
    },
    "oar": {
        "-d /": "the script itself changes its directory, and reports if it cannot",
        "-O /dev/null": "the command that starts the script opens its log, with the number of the job in it",
        "-E /dev/null": "the command that starts the script opens its log, with the number of the job in it",
    },
    "htcondor": {
        "universe = vanilla": "this is HTCondor's default; an allocation has another one",
        "executable = /bin/bash": "ours is bash, so that prologues may have what is written for it",
        "transfer_executable = False": "the shell is that of the node",
        "arguments = .*": "the script is a file, which need not be quoted as one argument",
        "environment = .*": "tells the script the number of the job",
        "getenv = PATH": "the interpreter may be found by it",
        "initialdir = .*": "workers run where the notebooks are",
        "should_transfer_files = NO": "directories are shared with the nodes",
        "want_graceful_removal = True": "workers can close down before they are killed",
        "job_max_vacate_time = 30": "workers can close down before they are killed",
        "periodic_remove = .*": "a job that is held for a fault is not left behind",
        "leave_in_queue = .*": "how a job has ended can be asked for",
        "queue 1": _ARRAY,
    },
}
"""Directives that only ours have, as patterns, and why."""

ONLY_THERE: dict[str, dict[str, str]] = {
    "sge": {"-cwd": "the script itself changes its directory, and reports if it cannot"},
    "htcondor": {
        r"MY\.\w+ = .*": "dask-jobqueue's own attributes, from which it computes the others",
        "Arguments = .*": "the script is a file here",
        "Executable = /bin/sh": "ours is bash, so that prologues may have what is written for it",
        "Queue": _ARRAY,
    },
}
"""Directives that only theirs have."""

WORKER_HERE = {
    "--protocol": "clusters use TLS, always",
    "--preload": "adds the routes that the proxy asks, and guards them",
    "--scheduler-file": "the scheduler may not run yet when the job is written",
    "--no-dashboard": "the scheduler has the only one, and a worker's could be opened by anybody",
    "--resources": "tasks can ask for the workers of a group",
}
WORKER_HERE_UNTIL_WALLTIME = {
    "--lifetime": "workers hand over their data before the batch system ends them",
    "--lifetime-stagger": "and those of a job do so one after another",
}
WORKER_THERE = {"--nanny": "Dask's default, there and here"}
WORKER_DIFFERENCES = {
    "--death-timeout": Difference("60", "120", "the scheduler may be in a job that starts a little later"),
}

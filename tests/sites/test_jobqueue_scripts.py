"""The jobs of an imported site ask for what dask-jobqueue's own jobs ask for with the same configuration.

Both read the same files: dask-jobqueue's defaults, and those of a user. What is compared is each directive by what it
means, and the worker's command line by its options.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpcdask_ext.sites.dask_config import dask_config_files, read_config
from hpcdask_ext.sites.jobqueue import import_jobqueue, site_yaml
from hpcdask_ext.sites.jobqueue_units import batch_memory, walltime_text

from .previews import preview, scripts

# Importing it would change the configuration of the other tests' Dask, and write into the user's.
DEFAULTS = Path(find_spec("dask_jobqueue").origin).with_name("jobqueue.yaml")
PROGRAM = Path(__file__).with_name("jobqueue_scripts.py")
WORKER = "distributed.cli.dask_worker"

PLAIN: dict[str, Any] = {"cores": 8, "memory": "32GiB", "processes": 4, "queue": "regular"}
COMMON: dict[str, Any] = {
    **PLAIN,
    "interface": "ib0",
    "death-timeout": 90,
    "local-directory": "/scratch/$USER",
    "job-script-prologue": ["export READY=yes", "ulimit -n 8192"],
    "worker-extra-args": ["--lifetime", "2h"],
    "python": "/opt/env/bin/python",
}
SGE = {"resource-spec": "mem_free=4G", "job-extra-directives": ["-pe smp 8"]}
NO_QUEUE = {"queue": None}
PLAINLY = {"lsf": {"lsf-units": "mb"}, "sge": SGE, "htcondor": {"disk": "1GiB", **NO_QUEUE}, "local": NO_QUEUE}
FULLY: dict[str, dict[str, Any]] = {
    "slurm": {
        "account": "science",
        "walltime": "1-02:30",
        "job-cpu": 16,
        "job-mem": "40G",
        "job-extra-directives": ["--exclusive", "--qos=debug"],
    },
    "pbs": {
        "account": "science",
        "walltime": "02:30:00",
        "resource-spec": "select=1:ncpus=16:mem=40gb:bigmem",
        "job-extra": ["-m n"],
    },
    "moab": {"project": "science", "walltime": "02:30:00", "job-extra": ["-m n"]},
    "lsf": {
        "project": "science",
        "walltime": "02:30",
        "ncpus": 16,
        "mem": 40 * 10**9,
        "lsf-units": "mb",
        "job-extra-directives": ["-x"],
    },
    "sge": {"project": "science", "walltime": "02:30:00", **SGE},
    "oar": {
        "project": "science",
        "walltime": "02:30:00",
        "memory-per-core-property-name": "memcore",
        "job-extra-directives": ["-t besteffort"],
    },
    "htcondor": {"disk": "2GiB", "job-extra-directives": {"+JobFlavour": '"tomorrow"'}, **NO_QUEUE},
    "local": NO_QUEUE,
}

# What each directive is called there, and here where it differs.
FACTS: dict[str, dict[str, tuple[str, ...]]] = {
    "slurm": {
        "cores": (r"--cpus-per-task=(\S+)",),
        "memory": (r"--mem=(\S+)",),
        "queue": (r"-p (\S+)", r"--partition=(\S+)"),
        "account": (r"-A (\S+)", r"--account=(\S+)"),
        "walltime": (r"-t (\S+)", r"--time=(\S+)"),
        "extra": (r"(--exclusive|--qos=\S+)",),
    },
    "pbs": {
        "cores": (r"ncpus=(\d+)",),
        "memory": (r"\bmem=(\w+)",),
        "queue": (r"-q (\S+)",),
        "account": (r"-A (\S+)",),
        "walltime": (r"walltime=(\S+)",),
        "extra": (r"(-m n|\bbigmem)",),
    },
    "moab": {
        "cores": (r"ncpus=(\d+)", r"ppn=(\d+)"),
        "memory": (r"\bmem=(\w+)",),
        "queue": (r"-q (\S+)",),
        "account": (r"-A (\S+)",),
        "walltime": (r"walltime=(\S+)",),
        "extra": (r"(-m n)",),
    },
    "lsf": {
        "cores": (r"-n (\d+)",),
        "memory": (r"-M (\w+)",),
        "queue": (r"-q (\S+)",),
        "account": (r'-P "?([^"\s]+)',),
        "walltime": (r"-W (\S+)",),
        "extra": (r"(-x)$",),
    },
    "sge": {
        "cores": (r"-pe smp (\d+)",),
        "queue": (r"-q (\S+)",),
        "account": (r"-P (\S+)",),
        "walltime": (r"h_rt=(\S+)",),
        "extra": (r"(mem_free=\S+|h_vmem)",),
    },
    "oar": {
        "cores": (r"core=(\d+)",),
        "memory": (r"memcore>=(\d+)",),
        "queue": (r"-q (\S+)",),
        "account": (r"--project[ =](\S+)",),
        "walltime": (r"walltime=(\S+)",),
        "extra": (r"(-t besteffort)",),
    },
    "htcondor": {
        "cores": (r"DaskWorkerCores = (\d+)", r"request_cpus = (\d+)"),
        "memory": (r"DaskWorkerMemory = (\d+)", r"request_memory = (\d+)"),
        "disk": (r"DaskWorkerDisk = (\d+)", r"request_disk = (\d+)"),
        "extra": (r"(\+JobFlavour = .*)",),
    },
    "local": {},
}
# Of a number without a unit, there and here. dask-jobqueue counts LSF's memory in decimal units.
UNITS = {"lsf": (10**6, 2**20), "oar": (2**20, 2**20), "htcondor": (1, 2**20)}
PREFIX = {"slurm": "#SBATCH", "pbs": "#PBS", "moab": ("#PBS", "#MSUB"), "lsf": "#BSUB", "sge": "#$", "oar": "#OAR"}


def facts(system: str, script: str, side: int) -> dict[str, list[object]]:
    """Return what the directives of a script say, there (0) or here (1)."""
    prefix = PREFIX.get(system, "")
    lines = "\n".join(line for line in script.splitlines() if line.startswith(prefix))
    found = {}
    for fact, patterns in FACTS[system].items():
        texts = re.findall(patterns[min(side, len(patterns) - 1)], lines, re.MULTILINE)
        found[fact] = [_meaning(system, fact, text, side) for text in texts]
    return found


def _meaning(system: str, fact: str, text: str, side: int) -> object:
    if fact == "memory":
        return batch_memory(text, UNITS.get(system, (1, 1))[side])
    if fact == "walltime":
        return walltime_text(system, text)
    if fact == "disk":
        return int(text) * (1, 1024)[side]
    return text


def options(script: str) -> dict[str, str]:
    """Return the options of a script's worker; of two, Dask takes the last."""
    line = next(line for line in script.splitlines() if WORKER in line).strip().rstrip('&"').replace("''", "'")
    words = shlex.split(line[line.index(WORKER) :].rstrip("'"))
    named = {word: value for word, value in itertools.pairwise(words) if word.startswith("--")}
    return {"--nworkers": "1", **named}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return, for both sets of options, where they are configured and dask-jobqueue's script for each section."""
    made = {}
    for name, common, sections in (("plain", PLAIN, PLAINLY), ("full", COMMON, FULLY)):
        folder = tmp_path_factory.mktemp(name)
        config = {"jobqueue": {system: {**common, **sections.get(system, {})} for system in FACTS}}
        (folder / "jobqueue.yaml").write_text(yaml.safe_dump(config))
        environ = {
            **os.environ,
            "HOME": str(folder / "home"),
            "DASK_ROOT_CONFIG": "/nowhere",
            "DASK_CONFIG": str(folder),
        }
        done = subprocess.run([sys.executable, PROGRAM], env=environ, check=True, capture_output=True, text=True)
        made[name] = (folder, json.loads(done.stdout))
    return made


async def ours(folder: Path, system: str, directory: Path) -> str:
    """Return the script of the site that is imported from the same files."""
    files = [
        file for file in dask_config_files({"HOME": "/nowhere", "DASK_CONFIG": str(folder)}) if file.parent == folder
    ]
    site = import_jobqueue(read_config([DEFAULTS, *files]), system).site
    return scripts(await preview(directory, {"imported.yaml": site_yaml(site)}, {}))["worker"]


@pytest.mark.parametrize("kind", ["plain", "full"])
@pytest.mark.parametrize("system", FACTS)
async def test_a_job_asks_for_the_same(kind: str, system: str, theirs: dict[str, Any], tmp_path: Path) -> None:
    folder, made = theirs[kind]
    script = await ours(folder, system, tmp_path)
    there, here = facts(system, made[system], 0), facts(system, script, 1)
    for fact in FACTS[system]:
        if fact == "memory":  # rounded up, to GiB there, and with decimal units for LSF
            assert there[fact] or kind == "plain"
            assert here[fact] == [pytest.approx(value, abs=2**30 - 1, rel=0.05) for value in there[fact]]
        else:
            assert sorted(here[fact]) == sorted(there[fact]), fact
    assert [line for line in COMMON["job-script-prologue"] if kind == "full" and line not in script] == []


@pytest.mark.parametrize("kind", ["plain", "full"])
@pytest.mark.parametrize("system", FACTS)
async def test_its_workers_are_the_same(kind: str, system: str, theirs: dict[str, Any], tmp_path: Path) -> None:
    folder, made = theirs[kind]
    there, here = options(made[system]), options(await ours(folder, system, tmp_path))
    names = ["--nthreads", "--nworkers"]
    if kind == "full":
        names += ["--death-timeout", "--local-directory", "--lifetime"]
        names += ["--interface"] if system != "local" else []  # on one machine, all is on 127.0.0.1
    assert [(name, here[name]) for name in names] == [(name, there[name]) for name in names]
    limit = float(re.match(r"[\d.]+", there["--memory-limit"])[0]) * 2**30
    assert int(here["--memory-limit"]) == pytest.approx(limit, rel=0.005)
    if kind == "full":
        assert (f"/opt/env/bin/python -m {WORKER}" in made[system]) is True

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
from tests.batch.parity_directives import request

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
        "walltime": "1-02:30:00",
        "job-cpu": 16,
        "job-mem": "40G",
        "job-extra-directives": ["--exclusive", "--qos=debug"],
    },
    "pbs": {
        "account": "science",
        "walltime": "02:30:00",
        "resource-spec": "select=1:ncpus=16:mem=40gb:model=big",
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

SYSTEMS = tuple(FULLY)
RESOURCES = ("queue", "account", "cores", "memory", "memory of a core", "walltime", "disk")
EXTRAS = {
    "slurm": {"--exclusive", "--qos=debug"},
    "pbs": {"-m n", "-l model=big"},
    "moab": {"-m n"},
    "lsf": {"-x"},
    "sge": {"-l mem_free=4G"},
    "oar": {"-t besteffort"},
    "htcondor": {'+JobFlavour = "tomorrow"'},
}


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
        config = {"jobqueue": {system: {**common, **sections.get(system, {})} for system in SYSTEMS}}
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
@pytest.mark.parametrize("system", EXTRAS)
async def test_a_job_asks_for_the_same(kind: str, system: str, theirs: dict[str, Any], tmp_path: Path) -> None:
    folder, made = theirs[kind]
    script = (await ours(folder, system, tmp_path)).replace("#MSUB", "#PBS")
    there, here = request(system, made[system]), request(system, script)
    wanted = {name: value for name, value in there.values.items() if name in RESOURCES}
    for name in ("memory", "memory of a core"):  # rounded up, to GiB there, and with decimal units for LSF
        if name in wanted:
            wanted[name] = pytest.approx(wanted[name], abs=2**30 - 1, rel=0.05)
    assert {name: here.values.get(name) for name in wanted} == wanted
    if kind == "full":
        assert {"queue", "account", "walltime"} <= set(wanted) or system == "htcondor"
        assert EXTRAS[system] <= there.rest
        assert EXTRAS[system] <= here.rest
        assert [line for line in COMMON["job-script-prologue"] if line not in script] == []


@pytest.mark.parametrize("kind", ["plain", "full"])
@pytest.mark.parametrize("system", SYSTEMS)
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

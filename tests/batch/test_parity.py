"""Our worker jobs ask a batch system for what those of dask-jobqueue 0.9 ask for with the same options.

What differs on purpose stands, with its reason, in `parity_cases.py`, and has to be there: an entry that no longer
describes a difference fails.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dask.utils import format_bytes, parse_bytes
from parity_cases import (
    CASES,
    ONLY_HERE,
    ONLY_THERE,
    WORKER_DIFFERENCES,
    WORKER_HERE,
    WORKER_HERE_UNTIL_WALLTIME,
    WORKER_THERE,
    Case,
    Difference,
)
from parity_directives import as_script, request

from tests.sites.previews import preview, scripts

PROGRAM = Path(__file__).with_name("parity_jobs.py")
WORKER = "distributed.cli.dask_worker "

pytestmark = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.system}-{case.kind}")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Return dask-jobqueue's script for each case."""
    pairs = [(case.system, case.options) for case in CASES]
    names = {"HOME": str(tmp_path_factory.mktemp("home")), "DASK_ROOT_CONFIG": "/nowhere"}
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DASK_", "PBS_"))} | names
    done = subprocess.run(
        [sys.executable, PROGRAM], env=environ, input=json.dumps(pairs), check=True, capture_output=True, text=True
    )
    return dict(zip(map(id, CASES), json.loads(done.stdout), strict=True))


def site(case: Case) -> dict[str, Any]:
    """Return the site with the same options: there, cores and memory are of a job, here of each of its workers."""
    options, processes = case.options, case.options["processes"]
    account = options.get("account") or options.get("project")
    size = {
        "name": "job",
        "workers": processes,
        "workers_per_job": processes,
        "cores": options["cores"] // processes,
        "memory": parse_bytes(options["memory"]) // processes,
    }
    return {
        "name": case.system,
        "batch_system": case.system,
        "settings": dict(case.settings),
        "interface": options.get("interface"),
        "local_directory": options.get("local_directory"),
        "prologue": options.get("job_script_prologue", []),
        "extra_directives": list(case.directives or options.get("job_extra_directives", [])),
        "accounts": [account] if account else [],
        "queues": [{"name": options.get("queue", "default")}],
        "sizes": [{**size, "walltime": options["walltime"]} if "walltime" in options else size],
    }


@pytest.fixture
async def here(case: Case, tmp_path: Path) -> str:
    """Return our script of the workers."""
    return scripts(await preview(tmp_path, {"site.yaml": yaml.safe_dump(site(case))}, {}))["worker"]


def worker_options(script: str) -> dict[str, str]:
    """Return the options of the worker of a script; those without a value have an empty one."""
    (line,) = [line for line in script.splitlines() if WORKER in line]
    text = line.partition(WORKER)[2]
    words = shlex.split(text.rstrip("'\"") if line.startswith("Arguments") else text.rstrip("& "))
    pairs = itertools.pairwise([*words, "--"])
    options = {"--nworkers": "1"} | {
        word: "" if after.startswith("--") else after for word, after in pairs if word.startswith("--")
    }
    if "--memory-limit" in options:
        options["--memory-limit"] = format_bytes(parse_bytes(options["--memory-limit"]))
    return {name: value for name, value in options.items() if name != "--name"}


def assert_differences(
    there: Mapping[str, object], here: Mapping[str, object], wanted: Mapping[str, Difference]
) -> None:
    """Assert that two mappings differ in what is wanted, and in nothing else."""
    names = {*there, *here}
    found = {name: (there.get(name), here.get(name)) for name in names if there.get(name) != here.get(name)}
    assert found == {name: (difference.there, difference.here) for name, difference in wanted.items()}


def assert_all_explained(found: Iterable[str], reasons: Mapping[str, str]) -> None:
    """Assert that each of `found` has a reason, and each reason something that it is for."""
    used = {text: [pattern for pattern in reasons if re.fullmatch(pattern, text)] for text in found}
    assert [text for text, patterns in used.items() if not patterns] == []
    assert {pattern for patterns in used.values() for pattern in patterns} == set(reasons)


def test_the_batch_system_is_asked_for_the_same(case: Case, there: dict[int, str], here: str) -> None:
    theirs, ours = request(case.system, there[id(case)]), request(case.system, here)
    assert_differences(theirs.values, ours.values, case.differences)
    assert_all_explained(ours.rest - theirs.rest, {**ONLY_HERE[case.system], **case.only_here})
    assert_all_explained(theirs.rest - ours.rest, ONLY_THERE.get(case.system, {}))
    extra = request(case.system, as_script(case.system, case.options.get("job_extra_directives", [])))
    assert extra.rest <= ours.rest
    assert extra.values.items() <= ours.values.items()


def test_its_workers_are_the_same(case: Case, there: dict[int, str], here: str) -> None:
    theirs, ours = worker_options(there[id(case)]), worker_options(here)
    until_walltime = WORKER_HERE_UNTIL_WALLTIME if "walltime" in case.options else {}
    assert_all_explained(set(ours) - set(theirs), {**WORKER_HERE, **until_walltime})
    assert_all_explained(set(theirs) - set(ours), WORKER_THERE)
    common = set(theirs) & set(ours)
    assert {"--nthreads", "--memory-limit"} <= common
    assert_differences(
        {name: theirs[name] for name in common}, {name: ours[name] for name in common}, WORKER_DIFFERENCES
    )


def test_the_prologue_comes_before_the_worker_in_its_order(case: Case, there: dict[int, str], here: str) -> None:
    prologue = case.options.get("job_script_prologue", [])
    for script in (there[id(case)], here):
        places = [script.index(text) for text in (*prologue, WORKER)]
        assert places == sorted(places)
    assert here.index("\nhpcdask_prepare\n") < here.index(WORKER)

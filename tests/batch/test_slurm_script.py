"""What Slurm's job scripts ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from batch_samples import ALLOCATION, PLAIN, request_with

from hpcdask_ext.batch.records import JobRequest, Tasks
from hpcdask_ext.batch.slurm import SlurmSystem
from hpcdask_ext.errors import InvalidRequest

SLURM = SlurmSystem()


def directives(script: str) -> dict[str, str]:
    lines = [line.removeprefix("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH ")]
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def test_directives_ask_for_each_element() -> None:
    asked = directives(SLURM.script(request_with(queue="gpu", account="a1", cores=3, memory=10**9)))
    assert asked["array"] == "1-3"
    assert (asked["ntasks"], asked["cpus-per-task"], asked["mem"]) == ("1", "3", "954M")
    assert (asked["partition"], asked["account"], asked["time"]) == ("gpu", "a1", "0-01:00:00")
    assert asked["output"] == "/scratch/ada/hpcdask/k3x9/logs/workers-1.%a.log"
    assert "no-requeue" in asked


@pytest.mark.parametrize(
    ("walltime", "text"),
    [
        (timedelta(seconds=0.5), "0-00:00:01"),
        (timedelta(hours=23, minutes=59, seconds=59), "0-23:59:59"),
        (timedelta(days=8, hours=1), "8-01:00:00"),
    ],
)
def test_walltime(walltime: timedelta, text: str) -> None:
    assert directives(SLURM.script(request_with(walltime=walltime)))["time"] == text


def test_what_is_not_asked_for_stands_in_no_directive() -> None:
    asked = directives(SLURM.script(request_with(walltime=None)))
    assert not {"time", "partition", "account"} & set(asked)


def test_a_percent_sign_in_a_path_is_no_placeholder_and_a_backslash_is_refused() -> None:
    asked = directives(SLURM.script(request_with(log_prefix=Path("/a %u/b\"c'd"))))
    assert asked["output"] == '"/a %%u/b\\"c\'d.%a.log"'
    with pytest.raises(InvalidRequest, match="backslash"):
        SLURM.script(request_with(log_prefix=Path("/a\\b")))


def test_directives_of_the_site_stand_last() -> None:
    script = SLURM.script(request_with(extra_directives=("--mem=0",)))
    assert directives(script)["mem"] == "0"


def test_an_allocation_asks_for_each_task_and_is_no_array() -> None:
    job = replace(ALLOCATION, cores=3, memory=10**9, gpus=1, tasks=Tasks("true", 8))
    asked = directives(SLURM.script(job))
    assert not {"array", "mem", "gres"} & set(asked)
    assert (asked["ntasks"], asked["cpus-per-task"], asked["mem-per-cpu"]) == ("9", "3", "318M")
    assert asked["gpus-per-task"] == "1"
    assert "no-kill" in asked
    assert asked["output"] == "/scratch/ada/hpcdask/k3x9/logs/workers-1.1.log"


def test_gpus_of_one_type() -> None:
    slurm = SlurmSystem(settings=SlurmSystem.Settings(gpu_type="a100"))
    assert directives(slurm.script(request_with(gpus=2)))["gres"] == "gpu:a100:2"
    assert directives(slurm.script(replace(ALLOCATION, gpus=2)))["gpus-per-task"] == "a100:2"
    assert "gres" not in directives(slurm.script(PLAIN))


@pytest.mark.parametrize("job", [PLAIN, ALLOCATION], ids=["elastic", "allocation"])
def test_a_directive_of_the_site_for_memory_replaces_ours(job: JobRequest) -> None:
    for own in ("--mem=0", "--mem-per-cpu=2G", "--mem-per-gpu 8G"):
        script = SLURM.script(replace(job, extra_directives=(own,)))
        assert [line for line in script.splitlines() if line.startswith("#SBATCH --mem")] == [f"#SBATCH {own}"]
    script = SLURM.script(replace(job, extra_directives=("--mem-bind=local",)))
    assert script.count("#SBATCH --mem") == 2

"""The contract of jobs, over every batch system: they really run, on this machine as all the nodes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from batch_samples import ALLOCATION, FULL
from fake_site import FakeSite

from hpcdask_ext.batch import BATCH_SYSTEMS, batch_system
from hpcdask_ext.batch.records import JobElements, Tasks
from hpcdask_ext.errors import InvalidRequest

# Slurm and Grid Engine are real in other tests.
FAKES = ("pbs", "torque", "moab", "lsf", "oar", "htcondor")
HOSTILE = 'it\'s "so" & $(touch FIRED); `touch FIRED` #x  ${HOME} %a ^array_index^ *?[x]~ back\\slash 名'
MEMORY = 2**30
WAITS = 'touch "task-$HPCDASK_TASK"; exec sleep 60'
# What asks for two GPUs, for an element and for a task; None: it is refused.
GPUS = {
    "local": ("", ""),
    "slurm": ("--gres=gpu:2", "--gpus-per-task=2"),
    "pbs": ("select=1:ncpus=4:mem=16384mb:ngpus=2", "select=9:ncpus=4:mem=16384mb:ngpus=2"),
    "torque": ("nodes=1:ppn=4:gpus=2", "nodes=9:ppn=4:gpus=2"),
    "moab": ("nodes=1:ppn=4:gpus=2", "nodes=9:ppn=4:gpus=2"),
    "lsf": ('-gpu "num=2"', '-gpu "num=2"'),
    "sge": ("-l gpu=2", None),
    "oar": ("/nodes=1/gpu=2/core=2", "/nodes=9/gpu=2/core=2"),
    "htcondor": ("request_gpus = 2", "request_gpus = 2"),
}


@pytest.fixture(params=FAKES)
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    site = FakeSite(batch_system(request.param)(), tmp_path, monkeypatch)
    yield site
    site.end()


def fired(directory: Path) -> list[Path]:
    return list(directory.rglob("FIRED"))


async def test_what_users_can_say_arrives_in_every_task_and_is_never_run(site: FakeSite, tmp_path: Path) -> None:
    site.directory = tmp_path / HOSTILE
    site.directory.mkdir()
    value = HOSTILE + "\n$(touch FIRED)"
    first = 'until [ -s task-1 ] && [ -s task-2 ]; do sleep 0.1; done; printf %s "$VALUE" >first; exit 3'
    others = 'printf %s "$VALUE" >"task-$HPCDASK_TASK"; exec sleep 60'
    await site.submit(site.request(first, count=1, memory=MEMORY, environment={"VALUE": value}, tasks=Tasks(others, 2)))
    assert "exit=3\n" in await site.text("report.1.ended")
    assert [(site.directory / name).read_text() for name in ("first", "task-1", "task-2")] == [value] * 3
    assert not fired(tmp_path)


async def test_whatever_a_prologue_does_the_tasks_start_and_end(site: FakeSite) -> None:
    first = "until [ -e task-1 ] && [ -e task-2 ]; do sleep 0.1; done; exit 3"
    prologue = ("set -eu", "IFS=,", "trap 'echo tidy' EXIT")
    await site.submit(site.request(first, count=1, memory=MEMORY, prologue=prologue, tasks=Tasks(WAITS, 2)))
    assert "exit=3\n" in await site.text("report.1.ended")


async def test_tasks_do_not_depend_on_what_users_do_in_login_shells(
    site: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".bash_profile").write_text("exec sleep 60\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    first = "until [ -e task-1 ] && [ -e task-2 ]; do sleep 0.1; done; exit 3"
    await site.submit(site.request(first, count=1, memory=MEMORY, tasks=Tasks(WAITS, 2)))
    assert "exit=3\n" in await site.text("report.1.ended")


async def test_a_prologue_that_fails_ends_the_job(site: FakeSite) -> None:
    await site.submit(
        site.request("exec sleep 60", count=1, memory=MEMORY, prologue=("exit 9",), tasks=Tasks(WAITS, 1))
    )
    assert "exit=9\n" in await site.text("report.1.ended")


async def test_a_program_does_not_outlive_the_scheduler(site: FakeSite) -> None:
    first = "until [ -e there ]; do sleep 0.1; done; exit 3"
    program = "touch there; exec sleep 60"
    await site.submit(site.request(first, count=1, memory=MEMORY, tasks=Tasks(WAITS, 1), program=program))
    assert "exit=143\n" in await site.text("report.1.ended")
    assert "The Dask scheduler ended before the program did" in await site.text("log.1.log", "scheduler")


async def test_a_job_with_a_program_can_be_cancelled(site: FakeSite) -> None:
    job_id = await site.submit(
        site.request("exec sleep 60", count=1, memory=MEMORY, tasks=Tasks(WAITS, 1), program="touch up; exec sleep 60")
    )
    await site.text("up")
    await site.text("task-1")
    await site.cancel(JobElements(job_id))
    deadline = time.monotonic() + 20
    while (states := {element.state for element in site.store.elements()}) == {"running"}:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert states == {"killed"}


async def test_only_our_own_jobs_are_asked_about(site: FakeSite) -> None:
    """Users may have so many others that the answer would be longer than we read."""
    await site.submit(site.request("exec sleep 60", name="others", count=2, memory=MEMORY))
    assert list(await site.query()) == []
    await site.submit(site.request("exec sleep 60", count=2, memory=MEMORY))
    assert {status.name for status in await site.query()} == {"hpcdask-k3x9-workers-1"}


@pytest.mark.parametrize("name", BATCH_SYSTEMS)
def test_gpus_are_asked_for_in_both_layouts(name: str) -> None:
    system, (element, task) = batch_system(name)(), GPUS[name]
    if name == "sge":
        system = batch_system(name)(None, system.Settings(parallel_environment="smp", allocation_environment="mpi"))
    assert element in system.script(replace(FULL, gpus=2))
    job = replace(ALLOCATION, gpus=2)
    if task is None:
        with pytest.raises(InvalidRequest, match="choose the elastic layout"):
            system.script(job)
    else:
        assert task in system.script(job)

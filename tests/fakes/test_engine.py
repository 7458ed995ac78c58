"""The engine of the fakes, through the commands of one of them: what it promises, the other tests rely on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.engine import Element, Store, install
from tests.servers import until

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = install(tmp_path / "bin", tmp_path / "fake", "pbs")
    store.change(grace=0.5)
    yield store
    for number in {element.number for element in store.elements()}:
        store.cancel(number)
    until(lambda: not live(store), 10)


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Run:
    def run(program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tmp_path / "bin" / program, *arguments],
            input=text,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SECRET": "of the one who submits"},
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )

    return run


@pytest.fixture
def submit(run: Run, tmp_path: Path) -> Callable[..., int]:
    def submit(script: str, *options: str) -> int:
        text = f"#!/bin/sh\nexec >>{tmp_path}/log 2>&1\n{script}\n"
        printed = run("qsub", *options, text=text).stdout
        return int(printed.partition(".")[0].removesuffix("[]"))

    return submit


def live(store: Store) -> list[Element]:
    return [element for element in store.elements() if element.state in ("pending", "running")]


def ended(store: Store, number: int) -> list[Element]:
    elements = [element for element in store.elements() if element.number == number]
    return elements if all(element.ended for element in elements) else []


def test_a_job_has_the_variables_of_its_batch_system_and_no_others(store, submit, tmp_path) -> None:
    number = submit("env >env.$PBS_ARRAY_INDEX; exit $PBS_ARRAY_INDEX", "-J", "1-3")
    elements = until(lambda: ended(store, number))
    assert [(element.index, element.state, element.exit_code) for element in elements] == [
        (index, "done", index) for index in (1, 2, 3)
    ]
    lines = (tmp_path / "env.2").read_text().splitlines()
    assert f"PBS_JOBID={number}[2].pbs01" in lines
    names = {line.partition("=")[0] for line in lines}
    assert not {name for name in names if not name.startswith("PBS_")} - {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "PWD", "_", "SHLVL", "OLDPWD"),
        *("ENVIRONMENT", "NCPUS", "OMP_NUM_THREADS", "FAKE_BATCH_JOB"),
    }


def test_submissions_at_the_same_time_are_all_kept(store, submit) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: submit("exit 0"), range(8)))
    assert sorted(numbers) == list(range(1, 9))
    until(lambda: not live(store))
    assert {element.state for element in store.elements()} == {"done"}


def test_a_cancelled_job_gets_a_signal_and_then_is_killed(store, run, submit, tmp_path) -> None:
    number = submit("trap '' TERM; echo up; sleep 60 & wait; sleep 60")
    until(lambda: "up" in (tmp_path / "log").read_text())
    assert run("qdel", f"{number}.pbs01").returncode == 0
    (element,) = until(lambda: ended(store, number), 5)
    assert element.state == "killed"


def test_what_a_job_leaves_behind_ends_with_it(store, submit, tmp_path) -> None:
    number = submit("setsid sleep 60 & echo $! >pid")
    until(lambda: ended(store, number))
    pid = (tmp_path / "pid").read_text().strip()
    # A process that has ended may still have to be waited for by somebody.
    until(lambda: not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text())


def test_a_walltime_and_a_failing_node_end_jobs(store, submit, tmp_path) -> None:
    over = submit("sleep 60", "-l", "walltime=1")
    lost = submit("echo up; sleep 60")
    until(lambda: "up" in (tmp_path / "log").read_text())
    store.lose(lost)
    assert until(lambda: ended(store, lost))[0].state == "lost"
    (element,) = until(lambda: ended(store, over))
    assert (element.state, element.timed_out) == ("done", True)


def test_held_jobs_wait_for_a_reason_until_they_are_released(store, run, submit) -> None:
    store.hold("closed", "Not Running: Queue not started.")
    number = submit("exit 0", "-q", "closed")
    assert "comment = Not Running: Queue not started." in run("qstat", "-f", str(number)).stdout
    assert [element.state for element in live(store)] == ["pending"]
    store.release()
    assert until(lambda: ended(store, number))[0].exit_code == 0


def test_a_history_can_be_forgotten(store, submit) -> None:
    number = submit("exit 0")
    until(lambda: ended(store, number))
    store.forget()
    assert store.elements() == []


def test_tasks_have_few_variables_and_end_with_the_job(store, run, submit, tmp_path) -> None:
    number = submit(
        "MINE=1; export MINE; pbsdsh -n 1 -- /bin/sh -c 'env >env; echo $$ >pid; sleep 60'",
        *("-l", "select=2:ncpus=1:mem=1gb"),
    )
    pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert {"PBS_JOBID", "PBS_TASKNUM", "NCPUS"} <= names
    assert "MINE" not in names
    run("qdel", f"{number}.pbs01")
    until(lambda: ended(store, number))
    until(lambda: not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text())


def test_moods(store, run) -> None:
    store.mood("away")
    assert "cannot connect to server" in run("qstat", "-u", "ada").stderr
    store.mood("garbage", "qstat")
    assert "<html>" in run("qstat", "-u", "ada").stdout
    store.mood(None)
    assert run("qstat", "-u", "ada").stdout == ""
    assert len(store.calls("qstat")) == 3

"""The part of a job script that all batch systems share, run by real shells."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from batch_samples import request_with

from hpcdask_ext.batch.local import LocalSystem

SHELLS = [shell for shell in ("/bin/sh", "bash", "dash") if shutil.which(shell)]
# Says when it gets the signal, takes its time to close down, and would die of a second one.
CLOSING = """import os, signal, sys, time
def close(number, frame):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    print("closing", flush=True)
    time.sleep(0.6)
    print("closed", flush=True)
    os._exit(5)
signal.signal(signal.SIGTERM, close)
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def start(shell: str, tmp_path: Path):
    started: list[subprocess.Popen[str]] = []

    def begin(command: str, prologue: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        job = request_with(
            command=command, prologue=prologue, report_prefix=tmp_path / "report", working_directory=tmp_path
        )
        (tmp_path / "job.sh").write_text(LocalSystem().script(job))
        process = subprocess.Popen(
            [shell, tmp_path / "job.sh"],
            env={**os.environ, "HPCDASK_JOB": "j", "HPCDASK_INDEX": "1"},
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def report(tmp_path: Path, kind: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (tmp_path / f"report.1.{kind}").read_text().splitlines())


def closing(tmp_path: Path) -> str:
    (tmp_path / "closing.py").write_text(CLOSING)
    return f"{sys.executable} closing.py"


def test_reports_its_start_and_end(start, tmp_path: Path) -> None:
    before = int(time.time())
    process = start("exit_with() { return 3; }; exit_with")
    assert process.wait(10) == 3
    started, ended = report(tmp_path, "started"), report(tmp_path, "ended")
    assert started["host"] == os.uname().nodename
    assert started["job"] == "j"
    assert before <= int(started["time"]) <= int(ended["time"]) <= time.time()
    assert ended["exit"] == "3"
    assert sorted(path.name for path in tmp_path.glob("report*")) == ["report.1.ended", "report.1.started"]
    assert stat.S_IMODE((tmp_path / "report.1.ended").stat().st_mode) == 0o600


@pytest.mark.parametrize("prologue", [("exit 9",), ("set -e", "(exit 9)"), ("set -eu", "(exit 9)")])
def test_a_prologue_that_fails_is_an_end_as_well(start, tmp_path: Path, prologue: tuple[str, ...]) -> None:
    process = start("touch ran", prologue)
    assert process.wait(10) == 9
    assert report(tmp_path, "ended")["exit"] == "9"
    assert not (tmp_path / "ran").exists()


def test_a_strict_prologue_does_not_hide_the_exit_code(start, tmp_path: Path) -> None:
    process = start("sh -c 'exit 4'", ("set -eu",))
    assert process.wait(10) == 4
    assert report(tmp_path, "ended")["exit"] == "4"


def test_a_prologue_sets_variables_for_the_command(start, tmp_path: Path) -> None:
    process = start('printf "%s" "$A-$HPCDASK_INDEX"', ("A=1", "export A"))
    assert process.communicate()[0] == "1-1"


def test_a_prologue_that_tidies_up_at_its_end_does_not_hide_ours(start, shell: str, tmp_path: Path) -> None:
    process = start("(exit 4)", prologue=("trap 'echo \"tidy after $?\"' EXIT",))
    assert process.communicate(timeout=10)[0] == ("tidy after 4\n" if shell == "bash" else "")
    assert process.returncode == 4
    assert report(tmp_path, "ended")["exit"] == "4"


def test_a_signal_for_the_whole_group_reaches_the_command_once_and_its_end_is_awaited(start, tmp_path: Path) -> None:
    process = start(closing(tmp_path))
    assert process.stdout.readline() == "up\n"
    os.killpg(process.pid, signal.SIGTERM)
    assert process.communicate(timeout=10)[0] == "closing\nclosed\n"
    assert process.returncode == 5
    assert report(tmp_path, "ended")["exit"] == "5"


def test_a_signal_for_the_shell_alone_is_passed_on(start, tmp_path: Path) -> None:
    process = start(closing(tmp_path))
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.communicate(timeout=15)[0] == "closing\nclosed\n"
    assert report(tmp_path, "ended")["exit"] == "5"


def test_a_command_that_dies_of_the_signal_is_reported_so(start, tmp_path: Path) -> None:
    process = start("echo up; exec sleep 60")
    assert process.stdout.readline() == "up\n"
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(10) == 143
    assert report(tmp_path, "ended")["exit"] == "143"


def test_a_signal_in_the_prologue_ends_the_job(start, tmp_path: Path) -> None:
    process = start("touch ran", ("echo up", "sleep 60"))
    assert process.stdout.readline() == "up\n"
    time.sleep(0.5)  # a shell loses a signal that comes between its fork and the start of `sleep`
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(10) == 143
    assert report(tmp_path, "ended")["exit"] == "143"
    assert not (tmp_path / "ran").exists()

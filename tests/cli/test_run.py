"""`jupyter hpcdask run` on this machine, as a user types it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from hpcdask_ext.cli import run
from tests.servers import until

SCRIPT = """
import os, sys
from distributed import Client
client = Client()
client.wait_for_workers(2)
print("sum", client.submit(sum, [20, 22]).result(), sys.argv[1:], os.environ["OMP_NUM_THREADS"], flush=True)
if "wait" in sys.argv:
    import time
    time.sleep(60)
sys.exit(7)
"""


@pytest.fixture
def start(tmp_path: Path):
    (tmp_path / "analysis.py").write_text(SCRIPT)
    home = tmp_path / "home"
    home.mkdir()
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hpcdask_ext.cli", "run", *words],
            cwd=tmp_path,
            env={**{k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}, "HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        process.stdout.close()
        process.stderr.close()


def test_a_script_connects_without_arguments_and_its_exit_code_is_the_commands(start) -> None:
    process = start("--size", "small", "analysis.py", "a b", "--year", "2026")
    printed, told = process.communicate(timeout=60)
    assert printed.splitlines()[-1] == "sum 42 ['a b', '--year', '2026'] 1"
    assert process.returncode == 7
    assert "analysis-1: running" in told
    assert "“analysis.py” has failed (exit code 7): see its log." in told


def test_what_is_wrong_is_told_by_field_and_nothing_is_launched(start, tmp_path: Path) -> None:
    process = start("--queue", "nope", "--walltime", "soon", "missing.py")
    printed, told = process.communicate(timeout=60)
    assert (process.returncode, printed) == (2, "")
    for field in ("queue: Unknown queue 'nope'", "walltime: ", "script.path: 'missing.py' is not a file"):
        assert f"jupyter hpcdask: {field}" in told
    assert not list((tmp_path / "home").rglob("record.json"))


SITE = """
name: here
batch_system: local
queues: [{name: local}]
sizes: [{name: small, workers: 1, cores: 1, memory: 256 MiB}]
options:
  - {name: label, worker_argument: "--resources={value}=1"}
  - {name: count, type: integer, maximum: 9}
  - {name: quick, type: boolean}
"""


def test_options_are_read_as_what_they_are(start, tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".jupyter" / "hpcdask" / "sites.d"
    folder.mkdir(parents=True)
    (folder / "here.yaml").write_text(SITE)
    options = ("label=1234", "count=12", "quick=maybe", "nothing=5")
    words = [word for option in options for word in ("--option", option)]
    _, told = start(*words, "analysis.py").communicate(timeout=60)
    assert "options.label" not in told
    assert "options.count: 12 is above the maximum of 9" in told
    assert "options.quick: 'maybe' is not true or false" in told
    assert "options.nothing: Unknown option 'nothing'" in told
    process = start("--option", "label", "analysis.py")
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (2, "jupyter hpcdask: option: 'label' has no value: write NAME=VALUE\n")


async def test_a_second_interrupt_is_not_kept_from_the_program() -> None:
    stopped, asked = [], asyncio.Event()

    class Manager:
        async def stop(self, cluster_id: str) -> None:
            asked.set()

    loop = asyncio.get_running_loop()
    launching = loop.create_future()
    launching.set_result(SimpleNamespace(id="k3x9"))
    loop.add_signal_handler(signal.SIGINT, run._stop, Manager(), launching, signal.SIGINT, stopped)
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.wait_for(asked.wait(), 5)
    assert (stopped, loop.remove_signal_handler(signal.SIGINT)) == ([signal.SIGINT], False)


def test_an_interrupt_stops_the_job_and_leaves_no_process(start, tmp_path: Path) -> None:
    process = start("analysis.py", "wait")
    assert process.stdout.readline().startswith("sum 42")
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    assert process.wait(30) == 128 + signal.SIGINT
    assert time.monotonic() - begin < 25
    until(lambda: not _processes(tmp_path), 10)


def test_an_interrupt_in_the_first_moments_is_a_stop_as_well(start, tmp_path: Path) -> None:
    process = start("analysis.py", "wait")
    assert process.stderr.readline() == "analysis-1: submitting\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 128 + signal.SIGINT
    assert "Traceback" not in process.stderr.read()
    until(lambda: not _processes(tmp_path), 10)


def _processes(directory: Path) -> list[str]:
    """Return the command lines of processes that belong to a cluster below `directory`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"HPCDASK_TOKEN_FILE={directory}".encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_text())
        except OSError:
            continue
    return found

"""`run` stands for a program that is forked from a warm process: what the program sees, and what its caller sees."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from distributed import Client

from hpcdask_ext.batch.runner import ProcessRunner
from hpcdask_ext.clusters.credentials import TOKEN_HEADER
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.launchers.batch import BatchLauncher
from hpcdask_ext.launchers.dask_command import warm_directory
from hpcdask_ext.launchers.job_request import Directories
from hpcdask_ext.sites.machine import local_site
from tests.conftest import HERE, record
from tests.servers import until

from .conftest import RealCluster, make_cluster
from .test_gate import security_of
from .test_warm import large
from .warm_process import PROGRAMS, Warm, write_no_dask


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Return a warm process without Dask."""
    directory = tmp_path_factory.mktemp("warm")
    warm = Warm(directory, (PROGRAMS, write_no_dask(tmp_path_factory.mktemp("packages"))))
    try:
        warm.start(ONLY_THERE="1", TMPDIR="/nonexistent")
        yield warm
    finally:
        warm.end()


def test_a_program_sees_what_it_would_see_without_the_process(warm: Warm, tmp_path: Path) -> None:
    odd = {"EMPTY": "", "LINES": "a\nb", "WORDS": 'ä "quoted" $HOME', "BYTES": os.fsdecode(b"\xff\xfe")}
    how = {"env": warm.variables | odd | {"TMPDIR": str(tmp_path)}, "cwd": tmp_path}
    cold, run = (one.run("facts", "two words", "--option", "", **how) for one in (warm.without_process(), warm))
    assert (cold.is_warm, run.is_warm) == (False, True)
    expected, seen = cold.facts, run.facts
    assert "ONLY_THERE" not in seen["variables"]
    assert expected.pop("path")
    assert seen.pop("path")
    assert not expected.pop("leads_a_session")
    assert seen.pop("leads_a_session")
    assert seen == expected


def test_modules_are_found_where_they_would_be_without_the_process(warm: Warm, tmp_path: Path) -> None:
    cold, run = (one.run("facts", cwd=tmp_path).facts["path"] for one in (warm.without_process(), warm))
    assert run == cold


def test_the_standard_streams_are_those_of_run(warm: Warm) -> None:
    process = warm.popen("facts", stdin=subprocess.PIPE)
    out, err = process.communicate("words\n", timeout=10)
    assert '"input": "words\\n"' in out
    assert int(err) != process.pid, "it ran without the process"


def test_variables_of_300_kilobytes(warm: Warm) -> None:
    ended = warm.run("facts", env=warm.variables | large(300_000))
    assert ended.is_warm
    assert {name: value for name, value in ended.facts["variables"].items() if name in large(300_000)} == large(300_000)


def test_the_umask_is_that_of_run(warm: Warm) -> None:
    ended = warm.run("facts", before=lambda: os.umask(0o027))
    assert ended.is_warm
    assert ended.facts["umask"] == 0o027


def test_variables_that_python_reads_when_it_starts_count(warm: Warm, tmp_path: Path) -> None:
    (tmp_path / "only_here.py").write_text("print('found')")
    process = warm.popen("only_here", env=warm.variables | {"PYTHONPATH": str(tmp_path)})
    assert process.communicate(timeout=10) == ("found\n", "")


def test_another_python_runs_without_the_process(warm: Warm, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(Path(sys.executable).resolve())
    ended = warm.run("facts", python=str(python))
    assert ended.facts["python"] == str(python)


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("exit", "0"),
        ("exit", "3"),
        ("exit", "-1"),
        ("exit", "256"),
        ("say", "the last word"),
        ("raise", "an error"),
        ("at the end", "closed"),
        ("signal", "SIGTERM"),
        ("signal", "SIGKILL"),
        ("signal", "SIGABRT"),
    ],
)
def test_a_program_ends_as_without_the_process(warm: Warm, how: str, what: str) -> None:
    cold, run = (one.run("ends", how, what) for one in (warm.without_process(), warm))
    assert (cold.is_warm, run.is_warm) == (False, True)
    as_shells_say = cold.code if cold.code >= 0 else 128 - cold.code
    assert (run.code, run.out) == (as_shells_say, cold.out)
    assert run.err.splitlines()[-1] == cold.err.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_run_reaches_the_program_once(warm: Warm, number: signal.Signals) -> None:
    run = warm.begin(2, number.name)
    assert run.is_warm
    run.process.send_signal(number)
    assert run.next_line() == str(int(number))
    assert not run.program_ended(0.2), "it came twice"
    assert run.process.poll() is None
    run.process.send_signal(number)
    assert run.end() == 7


def test_a_program_ends_when_run_is_killed(warm: Warm) -> None:
    run = warm.begin(1, "SIGTERM")
    assert run.is_warm
    run.process.kill()
    assert run.program_ended(2)
    assert run.process.communicate()[0] == f"{int(signal.SIGTERM)}\n", "it could not close down"


def test_a_program_that_does_not_listen_ends_when_run_is_killed(warm: Warm) -> None:
    run = warm.begin(9, "SIGTERM")
    assert run.is_warm
    run.process.kill()
    run.process.wait()
    assert run.program_ended(6)


def test_run_ends_when_the_program_is_killed(warm: Warm) -> None:
    run = warm.begin(1)
    assert run.is_warm
    run.program.kill()
    assert run.end() == 128 + signal.SIGKILL


def test_no_command_line_and_no_file_shows_a_variable(warm: Warm) -> None:
    secret = uuid.uuid4().hex
    run = warm.begin(1, "SIGTERM", env=warm.variables | {"SECRET": secret})
    assert run.is_warm
    shown = [line for process in psutil.process_iter(["cmdline"]) for line in process.info["cmdline"] or ()]
    assert any(str(warm.directory) in line for line in shown), "nothing was looked at"
    assert not any(secret in line for line in shown)
    files = [file for file in warm.directory.iterdir() if file.is_file()]
    assert [file.name for file in files] == ["lock"]
    assert files[0].read_bytes() == b""
    run.process.terminate()
    assert run.end() == 7


def environment_of(mark: str) -> Environment:
    return HERE.model_copy(update={"env": {"MARK": mark, "PYTHONPATH": str(PROGRAMS)}})


@pytest.fixture(scope="module")
def with_dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Return a warm process with Dask, started by the launcher."""
    root, mark = tmp_path_factory.mktemp("root") / "warm", uuid.uuid4().hex
    directory = warm_directory(environment_of(mark), root)
    assert directory is not None
    warm = Warm(directory, (PROGRAMS,), mark=mark)
    launcher = BatchLauncher(local_site(), {}, {"host": ProcessRunner()}, Directories(working=root.parent, warm=root))
    try:
        asyncio.run(launcher.warm_up(environment_of(mark)))
        until(lambda: directory.is_dir() and warm.pid())
        yield warm
    finally:
        warm.end()


@pytest.fixture
def launched(with_dask: Warm, tmp_path: Path) -> Iterator[Callable[[str], RealCluster]]:
    """Return a starter of clusters whose schedulers are forked."""
    made: list[RealCluster] = []

    def launch(name: str) -> RealCluster:
        (tmp_path / name).mkdir()
        cluster = make_cluster(tmp_path / name)
        cluster.record = record(tmp_path / name, environment=environment_of(with_dask.mark))
        cluster.warm_root = with_dask.directory.parent
        made.append(cluster)
        cluster.start_scheduler()
        return cluster

    yield launch
    for cluster in made:
        cluster.end()


def job_variables(warm: Warm) -> dict[str, str]:
    return {**os.environ, **environment_of(warm.mark).env}


def test_the_launchers_directory_is_the_users_alone(with_dask: Warm) -> None:
    assert with_dask.directory.stat().st_mode & 0o777 == 0o700


def test_dasks_configuration_is_that_of_run(with_dask: Warm) -> None:
    for color in ("red", "blue"):
        ended = with_dask.run("facts", "color", env=job_variables(with_dask) | {"DASK_WARM_TEST__COLOR": color})
        assert (ended.is_warm, ended.facts["color"]) == (True, color)


def test_dasks_configuration_is_read_where_the_variables_of_run_say(with_dask: Warm, tmp_path: Path) -> None:
    (tmp_path / "warm-test.yaml").write_text("warm-test: {color: green}")
    ended = with_dask.run("facts", "color", env=job_variables(with_dask) | {"DASK_CONFIG": str(tmp_path)})
    assert ended.facts["color"] == "green"


async def test_a_forked_scheduler_is_a_scheduler_with_its_own_gate(
    with_dask: Warm, launched: Callable[[str], RealCluster]
) -> None:
    first, second = launched("first"), launched("second")
    for cluster, other in ((first, second), (second, first)):
        async with Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True) as client:
            pid = await client.run_on_scheduler(os.getpid)
        assert pid != cluster.started[0].pid, "it runs without the process"
        assert psutil.Process(pid).environ()["MARK"] == with_dask.mark
        async with cluster.client() as http:
            assert (await http.get("/status")).status_code == 200
            foreign = {TOKEN_HEADER: other.credentials.token_file.read_text()}
            assert (await http.get("/status", headers=foreign)).status_code == 403


def test_a_forked_scheduler_closes_down_when_it_is_asked_to(launched: Callable[[str], RealCluster]) -> None:
    cluster = launched("only")
    cluster.started[0].terminate()
    assert cluster.started[0].wait(10) == 0
    assert "End scheduler" in cluster.log
    assert "Traceback" not in cluster.log


def test_a_forked_scheduler_takes_its_file_away(launched: Callable[[str], RealCluster]) -> None:
    cluster = launched("only")
    cluster.started[0].terminate()
    assert cluster.started[0].wait(10) == 0
    assert not cluster.record.scheduler_file.exists()


async def test_a_forked_scheduler_finds_modules_in_its_directory(launched: Callable[[str], RealCluster]) -> None:
    cluster = launched("only")
    (cluster.record.directory / "beside_the_notebook.py").write_text("value = 5")
    async with Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True) as client:
        found = await client.run_on_scheduler(lambda: __import__("beside_the_notebook").value)
    assert found == 5

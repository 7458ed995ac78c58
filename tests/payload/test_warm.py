"""A process from which schedulers are forked: how it lives and ends, and that a launch works without it as with it."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.servers import until

from .warm_process import PROGRAMS, Warm, is_alive, result, write_no_dask


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Warm]:
    """Return a directory without a process, and packages in place of Dask."""
    directory = tmp_path / "warm"
    directory.mkdir(mode=0o700)
    warm = Warm(directory, (PROGRAMS, write_no_dask(tmp_path / "packages")))
    yield warm
    warm.end()


def dead_socket(warm: Warm) -> None:
    process = psutil.Process(warm.start())
    process.kill()
    until(lambda: not is_alive(process))
    assert (warm.directory / "socket").exists()


def no_directory(warm: Warm) -> None:
    warm.directory.rmdir()


def no_dask(warm: Warm) -> None:
    """Start a process in an environment whose Dask cannot be imported."""
    write_no_dask(warm.path[-1], **{"distributed/__init__.py": "raise ImportError"})
    warm.start(wait=False)
    until(lambda: (warm.directory / "socket").exists() and not warm.processes())


@pytest.mark.parametrize("prepare", [lambda _: None, no_directory, dead_socket, no_dask])
def test_without_a_process_a_program_runs_as_it_stands(warm: Warm, prepare: Callable[[Warm], None]) -> None:
    prepare(warm)
    ended = warm.run("ends", "exit", "3")
    assert (ended.is_warm, ended.code, ended.out, ended.err) == (False, 3, "out\n", "err\n")


@contextmanager
def listener(warm: Warm, answer: bytes | None) -> Iterator[None]:
    """Stand for a process that hangs (None), hangs up (b"") or answers something else."""
    with warm.directory_file() as directory, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{directory}/socket")
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(answer or b"")

        thread = threading.Thread(target=serve)
        if answer is not None:
            thread.start()
        yield
        if answer is not None:
            thread.join(5)


@pytest.mark.parametrize("answer", [b"", b"X"])
def test_a_process_that_hangs_up_or_talks_nonsense_is_none(warm: Warm, answer: bytes) -> None:
    start = time.monotonic()
    with listener(warm, answer):
        ended = warm.run("ends", "exit", "3")
    assert (ended.is_warm, ended.code, ended.out, ended.err) == (False, 3, "out\n", "err\n")
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("size", [0, 300_000], ids=["small", "large"])
def test_a_process_that_hangs_is_waited_for_with_patience_but_not_for_ever(warm: Warm, size: int) -> None:
    warm = warm.with_constants(_PATIENCE=0.5)
    start = time.monotonic()
    with listener(warm, None):
        process = warm.popen("ends", "exit", "3", env=warm.variables | large(size))
        process.wait(10)  # its streams are open for longer: they are on the way to the listener
    ended = result(process)
    assert (ended.is_warm, ended.code, ended.out, ended.err) == (False, 3, "out\n", "err\n")
    assert 0.5 < time.monotonic() - start < 3


def large(size: int) -> dict[str, str]:
    """Return variables of so many bytes; Linux lets none have more than 128 KiB."""
    return {f"LARGE_{number}": "x" * 50_000 for number in range(size // 50_000)}


def test_a_program_that_did_not_wait_for_the_process_runs_once(warm: Warm, tmp_path: Path) -> None:
    importing = tmp_path / "importing"
    write_no_dask(
        warm.path[-1],
        **{"distributed/__init__.py": f"import os, time\nwhile os.path.exists({str(importing)!r}): time.sleep(0.01)"},
    )
    importing.touch()
    (tmp_path / "once.py").write_text("print('ran', file=open('times', 'a'))")
    warm = replace(warm, path=(*warm.path, tmp_path)).with_constants(_PATIENCE=0.3)
    warm.start(wait=False)
    until((warm.directory / "socket").exists)
    assert warm.popen("once", cwd=tmp_path).wait(5) == 0
    importing.unlink()
    process = psutil.Process(until(warm.pid))
    until(lambda: not process.children())
    assert (tmp_path / "times").read_text() == "ran\n"


def test_a_process_that_still_imports_is_waited_for(warm: Warm) -> None:
    write_no_dask(warm.path[-1], **{"distributed/__init__.py": "import time; time.sleep(0.5)"})
    warm.start(wait=False)
    until((warm.directory / "socket").exists)
    assert warm.run("ends", "exit", "3").is_warm


def test_there_is_one_process_however_often_it_is_started(warm: Warm) -> None:
    starts = [threading.Thread(target=warm.start, kwargs={"wait": False}) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    pid = until(warm.pid)
    assert warm.start() == pid
    until(lambda: [process.pid for process in warm.processes()] == [pid])


def test_start_leaves_nothing_of_its_caller_behind(warm: Warm) -> None:
    process = psutil.Process(warm.start())
    assert os.getsid(process.pid) == process.pid
    names = [Path(f"/proc/{process.pid}/fd/{number}").readlink() for number in (0, 1, 2)]
    assert {str(name) for name in names} == {os.devnull}
    assert process.cwd() == str(warm.directory)


def test_modes(warm: Warm) -> None:
    before = os.umask(0)
    try:
        warm.start()
    finally:
        os.umask(before)
    assert (warm.directory / "lock").stat().st_mode & 0o777 == 0o600
    assert warm.directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("changed", ["distributed/__init__.py", "distributed/scheduler.py", "bokeh/server/server.py"])
def test_a_process_whose_modules_have_changed_ends_and_the_program_runs_as_it_stands(warm: Warm, changed: str) -> None:
    process = psutil.Process(warm.start())
    assert warm.run("ends", "exit", "3").is_warm
    with (warm.path[-1] / changed).open("a") as file:
        file.write("# a later version\n")
    ended = warm.run("ends", "exit", "3")
    assert (ended.is_warm, ended.code, ended.out, ended.err) == (False, 3, "out\n", "err\n")
    until(lambda: not is_alive(process), 5)
    assert warm.start() != process.pid
    assert warm.run("ends", "exit", "3").is_warm


def test_a_process_whose_modules_are_gone_ends(warm: Warm) -> None:
    process = psutil.Process(warm.start())
    (warm.path[-1] / "distributed/scheduler.py").unlink()
    assert not warm.run("ends", "exit", "3").is_warm
    until(lambda: not is_alive(process), 5)


def test_it_ends_when_nobody_asks_any_more(warm: Warm) -> None:
    warm = warm.with_constants(IDLE=2)
    process = psutil.Process(warm.start())
    asked = time.monotonic()
    until(lambda: time.monotonic() > asked + 1)
    asked = time.monotonic()
    assert warm.run("ends", "exit", "3").is_warm, "it has ended too early"
    until(lambda: not is_alive(process), 10)
    assert time.monotonic() - asked > 1.5, "a request does not count"
    assert not (warm.directory / "socket").exists()
    assert not warm.run("ends", "exit", "3").is_warm


@pytest.mark.parametrize("end", ["killed", "idle"])
def test_a_program_outlives_the_process_and_another_one_can_be_started(warm: Warm, end: str) -> None:
    if end == "idle":
        warm = warm.with_constants(IDLE=0.5)
    process = psutil.Process(warm.start())
    run = warm.begin(1, "SIGTERM")
    assert run.is_warm
    if end == "killed":
        process.kill()
    until(lambda: not is_alive(process), 5)
    another = warm.start()
    assert another != process.pid, "the lock is still held"
    assert is_alive(run.program)
    run.process.terminate()
    assert run.next_line() == str(int(signal.SIGTERM))
    assert run.end() == 7


def test_programs_run_at_the_same_time_and_end_each_for_itself(warm: Warm) -> None:
    process = psutil.Process(warm.start())
    first, second = warm.begin(1, "SIGTERM"), warm.begin(1, "SIGTERM")
    assert first.is_warm
    assert second.is_warm
    assert first.program.pid != second.program.pid
    first.process.terminate()
    assert first.end() == 7
    assert is_alive(second.program)
    second.process.terminate()
    assert second.end() == 7
    until(lambda: process.children() == [], 5)


def test_many_at_once_are_all_warm_and_none_draws_the_numbers_of_another(warm: Warm) -> None:
    warm.start()
    runs = [warm.popen("facts", "random") for _ in range(5)]
    ends = [result(process) for process in runs]
    assert all(end.is_warm for end in ends)
    assert len({end.facts["random"] for end in ends}) == len(ends)


def test_nonsense_ends_only_its_own_fork(warm: Warm) -> None:
    pid = warm.start()
    for nonsense in (b"", b"\0\0\0\0\0\0\0\5{}", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\0\0\0\0\2[]"):
        with warm.directory_file() as path, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(f"{path}/socket")
            connection.sendall(nonsense)
            connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                assert connection.recv(1) in (b"", b"R")
    assert warm.run("ends", "exit", "3").is_warm
    assert warm.pid() == pid


def test_a_directory_whose_path_is_too_long_for_a_socket(warm: Warm) -> None:
    directory = warm.directory / ("long" * 20) / ("longer" * 20)
    directory.mkdir(parents=True, mode=0o700)
    warm = replace(warm, directory=directory)
    warm.start()
    ended = warm.run("ends", "exit", "3")
    assert (ended.is_warm, ended.code, ended.out, ended.err) == (True, 3, "out\n", "err\n")

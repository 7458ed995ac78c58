"""A process that has imported Dask already, from which schedulers of this machine are forked.

Importing Dask and its dashboards takes a second, a fork takes milliseconds. It runs in the user's environment and
imports nothing of ours::

    python warm.py start DIRECTORY               start the process in the background, unless there is one
    python -I -S warm.py run DIRECTORY -- python -m MODULE ARGUMENT...
                                                 run that, forked from the process, or as it stands where there is none

`run` stands for the forked process in every way that its caller sees: same standard streams, variables, directory; it
passes signals on, ends when that ends, with its exit code, and that ends when `run` is killed. `DIRECTORY` is the
user's alone (0700): who can reach the socket in it runs code as the user. The process ends after `IDLE` seconds
without a request.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

IDLE = 900.0
_LOOK = 30.0  # seconds between looks at whether the socket is still there
_PATIENCE = 5.0  # seconds that `run` waits for a process that is still importing
_GRACE = 3.0  # seconds between the two signals with which a program is ended whose `run` was killed
_STARTING = ("PYTHON", "LD_", "DASK_CONFIG", "DASK_LOGGING")
_READY, _GO = b"R", b"G"
_MODULES = ("distributed", "distributed.scheduler", "distributed.dashboard.scheduler", "bokeh.server.server")
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def start(directory: str) -> None:
    """Start the process in the background, in a session of its own, and return at once."""
    os.chdir(directory)  # a path relative to it is short enough for a socket, whatever the directory's own
    lock = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return  # there is one
    if os.fork() == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        request = _serve(lock)
        if request is not None:  # this is a fork, and goes on as the program: its end is as that of any
            _run_module(**request)


def _serve(lock: int) -> dict[str, Any] | None:
    """Answer requests, each in a fork, until nobody asks any more or Dask was installed anew.

    Returns
    -------
        What to run, in a fork; None in the process itself.
    """
    Path("socket").unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket")
    listener.listen()
    modules = _import()
    stamps = [_stamp(module) for module in modules]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks: they tell their ends themselves
    own = Path("socket").stat().st_ino
    listener.settimeout(min(_LOOK, IDLE))
    asked = time.monotonic()
    while time.monotonic() - asked < IDLE and _is_own(own):
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        asked = time.monotonic()
        if [_stamp(module) for module in modules] != stamps:
            break
        if os.fork() == 0:
            listener.close()
            os.close(lock)  # it is the process's own: a fork may outlive that
            return _become(connection)
        connection.close()
    if _is_own(own):
        Path("socket").unlink()
    return None


def _is_own(inode: int) -> bool:
    """Return whether the socket is still there, and still this process's: else nobody can ask any more."""
    try:
        return Path("socket").stat().st_ino == inode
    except OSError:
        return False


def _import() -> list[object]:
    """Import what a scheduler needs, its HTTP routes included, and return the modules."""
    import dask  # noqa: PLC0415
    import distributed  # noqa: F401, PLC0415  (it sets Dask's defaults)

    names = (*_MODULES, *dask.config.get("distributed.scheduler.http.routes"))
    for name in names:
        with suppress(ImportError):  # an environment without bokeh has no dashboards, but clusters
            __import__(name)
    return [sys.modules[name] for name in names if name in sys.modules]


def _stamp(module: object) -> object:
    """Return what tells whether a module's file is still the one that was imported."""
    try:
        status = Path(str(getattr(module, "__file__", ""))).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _become(connection: socket.socket) -> dict[str, Any]:
    """Fork once more: return what to run in the program's process; the other one waits for that and tells its end."""
    program = 0
    try:
        size, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
        request = json.loads(_receive(connection, int.from_bytes(size, "big")))
        if request.pop("python") != sys.executable or _of_start(request["variables"]) != _of_start(os.environ):
            os._exit(1)
        connection.sendall(_READY)
        if connection.recv(1) != _GO:  # `run` has lost its patience
            os._exit(1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        program = os.fork()
        if program:
            _watch(connection, program)
    except BaseException:  # noqa: BLE001  (nobody is there to be told)
        os._exit(1)
    connection.close()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    return dict(request)


def _of_start(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that count only when Python, its libraries or Dask are loaded."""
    return {name: value for name, value in variables.items() if name.startswith(_STARTING)}


def _watch(connection: socket.socket, program: int) -> None:
    """Pass signals on to the program, tell its exit code as shells do, and end with it."""
    import threading  # noqa: PLC0415  (`run` has no time for what only a fork needs)

    os.setsid()  # what ends the warm process and its group has nothing to do with this
    threading.Thread(target=_obey, args=(connection, program), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    connection.sendall(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def _receive(connection: socket.socket, size: int) -> bytes:
    message = b""
    while len(message) < size and (part := connection.recv(size - len(message))):
        message += part
    return message


def _run_module(module: str, arguments: list[str], variables: dict[str, str], directory: str, umask: int) -> None:
    """Run a module as ``python -m`` does."""
    import random  # noqa: PLC0415  (`run` has no time for what only a fork needs)
    import runpy  # noqa: PLC0415

    import dask  # noqa: PLC0415

    os.setsid()
    os.umask(umask)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(variables)
    random.seed()
    dask.config.refresh()
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = directory  # in place of this file's
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _obey(connection: socket.socket, program: int) -> None:
    """Pass on the signals that `run` got, and end the program when `run` was killed."""
    while number := connection.recv(1):
        os.kill(program, number[0])
    os.kill(program, signal.SIGTERM)
    time.sleep(_GRACE)
    os.kill(program, signal.SIGKILL)


def run(directory: str, argv: list[str]) -> int:
    """Run ``PYTHON -m MODULE ARGUMENT...``, warm if it can be, and return the exit code."""
    here = os.getcwd()
    os.umask(umask := os.umask(0o077))
    request: dict[str, Any] = {
        "module": argv[2],
        "arguments": argv[3:],
        "variables": dict(os.environ),
        "directory": here,
    }
    request |= {"umask": umask, "python": sys.executable}
    try:
        os.chdir(directory)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_PATIENCE)
        connection.connect("socket")
        message = json.dumps(request).encode()
        socket.send_fds(connection, [len(message).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(message)
        is_warm = connection.recv(1) == _READY
        connection.sendall(_GO)
    except (OSError, AttributeError):  # there is none, it does not answer, or Python is older than 3.9
        is_warm = False
    os.chdir(here)
    if not is_warm:
        os.execvp(argv[0], argv)  # noqa: S606  (no shell is wanted)
    connection.setblocking(True)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: connection.sendall(bytes([number])))
    code = connection.recv(1)
    return code[0] if code else 128 + signal.SIGKILL


if __name__ == "__main__":
    if sys.argv[1] == "start":
        start(sys.argv[2])
    else:
        sys.exit(run(sys.argv[2], sys.argv[4:]))

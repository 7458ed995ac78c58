"""The only place that starts batch commands.

A command gets a session of its own, a cleaned environment, and neither shell nor terminal. Waiting for it does not
block the event loop. If it takes too long or prints too much, it is killed together with everything it started.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Protocol, cast

from hpcdask_ext.batch.records import Command, CommandResult
from hpcdask_ext.errors import BatchUnreachable, CommandMissing, CommandTimeout, NotStarted, NotUnderstood

OUTPUT_LIMIT = 4 * 2**20
"""Bytes that a command may print on each output stream. More is refused: half an answer might be taken for a whole."""

COMMANDS_AT_ONCE = 4
"""How many commands one runner runs at a time; few, because a batch system's daemon serves a whole centre."""

_SECRET = re.compile(
    r"(^|_)TOKEN$|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?$|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY", re.IGNORECASE
)
# Set by the batch job in which Jupyter itself may run, or by a job of ours: what inherits them mistakes itself for it.
_OF_A_JOB = re.compile(r"(SLURM|SLURMD|PMI|PMI2|PMIX|HPCDASK)_")
_SLURM_SETTINGS = frozenset({"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS"})
# Only a path, by which Google's libraries find a file that the user protects.
_NO_SECRETS = frozenset({"GOOGLE_APPLICATION_CREDENTIALS"})
# Programs that pass their arguments to a shell on the remote host.
_REMOTE_SHELLS = frozenset({"ssh", "gsissh"})
_NOT_FOUND = (126, 127)
# ssh's own exit code, and its words for what happens before the command is started on the other host.
_NO_CONNECTION = 255
_NOT_CONNECTED = re.compile(
    r"^ssh: (connect to host|Could not resolve)|^Host key verification failed|: Permission denied \(|^kex_exchange",
    re.MULTILINE,
)
_DRAIN = 1.0


class CommandRunner(Protocol):
    """Runs the commands that a batch system builds; tests replace it with recorded answers."""

    async def run(self, command: Command) -> CommandResult:
        """Run `command` to its end and return what it answered, whatever its exit code.

        Raises
        ------
        CommandMissing
            It is not installed, or not on PATH.
        CommandTimeout
            It did not end in time and was killed. It may still have had its effect.
        NotUnderstood
            It printed more than `OUTPUT_LIMIT`.
        """
        ...

    def behind(self, command_prefix: Sequence[str]) -> CommandRunner:
        """Return a runner that puts `command_prefix` (``["ssh", "login1"]``) before each command."""
        ...


class ProcessRunner:
    """Runs commands as processes of this machine, with `command_prefix` (``["ssh", "login1"]``) before each."""

    def __init__(self, command_prefix: Sequence[str] = ()) -> None:
        self._prefix = tuple(command_prefix)
        self._slots = asyncio.Semaphore(COMMANDS_AT_ONCE)

    async def run(self, command: Command) -> CommandResult:
        """Run `command`, as `CommandRunner` says."""
        async with self._slots:
            return await self._run(command)

    def behind(self, command_prefix: Sequence[str]) -> CommandRunner:
        """Return a runner with that prefix, as `CommandRunner` says."""
        return ProcessRunner(command_prefix) if command_prefix else self

    async def _run(self, command: Command) -> CommandResult:
        argv = self._with_prefix(command)
        try:
            transport, output = await asyncio.get_running_loop().subprocess_exec(
                _Output,
                *argv,
                stdin=asyncio.subprocess.DEVNULL if command.stdin is None else asyncio.subprocess.PIPE,
                env={**clean_environment(os.environ), **command.environment},
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise _missing(argv[0], str(error)) from error
        except (OSError, ValueError) as error:  # no process or descriptor is free; a null byte in an argument
            raise BatchUnreachable(f"{program(command.argv)} could not be started: {error}") from error
        try:
            if command.stdin is not None:
                _feed(transport, command.stdin)
            await asyncio.wait_for(output.done(), command.timeout.total_seconds())
        except asyncio.TimeoutError:
            raise CommandTimeout(
                f"{program(command.argv)} did not answer within {command.timeout.total_seconds():g} s and was stopped."
            ) from None
        finally:
            await _end(transport, output)
        result = _result(command, transport, output)
        if self._is_remote and result.exit_code == _NO_CONNECTION and _NOT_CONNECTED.search(result.stderr):
            words = result.stderr.strip()
            raise NotStarted(f"{program(command.argv)} could not be started on {self._prefix[-1]}: {words}")
        return result

    @property
    def _is_remote(self) -> bool:
        return bool(self._prefix) and PurePath(self._prefix[0]).name in _REMOTE_SHELLS

    def _with_prefix(self, command: Command) -> tuple[str, ...]:
        if not self._prefix:
            return command.argv
        # The remote host may have an environment of its own.
        settings = tuple(f"{name}={value}" for name, value in command.environment.items())
        argv = ("env", *settings, *command.argv) if settings else command.argv
        if self._is_remote:
            return (*self._prefix, shlex.join(argv))
        return (*self._prefix, *argv)


class _Output(asyncio.SubprocessProtocol):
    """Gathers what one process prints.

    What counts is the end of the process, not of its output: a daemon that it leaves behind (ssh's master connection)
    may keep the output open for hours.
    """

    def __init__(self) -> None:
        self.text = {1: bytearray(), 2: bytearray()}
        self.too_long = False
        self.exited = asyncio.Event()
        self._over = asyncio.Event()
        self._drained = asyncio.Event()
        self._open = {1, 2}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        room = OUTPUT_LIMIT - len(self.text[fd])
        self.text[fd] += data[:room]
        if len(data) > room:
            self.too_long = True
            self._over.set()
            self._drained.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open:
            self._drained.set()

    def process_exited(self) -> None:
        self.exited.set()
        self._over.set()

    async def done(self) -> None:
        await self._over.wait()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._drained.wait(), _DRAIN)


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without what must not reach a job.

    Batch systems pass the submitter's environment on to the job, store it in their databases and show it to
    administrators; on this machine all processes of the same user can read it. So variables whose names suggest tokens,
    passwords or keys are left out. A job that needs one gets it from the environment that the user or the site chose.
    Variables of a job in which Jupyter itself runs are left out too. The locale is set so that messages are in English.
    """
    kept = {name: value for name, value in environ.items() if not _must_go(name)}
    return {**kept, "LC_ALL": "C.UTF-8"}


def program(argv: Sequence[str]) -> str:
    """Return the name of the program that `argv` runs: the one behind `env`, if that comes first."""
    words = iter(argv)
    for word in words:
        if word == "-u":
            next(words, None)
        elif word != "env" and "=" not in word:
            return PurePath(word).name
    return argv[0]


def _must_go(name: str) -> bool:
    if _SECRET.search(name):
        return name not in _NO_SECRETS
    return bool(_OF_A_JOB.match(name)) and name not in _SLURM_SETTINGS


def _feed(transport: asyncio.SubprocessTransport, text: str) -> None:
    pipe = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
    pipe.write(text.encode())
    pipe.close()


async def _end(transport: asyncio.SubprocessTransport, output: _Output) -> None:
    """Close the pipes; kill the whole group if the process has not ended."""
    if transport.get_returncode() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        # A process that hangs in a dead file system cannot be killed: it is left behind.
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(output.exited.wait(), _DRAIN)
    transport.close()


def _result(command: Command, transport: asyncio.SubprocessTransport, output: _Output) -> CommandResult:
    if output.too_long:
        raise NotUnderstood(f"{program(command.argv)} printed more than {OUTPUT_LIMIT // 2**20} MiB and was stopped.")
    stdout, stderr = (bytes(output.text[fd]).decode("utf-8", "replace") for fd in (1, 2))
    exit_code = cast("int", transport.get_returncode())
    if exit_code in _NOT_FOUND:
        # The exit codes of `env`, shells and ssh for a command that they cannot find or start.
        raise _missing(program(command.argv), stderr.strip() or stdout.strip())
    return CommandResult(command.argv, exit_code, stdout, stderr)


def _missing(name: str, words: str) -> CommandMissing:
    return CommandMissing(
        f"{name} could not be started: install the batch system's commands on this host, or add them to the PATH of "
        f"the Jupyter server ({words})."
    )

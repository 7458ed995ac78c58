"""Asks a Dask scheduler that is not ours what it is, or ends it, over Dask's own protocol.

It runs in a process of its own, so that neither the import of `distributed` nor whatever answers at the address burdens
the server, and imports nothing of ours. Somebody else may be listening there: no answer can make it run their code::

    python attach.py identity|shutdown ADDRESS [--ca FILE] [--certificate FILE] [--key FILE] [--timeout SECONDS]
                     [--known NAME]

NAME is the id of the only scheduler that may be ended, or its own address. If another one is there, it has ended.

It prints one line of JSON: what the scheduler says of itself (``{"type", "id", "address", "started", "services"}``),
or, with exit code 1, what went wrong, in one of these words, and in the words of whoever found it::

    {"error": "host" | "refused" | "silent" | "encrypted" | "plain" | "ca" | "certificate" | "web" | "foreign",
     "words": "..."}
"""

import argparse
import asyncio
import json
import os
import socket
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

_MOMENT = 1.0  # seconds in which whatever listens begins to answer
_PREFIX = struct.Struct("Q")  # before each of Dask's messages: its length
_LONGEST_GREETING = 10_000  # bytes


class Trouble(Exception):
    """What went wrong, as one of the words above."""

    def __init__(self, error: str, words: object = "") -> None:
        super().__init__(error, str(words))


class Target:
    """A scheduler's address, and what it takes to connect to it."""

    def __init__(self, address: str, timeout: float, known: str, **files: str) -> None:
        from distributed.security import Security  # noqa: PLC0415

        self.address, self.timeout, self.known = address, timeout, known
        parts = urlsplit(address)
        self.place = (str(parts.hostname), parts.port or 0)
        self.is_encrypted = parts.scheme == "tls"
        # Without files, those of Dask's own configuration count.
        make: Any = Security
        self.arguments = make(**files).get_connection_args("client")

    async def ask(self, act: str) -> Any:
        """Return the scheduler's answer, or raise `Trouble`."""
        from distributed.core import rpc  # noqa: PLC0415

        self._connect().close()  # Dask itself would try again and again for as long as it may
        if self.is_encrypted and self.arguments["ssl_context"] is None:
            raise Trouble("encrypted", "no certificates were given")
        if not self.is_encrypted and (found := self._sniff()) == "tls":
            raise Trouble("encrypted", "it speaks TLS: use tls://")
        if not self.is_encrypted and found == "web":
            raise Trouble("web", "it speaks HTTP")
        connect: Any = rpc
        scheduler = connect(self.address, timeout=self.timeout, connection_args=self.arguments, deserialize=False)
        try:
            return await asyncio.wait_for(getattr(scheduler, act)(), self.timeout)
        except (Exception, asyncio.CancelledError) as error:
            raise self._explain(error) from error
        finally:
            with suppress(Exception):
                await scheduler.close_rpc()

    def _explain(self, error: BaseException) -> Trouble:
        causes = list(_causes(error))
        words = f"{type(causes[-1]).__name__}: {causes[-1]}"
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            return Trouble("ca", words)
        if self.is_encrypted and (found := self._sniff()):
            return Trouble({"dask": "plain", "tls": "certificate"}.get(found, found), words)
        return Trouble("silent" if isinstance(error, asyncio.TimeoutError) else "foreign", words)

    def _connect(self) -> socket.socket:
        try:
            return socket.create_connection(self.place, self.timeout)
        except socket.gaierror as error:
            raise Trouble("host", error) from error
        except ConnectionRefusedError as error:
            raise Trouble("refused", error) from error
        except (OSError, OverflowError) as error:
            raise Trouble("silent", error) from error

    def _sniff(self) -> str:
        """Return what listens there: `dask`, `tls`, `web`, or nothing that is known."""
        with suppress(OSError, Trouble), self._connect() as connection:  # Dask greets whoever connects
            connection.settimeout(_MOMENT)
            greeting = connection.recv(_PREFIX.size, socket.MSG_WAITALL)
            if len(greeting) == _PREFIX.size and _PREFIX.unpack(greeting)[0] < _LONGEST_GREETING:
                return "dask"
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # no more than a look
        with suppress(OSError, Trouble), self._connect() as connection:
            connection.settimeout(_MOMENT)
            with context.wrap_socket(connection):
                return "tls"
        with suppress(OSError, Trouble), self._connect() as connection:
            connection.settimeout(_MOMENT)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if connection.recv(5, socket.MSG_WAITALL) == b"HTTP/":
                return "web"
        return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it arose from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


async def identity(target: Target) -> dict[str, Any]:
    """Return what the scheduler says of itself, but for its workers."""
    answer = await target.ask("identity")
    if not isinstance(answer, dict) or "type" not in answer or "id" not in answer:
        raise Trouble("foreign", "its answer is no scheduler's")
    return {name: answer.get(name) for name in ("type", "id", "address", "started", "services", "scheduler")}


async def shutdown(target: Target) -> dict[str, Any]:
    """End the scheduler, which ends its workers, and return what it was once it is gone."""
    before = await identity(target)
    if target.known not in ("", before["id"], before["address"]):
        return before
    with suppress(Trouble):  # it may be gone before it has answered
        await target.ask("terminate")
    deadline = time.monotonic() + target.timeout
    while time.monotonic() < deadline:
        try:
            if (await identity(target))["id"] != before["id"]:  # another one was started in its place
                return before
        except Trouble:
            return before
        await asyncio.sleep(0.1)
    raise Trouble("silent", "it goes on running")


def refuse_pickles() -> None:
    """Let nothing be unpickled that names a function or a class: Dask unpickles some of what it is told not to."""

    def look(event: str, _: object) -> None:
        if event == "pickle.find_class":
            raise RuntimeError("its answer has Python objects in it, which are not unpickled here")

    sys.addaudithook(look)


def main() -> int:
    """Print the answer and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("act", choices=["identity", "shutdown"])
    parser.add_argument("address")
    parser.add_argument("--timeout", type=float, default=6.0)
    parser.add_argument("--known", default="")
    for name, field in (("ca", "tls_ca_file"), ("certificate", "tls_client_cert"), ("key", "tls_client_key")):
        parser.add_argument(f"--{name}", dest=field, default=argparse.SUPPRESS)
    options = vars(parser.parse_args())
    act = {"identity": identity, "shutdown": shutdown}[options.pop("act")]
    refuse_pickles()
    try:
        print(json.dumps(asyncio.run(act(Target(**options))), default=str), flush=True)
    except Trouble as trouble:
        error, words = trouble.args
        print(json.dumps({"error": error, "words": words}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    del sys.path[0]  # nothing beside this file is to be imported
    os._exit(main())  # connections that hang are no reason to stay

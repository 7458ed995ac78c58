"""Runs an object of any Dask cluster class, in the user's environment, until it is told to end: ``factory.py FOLDER``.

It imports nothing of ours but files of this folder, by their path, and may meet any `distributed` from 2023.5 on. The
class runs as in a notebook: in a thread of its own, not asynchronously. So whatever it does, this process ends at once
when it is told to, and answers. In FOLDER, it

- reads ``factory.yaml`` (what to import and what to call it with) and removes it, since there may be secrets in it;
- reads ``scaling.json`` once the class has returned: how many workers there should be. It may be written until then;
- writes ``scheduler.json``, by which clients find the scheduler. Its entry ``hpcdask`` says where the dashboard is, and
  where this process answers on the routes of `factory_routes.py`;
- writes ``client-ca.pem``, ``client-cert.pem`` and ``client-key.pem``, if the scheduler speaks TLS;
- writes ``reports/scheduler.1.reason``, if the class raised.

On SIGTERM it closes the cluster, within the time that local jobs are given. It also ends when the scheduler does.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-call"
import asyncio
import importlib
import importlib.util
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

GRACE = 10.0
"""Seconds for closing the cluster; less than a local job has (`hpcdask_ext/launchers/factory.py`)."""
_LAST_MOMENTS = 2.0
_LOOK = 0.5  # seconds between looks at whether the cluster is still there
_LONGEST = 1000  # characters of a reason
_NEEDED = ("scheduler_address", "dashboard_link", "scale", "adapt", "close")


class Unusable(Exception):
    """The class made something that cannot be used; the message says why."""


def load(name: str) -> ModuleType:
    """Return the module in a file of this folder."""
    spec = importlib.util.spec_from_file_location(f"hpcdask_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def read_order(folder: Path) -> dict[str, Any]:
    """Return what to make a cluster of, which nobody can read again."""
    import yaml  # noqa: PLC0415  (of Dask, which needs it)

    file = folder / "factory.yaml"
    order: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    file.unlink()
    return order


def in_thread(act: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
    """Return the coming result of what may block for ever; no thread of an executor, for which Python would wait."""
    result: Future[Any] = Future()

    def run() -> None:
        try:
            result.set_result(act(*arguments))
        except Exception as error:  # noqa: BLE001  (whoever awaits it decides)
            result.set_exception(error)
        except BaseException as error:  # noqa: BLE001  (SystemExit, for instance, would end the loop)
            result.set_exception(Unusable(f"it raised {error!r}"))

    threading.Thread(target=run, daemon=True).start()
    return asyncio.wrap_future(result)


def make(order: dict[str, Any]) -> Any:
    """Return an object of the class, once its scheduler is up; may take as long as the class likes."""
    cluster_class = getattr(importlib.import_module(order["module"]), order["class"])
    options = {name: value for name, value in order["kwargs"].items() if name != "asynchronous"}
    cluster = cluster_class(*order["args"], **options)
    missing = [name for name in _NEEDED if not hasattr(cluster, name)]
    if missing:
        raise Unusable(f"it is no Dask cluster class: what it makes has no {', '.join(missing)}")
    if not str(cluster.scheduler_address).startswith(("tcp:", "tls:", "ucx:", "ws:", "wss:")):
        remedy = "let it listen on a network, for instance with the keyword argument 'protocol: tcp'"
        raise Unusable(f"its scheduler's address {cluster.scheduler_address} is of no use to notebooks: {remedy}")
    return cluster


def write_private(file: Path, text: str) -> None:
    """Write a file for the user alone, which nobody sees half written."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)
    draft.replace(file)


def write_tls(folder: Path, cluster: Any) -> None:
    """Write what clients need to connect over TLS; a `Security` has paths, or texts if it is a temporary one."""
    from distributed.security import Security  # noqa: PLC0415

    security: Any = getattr(cluster, "security", None) or Security()
    certificate = security.tls_client_cert
    parts = {"ca": security.tls_ca_file, "cert": certificate, "key": security.tls_client_key or certificate}
    for name, value in parts.items():
        if value:
            text = value if "\n" in value else Path(value).read_text("utf-8")
            write_private(folder / f"client-{name}.pem", text)


def dashboard_of(cluster: Any) -> str:
    """Return the URL of the scheduler's dashboard, or where it usually is."""
    link = str(cluster.dashboard_link or "").rstrip("/")
    if link:
        return link[: -len("/status")] if link.endswith("/status") else link
    host = cluster.scheduler_address.split("://")[1].rpartition(":")[0]
    return f"http://{host}:8787"


def has_ended(cluster: Any) -> bool:
    """Return whether the cluster, or a scheduler in this process, has been closed."""
    parts = (cluster, getattr(cluster, "scheduler", None))
    states = {getattr(getattr(part, "status", None), "name", "") for part in parts}
    return bool(states & {"closing", "closed", "failed"})


class Factory:
    """One cluster of a class, from its making to its end."""

    def __init__(self, folder: Path, preload: ModuleType) -> None:
        self.folder, self.order, self._preload = folder, read_order(folder), preload
        self.name = f"{self.order['module']}.{self.order['class']}"

    async def run(self) -> None:
        """Make the cluster, serve it until it ends or has to, and close it."""
        self.told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.told.set)
        print(f"Starting {self.name}", flush=True)
        cluster = await self._interruptible(in_thread(make, self.order))
        try:
            await self._serve(cluster)
            while not self.told.is_set() and not has_ended(cluster):
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.told.wait(), _LOOK)
        finally:
            await self._close(cluster)

    async def _close(self, cluster: Any) -> None:
        print(f"Closing {self.name}", flush=True)
        if has_ended(cluster):  # Dask's classes try for 30 s to tell a scheduler to end that has ended
            import dask  # noqa: PLC0415

            dask.config.set({"distributed.comm.timeouts.connect": "1s"})
        closing = in_thread(cluster.close)
        await asyncio.wait([closing], timeout=GRACE)
        if not closing.done():
            print(f"{self.name} did not close within {GRACE:g} s", file=sys.stderr, flush=True)
        elif closing.exception() is not None:
            traceback.print_exception(*_parts(closing.exception()))

    async def _serve(self, cluster: Any) -> None:
        """Let others find the cluster, then give it its workers."""
        scaler = load("factory_scaling").Scaler(cluster, self.order["class"], in_thread)
        idle = load("idle_preload") if "HPCDASK_IDLE_TIMEOUT" in os.environ else None
        handle = await load("factory_routes").start(cluster, self.folder, (self._preload, idle), scaler)
        if cluster.scheduler_address.startswith("tls:"):
            write_tls(self.folder, cluster)
        reached = {"dashboard": dashboard_of(cluster), "api": handle.url, "gated": handle.is_local}
        found = {"type": "Scheduler", "address": cluster.scheduler_address, "hpcdask": reached}
        write_private(self.folder / "scheduler.json", json.dumps(found))
        # Whoever finds no scheduler.json writes this file, so it is read last.
        scaling = json.loads((self.folder / "scaling.json").read_text("utf-8"))
        scaled = asyncio.ensure_future(scaler.scale(scaling))
        if await self._is_done(scaled):
            await scaled
        print(f"{self.name} runs; its scheduler is at {cluster.scheduler_address}", flush=True)

    async def _interruptible(self, work: asyncio.Future[Any]) -> Any:
        """Return the result of something that may never return; end the process if it is told to before."""
        if not await self._is_done(work):
            print(f"Told to end while {self.name} was still starting", flush=True)
            os._exit(0)  # the thread cannot be ended otherwise
        return await work

    async def _is_done(self, work: asyncio.Future[Any]) -> bool:
        """Wait until something is done, or the process is told to end; return whether it is done."""
        told = asyncio.ensure_future(self.told.wait())
        await asyncio.wait([work, told], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        return work.done()

    def tell(self, error: BaseException) -> None:
        """Print what went wrong, and write why for the card."""
        traceback.print_exception(*_parts(error))
        words = str(error) if isinstance(error, Unusable) else f"{type(error).__name__}: {error}"
        root = error
        while root.__cause__ is not None:
            root = root.__cause__
        words += "" if str(root) in words else f" ({type(root).__name__}: {root})"
        reason = f"{self.name} could not be started: {' '.join(words.split())}"[:_LONGEST]
        print(reason, file=sys.stderr, flush=True)
        write_private(self.folder / "reports" / "scheduler.1.reason", f"reason={reason}\n")


def _parts(error: BaseException | None) -> tuple[Any, Any, Any]:
    """Return what Python 3.9 wants to print."""
    return type(error), error, error.__traceback__ if error else None


def main(folder: Path) -> int:
    """Run the cluster that is described in a folder; return the exit code."""
    load("leftovers").watch()
    sys.path[0] = os.getcwd()  # as in a notebook, and not the folder of this file
    factory = Factory(folder, load("dask_preload"))  # its gate is there before the class opens a dashboard
    code = 0
    try:
        asyncio.run(factory.run())
    except Exception as error:  # noqa: BLE001  (whatever a class raises is told)
        factory.tell(error)
        code = 1
    # What else the class has registered for the end must not take for ever.
    last = threading.Timer(_LAST_MOMENTS, os._exit, (code,))
    last.daemon = True
    last.start()
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""`jupyter hpcdask run`: run a script with a cluster, in one job that ends with the script, and with its exit code."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from jupyter_core.paths import jupyter_config_path, jupyter_data_dir, jupyter_runtime_dir

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.control.manager import ClusterManager
from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.handlers.core import Core
from hpcdask_ext.sites.load import SiteFiles
from hpcdask_ext.sites.options import Option

FAILED = 1
"""The exit code if the script did not end by itself: its job failed, reached its walltime, or was stopped."""

_LOOK = 0.5  # seconds between looks at the log
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EPILOG = """
The script connects with `Client()`, without arguments. What it prints goes to standard output, what happens to its job
to standard error. The exit code is the script's own; 1 if its job failed or was stopped, 2 if the launch was refused.
"""


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("run", help="run a script or notebook with a cluster", epilog=_EPILOG)
    parser.add_argument("--site", help="the site (default: the first one)")
    parser.add_argument("--queue", help="the queue (default: the site's first one)")
    parser.add_argument("--size", help="the size by its name (default: the site's first one)")
    for name in ("walltime", "account", "environment", "image", "name"):
        parser.add_argument(f"--{name}", help=_HELP[name])
    parser.add_argument("--workers", type=int, help="another number of workers than the size has")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the site; may be repeated"
    )
    parser.add_argument("script", help="a Python script or a notebook")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, default=[], help="its arguments")
    parser.set_defaults(act=act)


_HELP = {
    "walltime": "the longest run time, as HH:MM:SS",
    "account": "the account that pays",
    "environment": "the kernel or environment to run in (default: the site's first one)",
    "image": "the container image, where the environment has one to choose",
    "name": "a name for the cluster",
}


def act(options: argparse.Namespace) -> int:
    """Run the script; return the exit code."""
    sites = SiteFiles(jupyter_config_path()).load()
    site = sites.get(options.site) if options.site is not None else next(iter(sites.sites), None)
    try:
        return asyncio.run(_run(_body(options, site.options if site else ())))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _body(options: argparse.Namespace, known: Sequence[Option]) -> dict[str, Any]:
    names = ("site", "queue", "size", *_HELP)
    body: dict[str, Any] = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.workers is not None:
        body["scaling"] = {"workers": options.workers}
    script = {"path": options.script, "directory": ".", "arguments": options.arguments}
    values = dict(_split(text) for text in options.option)
    read = {option.name: option.read for option in known}
    return {**body, "script": script, "options": {name: read.get(name, str)(text) for name, text in values.items()}}


def _split(option: str) -> tuple[str, str]:
    name, equals, text = option.partition("=")
    if not equals:
        raise InvalidRequest([FieldError("option", f"{option!r} has no value: write NAME=VALUE")])
    return name, text


async def _run(body: dict[str, Any]) -> int:
    changed = asyncio.Event()
    manager = _core(changed).build()
    try:
        launching = asyncio.ensure_future(manager.launch(body))
        stopped: list[int] = []
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, _stop, manager, launching, number, stopped)
        cluster = await _follow(manager, (await launching).id, changed)
    finally:
        await manager.close()
    if stopped:
        return 128 + stopped[0]
    if cluster.state is ClusterState.FAILED:
        print(f"The logs are in {cluster.directory / 'logs'}", file=sys.stderr)
    return FAILED if cluster.exit_code is None else cluster.exit_code


def _core(changed: asyncio.Event) -> Core:
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415

    return Core(
        root=Path(jupyter_data_dir()) / "hpcdask" / "clusters",
        config_path=jupyter_config_path(),
        working_directory=Path.cwd(),
        runtime_directory=Path(jupyter_runtime_dir()) / "hpcdask-warm",
        kernel_specs=KernelSpecManager().get_all_specs,
        emit=partial(_note, changed),
    )


def _note(changed: asyncio.Event, *, data: dict[str, Any]) -> None:
    """Note that an event happened; what has changed is looked up."""
    changed.set()


_background: set[asyncio.Task[Any]] = set()


def _stop(manager: ClusterManager, launching: asyncio.Future[Cluster], number: int, stopped: list[int]) -> None:
    """Stop the cluster, once: another signal does what it does to any program, so that one need not wait."""
    print("Stopping the job ...", file=sys.stderr)
    for handled in _SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(handled)
    _background.add(asyncio.ensure_future(_stop_launched(manager, launching)))
    stopped.append(number)


async def _stop_launched(manager: ClusterManager, launching: asyncio.Future[Cluster]) -> None:
    await manager.stop((await launching).id)


async def _follow(manager: ClusterManager, cluster_id: str, changed: asyncio.Event) -> Cluster:
    """Tell what happens to the cluster, and what its script prints, until it has ended."""
    shown, position = "", 0
    while True:
        cluster = manager.get(cluster_id)
        log = cluster.directory / "logs" / "allocation.1.log"
        position = await asyncio.to_thread(_copy, log, position, sys.stdout)
        news = f"{cluster.name}: {cluster.state.value}{f'. {cluster.reason}' if cluster.reason else ''}"
        if news != shown:
            shown = news
            print(news, file=sys.stderr)
        if cluster.state.is_final:
            await asyncio.to_thread(_copy, log, position, sys.stdout)
            return cluster
        changed.clear()
        waiting = asyncio.create_task(changed.wait())
        await asyncio.wait([waiting], timeout=_LOOK)
        waiting.cancel()


def _copy(log: Path, position: int, target: TextIO) -> int:
    """Write what was added to a log since `position`, and return the new position."""
    try:
        with log.open("rb") as file:
            file.seek(position)
            added = file.read()
    except OSError:  # not there yet
        return position
    target.buffer.write(added)
    target.flush()
    return position + len(added)

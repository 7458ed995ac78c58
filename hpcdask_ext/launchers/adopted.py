"""Clusters that others launched: asked what they are, and ended, over Dask's own protocol (`payload/attach.py`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hpcdask_ext.batch.records import Command, CommandResult, JobElements, JobStatus
from hpcdask_ext.batch.runner import CommandRunner
from hpcdask_ext.clusters.models import Cluster, Job, TLSFiles
from hpcdask_ext.clusters.states import Place
from hpcdask_ext.errors import BatchError, BatchUnreachable, SchedulerUnreachable, TLSRefused, WrongState
from hpcdask_ext.launchers.base import Launcher
from hpcdask_ext.sites.probe import Probed

ATTACH = Path(__file__).parent.parent / "payload" / "attach.py"
IN_PROCESS = "inproc://"
"""What the address of a scheduler begins with that only its own process can talk to."""

_PATIENCE = {"identity": timedelta(seconds=25), "shutdown": timedelta(seconds=60)}  # its own limits are below these

_SENTENCES = {
    "host": "There is no host with the name in {address}: correct it",
    "refused": "Nothing listens at {address}: the cluster has probably ended",
    "silent": "The scheduler at {address} does not answer: it may have ended, or a firewall is between",
    "web": "A web server answers at {address}, no Dask scheduler: give the scheduler's address, usually with port 8786",
    "plain": "The scheduler at {address} does not use TLS: write tcp://, and leave the TLS files out",
    "foreign": "Something other than a Dask scheduler answers at {address}",
}
_TLS_SENTENCES = {
    "encrypted": ("ca", "The scheduler at {address} needs TLS: give its TLS files"),
    "ca": ("ca", "The certificate of the scheduler at {address} is not from this authority: give the cluster's own"),
    "certificate": (
        "certificate",
        "The scheduler at {address} does not accept this certificate: give one of the cluster's authority",
    ),
}


@dataclass(frozen=True)
class Attached:
    """What a scheduler says about itself over Dask's own protocol.

    `id` is another one after each start; `dashboard` is the port of its HTTP server.
    """

    id: str
    address: str
    started: datetime
    dashboard: int | None


class AdoptedLauncher(Launcher):
    """Asks a scheduler that is reached with some TLS files, and ends it; it launches nothing.

    It ends only the one that is `known` by this id or address, if any is: another one may have its place by now.
    """

    scales_with_jobs = False

    def __init__(self, runner: CommandRunner, tls: TLSFiles | None, known: str = "") -> None:
        self._runner, self._tls, self._known = runner, tls, known

    async def identify(self, address: str) -> Attached:
        """Ask what listens at an address.

        Raises
        ------
        TLSRefused
            The TLS files do not fit.
        SchedulerUnreachable
            No scheduler answers there.
        """
        return read_attached(address, await self._run("identity", address))

    async def cancel(self, place: Place, jobs: Sequence[JobElements]) -> None:
        for job in jobs:
            try:
                read_attached(job.job_id, await self._run("shutdown", job.job_id))
            except SchedulerUnreachable as error:
                raise BatchUnreachable(error.message) from error

    async def query(self, place: Place) -> Sequence[JobStatus]:
        return ()  # nobody can be asked

    async def prepare(self, cluster: Cluster) -> Probed:
        raise _runs_already(cluster)

    def first_jobs(self, cluster: Cluster) -> tuple[Job, ...]:
        raise _runs_already(cluster)

    async def submit(self, cluster: Cluster, job: Job) -> str:
        raise _runs_already(cluster)

    async def _run(self, act: str, address: str) -> CommandResult:
        try:
            return await self._runner.run(attach_command(act, address, self._tls, self._known))
        except BatchError as error:
            raise SchedulerUnreachable(f"The scheduler at {address} could not be asked: {error.message}") from error


def attach_command(act: str, address: str, tls: TLSFiles | None, known: str = "") -> Command:
    """Return the command that asks (`identity`) or ends (`shutdown`) the scheduler at an address."""
    files = tls.model_dump(exclude_none=True) if tls else {}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    options += [f"--known={known}"] if known else []
    return Command((sys.executable, str(ATTACH), *options, act, address), timeout=_PATIENCE[act])


def read_attached(address: str, result: CommandResult) -> Attached:
    """Return what the scheduler said.

    Raises
    ------
    TLSRefused
        The TLS files do not fit.
    SchedulerUnreachable
        No scheduler answered.
    """
    try:
        told = json.loads(result.stdout)
        if "error" not in told:
            return _read_identity(address, told)
        error, words = str(told["error"]), str(told["words"])
    except (ValueError, KeyError, TypeError, OverflowError, OSError) as broken:
        words = result.words.rpartition("\n")[2]
        raise SchedulerUnreachable(f"The scheduler at {address} could not be asked ({words}).") from broken
    if error in _TLS_SENTENCES:
        part, sentence = _TLS_SENTENCES[error]
        raise TLSRefused(f"{sentence.format(address=address)} ({words}).", part)
    raise SchedulerUnreachable(f"{_SENTENCES.get(error, _SENTENCES['foreign']).format(address=address)} ({words}).")


def _read_identity(address: str, told: dict[str, Any]) -> Attached:
    if told["type"] in ("Worker", "Nanny"):
        remedy = f": give that of its scheduler, {told['scheduler']}" if told.get("scheduler") else ""
        raise SchedulerUnreachable(f"{address} is the address of a Dask worker{remedy}.")
    port = (told.get("services") or {}).get("dashboard")
    started = datetime.fromtimestamp(float(told["started"]), timezone.utc)
    return Attached(str(told["id"]), str(told["address"]), started, None if port is None else int(port))


def _runs_already(cluster: Cluster) -> WrongState:
    return WrongState(f"“{cluster.name}” was launched elsewhere: it runs already.")

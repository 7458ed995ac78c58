"""Asking a Dask scheduler, over the HTTP routes that our preload adds to it (`payload/dask_preload.py`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.errors import SchedulerUnreachable

_NUMBERS = ("version", "workers", "nthreads", "memory_limit", "clients")
_LONGEST_WAIT = 50  # seconds for which the scheduler holds a status request; see the preload
_TIMEOUT = 10.0  # seconds for everything else


@dataclass(frozen=True)
class SchedulerAddress:
    """Where a scheduler listens: `comm` for Dask's own protocol (``tls://10.1.2.3:4567``), `dashboard` for HTTP."""

    comm: str
    dashboard: str

    @classmethod
    def read(cls, scheduler_file: Path) -> SchedulerAddress | None:
        """Return the address that the scheduler wrote, or None while it is missing or incomplete; does file I/O."""
        try:
            content = json.loads(scheduler_file.read_bytes())
            comm = str(content["address"])
            host = comm.split("://", 1)[1].rpartition(":")[0]
            return cls(comm, f"https://{host}:{int(content['services']['dashboard'])}")
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return None


Packages = Mapping[str, Mapping[str, Sequence[str | None]]]
"""Versions by role (`scheduler`, `workers`, `clients`) and package, each once; None means that it is not installed."""


@dataclass(frozen=True)
class SchedulerStatus:
    """The scheduler's answer to one status request. `version` changes whenever another field does."""

    version: int
    workers: int
    nthreads: int
    memory_limit: int
    clients: int
    packages: Packages = field(default_factory=dict)


class SchedulerAPI:
    """A connection to one scheduler. Any method may raise `SchedulerUnreachable`, which does not mean it has ended."""

    def __init__(self, dashboard: str, credentials: Credentials) -> None:
        self._client = httpx.AsyncClient(
            base_url=dashboard,
            headers=credentials.headers(),
            verify=credentials.ssl_context(),
            timeout=_TIMEOUT,
            trust_env=False,  # a site's web proxy does not lead to a compute node
        )

    async def status(self, since: int | None = None) -> SchedulerStatus:
        """Return the status: at once, or, given the version last seen, as soon as it differs from that."""
        if since is None:
            answer = await self._ask("GET", "/hpcdask/status")
        else:
            waiting = httpx.Timeout(_TIMEOUT, read=_LONGEST_WAIT + _TIMEOUT)
            answer = await self._ask("GET", "/hpcdask/status", params={"since": since}, timeout=waiting)
        try:
            numbers = {name: int(answer[name]) for name in _NUMBERS}
            return SchedulerStatus(**numbers, packages=_read_packages(answer.get("packages", {})))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _foreign() from error

    async def retire(self, jobs: int, workers_per_job: int, keep: int = 0) -> tuple[str, ...]:
        """Retire the workers of the `jobs` least busy jobs, but of all except `keep` at most; return their names.

        Their data moves first, which may take long.
        """
        body = {"jobs": jobs, "workers_per_job": workers_per_job, "keep": keep}
        answer = await self._ask("POST", "/hpcdask/retire", json=body, timeout=300.0)
        retired = answer.get("retired")
        if not isinstance(retired, list):
            raise _foreign()
        return tuple(map(str, retired))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = await self._client.request(method, path, **options)
            response.raise_for_status()
            answer = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            raise SchedulerUnreachable(f"The scheduler did not answer ({type(error).__name__}).") from error
        if not isinstance(answer, dict):
            raise _foreign()
        return answer


def _read_packages(told: Any) -> Packages:
    """Return the versions that a preload tells; one of an older version of this package tells none."""
    return {
        str(role): {
            str(package): tuple(None if version is None else str(version) for version in versions)
            for package, versions in packages.items()
        }
        for role, packages in told.items()
    }


def _foreign() -> SchedulerUnreachable:
    return SchedulerUnreachable("Something other than this cluster's scheduler answers at its address.")

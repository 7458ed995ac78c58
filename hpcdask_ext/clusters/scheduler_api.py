"""Asking a Dask scheduler, over the HTTP routes that our preload adds to it (`payload/dask_preload.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

from hpcdask_ext.clusters.dashboard_api import DashboardAPI
from hpcdask_ext.clusters.groups import MAIN_GROUP
from hpcdask_ext.clusters.reach import Endpoint, Reach
from hpcdask_ext.clusters.status import Packages, SchedulerStatus, StatusSource
from hpcdask_ext.errors import BatchRefused, SchedulerUnreachable

_NUMBERS = ("version", "workers", "nthreads", "memory_limit")
_LONGEST_WAIT = 50  # seconds for which the scheduler holds a status request; see the preload
_TIMEOUT = 10.0  # seconds for everything else
_LONGEST_SCALING = 120.0  # seconds for which a cluster class may take
_REFUSED = 409


@dataclass(frozen=True)
class Retired:
    """The names of the workers that were retired, and of those that were kept because their data has no other place."""

    names: tuple[str, ...]
    kept: tuple[str, ...] = ()


class SchedulerAPI:
    """A connection to the scheduler of a cluster of ours.

    Any method may raise `SchedulerUnreachable`, which does not mean that the scheduler has ended.

    Parameters
    ----------
    endpoint
        Where it answers.
    asked
        What is asked and told with each request for the status, by its name: as `adaptive`, the groups whose `wishes`
        are of interest, as `payload/adaptive_preload.py` reads them; as `wanted`, what `payload/idle_preload.py` does.
    """

    def __init__(self, endpoint: Endpoint, asked: Mapping[str, str] | None = None) -> None:
        self._asked = dict(asked or {})
        self._client = httpx.AsyncClient(
            base_url=endpoint.url,
            headers=endpoint.headers,
            verify=endpoint.context or True,
            timeout=_TIMEOUT,
            trust_env=False,  # a site's web proxy does not lead to a compute node
        )

    async def status(self, since: int | None = None) -> SchedulerStatus:
        """Return the status: at once, or, given the version last seen, as soon as it differs from that."""
        if since is None:
            answer = await self._ask("GET", "/hpcdask/status", params=self._asked)
        else:
            waiting = httpx.Timeout(_TIMEOUT, read=_LONGEST_WAIT + _TIMEOUT)
            params = {"since": str(since), **self._asked}
            answer = await self._ask("GET", "/hpcdask/status", params=params, timeout=waiting)
        try:
            numbers = {name: int(answer[name]) for name in _NUMBERS}
            return SchedulerStatus(
                **numbers,
                clients=None if answer["clients"] is None else int(answer["clients"]),
                packages=_read_packages(answer.get("packages", {})),
                groups=_read_counts(answer.get("groups", {MAIN_GROUP: numbers["workers"]})),
                wishes=_read_counts(answer.get("wishes", {})),
                idle_since=_read_idle(answer.get("idle")),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise _foreign() from error

    async def retire(self, prefix: str, jobs: int, workers_per_job: int, keep: int = 0) -> Retired:
        """Retire workers whose names begin with `prefix`.

        They are those of the `jobs` least busy jobs, but of all except `keep` at most. Their data moves first, which
        may take long.
        """
        body = {"prefix": prefix, "jobs": jobs, "workers_per_job": workers_per_job, "keep": keep}
        answer = await self._ask("POST", "/hpcdask/retire", json=body, timeout=300.0)
        retired, kept = answer.get("retired"), answer.get("kept", [])
        if not (isinstance(retired, list) and isinstance(kept, list)):
            raise _foreign()
        return Retired(tuple(map(str, retired)), tuple(map(str, kept)))

    async def keep(self) -> datetime | None:
        """Let the time for which the scheduler has been idle begin anew; return since when it is idle now."""
        answer = await self._ask("POST", "/hpcdask/keep", json={})
        try:
            return _read_idle(answer["idle"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _foreign() from error

    async def scale(self, order: Mapping[str, int]) -> None:
        """Have a cluster class add or remove workers; `order` is that of `payload/factory_routes.py`.

        Raises
        ------
        BatchRefused
            The class refused, in its own words.
        """
        await self._ask("POST", "/hpcdask/scale", json=dict(order), timeout=_LONGEST_SCALING)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = await self._client.request(method, path, **options)
            if response.status_code == _REFUSED:
                raise BatchRefused(str(response.json()["message"]))
            response.raise_for_status()
            answer = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            raise SchedulerUnreachable(f"The scheduler did not answer ({type(error).__name__}).") from error
        if not isinstance(answer, dict):
            raise _foreign()
        return answer


def status_source(reach: Reach, asked: Mapping[str, str] | None = None) -> StatusSource:
    """Return who tells the status of the scheduler that is reached so."""
    return DashboardAPI(reach.dashboard) if reach.api is None else SchedulerAPI(reach.api, asked)


def _read_packages(told: Any) -> Packages:
    """Return the versions that a preload tells; one of an older version of this package tells none."""
    return {
        str(role): {
            str(package): tuple(None if version is None else str(version) for version in versions)
            for package, versions in packages.items()
        }
        for role, packages in told.items()
    }


def _read_counts(told: Any) -> dict[str, int]:
    return {str(group): int(count) for group, count in told.items()}


def _read_idle(told: Any) -> datetime | None:
    """Return since when a scheduler has been idle: it tells for how long, because the clocks of nodes differ."""
    return None if told is None else datetime.now(timezone.utc) - timedelta(seconds=float(told))


def _foreign() -> SchedulerUnreachable:
    return SchedulerUnreachable("Something other than this cluster's scheduler answers at its address.")

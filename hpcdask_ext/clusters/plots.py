"""The plots that a scheduler's dashboard offers one by one."""

from __future__ import annotations

import httpx

from hpcdask_ext.clusters.reach import Endpoint
from hpcdask_ext.errors import SchedulerUnreachable

_TIMEOUT = 10.0  # seconds


async def read_plots(dashboard: Endpoint) -> dict[str, str]:
    """Return the route of each plot by its name; the scheduler answers from memory.

    Raises
    ------
    SchedulerUnreachable
        Nothing answers there, or something other than a Dask dashboard.
    """
    client = httpx.AsyncClient(
        headers=dashboard.headers,
        verify=dashboard.context or True,
        timeout=_TIMEOUT,
        trust_env=False,  # a site's web proxy does not lead to a compute node
    )
    try:
        async with client:
            response = await client.get(f"{dashboard.url.rstrip('/')}/individual-plots.json")
        response.raise_for_status()
        return {str(name): str(route) for name, route in response.json().items()}
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, AttributeError) as error:
        raise SchedulerUnreachable(f"The dashboard does not list its plots ({type(error).__name__}).") from error

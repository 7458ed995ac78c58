"""The plots that a scheduler's dashboard offers one by one."""

from __future__ import annotations

import asyncio
import json

from hpcdask_ext.clusters.dashboard_api import DashboardAPI
from hpcdask_ext.clusters.reach import Endpoint
from hpcdask_ext.errors import SchedulerUnreachable


async def read_plots(dashboard: Endpoint) -> dict[str, str]:
    """Return the route of each plot by its name; the scheduler answers from memory.

    Raises
    ------
    SchedulerUnreachable
        Nothing answers there, or something other than a Dask dashboard.
    """
    api = DashboardAPI(dashboard)
    try:
        content = await api.read("/individual-plots.json")
    finally:
        await api.aclose()
    try:
        told = await asyncio.to_thread(json.loads, content)
        return {str(name): str(route) for name, route in told.items()}
    except (ValueError, AttributeError, RecursionError) as error:
        raise SchedulerUnreachable(f"The dashboard does not list its plots ({type(error).__name__}).") from error

"""The route table."""

from __future__ import annotations

from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from hpcdask_ext.handlers.clusters import (
    AdoptHandler,
    ClusterHandler,
    ClustersHandler,
    GroupsHandler,
    KeepHandler,
    LogsHandler,
    PreviewHandler,
)
from hpcdask_ext.handlers.labextension import (
    DashboardCheckHandler,
    PlotsHandler,
    TheirClusterHandler,
    TheirClustersHandler,
)
from hpcdask_ext.handlers.sites import SitesHandler

_ID = "([^/]+)"


class DashboardRoute(JupyterHandler):
    """A placeholder for the proxy, whose imports (aiohttp: 100 ms) are made when a dashboard is first opened."""

    def __new__(cls, application: web.Application, request: Any, **options: Any) -> Any:
        """Return a handler of the proxy's own class."""
        from hpcdask_ext.handlers.dashboard import DashboardProxyHandler  # noqa: PLC0415

        return DashboardProxyHandler(application, request, **options)


ROUTES: list[tuple[str, type[JupyterHandler]]] = [
    (r"/hpcdask/api/sites", SitesHandler),
    (r"/hpcdask/api/clusters", ClustersHandler),
    (r"/hpcdask/api/clusters/preview", PreviewHandler),
    (r"/hpcdask/api/clusters/adopt", AdoptHandler),
    (rf"/hpcdask/api/clusters/{_ID}", ClusterHandler),
    (rf"/hpcdask/api/clusters/{_ID}/groups", GroupsHandler),
    (rf"/hpcdask/api/clusters/{_ID}/keep", KeepHandler),
    (rf"/hpcdask/api/clusters/{_ID}/logs", LogsHandler),
    (rf"/hpcdask/proxy/{_ID}/(.*)", DashboardRoute),
]

LABEXTENSION_ROUTES: list[tuple[str, type[JupyterHandler]]] = [
    (r"/dask/clusters/?", TheirClustersHandler),
    (rf"/dask/clusters/{_ID}", TheirClusterHandler),
    (rf"/dask/dashboard/{_ID}/individual-plots\.json", PlotsHandler),
    (rf"/dask/dashboard/{_ID}/(.*)", DashboardRoute),
    (r"/dask/dashboard-check/(.+)", DashboardCheckHandler),
]
"""dask-labextension's, where we answer them in place of its own server half."""

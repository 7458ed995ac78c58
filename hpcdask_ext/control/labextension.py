"""Our clusters for dask-labextension's front end, in place of its own server half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.plots import read_plots
from hpcdask_ext.control.labextension_model import LISTED, change_of, labextension_model
from hpcdask_ext.control.manager import ClusterManager
from hpcdask_ext.errors import HPCDaskError, WrongState

_PORTS = {"http": 80, "https": 443}


class Labextension:
    """Does with clusters what dask-labextension's front end asks for.

    Parameters
    ----------
    manager
        The clusters.
    base_url
        The Jupyter server's.
    """

    def __init__(self, manager: ClusterManager, base_url: str) -> None:
        self._manager, self._base_url = manager, base_url

    async def all(self) -> list[dict[str, Any]]:
        """Return the models of the live clusters, the newest first."""
        return await self._models([cluster for cluster in self._manager.all() if cluster.state in LISTED])

    async def one(self, cluster_id: str) -> dict[str, Any]:
        """Return the model of one cluster."""
        return (await self._models([self._manager.get(cluster_id)]))[0]

    async def launch(self) -> dict[str, Any]:
        """Launch a cluster with the defaults of the first site."""
        return (await self._models([await self._manager.launch({})]))[0]

    async def scale(self, cluster_id: str, model: Mapping[str, Any]) -> dict[str, Any]:
        """Scale a cluster to what its changed model says."""
        return (await self._models([await self._manager.change(cluster_id, change_of(model))]))[0]

    async def stop(self, cluster_id: str) -> None:
        """Begin to stop a cluster, which takes it off the list."""
        await self._manager.stop(cluster_id)

    async def plots(self, cluster_id: str) -> dict[str, str]:
        """Return the routes of a cluster's plots by their names; none as long as it has no dashboard.

        The front end asks every few seconds, but ever more rarely once it is told that there is no dashboard.
        """
        cluster = self._manager.get(cluster_id)
        if cluster.state not in LISTED:
            raise WrongState(f"“{cluster.name}” is {cluster.state.value} and has no dashboard.")
        reach = await self._manager.reach(cluster_id) if cluster.dashboard else None
        return await read_plots(reach.dashboard) if reach else {}

    async def check(self, url: str) -> dict[str, Any]:
        """Return what the front end wants to know of a URL that a user typed: is it a dashboard, and of which plots.

        Only the dashboards of our own clusters are ever asked; tiles then lead through our proxy.
        """
        found = next((cluster for cluster in self._manager.all() if _is_dashboard(url, cluster)), None)
        if found is not None:
            with suppress(HPCDaskError):  # it does not answer, which is what the front end will be told
                plots = await self.plots(found.id)
                own = f"{self._base_url}dask/dashboard/{found.id}"
                return {"url": url, "isActive": True, "effectiveUrl": own, "plots": plots}
        return {"url": url, "isActive": False, "plots": {}}

    async def _models(self, clusters: Sequence[Cluster]) -> list[dict[str, Any]]:
        return await self._manager.show(clusters, self._base_url, labextension_model)


def _is_dashboard(url: str, cluster: Cluster) -> bool:
    """Return whether a URL is that of a cluster's dashboard, by any host name under which we know its scheduler."""
    if cluster.dashboard is None or cluster.state not in LISTED:
        return False
    (host, *rest), (known, *place) = _place(url), _place(cluster.dashboard)
    return host is not None and host in (known, _place(cluster.address or "")[0]) and rest == place


def _place(url: str) -> tuple[str | None, int | None, str]:
    """Return the host, port and path to which a dashboard's routes are added; what is no URL has no host."""
    try:
        parts = urlsplit(url.partition("?")[0])
        return parts.hostname, parts.port or _PORTS.get(parts.scheme), parts.path.rstrip("/").removesuffix("/status")
    except ValueError:
        return None, None, ""

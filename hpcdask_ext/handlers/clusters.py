"""The routes for clusters, below `hpcdask/api/clusters`."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from hpcdask_ext.handlers.base import HPCDaskHandler


class ClustersHandler(HPCDaskHandler):
    """All tracked clusters."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with all of them, the newest first."""
        manager = await self.manager()
        self.finish({"clusters": await manager.show_all(self.base_url)})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Launch a cluster."""
        manager = await self.manager()
        cluster = await manager.launch(self.json_object())
        self.set_status(201)
        self.set_header("Location", url_path_join(self.base_url, "hpcdask/api/clusters", cluster.id))
        self.finish(*await manager.show([cluster], self.base_url))


class AdoptHandler(HPCDaskHandler):
    """A cluster that runs already."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Track it."""
        manager = await self.manager()
        cluster = await manager.adopt(self.json_object())
        self.set_status(201)
        self.set_header("Location", url_path_join(self.base_url, "hpcdask/api/clusters", cluster.id))
        self.finish(*await manager.show([cluster], self.base_url))


class PreviewHandler(HPCDaskHandler):
    """A launch that is only looked at."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer with what a launch would submit."""
        manager = await self.manager()
        self.finish(await manager.preview(self.json_object()))


class ClusterHandler(HPCDaskHandler):
    """One cluster."""

    @web.authenticated
    @authorized
    async def get(self, cluster_id: str) -> None:
        """Answer with it."""
        manager = await self.manager()
        self.finish(*await manager.show([manager.get(cluster_id)], self.base_url))

    @web.authenticated
    @authorized
    async def patch(self, cluster_id: str) -> None:
        """Rename or scale it."""
        manager = await self.manager()
        cluster = await manager.change(cluster_id, self.json_object())
        self.finish(*await manager.show([cluster], self.base_url))

    @web.authenticated
    @authorized
    async def delete(self, cluster_id: str) -> None:
        """Stop it, or forget it if it has ended, or if that is asked."""
        manager = await self.manager()
        if manager.get(cluster_id).state.is_final or self.get_query_argument("forget", "") == "true":
            await manager.forget(cluster_id)
            self.set_status(204)
            self.finish()
        else:
            self.set_status(202)
            self.finish(*await manager.show([await manager.stop(cluster_id)], self.base_url))


class GroupsHandler(HPCDaskHandler):
    """The groups of workers of one cluster."""

    @web.authenticated
    @authorized
    async def post(self, cluster_id: str) -> None:
        """Add one."""
        manager = await self.manager()
        cluster = await manager.add_group(cluster_id, self.json_object())
        self.set_status(201)
        self.finish(*await manager.show([cluster], self.base_url))


class KeepHandler(HPCDaskHandler):
    """A cluster that nobody uses, and that somebody wants to keep."""

    @web.authenticated
    @authorized
    async def post(self, cluster_id: str) -> None:
        """Let its idle time begin anew."""
        manager = await self.manager()
        self.finish(*await manager.show([await manager.keep(cluster_id)], self.base_url))


class LogsHandler(HPCDaskHandler):
    """The logs of one cluster."""

    @web.authenticated
    @authorized
    async def get(self, cluster_id: str) -> None:
        """Answer with the last lines of each."""
        manager = await self.manager()
        wanted = {name: self.get_query_argument(name, None) for name in ("role", "job", "tail")}
        self.finish({"logs": await manager.logs(cluster_id, **wanted)})

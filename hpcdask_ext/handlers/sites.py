"""The route for sites."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from hpcdask_ext.handlers.base import HPCDaskHandler


class SitesHandler(HPCDaskHandler):
    """The sites that this user may use."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the sites and with the problems of their files."""
        manager = await self.manager()
        self.finish(await manager.show_sites())

"""dask-labextension's own routes, below `dask/`, where an administrator has us answer them for its front end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado import web

from hpcdask_ext.errors import FieldError
from hpcdask_ext.handlers.base import HPCDaskHandler

if TYPE_CHECKING:
    from hpcdask_ext.control.labextension import Labextension


class LabextensionHandler(HPCDaskHandler):
    """The base of these handlers."""

    async def labextension(self) -> Labextension:
        """Return what does the work."""
        manager = await self.manager()
        from hpcdask_ext.control.labextension import Labextension  # noqa: PLC0415

        return Labextension(manager, self.base_url)

    def answer(self, content: object) -> None:
        """Answer with JSON that may be a list, too."""
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(content))

    def summary(self, fields: Sequence[FieldError]) -> str:
        """Return all there is to say about wrong fields: the front end shows nothing but the message."""
        return " ".join(
            f"{field.field.rpartition('.')[2].capitalize()}: {field.message.rstrip('.')}." for field in fields
        )


class TheirClustersHandler(LabextensionHandler):
    """The list."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with all live clusters."""
        self.answer(await (await self.labextension()).all())

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Launch a cluster with the defaults of the first site."""
        self.answer(await (await self.labextension()).launch())


class TheirClusterHandler(LabextensionHandler):
    """One cluster."""

    @web.authenticated
    @authorized
    async def get(self, cluster_id: str) -> None:
        """Answer with it."""
        self.answer(await (await self.labextension()).one(cluster_id))

    @web.authenticated
    @authorized
    async def patch(self, cluster_id: str) -> None:
        """Scale it."""
        self.answer(await (await self.labextension()).scale(cluster_id, self.json_object()))

    @web.authenticated
    @authorized
    async def delete(self, cluster_id: str) -> None:
        """Begin to stop it."""
        await (await self.labextension()).stop(cluster_id)
        self.set_status(204)
        self.finish()


class PlotsHandler(LabextensionHandler):
    """The plots of one cluster."""

    @web.authenticated
    @authorized
    async def get(self, cluster_id: str) -> None:
        """Answer with their routes."""
        self.answer(await (await self.labextension()).plots(cluster_id))


class DashboardCheckHandler(LabextensionHandler):
    """A URL that a user typed as that of a dashboard."""

    @web.authenticated
    @authorized
    async def get(self, url: str) -> None:
        """Answer whether it is one of ours; nothing else is ever asked."""
        query = f"?{self.request.query}" if self.request.query else ""
        self.answer(await (await self.labextension()).check(url + query))

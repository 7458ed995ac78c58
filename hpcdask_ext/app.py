"""The server extension: traits, wiring, start and stop."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_config_path, jupyter_data_dir, jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Unicode, default

from hpcdask_ext.handlers.core import Core
from hpcdask_ext.handlers.routes import LABEXTENSION_ROUTES, ROUTES

EVENT_SCHEMA = Path(__file__).parent / "events" / "cluster.v1.yaml"
EVENT_SCHEMA_ID = "https://hpcdask-ext.readthedocs.io/events/cluster/v1"
_TWO_ANSWERERS = (
    "HPCDaskApp.answer_dask_labextension is on, but so is dask-labextension's own server extension, whose answers come "
    "first: its list will not show our clusters. Switch that off with `jupyter server extension disable "
    'dask_labextension`, or with "jpserver_extensions": {"dask_labextension": false} below "ServerApp" in '
    "jupyter_server_config.json."
)


class HPCDaskApp(ExtensionApp):
    """Launch Dask clusters from JupyterLab with one click, on this machine or on a computing centre's batch system."""

    name = "hpcdask_ext"
    extension_url = "/hpcdask/api/sites"
    load_other_extensions = True

    cluster_directory = Unicode(
        help="Directory for the records of clusters, and for the clusters of sites without a directory of their own."
    ).tag(config=True)

    answer_dask_labextension = Bool(
        False,
        help="Answer dask-labextension's routes in place of its own server extension, so that its list shows our "
        "clusters. Switch its server extension off, too: ServerApp.jpserver_extensions = {'dask_labextension': False}.",
    ).tag(config=True)

    @default("cluster_directory")
    def _default_cluster_directory(self) -> str:
        return str(Path(jupyter_data_dir()) / "hpcdask" / "clusters")

    def initialize_settings(self) -> None:
        """Register our events and create what the handlers work with; nothing heavy is imported yet."""
        server: Any = self.serverapp
        server.event_logger.register_event_schema(EVENT_SCHEMA)
        self.core = Core(
            root=Path(self.cluster_directory),
            config_path=jupyter_config_path(),
            working_directory=Path(server.root_dir),
            runtime_directory=Path(jupyter_runtime_dir()) / "hpcdask-warm",
            kernel_specs=server.kernel_spec_manager.get_all_specs,
            emit=partial(server.event_logger.emit, schema_id=EVENT_SCHEMA_ID),
        )
        self.settings["hpcdask_core"] = self.core

    def initialize_handlers(self) -> None:
        """Add our routes and, if configured, dask-labextension's."""
        self.handlers.extend(ROUTES)
        if self.answer_dask_labextension:
            self.handlers.extend(LABEXTENSION_ROUTES)
            if self._has_other_answerer():
                self.log.warning(_TWO_ANSWERERS)

    def _has_other_answerer(self) -> bool:
        """Return whether dask-labextension's own server extension is on; it is loaded before ours, and so wins."""
        server: Any = self.serverapp
        other = server.extension_manager.extensions.get("dask_labextension")
        return other is not None and other.enabled

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Adopt the clusters that an earlier server left, if any, once this one is up."""
        if self._has_clusters():
            await self.core.manager()

    async def stop_extension(self) -> None:
        """Stop watching. The clusters keep running."""
        await self.core.close()

    def _has_clusters(self) -> bool:
        try:
            return any(os.scandir(self.cluster_directory))
        except OSError:
            return False

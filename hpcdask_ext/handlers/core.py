"""The manager, created on first use, so that a server in which nobody launches anything pays nothing for us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpcdask_ext.control.ledger import Emit
    from hpcdask_ext.control.manager import ClusterManager


class Core:
    """Holds the manager, and creates it on first use.

    Parameters
    ----------
    root
        Where the records of clusters are stored.
    config_path
        Jupyter's config path, most specific directory first.
    working_directory
        Where jobs run.
    runtime_directory
        Where warm processes have their sockets.
    kernel_specs
        Returns what `KernelSpecManager.get_all_specs` does.
    emit
        Called with each event.
    """

    def __init__(
        self,
        *,
        root: Path,
        config_path: list[str],
        working_directory: Path,
        runtime_directory: Path,
        kernel_specs: Callable[[], Mapping[str, Any]],
        emit: Emit,
    ) -> None:
        self.root = root
        self._config_path = config_path
        self._working_directory, self._runtime_directory = working_directory, runtime_directory
        self._kernel_specs, self._emit = kernel_specs, emit
        self._making: asyncio.Task[ClusterManager] | None = None

    async def manager(self) -> ClusterManager:
        """Return the manager; the first call creates it and adopts the existing clusters."""
        if self._making is None:
            self._making = asyncio.create_task(self._make())
        making = self._making
        try:
            return await asyncio.shield(making)
        except Exception:
            if self._making is making:
                self._making = None  # the next call tries again: the cause, perhaps a full disk, may be gone by then
            raise

    async def close(self) -> None:
        """Stop watching the clusters, which keep running."""
        if self._making is not None:
            with suppress(Exception):  # whoever asked for the manager has already got the error
                await (await self._making).close()

    async def _make(self) -> ClusterManager:
        build = await asyncio.to_thread(_import)
        manager = build(self)
        try:
            await manager.start()
        except BaseException:
            await manager.close()
            raise
        return manager

    def build(self) -> ClusterManager:
        """Return a new manager; called once the imports are done."""
        from hpcdask_ext.batch.runner import ProcessRunner  # noqa: PLC0415
        from hpcdask_ext.clusters.store import ClusterStore  # noqa: PLC0415
        from hpcdask_ext.control.catalogue import Catalogue  # noqa: PLC0415
        from hpcdask_ext.control.manager import ClusterManager  # noqa: PLC0415
        from hpcdask_ext.launchers.job_request import Directories  # noqa: PLC0415
        from hpcdask_ext.sites.load import SiteFiles  # noqa: PLC0415

        files = SiteFiles(self._config_path)
        directories = Directories(self._working_directory, self._runtime_directory)
        catalogue = Catalogue(files, self._kernel_specs, ProcessRunner(), ProcessRunner(), directories)
        return ClusterManager(ClusterStore(self.root), catalogue, self._emit)


def _import() -> Callable[[Core], ClusterManager]:
    """Import everything heavy, off the event loop."""
    import hpcdask_ext.control.manager  # noqa: F401, PLC0415

    return Core.build

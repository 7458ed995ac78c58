"""What a launch at a site would submit, without anything to submit it to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpcdask_ext.batch.records import Command, CommandResult
from hpcdask_ext.clusters.store import ClusterStore
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.manager import ClusterManager
from hpcdask_ext.errors import CommandMissing
from hpcdask_ext.launchers.job_request import Directories
from hpcdask_ext.sites.load import SiteFiles

SPECS = {"python3": {"spec": {"argv": ["/opt/env/bin/python", "-m", "ipykernel_launcher"], "display_name": "Python"}}}


class NoBatchSystem:
    """A runner on a machine that has no batch system's commands, but perhaps PBS's answer about its queues."""

    def __init__(self, queues: str | None = None) -> None:
        self.queues = queues

    def behind(self, command_prefix: tuple[str, ...]) -> NoBatchSystem:
        return self

    async def run(self, command: Command) -> CommandResult:
        if self.queues is not None and "qstat -Q" in command.argv[-1]:
            return CommandResult(command.argv, 0, self.queues, "")
        raise CommandMissing(f"{command.argv[0]} is not installed.")


async def preview(
    directory: Path, files: Mapping[str, str], body: Mapping[str, Any], queues: str | None = None
) -> dict[str, Any]:
    """Return the preview of a launch, with these site files (name to text) in a configuration below `directory`."""
    folder = directory / "config" / "hpcdask" / "sites.d"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    directories = Directories(directory / "home", directory / "warm")
    runner = NoBatchSystem(queues)
    catalogue = Catalogue(SiteFiles([str(directory / "config")]), lambda: SPECS, runner, runner, directories)
    manager = ClusterManager(ClusterStore(directory / "clusters"), catalogue, lambda *, data: None)
    await manager.start()
    try:
        return await manager.preview(body)
    finally:
        await manager.close()


def scripts(shown: Mapping[str, Any]) -> dict[str, str]:
    """Return the scripts of a preview by their roles; it must be of a launch that is possible."""
    assert shown["errors"] == []
    return {script["role"]: script["text"] for script in shown["scripts"]}

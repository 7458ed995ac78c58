"""Which launcher a site needs."""

from __future__ import annotations

from pathlib import Path

from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.local import LocalSystem
from hpcdask_ext.batch.runner import CommandRunner
from hpcdask_ext.batch.slurm import SlurmSystem
from hpcdask_ext.launchers.base import Launcher, Place
from hpcdask_ext.launchers.batch import BatchLauncher, Directories
from hpcdask_ext.sites.models import Site


def launcher_for(site: Site, runner: CommandRunner, directories: Directories) -> Launcher:
    """Return a launcher for `site`.

    Raises
    ------
    OSError
        The site's own template cannot be read.
    """
    template = Path(site.template).read_text("utf-8") if site.template else None
    local = LocalSystem(template if site.batch_system == "local" else None)
    systems: dict[Place, BatchSystem] = {"host": local, "batch": local}
    if site.batch_system == "slurm":
        systems["batch"] = SlurmSystem(template)
    return BatchLauncher(site, systems, runner, directories)

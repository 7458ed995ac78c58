"""The launcher for a site."""

from __future__ import annotations

from pathlib import Path

from hpcdask_ext.batch import batch_system
from hpcdask_ext.batch.base import BatchSystem
from hpcdask_ext.batch.local import LocalSystem
from hpcdask_ext.batch.runner import CommandRunner
from hpcdask_ext.clusters.states import Place
from hpcdask_ext.errors import BatchUnreachable
from hpcdask_ext.launchers.base import Launcher
from hpcdask_ext.launchers.batch import BatchLauncher
from hpcdask_ext.launchers.factory import FactoryLauncher
from hpcdask_ext.launchers.gateway import GatewayLauncher
from hpcdask_ext.launchers.job_request import Directories
from hpcdask_ext.sites.factory import FactorySite
from hpcdask_ext.sites.gateway import GatewaySite
from hpcdask_ext.sites.models import BatchSite, Site


def launcher_for(site: Site, runner: CommandRunner, directories: Directories) -> Launcher:
    """Return a launcher for `site`; `runner` starts commands on this host.

    Raises
    ------
    BatchUnreachable
        The site's own job template cannot be read.
    """
    if isinstance(site, GatewaySite):
        return GatewayLauncher(site)
    if isinstance(site, FactorySite):
        return FactoryLauncher(site, runner, directories)
    if not isinstance(site, BatchSite):
        raise BatchUnreachable(f"Sites of the kind {site.kind} cannot be used here.")
    system = batch_system(site.batch_system)
    template = _read_template(site.template) if site.template else None
    systems: dict[Place, BatchSystem] = {"host": LocalSystem(), "batch": system(template, site.settings)}
    if site.batch_system == LocalSystem.name:
        systems["host"] = systems["batch"]
    runners: dict[Place, CommandRunner] = {"host": runner, "batch": runner.behind(site.command_prefix)}
    return BatchLauncher(site, systems, runners, directories)


def _read_template(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise BatchUnreachable(f"The site's job template {path} cannot be read: {error}") from error

"""Batch systems: the commands and job scripts of each, and the runner that starts the commands."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hpcdask_ext.batch.base import BatchSystem

BATCH_SYSTEMS = {
    "local": "local:LocalSystem",
    "slurm": "slurm:SlurmSystem",
    "pbs": "pbs:PBSSystem",
    "torque": "torque:TorqueSystem",
    "moab": "torque:MoabSystem",
    "lsf": "lsf:LSFSystem",
    "sge": "sge:GridEngineSystem",
    "oar": "oar:OARSystem",
    "htcondor": "htcondor:HTCondorSystem",
}
"""The batch systems by their names in site files: where each is implemented."""


def batch_system(name: str) -> type[BatchSystem]:
    """Return the batch system of that name, a key of `BATCH_SYSTEMS`; only its own module is imported."""
    module, _, cls = BATCH_SYSTEMS[name].partition(":")
    found: type[BatchSystem] = getattr(import_module(f"{__name__}.{module}"), cls)
    return found

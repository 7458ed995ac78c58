"""Batch systems: the commands and job scripts of each, and the runner that starts the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hpcdask_ext.batch.base import BatchSystem


def batch_systems() -> Mapping[str, Callable[[str | None], BatchSystem]]:
    """Return the batch systems by their names in site files; call one with the site's own template text, or None."""
    from hpcdask_ext.batch.local import LocalSystem  # noqa: PLC0415  (importing the package must cost nothing)
    from hpcdask_ext.batch.slurm import SlurmSystem  # noqa: PLC0415

    return {system.name: system for system in (LocalSystem, SlurmSystem)}

"""Batch systems: what jobs look like to each of them, and the runner that starts their commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hpcdask_ext.batch.base import BatchSystem


def batch_systems() -> Mapping[str, Callable[[str | None], BatchSystem]]:
    """Return the batch systems by the word for each in site files; call one with the site's own template, or None."""
    from hpcdask_ext.batch.local import LocalSystem  # noqa: PLC0415  (importing the package must cost nothing)
    from hpcdask_ext.batch.slurm import SlurmSystem  # noqa: PLC0415

    return {system.name: system for system in (LocalSystem, SlurmSystem)}

"""What is asked of a running scheduler again and again: its status, and who tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

Packages = Mapping[str, Mapping[str, Sequence[str | None]]]
"""Versions by role (`scheduler`, `workers`, `clients`) and package, each once; None means that it is not installed."""


@dataclass(frozen=True)
class SchedulerStatus:
    """The scheduler's answer to one status request. `version` changes whenever another field does.

    `workers` are all that are connected, `groups` how many of each group, `wishes` how many of each group the work that
    there is could use. `idle_since` is when the scheduler last had a client or a task, by our own clock, or None if it
    has one. What a scheduler that is not ours does not tell is None or empty.
    """

    version: int
    workers: int
    nthreads: int
    memory_limit: int
    clients: int | None
    packages: Packages = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    wishes: Mapping[str, int] = field(default_factory=dict)
    idle_since: datetime | None = field(default=None, compare=False)


class StatusSource(Protocol):
    """Tells the status of one scheduler. Any method may raise `SchedulerUnreachable`, which does not mean an end."""

    async def status(self, since: int | None = None) -> SchedulerStatus:
        """Return the status: at once, or, given the version last seen, as soon as it differs from that."""

    async def aclose(self) -> None:
        """Close the connection."""

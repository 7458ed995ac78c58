"""How fast a site's clusters adapt to their work: the bounds on what is asked of its batch system."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from hpcdask_ext.clusters.frozen import Frozen
from hpcdask_ext.sites.units import Span


class Pace(Frozen):
    """How a group of workers follows the wishes of its scheduler.

    More workers are submitted once the wish has been above what there is for `settle`; the next submission comes after
    `interval`, and after one more for each job that still waits in the queue. Running workers are let go once the wish
    has been lower for all of `patience`, jobs are withdrawn from the queue once it has been for all of
    `queue_patience`. After `failures` jobs in a row that ended earlier than `early`, none is submitted for `pause`.
    """

    settle: Span = timedelta(seconds=3)
    interval: Span = timedelta(minutes=1)
    patience: Span = timedelta(minutes=2)
    queue_patience: Span = timedelta(minutes=20)
    early: Span = timedelta(minutes=3)
    pause: Span = timedelta(minutes=10)
    failures: int = Field(3, ge=1)

    @classmethod
    def without_queue(cls) -> Pace:
        """Return the pace for a machine of one's own: nothing waits there, and nobody is in the way."""
        return cls(settle=timedelta(seconds=1), interval=timedelta(seconds=10), patience=timedelta(minutes=1))

"""The workers of a cluster: in groups, each with a queue, a shape and a number of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hpcdask_ext.clusters.frozen import Frozen

MAIN_GROUP = "workers"
"""The name of the group that every cluster has."""


class WorkerShape(Frozen):
    """One worker's `cores`, `memory` (bytes) and `gpus`, and how many workers share a job (or task).

    Cores and memory are 0 if somebody else decides about them, such as a gateway.
    """

    cores: int = Field(ge=0)
    memory: int = Field(ge=0)
    gpus: int = Field(default=0, ge=0)
    workers_per_job: int = Field(default=1, ge=1)


class FixedScaling(Frozen):
    """A fixed number of workers."""

    mode: Literal["fixed"] = "fixed"
    workers: int = Field(ge=0)


class AdaptiveScaling(Frozen):
    """As many workers as there is work for, within bounds; `workers` is what was last decided."""

    mode: Literal["adaptive"] = "adaptive"
    minimum: int = Field(ge=0)
    maximum: int = Field(ge=1)
    workers: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _has_bounds_in_order(self) -> AdaptiveScaling:
        if self.minimum > self.maximum:
            raise ValueError("the minimum must not be above the maximum")
        return self


Scaling = Annotated[FixedScaling | AdaptiveScaling, Field(discriminator="mode")]
"""How many workers a group should have; of both kinds, `workers` is the number wanted now."""


class Past(Frozen):
    """What is left in the record of jobs that were over for long: the number of the newest one, and what they used.

    Their logs are still in the cluster's directory. `core_seconds` is None if it is not known how much they asked for.
    """

    number: int = 0
    elements: int = 0
    core_seconds: float | None = 0


class WorkerGroup(Frozen):
    """Equal workers of a cluster, of which `connected` are connected.

    While it is `unfinished`, nobody has begun to do what the user asked for last, or has submitted nothing for it.

    Tasks that ask for one of its `resources` (``dask.annotate(resources={"gpu": 1})``) run on its workers only. A queue
    without a name is nobody's choice, as where a gateway decides.
    """

    name: str = MAIN_GROUP
    queue: str = ""
    size: str | None = None
    shape: WorkerShape
    walltime: timedelta | None = None
    scaling: Scaling
    resources: dict[str, float] = Field(default_factory=dict)
    connected: int = 0
    unfinished: bool = False
    past: Past = Past()

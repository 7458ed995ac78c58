"""Sites whose clusters are objects of a Dask cluster class (`SSHCluster`, `KubeCluster`, ...), each in a process."""

from __future__ import annotations

import keyword
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, field_validator, model_validator
from typing_extensions import Self

from hpcdask_ext.clusters.frozen import Frozen
from hpcdask_ext.clusters.groups import AdaptiveScaling, FixedScaling, Scaling
from hpcdask_ext.sites.models import Site

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_OF_BATCH_SITES = ("queues", "sizes", "accounts")


class ClusterClass(Frozen):
    """A cluster class: where it is imported from, and what it is called with, which may be secret."""

    module: Annotated[str, StringConstraints(pattern=rf"^{_IDENTIFIER}(\.{_IDENTIFIER})*$")]
    name: Annotated[str, StringConstraints(pattern=f"^{_IDENTIFIER}$")] = Field(alias="class")
    args: tuple[Any, ...] = Field((), repr=False)
    kwargs: dict[str, Any] = Field(default_factory=dict, repr=False)

    @field_validator("args", mode="before")
    @classmethod
    def _may_be_none(cls, args: Any) -> Any:
        return () if args is None else args

    @field_validator("kwargs", mode="before")
    @classmethod
    def _have_names_of_arguments(cls, kwargs: Any) -> Any:
        if not isinstance(kwargs, dict):
            return {} if kwargs is None else kwargs
        named = {str(name).replace("-", "_"): value for name, value in kwargs.items()}
        if wrong := [name for name in named if not name.isidentifier() or keyword.iskeyword(name)]:
            raise ValueError(f"{', '.join(wrong)}: no name of an argument in Python")
        return named

    @model_validator(mode="after")
    def _can_be_written_down(self) -> Self:
        try:
            yaml.safe_dump([list(self.args), self.kwargs])
        except yaml.YAMLError as error:
            raise ValueError(f"args and kwargs must be texts, numbers, dates, lists and mappings: {error}") from error
        return self


class Bounds(Frozen):
    """Between how many workers a cluster adapts."""

    minimum: int = Field(0, ge=0)
    maximum: int = Field(ge=1)

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"the minimum of {self.minimum} is above the maximum of {self.maximum}")
        return self


class FactorySite(Site):
    """A site whose clusters are objects of a Dask cluster class, each in a process of its own on the Jupyter host.

    A launch that does not say how many workers there should be gets `workers`, or adapts within the bounds of `adapt`.
    """

    kind: Literal["factory"] = "factory"
    factory: ClusterClass
    adapt: Bounds | None = None
    kernels: bool = True
    env: dict[str, str] = Field(default_factory=dict)
    prologue: tuple[str, ...] = ()

    @property
    def usual_scaling(self) -> Scaling:
        """How many workers a cluster has if its launch does not say that."""
        if self.adapt is None:
            return FixedScaling(workers=self.workers)
        low, high = self.adapt.minimum, self.adapt.maximum
        return AdaptiveScaling(minimum=low, maximum=high, workers=low)

    @model_validator(mode="after")
    def _leaves_the_rest_to_the_class(self) -> Self:
        if found := [name for name in _OF_BATCH_SITES if getattr(self, name)]:
            raise ValueError(f"{', '.join(found)}: the cluster class decides about these, by its kwargs and options")
        if self.layouts != ("elastic",):
            raise ValueError("layouts: clusters of a cluster class are always elastic")
        if found := [option.name for option in self.options if option.keyword is None]:
            raise ValueError(
                f"options: {', '.join(found)} must have 'keyword', the class's argument that gets the value"
            )
        limits = self.limits.model_dump(exclude={"workers"}, exclude_none=True)
        if limits:
            raise ValueError(f"limits.{next(iter(limits))}: of a cluster class, only limits.workers can be limited")
        return self

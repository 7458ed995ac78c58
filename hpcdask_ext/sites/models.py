"""What an administrator describes: a site with its queues, sizes, environments and options."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from hpcdask_ext.clusters.models import Environment, Frozen
from hpcdask_ext.sites.units import Memory, Walltime

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$", max_length=64)]
"""A name that needs no quoting in batch systems, paths and URLs."""

Directive = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A directive on one line, without the batch system's prefix (`#SBATCH`)."""

DEFAULT_PATTERN = r"[A-Za-z0-9_.,:=@/+-]*"
"""Allowed in a string option without a pattern of its own: nothing with a meaning to shells or directives."""


class Limits(Frozen):
    """Upper bounds; None means unlimited. `workers` and `nodes` are per cluster, the others per job."""

    workers: int | None = Field(None, ge=1)
    cores: int | None = Field(None, ge=1)
    memory: Memory | None = None
    walltime: Walltime | None = None
    nodes: int | None = Field(None, ge=1)


class Queue(Frozen):
    """A queue of the batch system (in Slurm: a partition)."""

    name: Name
    title: str = ""
    limits: Limits = Limits()


class Size(Frozen):
    """A named size: `workers` workers of `cores` and `memory` each, `workers_per_job` of them in one job."""

    name: Name
    title: str = ""
    workers: int = Field(ge=1)
    cores: int = Field(ge=1)
    memory: Memory
    workers_per_job: int = Field(1, ge=1)
    walltime: Walltime | None = None

    @model_validator(mode="after")
    def _fills_jobs(self) -> Size:
        if self.workers % self.workers_per_job:
            raise ValueError(
                f"{self.workers} workers cannot be split into jobs of {self.workers_per_job}: choose a multiple"
            )
        return self


class SchedulerPlace(Frozen):
    """Where the Dask scheduler runs: on the Jupyter host, or in a job of its own, which the other fields describe."""

    place: Literal["host", "job"] = "host"
    queue: Name | None = None
    cores: int = Field(1, ge=1)
    memory: Memory = 4 * 2**30
    walltime: Walltime | None = None


class Option(Frozen):
    """A field that the site adds to the form. `directive` is what it adds to jobs, with ``{value}`` for its value."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    title: str = ""
    description: str = ""
    type: Literal["string", "integer", "number", "boolean", "choice"] = "string"
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    directive: Directive | None = None

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"this is not a valid regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _is_consistent(self) -> Option:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("an option must have 'choices' if its type is 'choice', and only then")
        if self.default is not None and (wrong := self.check(self.default)):
            raise ValueError(f"the option's own default is not allowed: {wrong}")
        return self

    def check(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        if self.type == "choice":
            return None if value in self.choices else f"{value!r} is not one of {', '.join(self.choices)}"
        if self.type == "boolean":
            return None if isinstance(value, bool) else f"{value!r} is not true or false"
        if self.type == "string":
            return self._check_text(value)
        return self._check_number(value)

    def _check_text(self, value: Any) -> str | None:
        pattern = self.pattern or DEFAULT_PATTERN
        if isinstance(value, str) and value.isprintable() and re.fullmatch(pattern, value):
            return None
        return f"{value!r} does not match the pattern {pattern}"

    def _check_number(self, value: Any) -> str | None:
        allowed = (int,) if self.type == "integer" else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed):
            return f"{value!r} is not a whole number" if self.type == "integer" else f"{value!r} is not a number"
        if not math.isfinite(value):
            return f"{value} is not a finite number"
        if self.minimum is not None and value < self.minimum:
            return f"{value} is below the minimum of {self.minimum:g}"
        if self.maximum is not None and value > self.maximum:
            return f"{value} is above the maximum of {self.maximum:g}"
        return None


class Site(Frozen):
    """One place where clusters can run."""

    name: Name
    title: str = ""
    description: str = ""
    batch_system: Literal["local", "slurm"]
    directory: str | None = None
    interface: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]+$")] | None = None
    scheduler: SchedulerPlace = SchedulerPlace()
    queues: tuple[Queue, ...]
    sizes: tuple[Size, ...]
    kernels: bool = True
    environments: tuple[Environment, ...] = ()
    accounts: tuple[Name, ...] = ()
    options: tuple[Option, ...] = ()
    prologue: tuple[str, ...] = ()
    extra_directives: tuple[Directive, ...] = ()
    local_directory: str | None = None
    template: str | None = None
    idle_timeout: Walltime | None = None

    @field_validator("environments")
    @classmethod
    def _are_the_sites(cls, environments: tuple[Environment, ...]) -> tuple[Environment, ...]:
        return tuple(environment.model_copy(update={"kind": "site"}) for environment in environments)

    @field_validator("queues", "sizes")
    @classmethod
    def _is_not_empty(cls, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        if not entries:
            raise ValueError("at least one is required")
        return entries

    @model_validator(mode="after")
    def _has_unique_names(self) -> Site:
        for what in ("queues", "sizes", "environments", "options"):
            names = [entry.name for entry in getattr(self, what)]
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"names of {what} must be unique; found twice: {', '.join(sorted(twice))}")
        return self

    @property
    def label(self) -> str:
        """The title, or the name if there is none."""
        return self.title or self.name

    def queue(self, name: str) -> Queue | None:
        """Return the queue of that name, if there is one."""
        return next((queue for queue in self.queues if queue.name == name), None)

    def size(self, name: str) -> Size | None:
        """Return the size of that name, if there is one."""
        return next((size for size in self.sizes if size.name == name), None)

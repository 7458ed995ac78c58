"""What an administrator describes: a site with its queues, sizes, environments and options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from typing_extensions import Self

from hpcdask_ext.batch import batch_system
from hpcdask_ext.clusters.frozen import Frozen
from hpcdask_ext.clusters.groups import FixedScaling, Scaling
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.clusters.states import ClusterKind, Layout
from hpcdask_ext.sites.options import Directive, Name, Option
from hpcdask_ext.sites.pace import Pace
from hpcdask_ext.sites.units import Memory, Walltime


class Limits(Frozen):
    """Upper bounds; None means unlimited. `workers` and `nodes` are per cluster, the others per job."""

    workers: int | None = Field(None, ge=1)
    cores: int | None = Field(None, ge=1)
    memory: Memory | None = None
    walltime: Walltime | None = None
    nodes: int | None = Field(None, ge=1)


class Queue(Frozen):
    """A queue of the batch system (in Slurm: a partition). `gpus` is how many each of its nodes has.

    `worker_command` runs the workers there instead of Dask's own, as words behind the interpreter (``[-m, dask, cuda,
    worker]``).
    """

    name: Name
    title: str = ""
    limits: Limits = Limits()
    gpus: int | None = Field(None, ge=0)
    worker_command: tuple[str, ...] = ()
    extra_directives: tuple[Directive, ...] = ()


class Size(Frozen):
    """A named size: `workers` workers of `cores`, `memory` and `gpus` each, `workers_per_job` of them in one job."""

    name: Name
    title: str = ""
    workers: int = Field(ge=1)
    cores: int = Field(ge=1)
    memory: Memory
    gpus: int = Field(0, ge=0)
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


class Site(Frozen):
    """One place where clusters can run: what the launch form and its checks know of every kind of site.

    `auto` has the names of what has to be asked for, which is empty until there is an answer. A site without sizes has
    `workers` as the usual number of workers, and the limits of `limits`.
    """

    kind: ClusterKind
    name: Name
    title: str = ""
    description: str = ""
    layouts: tuple[Layout, ...] = ("elastic",)
    auto: frozenset[Literal["queues", "accounts", "options"]] = frozenset()
    queues: tuple[Queue, ...] = ()
    sizes: tuple[Size, ...] = ()
    kernels: bool = False
    environments: tuple[Environment, ...] = ()
    accounts: tuple[Name, ...] = ()
    options: tuple[Option, ...] = ()
    workers: int = Field(2, ge=0)
    limits: Limits = Limits()
    directory: str | None = None
    idle_timeout: Walltime | None = None

    @property
    def label(self) -> str:
        """The title, or the name if there is none."""
        return self.title or self.name

    @property
    def usual_scaling(self) -> Scaling:
        """How many workers a cluster has, on a site without sizes, if its launch does not say that."""
        return FixedScaling(workers=self.workers)

    def queue(self, name: str) -> Queue | None:
        """Return the queue of that name, if there is one."""
        return next((queue for queue in self.queues if queue.name == name), None)

    def size(self, name: str) -> Size | None:
        """Return the size of that name, if there is one."""
        return next((size for size in self.sizes if size.name == name), None)

    @field_validator("environments")
    @classmethod
    def _are_the_sites(cls, environments: tuple[Environment, ...]) -> tuple[Environment, ...]:
        return tuple(environment.model_copy(update={"kind": "site"}) for environment in environments)

    @model_validator(mode="after")
    def _has_unique_names(self) -> Self:
        for what in ("queues", "sizes", "environments", "options"):
            names = [entry.name for entry in getattr(self, what)]
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"names of {what} must be unique; found twice: {', '.join(sorted(twice))}")
        return self


class BatchSite(Site):
    """A site whose batch system, or this machine, runs the processes of clusters as jobs.

    In a site file, `queues` and `accounts` may be `auto`: the batch system is then asked for them.
    """

    kind: Literal["batch"] = "batch"
    batch_system: Literal["local", "slurm", "pbs", "torque", "moab", "lsf", "sge", "oar", "htcondor"]
    settings: BaseModel | None = None
    command_prefix: tuple[str, ...] = ()
    interface: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]+$")] | None = None
    scheduler: SchedulerPlace = SchedulerPlace()
    layouts: tuple[Layout, ...] = ("elastic", "allocation")
    queues: tuple[Queue, ...]
    sizes: tuple[Size, ...]
    kernels: bool = True
    env: dict[str, str] = Field(default_factory=dict)
    prologue: tuple[str, ...] = ()
    extra_directives: tuple[Directive, ...] = ()
    worker_arguments: tuple[str, ...] = ()
    memory_share: float = Field(1.0, gt=0, le=1)
    local_directory: str | None = None
    template: str | None = None
    adaptive: Pace = Pace()

    @model_validator(mode="before")
    @classmethod
    def _is_faster_without_a_queue(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("batch_system") != "local":
            return data
        given = data.get("adaptive", {})
        return {**data, "adaptive": {**dict(Pace.without_queue()), **given}} if isinstance(given, dict) else data

    @model_validator(mode="before")
    @classmethod
    def _notes_what_is_asked_for(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "auto" in data:
            return data
        auto = [field for field in ("queues", "accounts") if data.get(field) == "auto"]
        return {**data, **dict.fromkeys(auto, ()), "auto": auto}

    @field_validator("settings", mode="before")
    @classmethod
    def _suit_the_batch_system(cls, settings: Any, info: ValidationInfo) -> BaseModel | None:
        name = info.data.get("batch_system")
        if name is None or settings is None or isinstance(settings, BaseModel):
            return settings if isinstance(settings, BaseModel) else None
        try:
            return batch_system(name).Settings.model_validate(settings)
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors()]
            raise ValueError(f"settings of {name}: {'; '.join(wrong)}") from error

    @field_validator("sizes", "layouts")
    @classmethod
    def _is_not_empty(cls, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        if not entries:
            raise ValueError("at least one is required")
        return entries

    @field_validator("queues")
    @classmethod
    def _are_known(cls, queues: tuple[Queue, ...], info: ValidationInfo) -> tuple[Queue, ...]:
        if not queues and "queues" not in info.data.get("auto", ()):
            raise ValueError("at least one is required, or 'auto', to ask the batch system")
        return queues

    @model_validator(mode="after")
    def _asks_a_batch_system(self) -> Self:
        if self.batch_system == "local" and (self.auto or self.command_prefix):
            raise ValueError("the batch system 'local' has no queues or accounts to ask for, and no command prefix")
        return self

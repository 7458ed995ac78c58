"""The record of a cluster, as stored in its directory. What users see is made from it in `hpcdask_ext.control.view`.

Records are frozen: a change makes a new record. They contain no secrets: certificate, key and token are separate files
(`hpcdask_ext.clusters.credentials`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hpcdask_ext.clusters.image_field import PLACEHOLDER, ImageField
from hpcdask_ext.clusters.states import ClusterState, JobState, Layout, Role


class Frozen(BaseModel):
    """An immutable model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Element(Frozen):
    """One element of a job's array, numbered from 1. If we `cancelled` it, its end is not a failure.

    `at_walltime` tells that the batch system ended it for that reason.
    """

    state: JobState = JobState.PENDING
    cancelled: bool = False
    reason: str = ""
    at_walltime: bool = False
    node: str | None = None
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None


class Job(Frozen):
    """One submission: `len(elements)` equal elements, with `workers_per_job` workers in each.

    `tag` is unique in the cluster (`scheduler`, `workers-1`), `name` everywhere. `id` is None until the batch system
    has answered. `place` says what runs it: processes on `host`, or the site's batch system. An allocation has a single
    element and `tasks` tasks with workers, of which `retired` have been retired.
    """

    tag: str
    name: str
    role: Role
    place: Literal["host", "batch"]
    host: str | None = None
    walltime: timedelta | None = None
    id: str | None = None
    submitted: datetime | None = None
    estimated_start: datetime | None = None
    elements: dict[int, Element] = Field(default_factory=dict)
    tasks: int = 0
    retired: int = 0

    @property
    def live(self) -> tuple[int, ...]:
        """The numbers of the elements that are not over."""
        return tuple(index for index, element in self.elements.items() if not element.state.is_final)

    @property
    def uncancelled(self) -> tuple[int, ...]:
        """The numbers of the elements that are not over and have not been cancelled."""
        return tuple(index for index in self.live if not self.elements[index].cancelled)

    def with_elements(self, indexes: Iterable[int], **changes: Any) -> Job:
        """Return the job with `changes` made to the elements with those numbers."""
        changed = {index: self.elements[index].model_copy(update=changes) for index in indexes}
        return self.model_copy(update={"elements": self.elements | changed})


class WorkerShape(Frozen):
    """One worker's `cores`, `memory` (bytes) and `gpus`, and how many workers share a job (or task)."""

    cores: int = Field(ge=1)
    memory: int = Field(ge=1)
    gpus: int = Field(default=0, ge=0)
    workers_per_job: int = Field(default=1, ge=1)


class FixedScaling(Frozen):
    """A fixed number of workers."""

    mode: Literal["fixed"] = "fixed"
    workers: int = Field(ge=0)


class Environment(Frozen):
    """What jobs run in: a launch prefix that ends in a Python interpreter, and variables to set for it.

    `probe` says where it can be checked: on the Jupyter host before anything is submitted, or only by the job itself.
    While `image` is there, ``{image}`` in `argv` and `env` waits for the user's choice.
    """

    name: str
    title: str = ""
    kind: Literal["kernel", "site"] = "kernel"
    argv: tuple[str, ...]
    env: dict[str, str] = Field(default_factory=dict)
    probe: Literal["host", "job"] = "host"
    image: ImageField | None = None

    @property
    def label(self) -> str:
        """The title, or the name if there is none."""
        return self.title or self.name

    @model_validator(mode="after")
    def _uses_its_image(self) -> Environment:
        is_used = any(PLACEHOLDER in text for text in (*self.argv, *self.env.values()))
        if is_used != (self.image is not None):
            raise ValueError(f"an environment must have 'image' if 'argv' or 'env' has {PLACEHOLDER}, and only then")
        return self


class Process(Frozen):
    """A process of `host`, which `started` (seconds since 1970) tells from a later one with the same number."""

    host: str
    pid: int
    started: float


class Script(Frozen):
    """A Python script or notebook that runs with a cluster, in `directory`; the cluster ends with it."""

    path: Path
    arguments: tuple[str, ...] = ()
    directory: Path


class Cluster(Frozen):
    """The record of one Dask scheduler and its workers. `outcome` is what a stopping cluster's final state will be.

    `versions` are those of Python and of packages that the check of the environment has found.
    """

    version: Literal[1] = 1
    id: str
    name: str
    site: str
    site_title: str
    queue: str
    size: str | None = None
    layout: Layout = "elastic"
    account: str | None = None
    walltime: timedelta | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    environment: Environment
    versions: dict[str, str] = Field(default_factory=dict)
    image: str | None = None
    script: Script | None = None
    shape: WorkerShape
    scaling: FixedScaling
    directory: Path
    launched_by: Process | None = None
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    state: ClusterState = ClusterState.SUBMITTING
    outcome: ClusterState | None = None
    reason: str = ""
    reachable: bool = True
    jobs: tuple[Job, ...] = ()
    workers: int = 0
    clients: int = 0
    address: str | None = None
    dashboard: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def scheduler_file(self) -> Path:
        """Where the scheduler writes its address."""
        return self.directory / "scheduler.json"

    @property
    def capacity(self) -> int:
        """How many workers there will be once all of every live, uncancelled element or task have connected."""
        elements = sum(len(job.uncancelled) for job in self.jobs if job.role is Role.WORKER)
        tasks = sum(job.tasks - job.retired for job in self.jobs if job.uncancelled)
        return (elements + tasks) * self.shape.workers_per_job

    @property
    def exit_code(self) -> int | None:
        """The exit code of the cluster's script, if it has ended.

        The batch system may know that all is well before the file system shows the job's own report.
        """
        found = next((job.elements[1] for job in self.jobs if job.role is Role.ALLOCATION), None)
        if found is None or self.script is None:
            return None
        is_well = found.state is JobState.ENDED and not found.cancelled
        return 0 if found.exit_code is None and is_well else found.exit_code

    def job(self, tag: str) -> Job:
        """Return the job with that tag, which must exist."""
        return next(job for job in self.jobs if job.tag == tag)

    def without_job(self, tag: str) -> Cluster:
        """Return the cluster without the job with that tag."""
        return self.model_copy(update={"jobs": tuple(job for job in self.jobs if job.tag != tag)})

    def with_changed_job(self, tag: str, changes: dict[str, Any]) -> Cluster:
        """Return the cluster with `changes` made to the job with that tag, if there is one."""
        jobs = tuple(job.model_copy(update=changes) if job.tag == tag else job for job in self.jobs)
        return self.model_copy(update={"jobs": jobs})

    def with_job(self, job: Job) -> Cluster:
        """Return the cluster with `job` added, or replacing the job with the same tag."""
        if any(old.tag == job.tag for old in self.jobs):
            jobs = tuple(job if old.tag == job.tag else old for old in self.jobs)
        else:
            jobs = (*self.jobs, job)
        return self.model_copy(update={"jobs": jobs})

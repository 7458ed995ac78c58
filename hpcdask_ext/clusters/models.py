"""The record of a cluster, as stored in its directory. What users see is made from it in `hpcdask_ext.control.view`.

Records are frozen: a change makes a new record. They contain no secrets: certificate, key and token are separate files
(`hpcdask_ext.clusters.credentials`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from hpcdask_ext.clusters.frozen import Frozen
from hpcdask_ext.clusters.groups import MAIN_GROUP, WorkerGroup
from hpcdask_ext.clusters.image_field import PLACEHOLDER, ImageField
from hpcdask_ext.clusters.states import ClusterKind, ClusterState, JobState, Layout, Place, Role


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
    """One submission: `len(elements)` equal elements, with `workers_per_job` workers of its `group` in each.

    `tag` is unique in the cluster (`scheduler`, `workers-1`), `name` everywhere. `id` is None until the batch system
    has answered. An allocation has a single element and `tasks` tasks with workers, of which `retired` have been
    retired. A gateway's cluster is a job of the gateway, named by its id there; an adopted cluster is a job of nobody.
    `cores` is how many an element asks for, or None where that is not known. After `lifetime` its workers may end by
    themselves, ahead of the walltime.
    """

    tag: str
    name: str
    role: Role
    group: str = MAIN_GROUP
    place: Place
    host: str | None = None
    walltime: timedelta | None = None
    lifetime: timedelta | None = None
    id: str | None = None
    submitted: datetime | None = None
    estimated_start: datetime | None = None
    elements: dict[int, Element] = Field(default_factory=dict)
    tasks: int = 0
    retired: int = 0
    cores: int | None = None

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


NO_ENVIRONMENT = Environment(name="", argv=())
"""That of a cluster whose processes others start."""


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


class TLSFiles(Frozen):
    """The PEM files with which an adopted cluster is reached."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


GENERATION = 2
"""That of the schedulers that are launched now; those of the first one know neither groups nor wishes."""

_OF_GROUPS = ("queue", "size", "shape", "walltime", "scaling")


class Cluster(Frozen):
    """The record of one Dask scheduler and its workers. `outcome` is what a stopping cluster's final state will be.

    `versions` are those of Python and of packages that the check of the environment has found. `threads` and
    `memory_limit` are those of all connected workers. `groups` begins with the one that every cluster has. The
    `environment` of a cluster whose processes others start has no name. `idle_since` is when its scheduler last had a
    client or a task, if it has neither; it ends itself after the `idle_timeout` with which it was launched. The
    `generation` tells what its scheduler knows, which an update of this package does not change.
    """

    version: Literal[2] = 2
    id: str
    kind: ClusterKind = "batch"
    generation: int = 1
    name: str
    site: str
    site_title: str
    layout: Layout = "elastic"
    account: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    environment: Environment
    versions: dict[str, str] = Field(default_factory=dict)
    image: str | None = None
    script: Script | None = None
    groups: Annotated[tuple[WorkerGroup, ...], Field(min_length=1)]
    directory: Path
    tls: TLSFiles | None = None
    launched_by: Process | None = None
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    state: ClusterState = ClusterState.SUBMITTING
    outcome: ClusterState | None = None
    reason: str = ""
    reachable: bool = True
    unreachable_since: datetime | None = None
    jobs: tuple[Job, ...] = ()
    workers: int = 0
    threads: int = 0
    memory_limit: int = 0
    clients: int | None = 0
    idle_since: datetime | None = None
    idle_timeout: timedelta | None = None
    address: str | None = None
    dashboard: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def scheduler_file(self) -> Path:
        """Where the scheduler writes its address."""
        return self.directory / "scheduler.json"

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, data: Any) -> Any:
        """Read a record of version 1, which knows a single group."""
        if not isinstance(data, dict) or "groups" in data:
            return data
        kept = {name: value for name, value in data.items() if name not in _OF_GROUPS}
        group = {name: data[name] for name in _OF_GROUPS if name in data}
        return {**kept, "version": 2, "groups": [group]}

    @property
    def main(self) -> WorkerGroup:
        """The group that every cluster has."""
        return self.groups[0]

    def group(self, name: str) -> WorkerGroup:
        """Return the group with that name, which must exist."""
        return next(group for group in self.groups if group.name == name)

    def with_group(self, name: str, **changes: Any) -> Cluster:
        """Return the cluster with `changes` made to the group with that name."""
        groups = tuple(group.model_copy(update=changes) if group.name == name else group for group in self.groups)
        return self.model_copy(update={"groups": groups})

    def with_new_group(self, group: WorkerGroup) -> Cluster:
        """Return the cluster with one group more."""
        return self.model_copy(update={"groups": (*self.groups, group)})

    @property
    def wanted(self) -> int:
        """How many workers there should be now, in all groups."""
        return sum(group.scaling.workers for group in self.groups)

    @property
    def is_adaptive(self) -> bool:
        """Whether the number of workers of some group follows its work."""
        return any(group.scaling.mode == "adaptive" for group in self.groups)

    def capacity(self, group: WorkerGroup) -> int:
        """Return how many workers a group will have once all of every live, uncancelled element have connected."""
        jobs = [job for job in self.jobs if job.group == group.name]
        elements = sum(len(job.uncancelled) for job in jobs if job.role is Role.WORKER)
        tasks = sum(job.tasks - job.retired for job in jobs if job.uncancelled)
        return (elements + tasks) * group.shape.workers_per_job

    def next_number(self, group: WorkerGroup) -> int:
        """Return the number in the tag of a group's next job, which no job before it has had."""
        tags = [job.tag for job in self.jobs if job.role is Role.WORKER and job.group == group.name]
        return 1 + max([group.past.number, *(int(tag.rpartition("-")[2]) for tag in tags)])

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

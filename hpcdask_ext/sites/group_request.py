"""One group of workers that a user asks for, checked against the site's queues and sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hpcdask_ext.clusters.groups import MAIN_GROUP, AdaptiveScaling, FixedScaling, Scaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.states import Layout
from hpcdask_ext.errors import FieldError
from hpcdask_ext.sites.bodies import CustomSize, GroupBody, LaunchRequest, ScalingBody, shorten, unknown
from hpcdask_ext.sites.limits import NO_QUEUE, check_jobs, check_nodes, check_shape, check_workers, count_nodes
from hpcdask_ext.sites.models import Queue, Site, Size
from hpcdask_ext.sites.units import format_walltime

_RESOURCE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_MOST_OF_RESOURCE = 1e15
_NO_SHAPE = WorkerShape(cores=0, memory=0)


def read_scaling(body: ScalingBody, field: str, errors: list[FieldError]) -> Scaling:
    """Return the scaling that a body asks for; what is wrong is added to `errors`, below `field`."""
    fields = {"fixed": ["workers"], "adaptive": ["minimum", "maximum"]}
    required = fields.pop(body.mode)
    for name in (name for unwanted in fields.values() for name in unwanted):
        if getattr(body, name) is not None:
            errors.append(FieldError(f"{field}.{name}", f"Not a field of {body.mode} scaling: leave it out"))
    for name in required:
        if getattr(body, name) is None:
            errors.append(FieldError(f"{field}.{name}", f"Required for {body.mode} scaling"))
    if body.mode == "fixed":
        return FixedScaling(workers=body.workers or 0)
    minimum, maximum = body.minimum or 0, body.maximum or 1
    if minimum > maximum:
        if body.maximum is not None:
            errors.append(FieldError(f"{field}.minimum", f"{minimum} is above the maximum of {maximum}"))
        minimum = maximum
    return AdaptiveScaling(minimum=minimum, maximum=maximum, workers=minimum)


def check_resources(resources: Mapping[str, Any]) -> str:
    """Return what is wrong with the Dask resources of a group's workers, or an empty text."""
    for name, amount in resources.items():
        if not _RESOURCE.fullmatch(name):
            return f"{shorten(name)} cannot name a resource: use letters, digits and _ . -, with a letter first"
        is_number = isinstance(amount, (int, float)) and not isinstance(amount, bool)
        if not is_number or not 0 < amount <= _MOST_OF_RESOURCE:
            return f"{name} must be a positive number, and at most {_MOST_OF_RESOURCE:g}; found {shorten(amount)}"
    return ""


def most_workers(scaling: Scaling) -> int:
    """Return how many workers there may be with a scaling."""
    return scaling.maximum if isinstance(scaling, AdaptiveScaling) else scaling.workers


def check_scaling(scaling: Scaling, field: str, shape: WorkerShape, queue: Queue) -> list[FieldError]:
    """Return what is wrong with a scaling in a queue; `field` is where a fixed number of workers stands."""
    if isinstance(scaling, FixedScaling):
        return [*check_workers(field, scaling.workers, queue), *check_jobs(field, scaling.workers, shape)]
    scope = field.rpartition(".")[0]
    bounds = {f"{scope}.minimum": scaling.minimum, f"{scope}.maximum": scaling.maximum}
    wrong = [error for name, workers in bounds.items() for error in check_jobs(name, workers, shape)]
    return [*check_workers(f"{scope}.maximum", scaling.maximum, queue), *wrong]


def check_queue(groups: Sequence[WorkerGroup], field: str, layout: Layout, queue: Queue) -> list[FieldError]:
    """Return what is wrong with the last of a cluster's groups in a queue, together with the others in that queue.

    The limits of a queue are for a whole cluster. `field` is where a fixed number of workers stands.
    """
    there = [group for group in groups if group.queue == groups[-1].queue]
    workers = [most_workers(group.scaling) for group in there]
    if isinstance(there[-1].scaling, AdaptiveScaling):
        field = f"{field.rpartition('.')[0]}.maximum"
    most = queue.limits.workers
    errors = []
    if most is not None and workers[-1] <= most < sum(workers):
        what = f"{sum(workers)} workers in all groups together"
        errors.append(FieldError(field, f"{what} are more than the queue {queue.name} allows: {most}"))
    nodes = sum(count_nodes(count, group.shape, layout, queue) for count, group in zip(workers, there, strict=True))
    return [*errors, *check_nodes(field, nodes, queue)]


def room_for(group: WorkerGroup, groups: Sequence[WorkerGroup], queue: Queue) -> int | None:
    """Return how many workers a group may have in a queue at most, beside the other groups there, or None."""
    if queue.limits.workers is None:
        return None
    others = [other for other in groups if other.queue == group.queue and other.name != group.name]
    return max(0, queue.limits.workers - sum(most_workers(other.scaling) for other in others))


class GroupChecker:
    """Checks what a body says of one group of workers, and adds what is wrong to `errors`.

    Parameters
    ----------
    site
        The site.
    body
        The launch itself for the group that every cluster has, else the group's entry in it.
    prefix
        What the names of the body's fields begin with.
    errors
        What is wrong already.
    """

    def __init__(self, site: Site, body: LaunchRequest | GroupBody, prefix: str, errors: list[FieldError]) -> None:
        self.site, self.body, self.prefix, self.errors = site, body, prefix, errors
        whole = Queue(name=NO_QUEUE, title=site.label, limits=site.limits)
        self.queue = self._queue() if site.kind == "batch" else whole

    @property
    def workers_field(self) -> str:
        """The field that says how many workers there will be."""
        custom = isinstance(self.body.size, CustomSize)
        return self.prefix + ("scaling.workers" if self.body.scaling else "size.workers" if custom else "size")

    def group(self) -> WorkerGroup:
        """Return the group that is asked for."""
        name, resources = self._own() if isinstance(self.body, GroupBody) else (MAIN_GROUP, {})
        if not self.site.sizes:
            return WorkerGroup(name=name, shape=_NO_SHAPE, scaling=self._scaling(self.site.usual_scaling, _NO_SHAPE))
        size = self._size()
        is_custom = isinstance(self.body.size, CustomSize)
        shape = WorkerShape(**size.model_dump(include={"cores", "memory", "gpus", "workers_per_job"}))
        scaling = self._scaling(FixedScaling(workers=size.workers), shape)
        self.errors += check_shape(shape, self.queue, is_custom=is_custom, prefix=self.prefix)
        return WorkerGroup(
            name=name,
            queue=self.queue.name,
            size=None if is_custom else size.name,
            shape=shape,
            walltime=self._walltime(size),
            scaling=scaling,
            resources=resources,
        )

    def _own(self) -> tuple[str, dict[str, float]]:
        """Return what only groups with a name of their own have: that name, and resources."""
        assert isinstance(self.body, GroupBody)
        if self.body.name is None and f"{self.prefix}name" not in {error.field for error in self.errors}:
            self._add("name", "Required for a group")
        if wrong := check_resources(self.body.resources):
            self._add("resources", wrong)
        return self.body.name or "unnamed", {} if wrong else self.body.resources

    def _add(self, field: str, message: str) -> None:
        self.errors.append(FieldError(f"{self.prefix}{field}", message))

    def _queue(self) -> Queue:
        """Return the requested queue, or, so that checking can go on, one without limits if there is none."""
        if not self.site.queues:
            self._add("queue", "The batch system could not be asked for the queues of this site yet: try again later")
            return Queue(name=NO_QUEUE)
        if self.body.queue is None:
            return self.site.queues[0]
        queue = self.site.queue(self.body.queue)
        if queue is None:
            self._add("queue", unknown("queue", self.body.queue, (queue.name for queue in self.site.queues)))
            return Queue(name=NO_QUEUE)
        return queue

    def _scaling(self, usual: Scaling, shape: WorkerShape) -> Scaling:
        body = self.body.scaling
        scaling = read_scaling(body, f"{self.prefix}scaling", self.errors) if body else usual
        self.errors += check_scaling(scaling, self.workers_field, shape, self.queue)
        return scaling

    def _walltime(self, size: Size) -> timedelta | None:
        longest = self.queue.limits.walltime
        walltime = self.body.walltime or size.walltime or longest
        if walltime and longest and walltime > longest:
            allowed = f"the queue {self.queue.name} allows: {format_walltime(longest)}"
            self._add("walltime", f"{format_walltime(walltime)} is longer than {allowed}")
        return walltime

    def _size(self) -> Size:
        """Return the requested size, or one to go on checking with; what is wrong is added to `errors`."""
        asked, default = self.body.size, self.site.sizes[0]
        if asked is None:
            return default
        if isinstance(asked, str):
            size = self.site.size(asked)
            if size is None:
                self._add("size", unknown("size", asked, (size.name for size in self.site.sizes)))
            return size or default
        missing = [field for field in ("workers", "cores", "memory") if getattr(asked, field) is None]
        for field in missing:
            if f"{self.prefix}size.{field}" not in {error.field for error in self.errors}:
                self._add(f"size.{field}", "Required for a custom size")
        values = {"workers": 1, "cores": 1, "memory": 1} | asked.model_dump(exclude_none=True)
        return Size.model_construct(name="custom", walltime=default.walltime, **values)

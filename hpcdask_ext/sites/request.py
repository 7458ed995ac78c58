"""What a user asks for, checked against the site; all wrong fields are reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hpcdask_ext.clusters.models import Environment, FixedScaling, WorkerShape
from hpcdask_ext.errors import FieldError, InvalidRequest, SiteNotFound
from hpcdask_ext.sites.bodies import CustomSize, LaunchRequest, read_fields, unknown
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.models import Queue, Site, Size
from hpcdask_ext.sites.units import format_memory, format_walltime

_CHANGEABLE = ("name", "scaling")


@dataclass(frozen=True)
class Launch:
    """A checked launch, ready to be carried out."""

    site: Site
    queue: Queue
    size: str | None
    shape: WorkerShape
    scaling: FixedScaling
    walltime: timedelta | None
    account: str | None
    environment: Environment
    name: str | None
    options: dict[str, Any]


def read_change(body: Mapping[str, Any], site: Site | None, queue: str, shape: WorkerShape) -> LaunchRequest:
    """Return the change that `body` asks for.

    Raises
    ------
    InvalidRequest
        With every field that is wrong.
    """
    request, errors = read_fields(body)
    unwanted = request.model_fields_set - set(_CHANGEABLE)
    errors += [FieldError(field, unknown("change", field, _CHANGEABLE)) for field in sorted(unwanted)]
    if request.scaling is not None:
        limits = (site.queue(queue) if site else None) or Queue(name=queue)
        errors += _check_workers("scaling.workers", request.scaling.workers, limits)
        errors += _check_jobs("scaling.workers", request.scaling.workers, shape)
    if errors:
        raise InvalidRequest(errors)
    return request


def read_launch(body: Mapping[str, Any], sites: Sites, kernels: Sequence[Environment]) -> Launch:
    """Return the launch that `body` asks for, the site's defaults filled in.

    Raises
    ------
    SiteNotFound
        The site does not exist, and nothing else is wrong.
    InvalidRequest
        With every field that is wrong.
    """
    request, errors = read_fields(body)
    site = sites.get(request.site) if request.site is not None else next(iter(sites.sites), None)
    if site is None:
        names = [site.name for site in sites.sites]
        nothing = "No site can be used: correct the mistakes in the site files, which the launch form lists"
        error = FieldError("site", unknown("site", request.site, names) if names else nothing)
        raise InvalidRequest([error, *errors]) if errors else SiteNotFound([error])
    return _Checker(request, site, kernels, errors).launch()


def environments_of(site: Site, kernels: Sequence[Environment]) -> tuple[Environment, ...]:
    """Return what a site offers: its own environments, then the user's kernels if it allows them."""
    own = {environment.name for environment in site.environments}
    allowed = kernels if site.kernels else ()
    return (*site.environments, *(kernel for kernel in allowed if kernel.name not in own))


class _Checker:
    """Checks one request against its site and adds what is wrong to `errors`."""

    def __init__(
        self, request: LaunchRequest, site: Site, kernels: Sequence[Environment], errors: list[FieldError]
    ) -> None:
        self.request, self.site, self.errors = request, site, errors
        self.environments = environments_of(site, kernels)

    def launch(self) -> Launch:
        request, site = self.request, self.site
        queue = self._queue()
        name, shape, workers, walltime = self._size(queue)
        environment = self._environment()
        options = self._options()
        self._account()
        if request.layout not in (None, "elastic"):
            self._add("layout", unknown("layout", request.layout, ("elastic",)))
        if self.errors or environment is None:
            raise InvalidRequest(self.errors)
        return Launch(
            site=site,
            queue=queue,
            size=name,
            shape=shape,
            scaling=FixedScaling(workers=workers),
            walltime=walltime,
            account=request.account or (site.accounts[0] if site.accounts else None),
            environment=environment,
            name=request.name,
            options=options,
        )

    def _add(self, field: str, message: str) -> None:
        self.errors.append(FieldError(field, message))

    def _queue(self) -> Queue:
        """Return the requested queue, or, so that checking can go on, one without limits if there is none."""
        if self.request.queue is None:
            return self.site.queues[0]
        queue = self.site.queue(self.request.queue)
        if queue is None:
            self._add("queue", unknown("queue", self.request.queue, (queue.name for queue in self.site.queues)))
            return Queue(name="unknown")
        return queue

    def _size(self, queue: Queue) -> tuple[str | None, WorkerShape, int, timedelta | None]:
        size = self._named_size()
        workers = self.request.scaling.workers if self.request.scaling else size.workers
        shape = WorkerShape(cores=size.cores, memory=size.memory, workers_per_job=size.workers_per_job)
        custom = isinstance(self.request.size, CustomSize)
        place = "scaling.workers" if self.request.scaling else "size.workers" if custom else "size"
        self.errors += [*_check_workers(place, workers, queue), *_check_jobs(place, workers, shape)]
        self.errors += _check_shape(("size.cores", "size.memory") if custom else ("size", "size"), shape, queue)
        walltime = self.request.walltime or size.walltime or queue.limits.walltime
        longest = queue.limits.walltime
        if walltime and longest and walltime > longest:
            self._add(
                "walltime",
                f"{format_walltime(walltime)} is longer than the queue {queue.name} allows: {format_walltime(longest)}",
            )
        return (None if custom else size.name), shape, workers, walltime

    def _named_size(self) -> Size:
        """Return the requested size, or one to go on checking with; what is wrong is added to `errors`."""
        asked, default = self.request.size, self.site.sizes[0]
        if asked is None:
            return default
        if isinstance(asked, str):
            size = self.site.size(asked)
            if size is None:
                self._add("size", unknown("size", asked, (size.name for size in self.site.sizes)))
            return size or default
        missing = [field for field in ("workers", "cores", "memory") if getattr(asked, field) is None]
        for field in missing:
            if f"size.{field}" not in {error.field for error in self.errors}:
                self._add(f"size.{field}", "Required for a custom size")
        values = {"workers": 1, "cores": 1, "memory": 1} | asked.model_dump(exclude_none=True)
        return Size.model_construct(name="custom", walltime=default.walltime, **values)

    def _environment(self) -> Environment | None:
        asked = self.request.environment
        if asked is None:
            if not self.environments:
                self._add("environment", "No environment to choose: install a Python kernel, or ask your administrator")
            return next(iter(self.environments), None)
        found = next((environment for environment in self.environments if environment.name == asked), None)
        if found is None:
            self._add("environment", unknown("environment", asked, (known.name for known in self.environments)))
        return found

    def _account(self) -> None:
        account, allowed = self.request.account, self.site.accounts
        if account and allowed and account not in allowed:
            self._add("account", unknown("account", account, allowed))

    def _options(self) -> dict[str, Any]:
        known = {option.name: option for option in self.site.options}
        values = {name: option.default for name, option in known.items() if option.default is not None}
        for name, value in self.request.options.items():
            if name not in known:
                self._add(f"options.{name}", unknown("option", name, known))
            elif message := known[name].check(value):
                self._add(f"options.{name}", message)
            else:
                values[name] = value
        return values


def _check_workers(field: str, workers: int, queue: Queue) -> list[FieldError]:
    most = queue.limits.workers
    if most is None or workers <= most:
        return []
    return [FieldError(field, f"{workers} workers are more than the queue {queue.name} allows: {most}")]


def _check_jobs(field: str, workers: int, shape: WorkerShape) -> list[FieldError]:
    rest = workers % shape.workers_per_job
    if not rest:
        return []
    fits = workers - rest
    message = f"{workers} workers cannot be split into jobs of {shape.workers_per_job}: choose {fits or ''}".rstrip()
    return [FieldError(field, f"{message}{' or ' if fits else ' '}{fits + shape.workers_per_job}")]


def _check_shape(fields: tuple[str, str], shape: WorkerShape, queue: Queue) -> list[FieldError]:
    errors = []
    per_job = f" for {shape.workers_per_job} workers per job" if shape.workers_per_job > 1 else ""
    cores, memory = shape.cores * shape.workers_per_job, shape.memory * shape.workers_per_job
    if queue.limits.cores and cores > queue.limits.cores:
        message = f"{cores} cores{per_job} are more than the queue {queue.name} allows: {queue.limits.cores}"
        errors.append(FieldError(fields[0], message))
    if queue.limits.memory and memory > queue.limits.memory:
        limit = format_memory(queue.limits.memory)
        message = f"{format_memory(memory)}{per_job} is more than the queue {queue.name} allows: {limit}"
        errors.append(FieldError(fields[1], message))
    return errors

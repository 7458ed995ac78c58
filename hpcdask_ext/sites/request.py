"""What a user asks for, checked against the site; all wrong fields are reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from hpcdask_ext.clusters.models import Environment, FixedScaling, Script, WorkerShape
from hpcdask_ext.clusters.states import Layout
from hpcdask_ext.errors import FieldError, InvalidRequest, SiteNotFound
from hpcdask_ext.sites.bodies import CustomSize, LaunchRequest, read_fields, unknown
from hpcdask_ext.sites.environment import with_image
from hpcdask_ext.sites.limits import check_jobs, check_nodes, check_shape, check_workers, count_nodes
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.models import Queue, Site, Size
from hpcdask_ext.sites.units import format_walltime

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
    image: str | None
    layout: Layout
    script: Script | None
    name: str | None
    options: dict[str, Any]


def read_change(
    body: Mapping[str, Any], site: Site | None, queue: str, shape: WorkerShape, most: int | None = None
) -> LaunchRequest:
    """Return the change of a cluster that `body` asks for; one that can only shrink has at `most` so many workers.

    Raises
    ------
    InvalidRequest
        With every field that is wrong.
    """
    request, errors = read_fields(body)
    unwanted = request.model_fields_set - set(_CHANGEABLE)
    errors += [FieldError(field, unknown("change", field, _CHANGEABLE)) for field in sorted(unwanted)]
    if request.scaling is not None:
        workers = request.scaling.workers
        limits = (site.queue(queue) if site else None) or Queue(name=queue)
        errors += check_workers("scaling.workers", workers, limits)
        errors += check_jobs("scaling.workers", workers, shape)
        if most is not None and workers > most:
            remedy = f"choose at most {most}, or launch another cluster"
            message = f"This cluster is a single job, which can shrink but not grow: {remedy}"
            errors.append(FieldError("scaling.workers", message))
    if errors:
        raise InvalidRequest(errors)
    return request


def read_launch(body: Mapping[str, Any], sites: Sites, kernels: Sequence[Environment], files: Path = Path()) -> Launch:
    """Return the launch that `body` asks for, the site's defaults filled in; `files` is where its paths begin.

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
    return _Checker(request, site, kernels, errors).launch(files)


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

    def launch(self, files: Path) -> Launch:
        request, site = self.request, self.site
        queue = self._queue()
        name, shape, workers, walltime = self._size(queue)
        layout = self._layout(workers)
        self.errors += check_nodes(self._workers_field, count_nodes(workers, shape, layout, queue), queue)
        environment, image = self._environment(layout)
        options = self._options()
        self._account()
        script = self._script(files)
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
            image=image,
            layout=layout,
            script=script,
            name=request.name,
            options=options,
        )

    def _add(self, field: str, message: str) -> None:
        self.errors.append(FieldError(field, message))

    @property
    def _workers_field(self) -> str:
        """The field that says how many workers there will be."""
        custom = isinstance(self.request.size, CustomSize)
        return "scaling.workers" if self.request.scaling else "size.workers" if custom else "size"

    def _queue(self) -> Queue:
        """Return the requested queue, or, so that checking can go on, one without limits if there is none."""
        if not self.site.queues:
            self._add("queue", "The batch system could not be asked for the queues of this site yet: try again later")
            return Queue(name="unknown")
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
        shape = WorkerShape(**size.model_dump(include={"cores", "memory", "gpus", "workers_per_job"}))
        custom = isinstance(self.request.size, CustomSize)
        place = self._workers_field
        self.errors += [*check_workers(place, workers, queue), *check_jobs(place, workers, shape)]
        self.errors += check_shape(shape, queue, is_custom=custom)
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

    def _layout(self, workers: int) -> Layout:
        asked, allowed = self.request.layout, self.site.layouts
        if self.request.script is not None:  # it runs in the job of the cluster, so there has to be a single one
            asked, allowed = asked or "allocation", ("allocation",)
        found = next((layout for layout in allowed if layout == (asked or allowed[0])), None)
        if found is None:
            self._add("layout", unknown("layout", asked, allowed))
        if found == "allocation" and workers < 1:
            self._add("scaling.workers", "A cluster that is a single job needs at least one worker")
        return found or "elastic"

    def _environment(self, layout: Layout) -> tuple[Environment | None, str | None]:
        asked = self.request.environment
        if asked is None:
            if not self.environments:
                self._add("environment", "No environment to choose: install a Python kernel, or ask your administrator")
            found = next(iter(self.environments), None)
        else:
            found = next((environment for environment in self.environments if environment.name == asked), None)
            if found is None:
                self._add("environment", unknown("environment", asked, (known.name for known in self.environments)))
        if found and found.probe == "job" and layout == "elastic" and self.site.scheduler.place == "host":
            message = f"“{found.label}” runs only on the nodes, but the scheduler would run on the Jupyter host"
            self._add("environment", f"{message}: choose another environment, or the layout “allocation”")
        return self._with_image(found) if found else (None, None)

    def _with_image(self, environment: Environment) -> tuple[Environment | None, str | None]:
        image = self.request.image or (environment.image.preset if environment.image else None)
        try:
            return with_image(environment, image), image
        except ValueError as error:
            self._add("image", str(error))
            return None, None

    def _script(self, files: Path) -> Script | None:
        asked = self.request.script
        if asked is None:
            return None
        path = files / asked.path
        if not path.is_file():
            self._add("script.path", f"{asked.path!r} is not a file in {files}")
        directory = path.parent if asked.directory is None else files / asked.directory
        return Script(path=path, arguments=tuple(asked.arguments), directory=directory)

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

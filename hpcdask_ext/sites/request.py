"""What a user asks for, checked against the site; all wrong fields are reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from hpcdask_ext.clusters.groups import AdaptiveScaling, WorkerGroup
from hpcdask_ext.clusters.models import NO_ENVIRONMENT, Environment, Script
from hpcdask_ext.clusters.states import ClusterKind, Layout
from hpcdask_ext.errors import FieldError, InvalidRequest, SiteNotFound
from hpcdask_ext.sites.bodies import LaunchRequest, read_fields, unknown
from hpcdask_ext.sites.environment import with_image
from hpcdask_ext.sites.group_request import GroupChecker, check_queue
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.models import BatchSite, Site

_OF_JOBS = ("queue", "size", "walltime", "account", "groups", "script")


@dataclass(frozen=True)
class Launch:
    """A checked launch, ready to be carried out."""

    site: Site
    groups: tuple[WorkerGroup, ...]
    account: str | None
    environment: Environment
    image: str | None
    layout: Layout
    script: Script | None
    name: str | None
    options: dict[str, Any]

    @property
    def main(self) -> WorkerGroup:
        """The group that every cluster has."""
        return self.groups[0]

    @property
    def stem(self) -> str:
        """What the cluster's name begins with if the user gives none."""
        if self.script:
            return self.script.path.stem
        return (self.main.size or "custom") if self.site.sizes else self.site.name

    @property
    def idle_timeout(self) -> timedelta | None:
        """For how long the cluster may be idle; a script may compute for long without it."""
        return self.site.idle_timeout if self.site.kind != "gateway" and self.script is None else None

    @property
    def kind(self) -> ClusterKind:
        """Who will run the cluster."""
        return self.site.kind


def read_launch(body: Mapping[str, Any], sites: Sites, kernels: Sequence[Environment], files: Path = Path()) -> Launch:
    """Return the launch that `body` asks for, the site's defaults filled in; `files` is where its paths begin.

    Raises
    ------
    SiteNotFound
        The site does not exist, and nothing else is wrong.
    InvalidRequest
        With every field that is wrong.
    """
    request, errors = read_fields(body, LaunchRequest)
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
        if site.kind != "batch":
            self._check_is_left_to_others()
        main = GroupChecker(site, request, "", self.errors)
        others = [
            GroupChecker(site, body, f"groups.{number}.", self.errors) for number, body in enumerate(request.groups)
        ]
        group = main.group()
        layout = self._layout(group)
        groups = (group, *(other.group() for other in others))
        for number, checker in enumerate((main, *others), start=1):
            self.errors += check_queue(groups[:number], checker.workers_field, layout, checker.queue)
        self._check_names_of_groups()
        environment, image = self._environment(layout)
        options = self._options()
        self._account()
        script = self._script(files)
        if self.errors or environment is None:
            raise InvalidRequest(self.errors)
        return Launch(
            site=site,
            groups=groups,
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

    def _check_is_left_to_others(self) -> None:
        """Add what only jobs of a batch system can be asked for."""
        for field in _OF_JOBS:
            if getattr(self.request, field):
                self._add(field, f"“{self.site.label}” decides about this by itself: leave it out")

    def _layout(self, group: WorkerGroup) -> Layout:
        asked, allowed = self.request.layout, self.site.layouts
        if self.request.script is not None:  # it runs in the job of the cluster, so there has to be a single one
            asked, allowed = asked or "allocation", ("allocation",)
        found = next((layout for layout in allowed if layout == (asked or allowed[0])), None)
        if found is None:
            self._add("layout", unknown("layout", asked, allowed))
        if found == "allocation":
            self._check_single_job(group)
        return found or "elastic"

    def _check_single_job(self, group: WorkerGroup) -> None:
        if isinstance(group.scaling, AdaptiveScaling):
            self._add("scaling.mode", "A cluster that is a single job cannot adapt: choose the layout “elastic”")
        elif group.scaling.workers < 1:
            self._add("scaling.workers", "A cluster that is a single job needs at least one worker")
        if self.request.groups:
            remedy = "leave them out" if self.request.script else "choose the layout “elastic”"
            self._add("groups", f"A cluster that is a single job has no other workers: {remedy}")

    def _check_names_of_groups(self) -> None:
        names = [body.name for body in self.request.groups]
        for number, name in enumerate(names):
            if name is not None and name in names[:number]:
                self._add(f"groups.{number}.name", f"There is another group {name!r}: choose another name")

    def _environment(self, layout: Layout) -> tuple[Environment | None, str | None]:
        asked = self.request.environment
        if self.site.kind == "gateway":
            if asked is not None:
                self._add("environment", "The gateway decides about the environment: leave it out")
            return NO_ENVIRONMENT, None
        if asked is None:
            if not self.environments:
                self._add("environment", "No environment to choose: install a Python kernel, or ask your administrator")
            found = next(iter(self.environments), None)
        else:
            found = next((environment for environment in self.environments if environment.name == asked), None)
            if found is None:
                self._add("environment", unknown("environment", asked, (known.name for known in self.environments)))
        if found and found.probe == "job" and layout == "elastic" and self._scheduler_on_host:
            message = f"“{found.label}” runs only on the nodes, but the scheduler would run on the Jupyter host"
            self._add("environment", f"{message}: choose another environment, or the layout “allocation”")
        return self._with_image(found) if found else (None, None)

    @property
    def _scheduler_on_host(self) -> bool:
        return not isinstance(self.site, BatchSite) or self.site.scheduler.place == "host"

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

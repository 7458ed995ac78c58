"""The bodies of requests, and how they are read: every mistake is reported at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
)

from hpcdask_ext.errors import FieldError
from hpcdask_ext.sites.units import Memory, Walltime

_MOST = 10_000
"""Larger numbers are taken for typing errors, even where a queue has no limits."""

MOST_GROUPS = 20
"""In a cluster, besides the one that every cluster has."""

_TAKEN = ("scheduler", "allocation", "workers")
"""What jobs without a group of their own are called."""


def _check_name(name: str) -> str:
    if not (name.isprintable() and name.strip() and len(name) <= 64):
        raise ValueError("a name must be one line of 1 to 64 printable characters")
    return name


def _check_account(account: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,99}", account):
        raise ValueError("an account may contain only letters, digits and _ . @ : + -")
    return account


def _check_path(path: str) -> str:
    if not path.isprintable():
        raise ValueError("a path must be one line of printable characters")
    return path


def _check_script(path: str) -> str:
    if not path.endswith((".py", ".ipynb")):
        raise ValueError("a script must be a file with the ending .py or .ipynb")
    return _check_path(path)


def _check_argument(argument: str) -> str:
    # In a job's script, a line of an argument could be taken for a directive: Grid Engine reads all lines for them.
    if re.search(r"[\0\r\n]", argument):
        raise ValueError("an argument must be one line, without null characters")
    return argument


def _check_group(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,15}", name) or name in _TAKEN:
        raise ValueError("a group's name must be 1 to 16 small letters and digits, other than scheduler and workers")
    return name


ClusterName = Annotated[str, AfterValidator(_check_name)]
"""A name for people: anything on one line. It is only ever displayed."""

Account = Annotated[str, AfterValidator(_check_account)]
"""An account's name, in characters that every batch system accepts."""

Text = Annotated[str, StringConstraints(max_length=200)]

PathText = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_check_path)]


class CustomSize(BaseModel):
    """A size that the user entered."""

    model_config = ConfigDict(extra="forbid", strict=True)

    workers: int | None = Field(None, ge=1, le=_MOST)
    cores: int | None = Field(None, ge=1, le=_MOST)
    memory: Memory | None = None
    gpus: int = Field(0, ge=0, le=_MOST)
    workers_per_job: int = Field(1, ge=1, le=_MOST)


class ScalingBody(BaseModel):
    """How many workers there should be: `workers` if fixed, from `minimum` to `maximum` if adaptive."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mode: Literal["fixed", "adaptive"] = "fixed"
    workers: int | None = Field(None, ge=0, le=_MOST)
    minimum: int | None = Field(None, ge=0, le=_MOST)
    maximum: int | None = Field(None, ge=1, le=_MOST)


SizeBody = Annotated[
    Annotated[Text, Tag("name")] | Annotated[CustomSize, Tag("custom")],
    Discriminator(lambda value: "custom" if isinstance(value, (dict, CustomSize)) else "name"),
]


class GroupBody(BaseModel):
    """More workers of another kind, by the name of their group."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, AfterValidator(_check_group)] | None = None
    queue: Text | None = None
    size: SizeBody | None = None
    walltime: Walltime | None = None
    scaling: ScalingBody | None = None
    resources: dict[Text, Any] = Field(default_factory=dict, max_length=20)


class ScriptBody(BaseModel):
    """A script or notebook to run with the cluster, in `directory`, by default its own.

    Both paths are relative to the directory that Jupyter serves.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    path: Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_check_script)]
    directory: Annotated[str, StringConstraints(max_length=4000), AfterValidator(_check_path)] | None = None
    arguments: list[Annotated[str, StringConstraints(max_length=4000), AfterValidator(_check_argument)]] = Field(
        default_factory=list, max_length=1000
    )


class LaunchRequest(BaseModel):
    """The body of a launch; see `docs/reference/rest.md`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    site: Text | None = None
    queue: Text | None = None
    size: SizeBody | None = None
    walltime: Walltime | None = None
    account: Account | None = None
    environment: Text | None = None
    image: Text | None = None
    layout: Text | None = None
    scaling: ScalingBody | None = None
    groups: list[GroupBody] = Field(default_factory=list, max_length=MOST_GROUPS)
    name: ClusterName | None = None
    script: ScriptBody | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class TLSBody(BaseModel):
    """The PEM files with which a scheduler is reached, by paths as in a `ScriptBody`, but ``~`` and ``$NAME`` count."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ca: PathText | None = None
    certificate: PathText | None = None
    key: PathText | None = None


class AdoptRequest(BaseModel):
    """The body of an adoption; see `docs/reference/rest.md`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scheduler_file: PathText | None = None
    address: Text | None = None
    dashboard: Annotated[str, StringConstraints(max_length=2000)] | None = None
    name: ClusterName | None = None
    tls: TLSBody | None = None


class ChangeRequest(BaseModel):
    """The body of a change; a scaling is that of the `group`, by default the one that every cluster has."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: ClusterName | None = None
    group: Text | None = None
    scaling: ScalingBody | None = None


Request = TypeVar("Request", bound=BaseModel)


def read_fields(body: Mapping[str, Any], model: type[Request]) -> tuple[Request, list[FieldError]]:
    """Return the request without its invalid fields, and what is wrong with those."""
    try:
        return model.model_validate(body), []
    except ValidationError as error:
        wrong = error
    readable = dict(body)
    for entry in wrong.errors():
        readable = _without(readable, _path(entry["loc"]))
    return model.model_validate(readable), field_errors(wrong, model)


def _without(body: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """Return a body without what stands at a path, or without all that it belongs to if that is no size or group."""
    top, *nested = path
    below = body.get(top)
    if top == "size" and nested and isinstance(below, dict):
        return {**body, top: {field: value for field, value in below.items() if field != nested[0]}}
    if top == "groups" and len(nested) > 1 and isinstance(below, list):
        number = int(nested[0])
        return {**body, top: [*below[:number], _without(below[number], nested[1:]), *below[number + 1 :]]}
    return {field: value for field, value in body.items() if field != top}


def field_errors(error: ValidationError, model: type[BaseModel]) -> list[FieldError]:
    """Return pydantic's errors as field errors, each with the value that was found."""
    found = []
    for entry in error.errors():
        path = _path(entry["loc"])
        if entry["type"] == "extra_forbidden":
            message = unknown("field", path[-1], _model_at(model, path[:-1]).model_fields)
        else:
            message = f"{entry['msg'].removeprefix('Value error, ')}; found {shorten(entry['input'])}"
        found.append(FieldError(".".join(path), message))
    return found


def _path(location: tuple[int | str, ...]) -> list[str]:
    """Return the names in a location, outermost first, without pydantic's tag for the kind of size."""
    path = [str(part) for part in location]
    return [part for number, part in enumerate(path) if not (number and path[number - 1] == "size")]


def _model_at(model: type[BaseModel], path: Sequence[str]) -> type[BaseModel]:
    """Return the model of what is nested in a body at a path."""
    nested: dict[str, type[BaseModel]] = {
        "size": CustomSize,
        "scaling": ScalingBody,
        "script": ScriptBody,
        "tls": TLSBody,
    }
    names = [name for name in path if not name.isdecimal()]
    return nested.get(names[-1], GroupBody) if names else model


def unknown(what: str, value: object, known: Iterable[str]) -> str:
    """Return a sentence that lists what is available instead, the closest match first."""
    names = list(known)
    near = difflib.get_close_matches(str(value), names, n=1)
    choices = ", ".join(near + [name for name in names if name not in near]) or "none"
    return f"Unknown {what} {shorten(value)}. Available: {choices}"


def shorten(value: object) -> str:
    """Return a value as it was given, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"

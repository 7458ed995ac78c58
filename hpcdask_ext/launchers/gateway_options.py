"""From the options that a Dask Gateway declares to fields of the launch form, and back."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import StringConstraints, ValidationError

from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.sites.options import Option

log = logging.getLogger(__name__)

_ANYTHING = r".*"
_MAPPING = r"\{.*\}"
"""The pattern of a mapping, which is a JSON object in the form and in the record; no other option has this one."""


class _DeclaredOption(Option):
    """An option that a gateway has named: with any name that Python takes for an argument's."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=40)]


def to_options(declared: Any) -> tuple[Option, ...]:
    """Return what `dask_gateway.Gateway.cluster_options` returned as options of ours.

    One of a type that the form has no field for is left out: the gateway's default applies.
    """
    # The client shows bounds and choices only in its own widgets; the fields themselves have them.
    fields = vars(declared)["_fields"]
    return tuple(option for name, field in fields.items() for option in _to_option(name, field))


def to_values(options: Iterable[Option], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values to submit for those in a record.

    Raises
    ------
    InvalidRequest
        A mapping is not a JSON object.
    """
    mappings = {option.name for option in options if option.pattern == _MAPPING}
    submitted, errors = dict(values), []
    for name in mappings & values.keys():
        try:
            submitted[name] = json.loads(values[name])
        except (ValueError, RecursionError) as error:
            errors.append(FieldError(f"options.{name}", f"This is not a JSON object such as {{}}: {error}"))
    if errors:
        raise InvalidRequest(errors)
    return submitted


def option_in(message: str, options: Iterable[Option]) -> str:
    """Return the field that a gateway's refusal is about: that of the option that it names, else all of them."""
    words = message.replace("'", " ").replace('"', " ").replace(",", " ").split()
    return next((f"options.{option.name}" for option in options if option.name in words), "options")


def _to_option(name: str, field: Any) -> list[Option]:
    kind = type(field).__name__
    if kind not in _FIELDS:
        log.warning("The gateway's option %s is of an unknown type (%s) and is left out.", name, kind)
        return []
    try:
        return [_DeclaredOption(name=name, title=field.label, **_FIELDS[kind](field))]
    except ValidationError as error:
        log.warning("The gateway's option %s is left out: %s", name, error)
        return []


def _number(field: Any) -> dict[str, Any]:
    return {"default": field.value, "minimum": field.min, "maximum": field.max}


_FIELDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "String": lambda field: {"type": "string", "default": field.value, "pattern": _ANYTHING},
    "Bool": lambda field: {"type": "boolean", "default": field.value},
    "Integer": lambda field: {"type": "integer", **_number(field)},
    "Float": lambda field: {"type": "number", **_number(field)},
    "Select": lambda field: {"type": "choice", "default": field.value, "choices": field.options},
    "Mapping": lambda field: {
        "type": "string",
        "default": json.dumps(field.value),
        "pattern": _MAPPING,
        "description": "A JSON object",
    },
}

"""The fields that a site adds to the launch form, and the kinds of names and directives in site files."""

from __future__ import annotations

import math
import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import StringConstraints, field_validator, model_validator

from hpcdask_ext.clusters.frozen import Frozen
from hpcdask_ext.clusters.image_field import Pattern

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$", max_length=64)]
"""A name that needs no quoting in batch systems, paths and URLs."""

Directive = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A directive on one line, without the batch system's prefix (`#SBATCH`)."""

DEFAULT_PATTERN = r"[A-Za-z0-9_.,:=@/+-]*"
"""Allowed in a string option without a pattern of its own: nothing with a meaning to shells or directives."""


class Option(Frozen):
    """A field that the site adds to the form, and what it adds to a cluster, each with ``{value}`` for its value.

    `directive` is added to the jobs, `argument` to the command lines of Dask's scheduler and workers, `worker_argument`
    to those of the workers alone. That of a boolean option is added if it is true. `keyword` is the argument of a
    cluster class that gets the value itself.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    title: str = ""
    description: str = ""
    type: Literal["string", "integer", "number", "boolean", "choice"] = "string"
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: Pattern | None = None
    directive: Directive | None = None
    argument: Directive | None = None
    worker_argument: Directive | None = None
    keyword: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Option:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("an option must have 'choices' if its type is 'choice', and only then")
        if self.default is not None and (wrong := self.check(self.default)):
            raise ValueError(f"the option's own default is not allowed: {wrong}")
        return self

    @field_validator("argument", "worker_argument")
    @classmethod
    def _is_words(cls, text: str | None) -> str | None:
        if text is not None:
            shlex.split(text)  # raises ValueError for an unbalanced quote
        return text

    def read(self, text: str) -> Any:
        """Return the value that a text stands for; the text itself if it stands for none, which `check` then tells."""
        try:
            if self.type == "integer":
                return int(text)
            if self.type == "number":
                return float(text)
        except ValueError:
            return text
        return {"true": True, "false": False}.get(text.lower(), text) if self.type == "boolean" else text

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

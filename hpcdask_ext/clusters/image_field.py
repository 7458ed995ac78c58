"""The container image of an environment, where a site lets its users choose one."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

PLACEHOLDER = "{image}"
"""What the chosen image replaces in an environment's `argv` and `env`."""

DEFAULT_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._/:@+-]*"
"""Allowed where a site gives no pattern of its own: ``registry:port/name:tag@digest``, also after ``docker://``."""

_ALWAYS = r"[A-Za-z0-9_./][A-Za-z0-9_./:@+=,%#~-]*"
"""What the pattern of a site cannot widen: nothing that programs take for an option, or shells for anything special."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"this is not a valid regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A regular expression of an administrator's."""


class ImageField(BaseModel):
    """A field for a container image in the launch form.

    With `choices` and no `pattern`, only those can be chosen; with both, whatever else matches the pattern as well.
    Without a `default`, it is the first choice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    description: str = ""
    default: str | None = None
    choices: tuple[str, ...] = ()
    pattern: Pattern | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> ImageField:
        for what, value in (("default", self.default), *(("choice", choice) for choice in self.choices)):
            if value is not None and (wrong := self.check(value)):
                raise ValueError(f"the image's own {what} is not allowed: {wrong}")
        return self

    @property
    def preset(self) -> str | None:
        """The image if the user chooses none; None if there has to be a choice."""
        return self.default or next(iter(self.choices), None)

    def check(self, value: str) -> str | None:
        """Return what is wrong with an image that a user asks for, or None."""
        if not re.fullmatch(_ALWAYS, value):
            return f"{value!r} does not match the pattern {_ALWAYS}"
        if value in self.choices:
            return None
        if self.choices and self.pattern is None:
            return f"{value!r} is not one of {', '.join(self.choices)}"
        pattern = self.pattern or DEFAULT_PATTERN
        return None if re.fullmatch(pattern, value) else f"{value!r} does not match the pattern {pattern}"

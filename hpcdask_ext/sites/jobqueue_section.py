"""One section of dask-jobqueue's configuration, read key by key: see the `jobqueue.yaml` of its version 0.9."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.sites.bodies import shorten
from hpcdask_ext.sites.dask_config import same_key
from hpcdask_ext.sites.jobqueue_units import dask_memory

SYSTEMS = ("oar", "pbs", "sge", "slurm", "moab", "lsf", "htcondor", "local")
"""The sections that dask-jobqueue itself has, one for each of its classes of clusters."""

_RENAMED = {
    "env-extra": "job-script-prologue",
    "extra": "worker-extra-args",
    "header-skip": "job-directives-skip",
    "job-extra": "job-extra-directives",
}
_RENAMED_TO_ACCOUNT = ("slurm", "pbs", "moab")
"""Elsewhere, `project` is not an old name of `account`."""


class Section:
    """A section, its keys spelt with ``-``, its deprecated keys under their new names.

    `errors` collects what is wrong in it, `notes` what of it has no counterpart in a site.
    """

    def __init__(self, name: str, system: str, values: Mapping[str, Any]) -> None:
        self.name, self.system = name, system
        self.errors: list[FieldError] = []
        self.notes: list[str] = []
        self._values = {str(key).replace("_", "-"): value for key, value in values.items()}
        renamed = dict(_RENAMED)
        if system in _RENAMED_TO_ACCOUNT:
            renamed["project"] = "account"
        for old, new in renamed.items():
            value = self._values.pop(old, None)
            if value and not self._values.get(new):
                self._values[new] = value
        self._unread = set(self._values)

    def wrong(self, key: str, message: str) -> None:
        """Add an error about a key."""
        self.errors.append(FieldError(f"jobqueue.{self.name}.{key}", message))

    def note(self, key: str, text: str) -> None:
        """Add a note about a key, with its value."""
        self.notes.append(f"{key}: {shorten(self._values.get(key))}. {text}")

    @property
    def unread(self) -> list[str]:
        """The keys with a value that nobody has asked for."""
        return sorted(key for key in self._unread if self._values[key] not in (None, "", [], {}))

    def value(self, key: str) -> Any:
        """Return the value of a key as it is, None if it is empty."""
        self._unread.discard(key)
        value = self._values.get(key)
        return None if value in ("", [], {}) else value

    def text(self, key: str) -> str | None:
        """Return a text, or a number as one."""
        value = self.value(key)
        if value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool)):
            return None if value is None else str(value).strip()
        self.wrong(key, f"This must be a text; found {shorten(value)}")
        return None

    def number(self, key: str) -> int | None:
        """Return a whole number of at least 1."""
        value = self.value(key)
        if value is None:
            return None
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if number >= 1 and number.is_integer():
            return int(number)
        self.wrong(key, f"This must be a whole number of at least 1; found {shorten(value)}")
        return None

    def memory(self, key: str) -> int | None:
        """Return an amount of memory, in bytes, as Dask reads it."""
        value = self.value(key)
        try:
            return None if value is None else dask_memory(value)
        except ValueError as error:
            self.wrong(key, str(error))
            return None

    def lines(self, key: str) -> list[str]:
        """Return a list of texts, without empty ones; a text alone is a list of one."""
        value = self.value(key)
        entries = [value] if isinstance(value, str) else [] if value is None else value
        if not isinstance(entries, (list, tuple)) or not all(isinstance(entry, (str, int, float)) for entry in entries):
            self.wrong(key, f"This must be a list of texts; found {shorten(value)}")
            return []
        return [str(entry) for entry in entries if str(entry).strip()]


def find_section(config: Mapping[str, Any], name: str | None, system: str | None) -> Section:
    """Return the section of that name; without a name, the only one that says how large a job is.

    Parameters
    ----------
    system
        Which of dask-jobqueue's own sections one with a name of a site's own is like; None if it has to tell itself.

    Raises
    ------
    InvalidRequest
        There is no such section, or none or more than one to choose from.
    """
    sections = config.get("jobqueue")
    if not isinstance(sections, dict) or not sections:
        raise _invalid("jobqueue", "There is no section of this name: this is no configuration of dask-jobqueue")
    known = [str(key) for key in sections]
    if name is None:
        name = _only(sections, known)
    key = same_key(name, sections)
    if key not in sections:
        raise _invalid(f"jobqueue.{name}", f"There is no such section. Available: {', '.join(known)}")
    system = system or key
    if system not in SYSTEMS:
        remedy = f"say which of these it is for: {', '.join(SYSTEMS)}"
        raise _invalid(f"jobqueue.{name}", f"{system!r} is not a batch system that dask-jobqueue knows: {remedy}")
    values = sections[key]
    if not isinstance(values, dict):
        raise _invalid(f"jobqueue.{name}", f"This section must be a mapping; found {shorten(values)}")
    return Section(key, system, values)


def _only(sections: Mapping[str, Any], known: list[str]) -> str:
    """Return the name of the section to import: of several, the one with cores and memory, as no default has them."""
    sized = [
        key
        for key in known
        if isinstance(sections[key], dict) and sections[key].get("cores") and sections[key].get("memory")
    ]
    candidates = sized or known
    if len(candidates) == 1:
        return candidates[0]
    problem = "Several sections have" if sized else "None of the sections has"
    raise _invalid("jobqueue", f"{problem} cores and memory. Choose one: {', '.join(candidates)}")


def _invalid(field: str, message: str) -> InvalidRequest:
    return InvalidRequest([FieldError(field, message)])

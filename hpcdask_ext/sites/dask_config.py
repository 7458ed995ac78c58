"""Dask's configuration files, read without Dask, which need not be installed where Jupyter is."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from hpcdask_ext.errors import FieldError, InvalidRequest

_ENDINGS = (".json", ".yaml", ".yml")


def dask_config_files(environ: Mapping[str, str] | None = None) -> list[Path]:
    """Return the files of Dask's configuration in the order in which Dask reads them: later ones win. Does file I/O.

    They are in the directories that Dask's documentation names (docs.dask.org/en/stable/configuration.html). A file
    that cannot be read is left out, as Dask does.
    """
    environ = os.environ if environ is None else environ
    places = [
        Path(environ.get("DASK_ROOT_CONFIG", "/etc/dask")),
        *(Path(prefix, "etc", "dask") for prefix in (sys.prefix, *site.PREFIXES)),
        Path(environ.get("HOME", "~"), ".config", "dask").expanduser(),
    ]
    if "DASK_CONFIG" in environ:
        places.append(Path(environ["DASK_CONFIG"]))
    last_ones = dict.fromkeys(reversed(places))
    files = [file for place in reversed(last_ones) for file in _files(place)]
    return [file for file in files if os.access(file, os.R_OK)]


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(file for file in place.iterdir() if file.suffix.lower() in _ENDINGS and file.is_file())
    return [place] if place.is_file() else []


def read_config(files: Iterable[Path]) -> dict[str, Any]:
    """Return the configuration in `files`, later ones over earlier ones; keys may be spelt with ``-`` or ``_``.

    Raises
    ------
    InvalidRequest
        With each file that cannot be read, is not YAML, or is not a mapping.
    """
    config: dict[str, Any] = {}
    errors = []
    for file in files:
        try:
            content = yaml.safe_load(file.read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            errors.append(FieldError(str(file), f"This file cannot be read as YAML: {error}"))
            continue
        if isinstance(content, dict):
            _merge(config, content)
        elif content is not None:
            errors.append(FieldError(str(file), "This file is not a mapping: a configuration begins with 'jobqueue:'"))
    if errors:
        raise InvalidRequest(errors)
    return config


def _merge(old: dict[str, Any], new: Mapping[Any, Any]) -> None:
    """Write `new` over `old`; a mapping is merged with the one that it meets."""
    for name, value in new.items():
        key = same_key(str(name), old)
        if isinstance(value, dict):
            if not isinstance(old.get(key), dict):
                old[key] = {}
            _merge(old[key], value)
        else:
            old[key] = value


def same_key(key: str, config: Mapping[str, Any]) -> str:
    """Return how `config` spells `key`, with ``-`` or ``_``; `key` itself if it has neither."""
    dashed = key.replace("_", "-")
    return next((known for known in config if known.replace("_", "-") == dashed), key)

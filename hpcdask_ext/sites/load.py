"""Reading the site files: `hpcdask/sites.d/*.yaml` below each directory of the Jupyter config path.

A broken file is skipped, and what is wrong with it becomes a `Problem` that the panel shows. A section `labextension`
of Dask's configuration is a site as well, unless a file describes one of that name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.sites.dask_config import dask_config_files
from hpcdask_ext.sites.kinds import read_site
from hpcdask_ext.sites.labextension import LABEXTENSION, labextension_files, read_labextension
from hpcdask_ext.sites.machine import local_site
from hpcdask_ext.sites.models import Site

FOLDER = Path("hpcdask") / "sites.d"


@dataclass(frozen=True)
class Problem:
    """Something wrong in a site file: which file, where in it, and what."""

    file: str
    where: str
    message: str


@dataclass(frozen=True)
class Sites:
    """The sites that could be read, in the order of their files, and the problems with the others."""

    sites: tuple[Site, ...]
    problems: tuple[Problem, ...] = ()

    def get(self, name: str) -> Site | None:
        """Return the site of that name, if there is one."""
        return next((site for site in self.sites if site.name == name), None)


class SiteFiles:
    """The site files below `config_path`, most specific directory first, as `jupyter_config_path` returns it.

    If two files describe a site of the same name, the one in the more specific directory wins.
    """

    def __init__(self, config_path: Sequence[str], environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._folders = [Path(directory) / FOLDER for directory in reversed(config_path)]
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._sites = Sites(())

    def load(self) -> Sites:
        """Return the sites; the files are read again only if one of them has changed. Does file I/O."""
        paths = [path for folder in self._folders for path in sorted(folder.glob("*.yaml"))]
        seen = tuple(_stamp(path) for path in (*paths, *dask_config_files(self._environ)))
        if seen != self._seen:
            found = _read(paths) if paths else Sites((local_site(),))
            self._sites = _with_labextension(found, self._environ)
            self._seen = seen
        return self._sites


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:  # a dangling link: reading it will report that
        return str(path), 0, 0
    return str(path), status.st_mtime_ns, status.st_size


def _read(paths: Sequence[Path]) -> Sites:
    sites: dict[str, Site] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            site = read_site(yaml.safe_load(path.read_text("utf-8")))
        except ValidationError as error:
            problems += [_problem(path, entry["loc"], entry["msg"], entry["input"]) for entry in error.errors()]
        except (OSError, ValueError, yaml.YAMLError) as error:  # ValueError: not UTF-8, or an invalid date
            problems.append(Problem(str(path), "", f"The file cannot be read as YAML: {error}"))
        else:
            sites.pop(site.name, None)
            sites[site.name] = site
    return Sites(tuple(sites.values()), tuple(problems))


def _with_labextension(sites: Sites, environ: Mapping[str, str]) -> Sites:
    if sites.get(LABEXTENSION) is not None:
        return sites
    try:
        files = labextension_files(environ)
        site = read_labextension(files, environ)
    except InvalidRequest as error:
        place = str(files[-1]) if files else "Dask's variables"
        problems = [Problem(place, entry.field, entry.message) for entry in error.errors]
        return Sites(sites.sites, (*sites.problems, *problems))
    except OSError as error:
        return Sites(sites.sites, (*sites.problems, Problem("Dask's configuration", "", str(error))))
    return Sites((*sites.sites, *([site] if site else [])), sites.problems)


def _problem(path: Path, location: tuple[int | str, ...], message: str, found: object) -> Problem:
    where = ".".join(str(part) for part in location)
    if location[:1] == ("factory",):  # what a class is called with may be secret
        return Problem(str(path), where, message)
    if not location or "auth" in location:  # the whole file, or a login: there may be a password in it
        return Problem(str(path), where, message)
    text = repr(found)
    return Problem(str(path), where, f"{message}; found {text[:200]}{'…' if len(text) > 200 else ''}")

"""Versions of packages: from which on Dask is supported, and which differences inside a cluster matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hpcdask_ext.clusters.status import Packages

MINIMUM = (2023, 5)
"""The oldest `distributed` that works with our command lines and our preload."""

MINIMUM_PYTHON = (3, 9)
"""The oldest Python on which that runs."""

_EVERY_PART = 9
_MATTERING_PARTS = {
    # Code objects differ between 3.11 and 3.12, and pickled functions contain them.
    "python": 2,
    # Client and scheduler speak a protocol that may change with every release.
    "dask": _EVERY_PART,
    "distributed": _EVERY_PART,
    # Pickles name functions inside the package, which minor releases move.
    "cloudpickle": 2,
    "pandas": 2,
    "numpy": 1,
    "toolz": 1,
    # Its format has not changed since 1.0.
    "msgpack": 1,
    # Who has it may send what who lacks it cannot read.
    "lz4": 1,
}
"""How many parts of a version must agree. `distributed.versions` has the list of packages, and compares all parts."""

_ROLES = {"clients": "notebook", "scheduler": "scheduler", "workers": "workers"}
_MOST = 3  # warnings; more differences are told in one
_DIFFER = re.compile(r"[a-z0-9, ]+ differs?: ")


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers with which a version begins: (3, 11, 2) for ``3.11.2rc1+local``."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def differences(packages: Packages) -> tuple[str, ...]:
    """Return warnings for the differences that matter between a cluster and the notebooks connected to it, or in it."""
    told: dict[str, list[str]] = {}
    for package in _MATTERING_PARTS:
        if sides := _sides(package, packages):
            told.setdefault(sides, []).append(package)  # dask and distributed differ in the same way
    if len(told) > _MOST:
        named = [package for group in told.values() for package in group]
        sides = "; ".join(f"{_list(group)} ({sides})" for sides, group in told.items())
        return (f"{len(named)} packages differ: {sides}. {_remedy(named, packages)}",)
    return tuple(
        f"{_list(group)} {'differs' if len(group) == 1 else 'differ'}: {sides}. {_remedy(group, packages)}"
        for sides, group in told.items()
    )


def is_difference(warning: str) -> bool:
    """Return whether a warning is one of those that `differences` returns."""
    return bool(_DIFFER.match(warning))


def _sides(package: str, packages: Packages) -> str:
    """Return who has which version of a package, or nothing if the differences do not matter."""
    found = {role: packages[role][package] for role in _ROLES if package in packages.get(role, {})}
    return ", ".join(_told(package, found)) if _differs(package, found) else ""


def _differs(package: str, found: Mapping[str, Sequence[str | None]]) -> bool:
    """Return whether the versions that the roles have differ in a part that matters."""
    parts = _MATTERING_PARTS[package]
    versions = [version for versions in found.values() for version in versions]
    return len({numbers(version)[:parts] if version else None for version in versions}) > 1


def _told(package: str, found: Mapping[str, Sequence[str | None]]) -> Iterator[str]:
    """Return for each side who it is and what it has; roles that have the same are one side."""
    sides: dict[str, list[str]] = {}
    for role, versions in found.items():
        shown = [_show(package, version) for version in versions]
        name = "notebooks" if role == "clients" and len(shown) > 1 else _ROLES[role]
        sides.setdefault(_list(shown), []).append(name)
    for shown_versions, names in sides.items():
        yield f"{_list(names)} {shown_versions}"


def _show(package: str, version: str | None) -> str:
    if version is None:
        return "none"
    # Dask adds Python's release level: 3.11.2.final.0
    return ".".join(map(str, numbers(version)[:3])) if package == "python" else version


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _remedy(differing: Sequence[str], packages: Packages) -> str:
    for package in differing:
        in_cluster = {role: packages.get(role, {}).get(package, ()) for role in ("scheduler", "workers")}
        if _differs(package, in_cluster):
            return "The environment was changed while the cluster was running: launch a new cluster."
    if {"dask", "distributed"} & set(differing):
        what = "The notebook may be unable to use the cluster"
    else:
        what = "Results may not be readable"
    return f"{what}: choose the kernel's own environment for the cluster, or install the same versions in both."

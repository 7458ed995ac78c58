"""Versions: which differences inside a cluster matter, and which packages have known vulnerabilities."""

from __future__ import annotations

import re

import pytest

from hpcdask_ext.clusters.status import Packages
from hpcdask_ext.sites.versions import differences, is_difference, numbers
from hpcdask_ext.sites.vulnerabilities import KNOWN, vulnerability_warnings

CHOOSE = "choose the kernel's own environment for the cluster, or install the same versions in both."


def packages(clients: object = None, scheduler: object = None, workers: object = None, of: str = "pandas") -> Packages:
    """Return what a scheduler tells of one package; a role without versions knows nothing of it."""
    told = {"clients": clients, "scheduler": scheduler, "workers": workers}
    return {
        role: {} if versions is None else {of: list(versions) if isinstance(versions, tuple) else [versions]}
        for role, versions in told.items()
    }


NONE = (None,)


def test_a_difference_names_both_sides_and_the_remedy() -> None:
    assert differences(packages("1.5.3", "2.2.2", "2.2.2")) == (
        f"pandas differs: notebook 1.5.3, scheduler and workers 2.2.2. Results may not be readable: {CHOOSE}",
    )


@pytest.mark.parametrize(
    ("told", "sides"),
    [
        (packages("1.5.3", None, "2.2.2"), "pandas differs: notebook 1.5.3, workers 2.2.2."),
        (packages(("1.5.3", "2.2.2"), "2.2.2", "2.2.2"), "pandas differs: notebooks 1.5.3 and 2.2.2, scheduler and"),
        (packages("2.2.2", "2.2.2", ("2.1.0", "2.2.2")), "notebook and scheduler 2.2.2, workers 2.1.0 and 2.2.2."),
        (packages(NONE, "2.2.2", "2.2.2"), "pandas differs: notebook none, scheduler and workers 2.2.2."),
        (packages("2.2.2", NONE, NONE), "pandas differs: notebook 2.2.2, scheduler and workers none."),
        (packages("3.10.4.final.0", "3.11.2.final.0", None, of="python"), "notebook 3.10.4, scheduler 3.11.2."),
        (packages("2.0.0", "1.2.4", "1.2.4", of="msgpack"), "msgpack differs: notebook 2.0.0"),
        (packages("1.26.4", "2.4.6", "2.4.6", of="numpy"), "numpy differs"),
        (packages("3.0.0", "3.1.2", "3.1.2", of="cloudpickle"), "cloudpickle differs"),
        (packages("2026.8.0", "2026.8.0+3.gabc", None, of="nothing we compare"), ""),
    ],
)
def test_who_has_what_is_told(told: Packages, sides: str) -> None:
    assert sides in "".join(differences(told))
    assert bool(differences(told)) == bool(sides)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"scheduler": {}, "workers": {}, "clients": {}},
        packages(None, "2.2.2", None),
        packages("2.2.2", "2.2.2", "2.2.2"),
        packages("2.2.2", "2.2.2", "2.2.3"),
        packages(NONE, NONE, NONE),
        packages("3.11.2.final.0", "3.11.9.final.0", "3.11.2.candidate.1", of="python"),
        packages("1.24.1", "1.26.4", "1.26.4", of="numpy"),
        packages("1.0.2", "1.2.4", "1.2.4", of="msgpack"),
        packages("6.4", "6.6.1", "6.6.1", of="tornado"),
        packages("an odd version", "another one", of="pandas"),
    ],
)
def test_what_does_not_matter_is_no_warning(told: Packages) -> None:
    assert differences(told) == ()


def test_dask_and_distributed_which_differ_together_are_one_warning() -> None:
    told = {
        "clients": {"dask": ["2026.8.0"], "distributed": ["2026.8.0"]},
        "workers": {"dask": ["2026.7.1"], "distributed": ["2026.7.1"]},
    }
    assert differences(told) == (
        "dask and distributed differ: notebook 2026.8.0, workers 2026.7.1. The notebook may be unable to use the "
        f"cluster: {CHOOSE}",
    )


def test_an_environment_that_was_changed_meanwhile_has_another_remedy() -> None:
    remedy = "The environment was changed while the cluster was running: launch a new cluster."
    (warning,) = differences(packages(None, "2.2.2", ("2.2.2", "3.0.0")))
    assert warning == f"pandas differs: scheduler 2.2.2, workers 2.2.2 and 3.0.0. {remedy}"
    (warning,) = differences(packages("2.2.2", "2.2.2", "3.0.0"))
    assert warning == f"pandas differs: notebook and scheduler 2.2.2, workers 3.0.0. {remedy}"


def test_many_differences_are_one_warning() -> None:
    names = {
        "python": "3.10.0.final.0",
        "dask": "2023.5.0",
        "distributed": "2023.5.0",
        "pandas": "1.5",
        "numpy": "1.24",
    }
    others = {
        "python": "3.13.1.final.0",
        "dask": "2026.8.0",
        "distributed": "2026.8.0",
        "pandas": "2.2",
        "numpy": "2.1",
    }
    told = {
        "clients": {name: [version] for name, version in names.items()},
        "workers": {name: [version] for name, version in others.items()},
    }
    (warning,) = differences(told)
    assert warning.startswith("5 packages differ: python (notebook 3.10.0, workers 3.13.1); dask and distributed (")
    assert warning.endswith(f"The notebook may be unable to use the cluster: {CHOOSE}")
    assert is_difference(warning)


def test_its_own_warnings_are_recognised_and_no_others() -> None:
    for told in (packages("1.5.3", "2.2.2", "2.2.2"), packages(None, "1.0", "2.0")):
        assert all(map(is_difference, differences(told)))
    for warning in ("“A” lacks the package “bokeh”: the cluster works.", "2 of 4 worker jobs failed: see their logs."):
        assert not is_difference(warning)


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2026.8.0", (2026, 8, 0)), ("3.11.2rc1+local", (3, 11, 2)), ("6", (6,)), ("", ()), ("x1.2", ()), ("1..2", (1,))],
)
def test_a_version_begins_with_numbers(version: str, expected: tuple[int, ...]) -> None:
    assert numbers(version) == expected


SAFE = {"distributed": "2026.8.0", "tornado": "6.6.1", "msgpack": "0.6", "bokeh": "2.4.2"}


@pytest.mark.parametrize(
    "versions",
    [
        SAFE,
        {},
        {"distributed": "", "tornado": "unknown"},
        {"distributed": "2026.1.0", "tornado": "6.6.0"},
        {"distributed": "2026.1", "tornado": "6.6"},
    ],
)
def test_what_has_no_known_vulnerability_has_no_warning(versions: dict[str, str]) -> None:
    assert vulnerability_warnings(versions, "Geo") == ()


def test_a_known_vulnerability_is_named_with_what_can_happen_and_what_to_do() -> None:
    assert vulnerability_warnings(SAFE | {"distributed": "2023.5.0"}, "Geo") == (
        "distributed 2023.5.0 in “Geo” has a known vulnerability (CVE-2026-23528): a prepared link to a dashboard, "
        "once you open it, can run code as you. Update distributed to 2026.1 or later in “Geo”.",
    )


def test_all_of_a_package_are_one_warning_with_the_version_that_fixes_them_all() -> None:
    (warning,) = vulnerability_warnings({"tornado": "6.5.6"}, "Geo")
    assert re.findall(r"CVE-[\d-]+\d", warning) == [
        "CVE-2026-82397", "CVE-2026-91990", "CVE-2026-103261", "CVE-2026-115927",
    ]  # fmt: skip
    assert "known vulnerabilities" in warning
    assert "Update tornado to 6.6 or later in “Geo”." in warning


def test_the_table_is_in_order_and_every_row_has_its_source() -> None:
    for package in {entry.package for entry in KNOWN}:
        fixes = [numbers(entry.fixed) for entry in KNOWN if entry.package == package]
        assert fixes == sorted(fixes)
        assert all(fix[-1] for fix in fixes), "6.6 is older than 6.6.0 to Python, but not to a user"
    for entry in KNOWN:
        assert re.fullmatch(r"CVE-\d{4}-\d{4,}", entry.name)
        assert re.fullmatch(r"https://github\.com/advisories/GHSA(-[a-z0-9]{4}){3}", entry.source)
    assert len({entry.name for entry in KNOWN}) == len(KNOWN)

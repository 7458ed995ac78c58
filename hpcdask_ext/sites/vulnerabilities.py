"""Known vulnerabilities of packages that a cluster runs, for a warning when an environment has one.

Only what others could exploit counts. Whoever speaks Dask's own protocol holds the cluster's key and may run code in it
anyway, so flaws of `msgpack` and `cloudpickle` open nothing. Others reach the port of the dashboards, which read a
request before they ask for the token, and the user's browser. Dask accepts every origin of a websocket, our token
replaces that check, so CVE-2026-21883 of `bokeh` changes nothing. CVE-2024-10096 was withdrawn: that users of a cluster
can run code in it is what a cluster is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hpcdask_ext.sites.versions import numbers


@dataclass(frozen=True)
class Vulnerability:
    """A vulnerability of `package`, `fixed` in that version (without a final .0); `source` is the advisory."""

    package: str
    name: str
    fixed: str
    source: str


_ADVISORIES = "https://github.com/advisories/"

KNOWN = (
    Vulnerability("distributed", "CVE-2026-23528", "2026.1", f"{_ADVISORIES}GHSA-c336-7962-wfj2"),
    Vulnerability("tornado", "CVE-2025-47287", "6.5", f"{_ADVISORIES}GHSA-7cx3-6m66-7c5m"),
    Vulnerability("tornado", "CVE-2025-67725", "6.5.3", f"{_ADVISORIES}GHSA-c98p-7wgm-6p64"),
    Vulnerability("tornado", "CVE-2026-31958", "6.5.5", f"{_ADVISORIES}GHSA-qjxf-f2mg-c6mc"),
    Vulnerability("tornado", "CVE-2026-82397", "6.5.8", f"{_ADVISORIES}GHSA-mpf4-983q-p7j4"),
    Vulnerability("tornado", "CVE-2026-91990", "6.5.8", f"{_ADVISORIES}GHSA-8423-8fgw-73vq"),
    Vulnerability("tornado", "CVE-2026-103261", "6.5.9", f"{_ADVISORIES}GHSA-3hv7-mjh2-fv65"),
    Vulnerability("tornado", "CVE-2026-115927", "6.6", f"{_ADVISORIES}GHSA-r4j5-9xpp-3985"),
)
"""In each package, from the oldest fix to the newest."""

_CONSEQUENCES = {
    "distributed": "a prepared link to a dashboard, once you open it, can run code as you",
    "tornado": "whoever reaches the port of the dashboards can block the scheduler",
}


def vulnerability_warnings(versions: Mapping[str, str], label: str) -> tuple[str, ...]:
    """Return a warning for each package with known vulnerabilities among the `versions` in the environment `label`."""
    warnings = []
    for package, consequence in _CONSEQUENCES.items():
        version = versions.get(package, "")
        found = [entry for entry in KNOWN if entry.package == package and _is_in(version, entry)]
        if found:
            what = "a known vulnerability" if len(found) == 1 else "known vulnerabilities"
            names = ", ".join(entry.name for entry in found)
            warnings.append(
                f"{package} {version} in “{label}” has {what} ({names}): {consequence}. Update {package} to "
                f"{found[-1].fixed} or later in “{label}”."
            )
    return tuple(warnings)


def _is_in(version: str, vulnerability: Vulnerability) -> bool:
    """Return whether a version, if it is known, is older than the fix."""
    found = numbers(version)
    return bool(found) and found < numbers(vulnerability.fixed)

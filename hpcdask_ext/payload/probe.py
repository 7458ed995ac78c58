"""Prints which versions an environment has, as JSON on one line: what is checked before Dask starts in it.

It runs in that environment, by path, as the preload does, and so also shows that our files can be read there, in a
container for example. It imports nothing of ours, and older versions of Python than those that run Dask understand it.

The exit code is 0 if Dask can start, 3 if not, so that the shell of a job needs no more than that::

    {"executable": "/opt/geo/bin/python", "versions": {"python": "3.11.2", "distributed": "2026.8.0", ...}}

Packages that are not installed are left out; the version of one without metadata is "".
"""

import importlib.util
import json
import os
import sys

NAMES = (
    "dask", "distributed", "bokeh", "msgpack", "cloudpickle", "toolz", "tornado",
    "numpy", "pandas", "pyarrow", "lz4", "blosc", "nbconvert", "ipykernel",
)  # fmt: skip
OLDEST, OLDEST_PYTHON = [2023, 5], (3, 9)  # as in hpcdask_ext/sites/versions.py


def find(name: str) -> "str | None":
    """Return the version of a package without importing it, which takes 1 ms instead of 500."""
    if importlib.util.find_spec(name) is None:
        return None
    try:
        from importlib import metadata  # noqa: PLC0415  (from Python 3.8 on)

        return metadata.version(name)
    except ImportError:  # also that the package has no metadata
        return ""


def main() -> int:
    """Print the versions and return the exit code."""
    sys.path[0] = os.getcwd()  # as `python -m` has it
    found = {name: find(name) for name in NAMES}
    versions = {name: version for name, version in found.items() if version is not None}
    versions["python"] = ".".join(map(str, sys.version_info[:3]))
    print(json.dumps({"executable": sys.executable, "versions": versions}), flush=True)
    if "distributed" not in versions or sys.version_info < OLDEST_PYTHON:
        return 3
    numbers = [int(part) for part in versions["distributed"].split(".")[:2] if part.isdigit()]
    return 3 if numbers and numbers < OLDEST else 0


if __name__ == "__main__":
    sys.exit(main())

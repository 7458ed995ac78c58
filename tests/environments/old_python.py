"""A virtual environment with an old `distributed`, made once and kept for the next run."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

VERSION = os.environ.get("HPCDASK_TEST_DISTRIBUTED", "2023.5.0")
"""Any other version from 2023.5 on can be tried as well."""

_REQUIREMENTS = {
    # Dashboards as that time had them: its bokeh does not know numpy 2.
    "2023": ("bokeh<3.2", "numpy<2", "pandas<2"),
    "2024": ("bokeh<3.5",),
}
_NO_NETWORK = (
    "NewConnectionError",
    "ConnectTimeoutError",
    "NameResolutionError",
    "Network is unreachable",
    "ProxyError",
)


def make_old_environment(folder: Path) -> Path:
    """Return the Python of an environment in `folder`, which is made unless it is there."""
    if sys.version_info >= (3, 13):
        pytest.skip(f"distributed {VERSION} and what it needs do not exist for Python {sys.version_info[1]}")
    words = [f"distributed=={VERSION}", *_REQUIREMENTS.get(VERSION.split(".")[0], ("bokeh",))]
    key = hashlib.sha256(" ".join([sys.executable, sys.version, *words]).encode()).hexdigest()[:12]
    environment = folder / f"distributed-{VERSION}-{key}"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests may run in two processes
        if not (environment / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True, timeout=60)
            _install(environment, words)
            (environment / "complete").touch()
    return environment / "bin" / "python"


def _install(environment: Path, words: list[str]) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--retries", "1"]
    pip = [str(environment / "bin" / "pip"), "install", *options, *words]
    result = subprocess.run(pip, capture_output=True, text=True, timeout=100, check=False)
    if result.returncode and any(sign in result.stderr for sign in _NO_NETWORK):
        pytest.skip(f"pip has no network to install distributed {VERSION}")
    assert result.returncode == 0, result.stderr

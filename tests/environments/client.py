"""What a notebook does, in a process of its own and whatever its Python: connect and compute."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def notebook(python: Path | str, code: str, *lines: str) -> Iterator[subprocess.Popen[str]]:
    """Run a cluster's client code and lines in another Python; what they print can be read while they run."""
    script = "\n".join(["import warnings", "warnings.simplefilter('ignore')", code, *lines])
    command = [str(python), "-c", script]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def computed(python: Path | str, code: str, *lines: str) -> list[str]:
    """Return the lines that they print."""
    with notebook(python, code, *lines) as process:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        return output.splitlines()

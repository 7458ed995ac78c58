"""The front end of the installed dask-labextension, as far as tests without a browser need it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_CODE = re.compile(
    r'`(from dask\.distributed import Client\\n\\nclient = Client\("\$\{\w+\.scheduler_address\}"\).*?)`'
)
_AUTO_START = re.compile(r"`(import dask; .*?\$\{\w+\.scheduler_address\}.*?)`")


def inserted_code(scheduler_address: str) -> str:
    """Return what it inserts into a notebook for a cluster with that address."""
    return _fill(_CODE, scheduler_address)


def auto_started_code(scheduler_address: str) -> str:
    """Return what it runs in every kernel if its setting *Auto-Start Dask* is on."""
    return _fill(_AUTO_START, scheduler_address)


def _fill(template: re.Pattern[str], scheduler_address: str) -> str:
    """Fill one of its templates as JavaScript does: whatever the address contains."""
    folder = Path(sys.prefix) / "share/jupyter/labextensions/dask-labextension/static"
    texts = [path.read_text("utf-8") for path in folder.glob("*.js")]
    (found,) = [match for text in texts for match in template.findall(text)]
    before, after = re.split(r"\$\{\w+\.scheduler_address\}", found.replace("\\n", "\n"))
    return f"{before}{scheduler_address}{after}"

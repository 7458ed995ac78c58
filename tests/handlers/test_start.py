"""What the extension costs a Jupyter server in which nobody launches anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import json, sys
from pathlib import Path
import jupyter_core.paths as paths
paths.ENV_CONFIG_PATH, paths.SYSTEM_CONFIG_PATH = [], []  # no other extension, whatever else is installed here
from jupyter_server.serverapp import ServerApp
extensions = {"hpcdask_ext": True} if sys.argv[1] == "with" else {}
server = ServerApp(jpserver_extensions=extensions, open_browser=False, allow_root=True, log_level="ERROR")
server.initialize(argv=[], new_httpserver=False)
print(json.dumps({
    "ours": [name for name in server.extension_manager.extension_apps if name == "hpcdask_ext"],
    "modules": sorted(sys.modules),
    "files": [str(path) for path in Path(sys.argv[2]).rglob("*")],
}))
"""

EVERYTHING = """
import importlib, json, pkgutil, sys
import hpcdask_ext
for module in pkgutil.walk_packages(hpcdask_ext.__path__, "hpcdask_ext."):
    if not module.name.endswith(("__main__", "dask_preload")):
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


def start(home: Path, which: str) -> dict[str, list[str]]:
    """Start a server as far as its extensions; return what that loaded and wrote."""
    data = home / "data"
    places = {"HOME": str(home), "JUPYTER_DATA_DIR": str(data), "JUPYTER_CONFIG_DIR": str(home / "config"),
              "JUPYTER_RUNTIME_DIR": str(home / "runtime")}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", START, which, str(data / "hpcdask")],
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_start_imports_nothing_heavy_and_writes_nothing(tmp_path: Path) -> None:
    answer = start(tmp_path, "with")
    assert answer["ours"] == ["hpcdask_ext"]
    added = set(answer["modules"]) - set(start(tmp_path, "without")["modules"])
    heavy = {"distributed", "dask", "pydantic", "bokeh", "httpx", "aiohttp", "cryptography", "jupyter_server_proxy"}
    assert {name.partition(".")[0] for name in added} & heavy == set()
    assert answer["files"] == []


@pytest.mark.parametrize("name", ["distributed", "dask", "bokeh"])
def test_nothing_of_ours_imports_what_belongs_into_the_users_environment(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, text=True, timeout=60, check=True)
    assert name not in json.loads(done.stdout)

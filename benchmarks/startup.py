"""What server extensions add to the start of a Jupyter server."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.servers import environment

# Runs in a process of its own: makes a JupyterLab server ready to serve, extensions loaded, and says what that took.
PROBE = """
import json, sys, time
start = time.perf_counter()
from jupyterlab.labapp import LabApp
extensions = json.loads(sys.argv[1])
app = LabApp.initialize_server(
    argv=["--allow-root", "--no-browser", "--port=0", f"--ServerApp.jpserver_extensions={extensions}", *sys.argv[2:]])
wall, processor = time.perf_counter() - start, time.process_time()
modules = set(sys.modules)
import psutil
memory = psutil.Process().memory_info().rss
imported = time.perf_counter()
import hpcdask_ext
hpcdask_ext._jupyter_server_extension_points()
imported = time.perf_counter() - imported
print("probe:" + json.dumps({"wall": wall * 1000, "processor": processor * 1000, "import": imported * 1000,
    "loaded": "hpcdask_ext.app" in modules, "modules": len(modules), "memory": memory / 2**20,
    "distributed": "distributed" in sys.modules}))
"""


def probe(*, hpcdask: bool, theirs: bool = False, options: Sequence[str] = ()) -> dict[str, float]:
    """Start one server with or without our extension and dask-labextension's.

    Return milliseconds (`wall`, `processor`, `import`), `memory` (MB, resident) and `modules`.
    """
    with tempfile.TemporaryDirectory(prefix="hpcdask-bench-") as folder:
        home = Path(folder)
        extensions = json.dumps({"hpcdask_ext": hpcdask, "dask_labextension": theirs})
        # Bytecode is cached where people run this; measure that, not the compiler.
        env = {name: value for name, value in environment(home).items() if name != "PYTHONDONTWRITEBYTECODE"}
        answer = subprocess.run(
            [sys.executable, "-c", PROBE, extensions, *options],
            cwd=home,
            env=env,
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
    lines = [line for line in answer.stdout.splitlines() if line.startswith("probe:")]
    if not lines:
        raise RuntimeError(f"The server did not start:\n{answer.stderr[-3000:]}")
    result = json.loads(lines[-1].removeprefix("probe:"))
    if result["loaded"] != hpcdask:
        raise RuntimeError(
            f"The extension should {'' if hpcdask else 'not '}have been loaded:\n{answer.stderr[-3000:]}"
        )
    if result["distributed"] != theirs:
        raise RuntimeError(f"The server should {'' if theirs else 'not '}have imported distributed at its start")
    return result

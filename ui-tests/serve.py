"""Start the Jupyter server of the browser tests in a directory of its own, and remove it when it ends.

Nothing of the user is read or written: home, data, configuration and workspaces are below `HPCDASK_UI_HOME`. An
argument names another configuration beside this file.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

DEFAULT_CONFIG = "jupyter_server_test_config.py"


def environment(home: Path) -> dict[str, str]:
    """Return this process' environment, with all that Jupyter reads and writes below `home`."""
    places = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_GALATA_ROOT_DIR": "work",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
    }
    for name in places.values():
        (home / name).mkdir()
    return os.environ | {variable: str(home / name) for variable, name in places.items()}


def add_kernel_without_dask(home: Path) -> None:
    """Give the user a kernel whose environment cannot run Dask: a launch with it fails."""
    place = home / "without-dask"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)  # noqa: S603
    argv = [str(place / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = home / "data" / "kernels" / "without-dask" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": argv, "display_name": "Without Dask", "language": "python"}))


def main() -> int:
    """Serve until told to stop."""
    home = Path(os.environ["HPCDASK_UI_HOME"])
    home.mkdir(mode=0o700)
    try:
        variables = environment(home)
        add_kernel_without_dask(home)
        config = Path(__file__).with_name(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_CONFIG)
        command = [sys.executable, "-m", "jupyterlab", "--config", str(config)]
        server = subprocess.Popen(command, env=variables)  # noqa: S603

        def stop(number: int, _: FrameType | None) -> None:
            server.send_signal(number)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        return server.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

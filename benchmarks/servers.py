"""Jupyter servers with a home of their own, on loopback, that end with the `with` block."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ENDED = ("stopped", "failed")


@dataclass
class Server:
    """A running Jupyter server and what it takes to talk to it."""

    port: int
    pid: int
    api: httpx.Client
    clusters: list[str] = field(default_factory=list)  # what to stop, as routes

    @property
    def lab(self) -> str:
        """Return the address of JupyterLab, with nothing left from earlier pages."""
        return f"http://127.0.0.1:{self.port}/lab?reset"


@contextmanager
def jupyter_server(  # what differs between the servers that are compared
    port: int, *, hpcdask: bool, site: str | None = None, env: dict[str, str] | None = None, answering: bool = False
) -> Iterator[Server]:
    """Start JupyterLab; without `hpcdask` both halves of our extension are off and dask-labextension is alone.

    With `answering`, our extension answers for its server half, which is off.
    """
    home = Path(tempfile.mkdtemp(prefix="hpcdask-bench-"))
    token = home.name
    write_configuration(home, port, token, hpcdask=hpcdask, answering=answering)
    if site:
        (home / "config/hpcdask/sites.d").mkdir(parents=True)
        (home / "config/hpcdask/sites.d/centre.yaml").write_text(site.format(home=home))
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab"],
            cwd=home / "work",
            env=environment(home) | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    api = httpx.Client(
        base_url=f"http://127.0.0.1:{port}/", headers={"Authorization": f"token {token}"}, timeout=60, trust_env=False
    )
    try:
        wait_until_up(api, process, home / "log")
        server = Server(port, process.pid, api)
        yield server
        end_clusters(server)
    finally:
        api.close()
        process.terminate()
        process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def environment(home: Path) -> dict[str, str]:
    """Return our environment with every place that Jupyter or Dask could read settings from moved to `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "DASK", "XDG"))}
    return kept | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "DASK_LABEXTENSION__FACTORY__KWARGS": json.dumps({"n_workers": 2, "threads_per_worker": 1}),
    }


def write_configuration(home: Path, port: int, token: str, *, hpcdask: bool, answering: bool) -> None:
    """Write what a Jupyter server needs to run unattended."""
    (home / "work").mkdir()
    (home / "config/labconfig").mkdir(parents=True)
    server = {
        "ip": "127.0.0.1",
        "port": port,
        "port_retries": 0,
        "open_browser": False,
        "allow_root": True,
        "jpserver_extensions": {"hpcdask_ext": hpcdask, "dask_labextension": not answering},
    }
    ours = {"answer_dask_labextension": answering}
    identity, lab = {"token": token}, {"news_url": None}
    settings = {"ServerApp": server, "HPCDaskApp": ours, "IdentityProvider": identity, "LabApp": lab}
    (home / "config/jupyter_server_config.json").write_text(json.dumps(settings))
    off = {} if hpcdask else {"hpcdask-ext": True}
    (home / "config/labconfig/page_config.json").write_text(json.dumps({"disabledExtensions": off}))


def wait_until_up(api: httpx.Client, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Return as soon as the server answers; raise with its log if it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            if api.get("api/status").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"The Jupyter server did not start:\n{log.read_text()[-3000:]}")


def end_clusters(server: Server, seconds: float = 30) -> None:
    """Stop all clusters of both extensions and wait until they are gone, so that the next measurement is alone."""
    for cluster in server.api.get("dask/clusters").json():
        server.api.delete(f"dask/clusters/{cluster['id']}")
    end = time.monotonic() + seconds
    while (answer := server.api.get("hpcdask/api/clusters")).is_success and (left := answer.json()["clusters"]):
        if time.monotonic() > end:
            raise RuntimeError(f"{len(left)} clusters did not stop in {seconds} s")
        for cluster in left:
            # The first DELETE stops, one on an ended cluster forgets; while it stops there is nothing to say.
            if cluster["state"] != "stopping":
                server.api.delete(f"hpcdask/api/clusters/{cluster['id']}")
        time.sleep(0.2)

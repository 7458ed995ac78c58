"""A real Jupyter server of its own, in a process that a test can kill and start again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

PROJECT = Path(__file__).parent.parent
TOKEN = "a-token-for-tests"


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Return what `condition` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)
    return value


class JupyterServer:
    """A Jupyter server with our extension, whose files are all below `home`."""

    def __init__(
        self, home: Path, sites: Mapping[str, str], base_url: str = "/", extensions: Mapping[str, bool] | None = None
    ) -> None:
        self.home, self.base_url, self.extensions = home, base_url, {"hpcdask_ext": True, **(extensions or {})}
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))
        } | {
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTER_TOKEN": TOKEN,
            "PYTHONPATH": str(PROJECT),
        }
        self.clusters = home / "data" / "hpcdask" / "clusters"
        folder = home / "config" / "hpcdask" / "sites.d"
        folder.mkdir(parents=True)
        (home / "notebooks").mkdir()
        for name, text in sites.items():
            (folder / f"{name}.yaml").write_text(text, "utf-8")

    def configure(self, **settings: Mapping[str, Any]) -> None:
        """Write the settings of classes into its configuration; for its next start."""
        (self.home / "config" / "jupyter_server_config.json").write_text(json.dumps(settings), "utf-8")

    def start(self) -> None:
        """Start it and wait until it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": port,
            "ServerApp.base_url": self.base_url,
            "ServerApp.root_dir": self.home / "notebooks",
            "ServerApp.allow_root": True,
            "ServerApp.jpserver_extensions": str(self.extensions),
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        self.log = (self.home / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *words], env=self.environment, stdout=self.log, stderr=self.log
        )
        headers = {"Authorization": f"token {TOKEN}"}
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}{self.base_url}", headers=headers, timeout=20)
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.home / "server.log").read_text("utf-8")
        try:
            return self.http.get("api/status").status_code == 200
        except httpx.TransportError:
            return False

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, the clusters left as they are."""
        self.http.close()
        self.process.send_signal(how)
        self.process.wait(30)
        self.log.close()

    def restart(self, how: signal.Signals) -> None:
        """End it and start another one in its place."""
        self.end(how)
        self.start()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON that a route answers with success."""
        response = self.http.request(method, f"hpcdask/api/{path}", json=body)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def launch(self, **request: Any) -> str:
        """Launch a cluster and return its id."""
        return str(self.ask("POST", "clusters", request)["id"])

    def cluster(self, cluster_id: str) -> Any:
        """Return a cluster."""
        return self.ask("GET", f"clusters/{cluster_id}")

    def wait_for(self, cluster_id: str, state: str, seconds: float = 40) -> Any:
        """Return a cluster once it is in a state; fail at once when it has ended in another."""

        def reached() -> Any:
            cluster = self.cluster(cluster_id)
            final = {"stopped", "failed"} - {state}
            assert cluster["state"] not in final, cluster
            return cluster if cluster["state"] == state else None

        return until(reached, seconds)

    def wait_for_workers(self, cluster_id: str, count: int) -> Any:
        """Return a cluster once exactly so many workers are connected."""
        return until(lambda: (c := self.cluster(cluster_id))["workers"]["running"] == count and c)

    def stop_all(self) -> None:
        """Stop every cluster and wait until all have ended."""
        clusters = self.ask("GET", "clusters")["clusters"]
        live = [cluster["id"] for cluster in clusters if cluster["state"] not in ("stopped", "failed")]
        for cluster_id in live:
            self.ask("DELETE", f"clusters/{cluster_id}")
        until(lambda: all(self.cluster(one)["state"] in ("stopped", "failed") for one in live), 40)


def run_client(code: str, *lines: str) -> str:
    """Return what the client code and the lines after it print in a process of their own."""
    script = "\n".join([code, *lines])
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()

"""A real Dask Gateway on loopback, in a process that a test can end and start again."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.servers import PROJECT, until

PASSWORD = secrets.token_hex(8)

_CONFIGURATION = """
from dask_gateway_server.options import Bool, Float, Integer, Mapping, Options, Select, String

c.DaskGateway.address = "127.0.0.1:{api}"
c.DaskGateway.backend_class = "{backend}"
c.SimpleAuthenticator.password = "{password}"
c.Proxy.address = "127.0.0.1:{http}"
c.Proxy.tcp_address = "127.0.0.1:{tcp}"
c.Proxy.api_token = "{token}"
c.DBBackendBase.db_url = "sqlite:///{home}/gateway.sqlite"
c.DBBackendBase.db_encrypt_keys = ["{key}"]
c.DBBackendBase.stop_clusters_on_shutdown = False  # so that it can be restarted
c.DBBackendBase.cluster_heartbeat_period = 1
c.DBBackendBase.cluster_heartbeat_timeout = 60
c.DBBackendBase.cluster_status_period = 1
c.DBBackendBase.worker_status_period = 1
c.DBBackendBase.check_timeouts_period = 1
c.ClusterConfig.scheduler_cmd = ["{python}", "-m", "distributed.cli.dask_scheduler"]
c.ClusterConfig.worker_cmd = ["{python}", "-m", "distributed.cli.dask_worker"]
c.ClusterConfig.adaptive_period = 0.5
c.ClusterConfig.cluster_max_workers = 3
c.ClusterConfig.environment = {{"DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False"}}


def handle(options, user):
    if options.image == "forbidden":
        raise ValueError("the image 'forbidden' is not allowed for " + user.name)
    if options.worker_memory > 7:
        raise ValueError("This project may not use workers that large")
    return {{
        "worker_cores": options.worker_cores,
        "worker_memory": int(options.worker_memory * 2**30),
        "environment": dict(options.environment),
    }}


c.Backend.cluster_options = Options(
    Integer("worker_cores", default=1, min=1, max=4, label="Worker cores"),
    Float("worker_memory", default=0.5, min=0.25, max=8, label="Worker memory (GiB)"),
    String("image", default="daskgateway/dask-gateway:latest", label="Image"),
    Select("partition", ["small", "large"], default="small", label="Partition"),
    Bool("spot", default=False, label="Cheaper nodes"),
    Mapping("environment", label="Environment variables"),
    handler=handle,
)
{more}
"""


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class GatewayServer:
    """A gateway whose files are all below `home`; it forgets nothing when it is restarted."""

    def __init__(
        self, home: Path, backend: str = "dask_gateway_server.backends.local.UnsafeLocalBackend", more: str = ""
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self._backend, self._more = home, backend, more
        self._configuration = home / "dask_gateway_config.py"
        self._configure()

    def _configure(self) -> None:
        ports = {name: free_port() for name in ("api", "http", "tcp")}
        self.address = f"http://127.0.0.1:{ports['http']}"
        self.proxy_address = f"tcp://127.0.0.1:{ports['tcp']}"
        self._configuration.write_text(
            _CONFIGURATION.format(
                **ports,
                backend=self._backend,
                home=self.home,
                more=self._more,
                password=PASSWORD,
                python=sys.executable,
                token=secrets.token_hex(32),
                key=base64.b64encode(secrets.token_bytes(32)).decode(),
            ),
            "utf-8",
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._log = (self.home / "gateway.log").open("ab")
        command = shutil.which("dask-gateway-server", path=str(Path(sys.executable).parent))
        assert command, "dask-gateway-server is not installed"
        self.process = subprocess.Popen(
            [command, "--config", str(self._configuration)],
            stdout=self._log,
            stderr=self._log,
            cwd=self.home,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.home / "gateway.log").read_text("utf-8")
        try:
            return httpx.get(f"{self.address}/api/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, its clusters left as they are."""
        self.process.send_signal(how)
        self.process.wait(30)
        self._log.close()

    def restart(self) -> None:
        """End it and start it again."""
        self.end()
        self.start()

    def user(self, name: str) -> httpx.Client:
        """Return a client with which a user asks it directly."""
        return httpx.Client(base_url=f"{self.address}/api/v1/", auth=(name, PASSWORD), trust_env=False, timeout=20)

    def clusters(self, user: str, status: str = "PENDING,RUNNING,STOPPING") -> dict[str, str]:
        """Return the states of a user's clusters, by name."""
        with self.user(user) as client:
            answer = client.get("clusters/", params={"status": status}).raise_for_status().json()
        return {name: report["status"] for name, report in answer.items()}

    def submit(self, user: str, **options: object) -> str:
        """Submit a cluster as somebody else would, and return its name."""
        with self.user(user) as client:
            answer = client.post("clusters/", json={"cluster_options": options}).raise_for_status()
        return str(answer.json()["name"])

    def stop(self, user: str, name: str) -> None:
        """Have a cluster stopped, as somebody else would."""
        with self.user(user) as client:
            client.delete(f"clusters/{name}").raise_for_status()

    def stop_all(self, *users: str) -> None:
        """Stop every cluster of some users, and wait until all have ended."""
        for user in users:
            for name in self.clusters(user):
                self.stop(user, name)
        until(lambda: not any(self.clusters(user) for user in users), 60)

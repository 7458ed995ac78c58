"""A real sshd on loopback that lets its own user in, for `command_prefix`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.servers import until


class Sshd:
    """An sshd whose sessions have the variables of `environment`, and the configuration of a client that uses it."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        if os.geteuid() == 0:  # Debian's systemd unit would create it
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        for name in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / f"{name}_key")]
            subprocess.run(command, check=True, timeout=20)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        settings = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {directory}/host_key",
            f"AuthorizedKeysFile {directory}/user_key.pub",
            "PidFile none",
            "UsePAM no",
            "StrictModes no",
            "PasswordAuthentication no",
            "PermitRootLogin prohibit-password",
            "SetEnv " + " ".join(f'{name}="{value}"' for name, value in environment.items()),
        ]
        (directory / "sshd_config").write_text("\n".join(settings) + "\n")
        host_key = (directory / "host_key.pub").read_text()
        (directory / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host_key}")
        self.client = directory / "ssh_config"
        self.client.write_text(
            f"Host login1\n HostName 127.0.0.1\n Port {self.port}\n IdentityFile {directory}/user_key\n"
            f" UserKnownHostsFile {directory}/known_hosts\n StrictHostKeyChecking yes\n BatchMode yes\n"
            f" ControlMaster auto\n ControlPath {directory}/master\n ControlPersist 60\n"
        )
        self._log = (directory / "sshd.log").open("wb")
        self._process = subprocess.Popen(
            [program, "-D", "-e", "-f", str(directory / "sshd_config")], stdin=subprocess.DEVNULL, stderr=self._log
        )
        until(self._answers, 10)

    @property
    def prefix(self) -> list[str]:
        """The `command_prefix` that reaches it."""
        return ["ssh", "-F", str(self.client), "login1"]

    def end(self) -> None:
        """End it, and the connection that the clients have shared."""
        subprocess.run([*self.prefix[:3], "-O", "exit", "login1"], check=False, capture_output=True, timeout=20)
        self._process.terminate()
        self._process.wait(10)
        self._log.close()

    def _answers(self) -> bool:
        assert self._process.poll() is None, "sshd has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

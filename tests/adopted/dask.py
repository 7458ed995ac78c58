"""A Dask scheduler and workers of somebody else: started as one does by hand, without anything of ours."""

from __future__ import annotations

import datetime
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import until


@dataclass
class Files:
    """The TLS files of somebody whom an authority vouches for."""

    ca: Path
    certificate: Path
    key: Path

    @property
    def body(self) -> dict[str, str]:
        """The same as a request has them."""
        return {"ca": str(self.ca), "certificate": str(self.certificate), "key": str(self.key)}

    @property
    def options(self) -> list[str]:
        """The same as Dask's commands have them."""
        return ["--tls-ca-file", str(self.ca), "--tls-cert", str(self.certificate), "--tls-key", str(self.key)]


def make_files(folder: Path) -> Files:
    """Return the files of somebody with an authority of their own."""
    folder.mkdir()
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _name(f"authority of {folder.name}")
    _write(folder / "ca.pem", _certificate(authority, authority, authority_key, authority_key))
    _write(folder / "cert.pem", _certificate(_name("somebody"), authority, key, authority_key))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    (folder / "key.pem").write_bytes(key.private_bytes(*form, serialization.NoEncryption()))
    (folder / "locked.pem").write_bytes(key.private_bytes(*form, serialization.BestAvailableEncryption(b"secret")))
    return Files(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: Any, signing_key: Any) -> x509.Certificate:
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), now - day, now + day
    )
    is_authority = x509.BasicConstraints(ca=subject == issuer, path_length=None)
    return builder.add_extension(is_authority, critical=True).sign(signing_key, hashes.SHA256())


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@dataclass
class Dask:
    """A scheduler and its workers, whose files are in `folder`; its dashboard is at 127.0.0.1, whatever the host.

    Without `plots` and `nannies` they start in half the time.
    """

    folder: Path
    files: Files | None = None
    host: str = "127.0.0.1"
    environment: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    plots: bool = False
    nannies: bool = False
    python: str = sys.executable
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    @property
    def told(self) -> dict[str, Any]:
        """What the scheduler has written about itself."""
        try:
            content: dict[str, Any] = json.loads(self.file.read_text())
        except (OSError, ValueError):
            content = {}
        return content

    @property
    def address(self) -> str:
        return str(self.told["address"])

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def dashboard(self) -> str:
        return f"http://127.0.0.1:{self.told['services']['dashboard']}"

    @property
    def log(self) -> str:
        return (self.folder / "dask.log").read_text()

    @property
    def worker_address(self) -> str:
        found = re.search(r"Start worker at:\s+(\S+)", self.log)
        assert found, self.log
        return found[1]

    def start(self, workers: int = 0, port: int = 0, dashboard: int = 0) -> Dask:
        """Start it, with workers of two threads and 256 MiB each, and wait until all are there."""
        self.folder.mkdir(exist_ok=True)
        self.file.unlink(missing_ok=True)
        place = ["--host", self._bracketed, "--port", str(port), "--dashboard-address", f"127.0.0.1:{dashboard}"]
        prefix = ["--dashboard-prefix", self.prefix]
        protocol = ["--protocol", "tls"] if self.files else []
        self.scheduler = self._run(
            "scheduler", *place, *protocol, *prefix, "--dashboard" if self.plots else "--no-dashboard"
        )
        until(lambda: self.told or self._must_run())
        for _ in range(workers):
            self.start_worker()
        until(lambda: self.log.count("Registered to:") >= workers)
        return self

    def start_worker(self) -> None:
        limits = ["--nworkers", "1", "--nthreads", "2", "--memory-limit", "256 MiB", "--host", self._bracketed]
        limits.append("--nanny" if self.nannies else "--no-nanny")
        self.workers.append(self._run("worker", *limits, "--dashboard-address", "127.0.0.1:0"))

    def kill(self) -> None:
        """End the scheduler as a node that fails does; its workers stay."""
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait(20)

    def has_ended(self) -> bool:
        return all(process.poll() is not None for process in self._processes())

    def end(self) -> None:
        for process in self._processes():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM if self.nannies else signal.SIGKILL)
        for process in self._processes():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def _processes(self) -> list[subprocess.Popen[bytes]]:
        return [*self.workers, *([self.scheduler] if self.scheduler else [])]

    def _must_run(self) -> None:
        assert self.scheduler is not None
        assert self.scheduler.poll() is None, self.log

    def _run(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        files = self.files.options if self.files else []
        words = [
            self.python,
            "-m",
            f"distributed.cli.dask_{what}",
            "--scheduler-file",
            str(self.file),
            *files,
            *options,
        ]
        with (self.folder / "dask.log").open("ab") as log:
            return subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, **self.environment},
            )  # fmt: skip


Start = Callable[..., Dask]

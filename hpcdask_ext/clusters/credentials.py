"""The credentials of one cluster: a certificate of its own, and a token for its dashboards.

One self-signed certificate serves client, scheduler and workers, as in `distributed.Security.temporary`. Its key is
elliptic (P-256), because generating an RSA key would noticeably delay a launch. They are files of mode 0600 in the
cluster's directory of mode 0700, and never appear in a record, a log, a URL or an answer.
"""

from __future__ import annotations

import secrets
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from hpcdask_ext.clusters.store import write_private
from hpcdask_ext.errors import SchedulerUnreachable

_LIFE = timedelta(days=400)  # longer than any batch system lets a job run
_CLOCK_SKEW = timedelta(days=1)  # a node's clock may be behind ours

CLIENT_FILES = {"ca_file": "client-ca.pem", "client_cert": "client-cert.pem", "client_key": "client-key.pem"}
"""What the process of a cluster class writes for clients, by Dask's names; see `payload/factory.py`."""

OF_CLASSES = (*CLIENT_FILES.values(), "factory.yaml")
"""All secret files of a cluster class."""

TOKEN_HEADER = "X-HPCDask-Token"  # noqa: S105  (the header's name, not a token)


@dataclass(frozen=True)
class Credentials:
    """The credential files of one cluster. The certificate is its own authority."""

    directory: Path

    @property
    def certificate(self) -> Path:
        """The certificate, PEM."""
        return self.directory / "tls-cert.pem"

    @property
    def key(self) -> Path:
        """Its private key, PEM."""
        return self.directory / "tls-key.pem"

    @property
    def token_file(self) -> Path:
        """The token that the dashboards require."""
        return self.directory / "dashboard-token"

    def create(self) -> None:
        """Create and write all of them."""
        certificate, key = _self_signed(self.directory.name)
        write_private(self.key, key)
        write_private(self.certificate, certificate)
        write_private(self.token_file, secrets.token_urlsafe(32))

    def remove(self) -> None:
        """Remove all of them, so that nobody can connect any more."""
        for path in (self.key, self.certificate, self.token_file, *(self.directory / name for name in OF_CLASSES)):
            path.unlink(missing_ok=True)

    def headers(self) -> dict[str, str]:
        """Return the header that gives access to the dashboards.

        Raises
        ------
        SchedulerUnreachable
            The credentials are gone: the cluster has ended.
        """
        try:
            return {TOKEN_HEADER: self.token_file.read_text("ascii")}
        except OSError as error:
            raise SchedulerUnreachable(f"The cluster's credentials cannot be read: {error.strerror}.") from error

    def ssl_context(self) -> ssl.SSLContext:
        """Return a context for a client that trusts only this cluster.

        The certificate is pinned and names no host, because the scheduler's host is not known in advance.

        Raises
        ------
        SchedulerUnreachable
            The credentials are gone: the cluster has ended.
        """
        try:
            context = ssl.create_default_context(cafile=str(self.certificate))
        except OSError as error:
            raise SchedulerUnreachable(f"The cluster's credentials cannot be read: {error.strerror}.") from error
        context.check_hostname = False
        return context


def _self_signed(name: str) -> tuple[str, str]:
    """Return a certificate that is its own authority, and its key, as PEM."""
    # Imported late: it takes 70 ms, and only a launch needs it.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"hpcdask-{name}")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode("ascii"), secret.decode("ascii")

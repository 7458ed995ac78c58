"""What lets somebody into one cluster."""

from __future__ import annotations

import os
import ssl
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509

from hpcdask_ext.clusters.credentials import TOKEN_HEADER, Credentials
from hpcdask_ext.errors import SchedulerUnreachable


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    directory = tmp_path / "k3v9x0q2aa"
    directory.mkdir(mode=0o700)
    made = Credentials(directory)
    made.create()
    return made


def test_each_of_its_files_is_the_users_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Credentials(tmp_path).create()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 3


def test_every_cluster_has_its_own(tmp_path: Path) -> None:
    made = []
    for name in "ab":
        (tmp_path / name).mkdir()
        made.append(Credentials(tmp_path / name))
        made[-1].create()
    first, second = made
    assert first.headers() != second.headers()
    assert first.key.read_text() != second.key.read_text()
    assert len(first.headers()[TOKEN_HEADER]) >= 32


def test_distributed_takes_them_as_they_are(credentials: Credentials) -> None:
    from distributed.security import Security

    files: dict[str, str] = {"tls_ca_file": str(credentials.certificate)}
    for role in ("client", "scheduler", "worker"):
        files |= {f"tls_{role}_cert": str(credentials.certificate), f"tls_{role}_key": str(credentials.key)}
    security = Security(require_encryption=True, **files)
    for role in ("client", "scheduler", "worker"):
        assert isinstance(security.get_connection_args(role)["ssl_context"], ssl.SSLContext)
        assert isinstance(security.get_listen_args("scheduler")["ssl_context"], ssl.SSLContext)


def test_the_certificate_outlives_every_job_and_forgives_a_slow_clock(credentials: Credentials) -> None:
    certificate = x509.load_pem_x509_certificate(credentials.certificate.read_bytes())
    now = datetime.now(timezone.utc)
    assert certificate.not_valid_before_utc < now - timedelta(hours=12)
    assert certificate.not_valid_after_utc > now + timedelta(days=366)
    assert "k3v9x0q2aa" in certificate.subject.rfc4514_string()


def test_the_client_trusts_this_cluster_alone(credentials: Credentials) -> None:
    context = credentials.ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert [dict(pair[0] for pair in ca["subject"])["commonName"] for ca in context.get_ca_certs()] == [
        "hpcdask-k3v9x0q2aa"
    ]


def test_removed_ones_are_gone_and_let_nobody_in(credentials: Credentials) -> None:
    credentials.remove()
    assert list(credentials.directory.iterdir()) == []
    with pytest.raises(SchedulerUnreachable, match="No such file"):
        credentials.headers()
    with pytest.raises(SchedulerUnreachable, match="No such file"):
        credentials.ssl_context()
    credentials.remove()  # again is no error


def test_a_spoilt_certificate_is_an_error_of_ours(credentials: Credentials) -> None:
    credentials.certificate.write_text("not a certificate")
    with pytest.raises(SchedulerUnreachable):
        credentials.ssl_context()

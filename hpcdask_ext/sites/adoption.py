"""What a user says about a cluster that runs already, checked; all wrong fields are reported at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from hpcdask_ext.clusters.models import TLSFiles
from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.sites.bodies import AdoptRequest, read_fields, shorten
from hpcdask_ext.sites.user_files import SchedulerFile, expand, read_scheduler_file, read_tls

_PORT = 8786
"""Where schedulers listen if nobody says where."""

_ASKED = ("tcp", "tls")
"""The protocols over which a scheduler is asked what it is."""

_UNASKED = ("inproc", "ucx", "ws", "wss")
"""Those of others, whose dashboards have to be given."""

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_.])?\Z")


@dataclass(frozen=True)
class Adoption:
    """A checked request. `field` is the one that led to the address; `file` is the scheduler's, if that was given."""

    name: str | None
    field: Literal["scheduler_file", "address"]
    address: str
    dashboard: str | None
    tls: TLSFiles | None
    file: SchedulerFile | None

    @property
    def can_be_asked(self) -> bool:
        """Whether its scheduler can be asked over Dask's own protocol."""
        return self.address.startswith(tuple(f"{scheme}://" for scheme in _ASKED))

    @property
    def host(self) -> str:
        """The scheduler's host as it stands in an URL."""
        return self.address.partition("://")[2].rpartition(":")[0]


def read_adoption(body: Mapping[str, Any], files: Path) -> Adoption:
    """Return the adoption that `body` asks for; paths are relative to `files`. Does file I/O.

    Raises
    ------
    InvalidRequest
        With every field that is wrong.
    """
    request, errors = read_fields(body, AdoptRequest)
    tls = read_tls(request.tls, files, errors)
    dashboard = _dashboard(request, errors)
    if request.scheduler_file is not None and request.address is not None:
        errors.append(FieldError("address", "The scheduler's file has its address: give one of both"))
    file = _file(request, files, errors)
    address = _address(request, file, errors)
    if errors:
        raise InvalidRequest(errors)
    field: Literal["scheduler_file", "address"] = "address" if file is None else "scheduler_file"
    return Adoption(request.name, field, address, dashboard, tls, file)


def read_address(text: str, *, is_encrypted: bool = False) -> str:
    """Return a scheduler's address in full: ``tcp://host:port``, or ``tls://`` if nothing else is said.

    Raises
    ------
    ValueError
        It is not one.
    """
    scheme, separator, place = text.strip().partition("://")
    if not separator:
        scheme, place = ("tls" if is_encrypted else "tcp"), scheme
    scheme = scheme.lower()
    if scheme in ("http", "https"):
        raise ValueError(f"{shorten(text)} is the address of a web page: give the scheduler's, or this as dashboard")
    if scheme == "gateway":
        raise ValueError("Clusters of a Dask Gateway appear by themselves if it is a site: ask your administrator")
    if scheme not in _ASKED + _UNASKED:
        raise ValueError(f"Unknown protocol {shorten(scheme)}. Available: {', '.join(_ASKED + _UNASKED)}")
    if scheme == "inproc":
        if not re.fullmatch(r"[\w.:/-]+", place, re.ASCII):
            raise ValueError(f"{shorten(text)} is not the address of a scheduler")
        return f"inproc://{place}"
    host, port = _place(text, place)
    return f"{scheme}://{host}:{port}"


def read_dashboard(text: str) -> str:
    """Return a dashboard's URL, without the name of a page.

    Raises
    ------
    ValueError
        It is not one.
    """
    try:
        parts = urlsplit(text.strip())
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise ValueError(f"{shorten(text)} is not the URL of a dashboard ({error})") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{shorten(text)} is not the URL of a dashboard, such as http://10.0.0.1:8787")
    if "@" in parts.netloc or parts.query:
        raise ValueError("A dashboard's URL must have neither a user nor anything behind a question mark")
    if not text.strip().isprintable() or not re.fullmatch(r"[!-~]*", parts.path):
        raise ValueError(f"{shorten(text)} is not the URL of a dashboard: its path needs quoting")
    name = _host(text, f"[{host}]" if ":" in host else host)
    path = parts.path.rstrip("/").removesuffix("/status")
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{path.rstrip('/')}"


def _dashboard(request: AdoptRequest, errors: list[FieldError]) -> str | None:
    if request.dashboard is None:
        return None
    try:
        return read_dashboard(request.dashboard)
    except ValueError as error:
        errors.append(FieldError("dashboard", str(error)))
        return None


def _file(request: AdoptRequest, files: Path, errors: list[FieldError]) -> SchedulerFile | None:
    if request.scheduler_file is None:
        return None
    try:
        return read_scheduler_file(expand(request.scheduler_file, files))
    except ValueError as error:
        errors.append(FieldError("scheduler_file", str(error)))
        return None


def _address(request: AdoptRequest, file: SchedulerFile | None, errors: list[FieldError]) -> str:
    """Return the address, or an empty one if something is wrong with it or what it needs."""
    text, field = (request.address, "address") if file is None else (file.address, "scheduler_file")
    if text is None:
        if not errors:
            errors.append(FieldError("address", "Give the scheduler's address, or its file"))
        return ""
    has_tls = request.tls is not None and bool(request.tls.model_dump(exclude_none=True))
    try:
        address = read_address(text, is_encrypted=has_tls)
    except ValueError as error:
        errors.append(FieldError(field, str(error)))
        return ""
    scheme = address.partition("://")[0]
    if scheme not in _ASKED and request.dashboard is None:
        message = f"A scheduler at {scheme}:// cannot be asked from here: give the URL of its dashboard"
        errors.append(FieldError("dashboard", message))
    if scheme == "tcp" and has_tls:
        message = f"{address} is an address without TLS: leave the TLS files out, or write tls://"
        errors.append(FieldError("tls.ca", message))
    return address


def _place(text: str, place: str) -> tuple[str, int]:
    """Return the host, as it stands in an URL, and the port."""
    try:
        return f"[{ipaddress.IPv6Address(place)}]", _PORT  # without brackets there is no place for a port
    except ValueError:
        pass
    host, separator, port = place.rstrip("/").rpartition(":")
    if not separator or place.endswith("]"):
        host, port = place.rstrip("/"), str(_PORT)
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError(f"{shorten(text)} has no port from 1 to 65535: write it as in tcp://10.0.0.1:{_PORT}")
    return _host(text, host), int(port)


def _host(text: str, host: str) -> str:
    """Return a host's name or address as it stands in an URL."""
    try:
        if host.startswith("[") and host.endswith("]"):
            return f"[{ipaddress.IPv6Address(host[1:-1])}]"
    except ValueError:
        pass
    if not _HOST.match(host.lower()):
        raise ValueError(f"{shorten(text)} has no host's name or address: write it as in tcp://10.0.0.1:{_PORT}")
    return host.lower()

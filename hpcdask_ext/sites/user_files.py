"""Files that a user names to adopt a cluster: what a scheduler wrote about itself, and TLS files. Does file I/O."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hpcdask_ext.clusters.models import TLSFiles
from hpcdask_ext.errors import FieldError
from hpcdask_ext.sites.bodies import TLSBody

_MOST = 64 * 2**20  # bytes; a scheduler's file names its workers


@dataclass(frozen=True)
class SchedulerFile:
    """What a scheduler wrote about itself when it started; `id` is another one after each start."""

    path: Path
    address: str
    id: str | None


def expand(text: str, files: Path) -> Path:
    """Return the path that a user means, with ``~`` and variables expanded; relative ones begin at `files`.

    Raises
    ------
    ValueError
        A variable has no value, or there is no such user.
    """
    path = os.path.expandvars(os.path.expanduser(text))  # noqa: PTH111  (pathlib has no expandvars)
    if "$" in path:
        raise ValueError(f"{text!r} has a variable that is not set in the Jupyter server: write the path without it")
    return files / path


def read_scheduler_file(path: Path) -> SchedulerFile:
    """Return what a scheduler's file says.

    Raises
    ------
    ValueError
        It cannot be read, is incomplete, or is something else.
    """
    text = _read(path).strip()
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        if not text or (text.startswith("{") and not text.endswith("}")):
            raise ValueError(f"{path} is incomplete: its scheduler may just be writing it, so try again") from None
        raise ValueError(f"{path} is not JSON, so no scheduler has written it: choose another file") from None
    address = content.get("address") if isinstance(content, dict) else None
    if not isinstance(address, str) or "://" not in address or not isinstance(content.get("services"), dict):
        raise ValueError(f"{path} is not the file of a Dask scheduler, which has an address and services")
    found = content.get("id")
    return SchedulerFile(path, address, found if isinstance(found, str) else None)


def read_tls(body: TLSBody | None, files: Path, errors: list[FieldError]) -> TLSFiles | None:
    """Return the TLS files of a request, or None without any; add what is wrong to `errors`."""
    named = body.model_dump(exclude_none=True) if body else {}
    if not named:
        return None
    before = len(errors)
    paths: dict[str, Path] = {}
    for part in ("ca", "certificate"):
        if part not in named:
            errors.append(FieldError(f"tls.{part}", "Dask needs an authority's file and a certificate: give both"))
    for part, text in named.items():
        if path := _checked(f"tls.{part}", errors, partial(_named, text, files)):
            paths[part] = path
    if len(errors) > before:
        return None
    tls = TLSFiles(**paths)
    _checked("tls.ca", errors, partial(_check_authority, paths["ca"]))
    _check_certificate(tls, errors)
    return None if len(errors) > before else tls


def _checked(field: str, errors: list[FieldError], check: Callable[[], Path]) -> Path | None:
    try:
        return check()
    except ValueError as error:
        errors.append(FieldError(field, str(error)))
        return None


def _check_authority(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ValueError(f"{path} has no certificate in PEM form: give that of the cluster's authority") from error
    return path


def _check_certificate(tls: TLSFiles, errors: list[FieldError]) -> None:
    if tls.certificate is None:
        return
    try:
        ssl.create_default_context(cafile=tls.certificate)
    except (OSError, ValueError):
        errors.append(FieldError("tls.certificate", f"{tls.certificate} has no certificate in PEM form"))
        return
    try:  # without a password, OpenSSL would ask the terminal
        ssl.create_default_context().load_cert_chain(tls.certificate, tls.key, password="")
    except (OSError, ValueError) as error:
        where = tls.key or tls.certificate
        fits = "is not the key of that certificate" if "MISMATCH" in str(error) else "has no key without a password"
        errors.append(FieldError("tls.key", f"{where} {fits}: give the file with its key, in PEM form"))


def _named(text: str, files: Path) -> Path:
    return _readable(expand(text, files))


def _readable(path: Path) -> Path:
    """Return a path that is a file and can be read."""
    try:
        if not path.is_file():  # opening something else, such as a pipe, could block
            what = "is not a file" if path.exists() else "does not exist"
            raise ValueError(f"{path} {what}: choose another one")
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror})") from error
    return path


def _read(path: Path) -> str:
    with _readable(path).open("rb") as file:
        content = file.read(_MOST + 1)
    if len(content) > _MOST:
        raise ValueError(f"{path} is larger than any scheduler's file")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not JSON, so no scheduler has written it: choose another file") from None

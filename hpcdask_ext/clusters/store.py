"""Clusters on disk: one directory each, mode 0700, with `record.json` in it. No database: homes are NFS, Lustre, GPFS.

The store's root has an entry for every cluster: its directory, or a symbolic link to it if the site keeps clusters
elsewhere. So clusters are found again even if their site has changed or is gone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.errors import ClusterNotFound, StoreError

log = logging.getLogger(__name__)

_RECORD = "record.json"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # no letter that looks like a digit
_ID = re.compile(rf"[{_ALPHABET}]{{10}}\Z")


def new_id() -> str:
    """Return a new random cluster id, in characters that need no quoting in job names, paths and URLs."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def id_of(name: str) -> str:
    """Return the id of a cluster that others have named: the same one for every server that finds it."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
    return "".join(_ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(10))


class ClusterStore:
    """The records of one user's clusters below `root`.

    Every method does file I/O and may block: call it off the event loop.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, cluster_id: str, parent: Path | None = None) -> Path:
        """Create the directory of a new cluster, below `parent` or the root, and return it.

        Raises
        ------
        StoreError
            It cannot be created; the message names the directory and the system's reason.
        """
        directory = (parent or self.root) / cluster_id
        try:
            for place in (self.root, directory.parent):
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
            _check_owner(directory.parent)
            directory.mkdir(mode=0o700)
        except OSError as error:
            raise StoreError(f"The cluster's directory {directory} cannot be created: {error.strerror}.") from error
        try:
            for name in ("jobs", "logs", "reports"):
                (directory / name).mkdir(mode=0o700)
            if directory.parent != self.root:
                (self.root / cluster_id).symlink_to(directory, target_is_directory=True)
        except OSError as error:
            shutil.rmtree(directory, ignore_errors=True)  # it is new, so there is nothing else in it
            raise StoreError(f"The cluster's directory {directory} cannot be created: {error.strerror}.") from error
        return directory

    def save(self, cluster: Cluster) -> None:
        """Write the record atomically: readers, even after a crash, see either the old one or the new one.

        Raises
        ------
        StoreError
            It cannot be written; the old record remains.
        """
        write_private(cluster.directory / _RECORD, cluster.model_dump_json(indent=1))

    def load(self, cluster_id: str) -> Cluster:
        """Return the record of one cluster.

        Raises
        ------
        ClusterNotFound
            There is none with that id.
        StoreError
            There is one, but it cannot be read.
        """
        if not _ID.match(cluster_id):
            raise ClusterNotFound(cluster_id)
        path = self.root / cluster_id / _RECORD
        try:
            cluster = Cluster.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise ClusterNotFound(cluster_id) from error
        except (OSError, ValidationError, ValueError) as error:
            raise StoreError(f"The record {path} cannot be read: {error}") from error
        # Everything in a cluster's directory is removed with it: a record must not name another one.
        if cluster.id != cluster_id or cluster.directory.resolve() != path.parent.resolve():
            raise StoreError(f"The record {path} belongs to another directory: {cluster.directory}")
        return cluster

    def load_all(self) -> Iterator[Cluster]:
        """Yield every record that can be read; the others are skipped, each with a line in the log."""
        try:
            names = sorted(entry.name for entry in os.scandir(self.root) if _ID.match(entry.name))
        except FileNotFoundError:
            return
        for name in names:
            try:
                yield self.load(name)
            except (ClusterNotFound, StoreError) as error:
                log.warning("Skipping a cluster's record. %s", error.message)

    def remove(self, cluster: Cluster) -> None:
        """Remove everything that is left of an ended cluster."""
        entry = self.root / cluster.id
        if entry.is_symlink():
            entry.unlink()
        shutil.rmtree(cluster.directory, ignore_errors=True)


def _check_owner(directory: Path) -> None:
    """Refuse a directory in which somebody else could replace a cluster's directory.

    Raises
    ------
    StoreError
        It belongs neither to the user nor to root, or others may write to it.
    """
    status = directory.stat()
    is_shared = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
    if status.st_uid not in (os.getuid(), 0) or is_shared:
        raise StoreError(f"{directory} belongs to somebody else or is writable by others: choose another directory.")


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 atomically: it is never seen half written, and never readable by others.

    Raises
    ------
    StoreError
        It cannot be written; an existing file is unchanged.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error

"""How the scheduler of a cluster is reached: its addresses, and what it takes to be answered there."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.models import Cluster, TLSFiles
from hpcdask_ext.errors import SchedulerUnreachable


@dataclass(frozen=True)
class SchedulerAddress:
    """Where a scheduler listens: `comm` for Dask's own protocol (``tls://10.1.2.3:4567``), `dashboard` for HTTP.

    `api` is where it answers on our own routes, if that is not where its dashboard is; the dashboard is then behind our
    gate only if `gated`.
    """

    comm: str
    dashboard: str
    api: str | None = None
    gated: bool = False

    @classmethod
    def read(cls, scheduler_file: Path) -> SchedulerAddress | None:
        """Return the address that the scheduler wrote, or None while it is missing or incomplete; does file I/O.

        Only the file of a cluster class has the entry `hpcdask`; see `payload/factory.py`.
        """
        try:
            content = json.loads(scheduler_file.read_bytes())
            comm = str(content["address"])
            if "hpcdask" in content:
                told = content["hpcdask"]
                return cls(comm, str(told["dashboard"]), str(told["api"]), bool(told["gated"]))
            host = comm.split("://", 1)[1].rpartition(":")[0]
            return cls(comm, f"https://{host}:{int(content['services']['dashboard'])}")
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return None


@dataclass(frozen=True)
class Endpoint:
    """An HTTP server at `url`, the headers that it wants, and the context for TLS, without which it speaks none."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    context: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Reach:
    """How a scheduler is reached: for its dashboard, and on our own routes, which only one of ours has."""

    address: SchedulerAddress
    dashboard: Endpoint
    api: Endpoint | None


def own_endpoint(url: str, credentials: Credentials) -> Endpoint:
    """Return a server of a cluster of ours; does file I/O.

    Raises
    ------
    SchedulerUnreachable
        The credentials are gone: the cluster has ended.
    """
    return Endpoint(url, credentials.headers(), credentials.ssl_context())


def read_reach(cluster: Cluster) -> Reach | None:
    """Return how the scheduler of any cluster but a gateway's is reached, or None while it is not up; does file I/O.

    Raises
    ------
    SchedulerUnreachable
        The credentials or TLS files are gone or cannot be read.
    """
    if cluster.kind == "adopted":
        return _adopted(cluster)
    address = SchedulerAddress.read(cluster.scheduler_file)
    if address is None:
        return None
    own = own_endpoint(address.api or address.dashboard, Credentials(cluster.directory))
    # The token is only for a dashboard on this host, of a scheduler in a process of ours.
    theirs = Endpoint(address.dashboard, own.headers if address.gated else {})
    return Reach(address, theirs if address.api else own, own)


def _adopted(cluster: Cluster) -> Reach | None:
    if cluster.address is None or cluster.dashboard is None:
        return None
    address = SchedulerAddress(cluster.address, cluster.dashboard)
    return Reach(address, adopted_endpoint(cluster.dashboard, cluster.tls), None)


def adopted_endpoint(url: str, tls: TLSFiles | None) -> Endpoint:
    """Return the HTTP server of an adopted cluster, which is reached with those TLS files; does file I/O.

    Raises
    ------
    SchedulerUnreachable
        The TLS files are gone or cannot be read.
    """
    if not url.startswith("https:"):
        return Endpoint(url)
    try:
        context = ssl.create_default_context(cafile=str(tls.ca) if tls and tls.ca else None)
        if tls and tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key, password="")  # without one, OpenSSL asks the terminal
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SchedulerUnreachable(f"The TLS files of the cluster cannot be read: {error}") from error
    if tls and tls.ca:  # as in Dask itself: an own authority vouches for its certificates, whatever host they name
        context.check_hostname = False
    return Endpoint(url, context=context)

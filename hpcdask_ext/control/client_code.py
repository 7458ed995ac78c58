"""The Python code that connects a notebook to a cluster."""

from __future__ import annotations

from pathlib import Path

from hpcdask_ext.clusters.credentials import CLIENT_FILES, Credentials
from hpcdask_ext.clusters.models import Cluster


def client_code(cluster: Cluster, base_url: str) -> str | None:
    """Return Python code that connects a notebook to the cluster, or None while that is not known.

    It needs only `distributed`. It waits until the scheduler is up, so it may be run while the cluster is still
    pending; but whether a cluster class uses TLS is known only then. `base_url` is the Jupyter server's, including the
    hub's prefix, so that the dashboard's link leads through our proxy.
    """
    if cluster.kind == "factory" and cluster.address is None:
        return None
    link = f"{base_url}hpcdask/proxy/{cluster.id}/status".replace("{", "{{").replace("}", "}}")
    scheduler, files = _scheduler(cluster), tls_files(cluster)
    used = "Client, Security" if files else "Client"
    security = "".join(f"    {name}={str(path)!r},\n" for name, path in files.items())
    return (
        "import dask\n"
        f"from dask.distributed import {used}\n"
        "\n"
        f"# Cluster {cluster.name!r} ({cluster.id})\n"
        f'dask.config.set({{"distributed.dashboard.link": {link!r}}})\n'
        + (f"security = Security(\n    require_encryption=True,\n{security})\n" if files else "")
        + f"client = Client({scheduler}{', security=security' if files else ''})\n"
        + _addresses(cluster)
        + "client"
    )


def _addresses(cluster: Cluster) -> str:
    """Return comments that show how tasks are sent to the workers of one group, if there are several."""
    if len(cluster.groups) == 1:
        return ""
    lines = ["# Tasks run on any worker; what is submitted in one of these blocks, only on those of that group:"]
    lines += [f"#     with dask.annotate(resources={{{group.name!r}: 1}}): ..." for group in cluster.groups]
    return "\n".join([*lines, ""])


def _scheduler(cluster: Cluster) -> str:
    """Return what a client finds the scheduler by, as Python."""
    return repr(cluster.address) if cluster.kind == "adopted" else f"scheduler_file={str(cluster.scheduler_file)!r}"


def tls_files(cluster: Cluster) -> dict[str, Path]:
    """Return the TLS files that a client needs, by the names that `distributed.Security` has for them."""
    if cluster.kind == "adopted":
        tls = cluster.tls
        files = {"ca_file": tls.ca, "client_cert": tls.certificate, "client_key": tls.key} if tls else {}
        return {f"tls_{name}": path for name, path in files.items() if path is not None}
    if cluster.kind == "factory":
        is_tls = str(cluster.address).startswith("tls:")
        return {f"tls_{name}": cluster.directory / path for name, path in CLIENT_FILES.items()} if is_tls else {}
    own = Credentials(cluster.directory)
    return {"tls_ca_file": own.certificate, "tls_client_cert": own.certificate, "tls_client_key": own.key}

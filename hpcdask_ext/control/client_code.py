"""The Python code that connects a notebook to a cluster."""

from __future__ import annotations

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.models import Cluster


def client_code(cluster: Cluster, base_url: str) -> str:
    """Return Python code that connects a notebook to the cluster. It needs only `distributed`.

    It waits until the scheduler is up, so it may be run while the cluster is still pending. `base_url` is the Jupyter
    server's, including the hub's prefix, so that the dashboard's link leads through our proxy.
    """
    credentials = Credentials(cluster.directory)
    link = f"{base_url}hpcdask/proxy/{cluster.id}/status".replace("{", "{{").replace("}", "}}")
    return (
        "import dask\n"
        "from dask.distributed import Client, Security\n"
        "\n"
        f"# Cluster {cluster.name!r} ({cluster.id})\n"
        f'dask.config.set({{"distributed.dashboard.link": {link!r}}})\n'
        "security = Security(\n"
        "    require_encryption=True,\n"
        f"    tls_ca_file={str(credentials.certificate)!r},\n"
        f"    tls_client_cert={str(credentials.certificate)!r},\n"
        f"    tls_client_key={str(credentials.key)!r},\n"
        ")\n"
        f"client = Client(scheduler_file={str(cluster.scheduler_file)!r}, security=security)\n"
        "client"
    )

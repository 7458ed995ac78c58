"""A cluster as dask-labextension's front end (7.0.0) knows clusters: its fields, and their quirks.

Its client code is fixed: ``client = Client("ADDRESS")``, with the field `scheduler_address` as it stands between the
quotes. An address alone opens no cluster that uses TLS, so ours closes the quotes itself, goes on with the arguments
that `Client` needs besides, and leaves the last string for the front end to close. All of it is quoted so that no
address, path or name can become code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.control.client_code import tls_files
from hpcdask_ext.control.gateway_code import gateway_expression
from hpcdask_ext.control.view import cluster_view
from hpcdask_ext.sites.models import Site
from hpcdask_ext.sites.units import format_memory

LISTED = (ClusterState.SUBMITTING, ClusterState.PENDING, ClusterState.STARTING, ClusterState.RUNNING)
"""The states of the clusters that its list shows: it has no place for one that ends or has ended."""


def labextension_model(cluster: Cluster, site: Site | None, base_url: str) -> dict[str, Any]:
    """Return the model of a cluster.

    Numbers are those of the main group, the only one that its dialog can scale; cores and memory are totals.
    """
    view = cluster_view(cluster, site, base_url)
    main = view["groups"][0]
    bounds = main["scaling"] if main["scaling"]["mode"] == "adaptive" else None
    return {
        "id": cluster.id,
        "name": _title(view),
        "scheduler_address": scheduler_address(cluster, site),
        "dashboard_link": f"{base_url}dask/dashboard/{cluster.id}/status" if view["dashboard_url"] else "",
        "workers": main["workers"]["requested"],
        "cores": view["cores"],
        "memory": format_memory(view["memory"]),
        "adapt": bounds and {limit: bounds[limit] for limit in ("minimum", "maximum")},
    }


def change_of(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the change, as our own route wants it, that a model asks for after the dialog for scaling."""
    adapt = model.get("adapt")
    if adapt is None:
        return {"scaling": {"mode": "fixed", "workers": model.get("workers")}}
    bounds = adapt if isinstance(adapt, dict) else {}
    return {"scaling": {"mode": "adaptive", **{limit: bounds.get(limit) for limit in ("minimum", "maximum")}}}


def _title(view: Mapping[str, Any]) -> str:
    """Return the name, and what else there is no field for: how far the cluster is."""
    workers, progress = view["workers"], ""
    if not view["reachable"]:
        progress = "cannot be reached now"
    elif view["state"] != ClusterState.RUNNING.value:
        progress = f"{view['state']}: {view['reason']}" if view["reason"] else view["state"]
    elif workers["running"] < workers["requested"]:
        progress = f"{workers['running']} of {workers['requested']} workers"
    return f"{view['name']}, {progress}" if progress else str(view["name"])


def scheduler_address(cluster: Cluster, site: Site | None) -> str:
    """Return what stands between the quotes of ``Client("...")`` in a notebook; see the module's docstring.

    Where an address is not enough, it has several lines. So what the front end runs in every kernel with *Auto-Start
    Dask*, which has room for an address only, is no Python and does nothing, instead of leaving a wrong address in
    Dask's configuration.
    """
    address, files = _quoted(cluster.address or "not known yet"), tls_files(cluster)
    if cluster.kind == "gateway":
        connected = gateway_expression(cluster, site)
        return f'{address}" and\n    {connected},\n    name="{cluster.id}' if connected else address
    if not files:
        return address
    security = "".join(f'    "{name}": "{_quoted(str(path))}",\n' for name, path in files.items())
    # A file wins over the address, and a client waits for it while the cluster is pending.
    is_file = cluster.kind != "adopted"
    last = f'scheduler_file="{_quoted(str(cluster.scheduler_file))}' if is_file else f'name="{cluster.id}'
    return f'{address}", security={{\n{security}}}, {last}'


def _quoted(text: str) -> str:
    """Return a text as it stands in a Python string between quotes of either kind, without the quotes."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("'", "\\x27")

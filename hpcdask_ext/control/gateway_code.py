"""The Python code that connects a notebook to a cluster of a Dask Gateway."""

from __future__ import annotations

import re

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.sites.gateway import GatewayAuth, GatewaySite
from hpcdask_ext.sites.models import Site

_VARIABLE = re.compile(r"\{[A-Za-z_]\w*\}")
"""An environment variable in a site's file, and nothing else."""


def gateway_code(cluster: Cluster, site: Site | None, base_url: str) -> str | None:
    """Return Python code that connects a notebook to the cluster, or None until the gateway has given it a name.

    It says what the site's file says, without passwords; the rest is in the user's own `gateway.yaml`. It waits until
    the cluster runs. The dashboard's link leads through our proxy.
    """
    name = cluster.jobs[0].id if cluster.jobs else None
    if name is None:
        return None
    arguments, kwargs, missing = _settings(cluster, site)
    lines = [
        *(["import os"] if "os.environ" in arguments else []),
        *(["import dask"] if kwargs else []),
        "from dask_gateway import Gateway",
        "",
        f"# Cluster {cluster.name!r} ({cluster.id})",
        *([f"dask.config.set({kwargs!r})"] if kwargs else []),
        *(f"# {argument!r} is a secret: put it into gateway.auth.kwargs of gateway.yaml" for argument in missing),
        f"gateway = Gateway({arguments})",
        f"cluster = gateway.connect({name!r})",
        f"cluster.dashboard_link = {f'{base_url}hpcdask/proxy/{cluster.id}/status'!r}",
        "client = cluster.get_client()",
        "client",
    ]
    return "\n".join(lines)


def gateway_expression(cluster: Cluster, site: Site | None) -> str | None:
    """Return the same connection as a single expression, whose value is the gateway's cluster, without imports."""
    name = cluster.jobs[0].id if cluster.jobs else None
    if name is None:
        return None
    arguments, kwargs, _ = _settings(cluster, site)
    configured = f'__import__("dask").config.set({kwargs!r}) and ' if kwargs else ""
    arguments = arguments.replace("os.environ", '__import__("os").environ')
    return f'{configured}__import__("dask_gateway").Gateway({arguments}).connect({name!r})'


def _settings(cluster: Cluster, site: Site | None) -> tuple[str, dict[str, object], list[str]]:
    """Return the arguments of `Gateway`, what belongs into Dask's configuration, and what nobody may see."""
    here = site if isinstance(site, GatewaySite) else GatewaySite(name=cluster.site)
    return ", ".join(_arguments(here)), *_told(here.auth)


def _arguments(site: GatewaySite) -> list[str]:
    """Return what is said in code of what the site's file says."""
    names = ("address", "proxy_address", "public_address")
    said = [f"{name}={_filled(value)}" for name in names if (value := getattr(site, name)) is not None]
    return [*said, f"auth={site.auth.type!r}"] if site.auth else said


def _filled(value: str | int) -> str:
    """Return a value as code; variables are those of the notebook's environment."""
    if isinstance(value, str) and "{" in value:
        return f"{value!r}.format(**os.environ)"
    return repr(value)


def _told(auth: GatewayAuth | None) -> tuple[dict[str, object], list[str]]:
    """Return the arguments of a login that are no secrets, by their keys in Dask's configuration, and other names.

    A variable's name is none; what stands around it may be, or a brace in a password.
    """
    kwargs = auth.kwargs if auth else {}
    said = [name for name, value in kwargs.items() if name == "username" or _VARIABLE.fullmatch(str(value))]
    return {f"gateway.auth.kwargs.{name}": kwargs[name] for name in said}, [name for name in kwargs if name not in said]

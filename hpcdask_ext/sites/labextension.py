"""The site that an existing section `labextension` of Dask's configuration describes.

dask-labextension launches clusters of ``labextension.factory`` (module, class, args, kwargs), and scales each as
``labextension.default`` says. The package's own defaults, of which Dask keeps a copy in comments, make no site: only a
factory that somebody has set does.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.sites.dask_config import dask_config_files, read_config, same_key
from hpcdask_ext.sites.factory import FactorySite
from hpcdask_ext.sites.gateway import GatewaySite
from hpcdask_ext.sites.models import Site

LABEXTENSION = "labextension"
"""The name of the site, and of the section."""

_VARIABLES = "DASK_LABEXTENSION__"
_WORDS = {"none": None, "null": None, "false": False, "true": True}
_USUAL = {"module": "dask.distributed", "class": "LocalCluster", "args": [], "kwargs": {}}
_GATEWAY = ("address", "public_address", "proxy_address", "auth")


def labextension_files(environ: Mapping[str, str]) -> list[Path]:
    """Return the files of Dask's configuration that may have the section; does file I/O."""
    return [path for path in dask_config_files(environ) if LABEXTENSION.encode() in path.read_bytes()]


def read_labextension(files: Sequence[Path], environ: Mapping[str, str]) -> Site | None:
    """Return the site, or None if nobody has set a factory; does file I/O.

    Raises
    ------
    InvalidRequest
        With everything that is wrong in the section, or each file that cannot be read.
    """
    config = read_config(files)
    _add_variables(config, environ)
    section = config.get(LABEXTENSION)
    if not isinstance(section, dict) or not section.get("factory"):
        return None
    factory, default = section["factory"], section.get("default") or {}
    if not (isinstance(factory, dict) and isinstance(default, dict)):
        raise InvalidRequest([FieldError(LABEXTENSION, "'factory' and 'default' must be mappings")])
    factory = _USUAL | {name: value for name, value in factory.items() if value is not None}
    title = f"From Dask's configuration ({factory['class']})"
    common = {"name": LABEXTENSION, "title": title, "description": _description(section)}
    if (str(factory["module"]).split(".")[0], factory["class"]) == ("dask_gateway", "GatewayCluster"):
        return _gateway(common, factory)
    adapt = default.get("adapt") or None
    content = {**common, "factory": factory, "adapt": adapt, "workers": _workers(factory, default)}
    return _checked(FactorySite, {name: value for name, value in content.items() if value is not None})


def _add_variables(config: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Write what variables such as ``DASK_LABEXTENSION__FACTORY__CLASS`` say over the files, as Dask does."""
    for name, text in environ.items():
        if not name.startswith(_VARIABLES):
            continue
        *path, last = name.removeprefix("DASK_").lower().split("__")
        place = config
        for part in path:
            key = same_key(part, place)
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
        place[same_key(last, place)] = _interpreted(text)


def _interpreted(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return _WORDS.get(text.lower(), text)


def _workers(factory: Mapping[str, Any], default: Mapping[str, Any]) -> Any:
    """Return how many workers a cluster has by default: what the section says of that, or its class was told."""
    if default.get("workers") is not None:
        return default["workers"]
    arguments = factory["kwargs"] if isinstance(factory["kwargs"], dict) else {}
    args = factory["args"] if isinstance(factory["args"], list) else []
    if factory["class"] == "SSHCluster":  # the first of its hosts is the scheduler's
        hosts = arguments.get("hosts", args[0] if args else None)
        return len(hosts) - 1 if isinstance(hosts, list) and len(hosts) > 1 else None
    return arguments.get(same_key("n_workers", arguments))


def _description(section: Mapping[str, Any]) -> str:
    if not section.get("initial"):
        return ""
    return "The clusters of `labextension.initial` are not launched by themselves: launch here those that you need."


def _gateway(common: Mapping[str, Any], factory: Mapping[str, Any]) -> Site:
    """Return the site for what is no cluster class but a gateway, whose clusters need no process of ours."""
    known = {name.replace("-", "_"): value for name, value in factory["kwargs"].items()}
    if wrong := sorted(set(known) - {*_GATEWAY, "shutdown_on_close"}) or factory["args"]:
        place = "kwargs" if known else "args"
        message = f"Of a gateway, only {', '.join(_GATEWAY)} can be set here, and the rest in the form: leave out "
        raise InvalidRequest([FieldError(f"labextension.factory.{place}", message + ", ".join(map(str, wrong)))])
    values = {name: known[name] for name in _GATEWAY if known.get(name) is not None}
    if isinstance(values.get("auth"), str):
        values["auth"] = {"type": values["auth"]}
    return _checked(GatewaySite, {**common, **values})


def _checked(model: type[Site], content: Mapping[str, Any]) -> Site:
    """Return the site; what is wrong is told without the values, which may be secret."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        wrong = [(".".join(map(str, entry["loc"])), entry["msg"]) for entry in error.errors()]
        raise InvalidRequest([FieldError(_origin(where), message) for where, message in wrong]) from error


def _origin(where: str) -> str:
    """Return where the section has what a site's field was made of."""
    part = "default" if where.split(".", maxsplit=1)[0] in ("workers", "adapt") else "factory"
    return f"{LABEXTENSION}.{where if where.startswith(part) else f'{part}.{where}'}".rstrip(".")

"""The kinds of sites, by the name that a site file has as `kind`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpcdask_ext.sites.factory import FactorySite
from hpcdask_ext.sites.gateway import GatewaySite
from hpcdask_ext.sites.models import BatchSite, Site

KINDS: Mapping[str, type[Site]] = {"batch": BatchSite, "gateway": GatewaySite, "factory": FactorySite}


def read_site(content: Any) -> Site:
    """Return the site that a file describes.

    Raises
    ------
    ValueError
        Something in it is wrong; it is pydantic's `ValidationError` if that is about fields.
    """
    kind = content.get("kind", "batch") if isinstance(content, dict) else "batch"
    if kind not in KINDS:
        raise ValueError(f"Unknown kind of site {kind!r}. Available: {', '.join(KINDS)}")
    return KINDS[kind].model_validate(content)

"""Sites of the kind `gateway`: a Dask Gateway, which runs clusters and decides what users may choose."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from hpcdask_ext.clusters.frozen import Frozen
from hpcdask_ext.sites.models import Site

_OWN_DECISIONS = ("queues", "sizes", "environments", "accounts", "kernels", "layouts", "options", "auto")
"""What an administrator says about other sites, and a gateway about itself."""

Text = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]+$", max_length=1000)]


class GatewayAuth(Frozen):
    """How users log in: `basic`, `jupyterhub`, `kerberos`, or a class such as ``centre.auth.TokenAuth``.

    Without `kwargs`, those of the user's own `gateway.yaml` are used. They may hold a password, so nothing shows them.
    """

    type: Annotated[str, StringConstraints(pattern=r"^(basic|jupyterhub|kerberos|[A-Za-z_]\w*(\.\w+)+)$")] = "basic"
    kwargs: dict[str, Any] = Field(default_factory=dict, repr=False)


class GatewaySite(Site):
    """A Dask Gateway. What is left out comes from the user's own Dask configuration, as in `dask_gateway.Gateway`.

    In addresses and in the arguments of `auth`, ``{NAME}`` stands for an environment variable, as it does there.
    """

    kind: Literal["gateway"] = "gateway"
    auto: frozenset[Literal["queues", "accounts", "options"]] = frozenset({"options"})
    address: Text | None = None
    public_address: Text | None = None
    proxy_address: Annotated[int, Field(ge=1, le=65535)] | Text | None = None
    auth: GatewayAuth | None = None

    @model_validator(mode="before")
    @classmethod
    def _leaves_the_gateway_its_decisions(cls, data: Any) -> Any:
        wrong = [name for name in _OWN_DECISIONS if name in data] if isinstance(data, dict) else []
        if wrong:
            raise ValueError(f"a gateway decides about {', '.join(wrong)} itself: leave that out")
        return data

    @field_validator("address")
    @classmethod
    def _is_a_url(cls, address: str | None) -> str | None:
        if address is not None and not re.match(r"https?://[^/]|\{", address):
            raise ValueError("the address of a gateway must begin with http:// or https://")
        if address is not None and "@" in address:
            raise ValueError("an address must not have a password in it: use 'auth'")
        return address

    @field_validator("public_address")
    @classmethod
    def _is_a_url_or_path(cls, address: str | None) -> str | None:
        if address is not None and not re.match(r"https?://[^/]|\{|/", address):
            raise ValueError("a public address must begin with http://, https:// or, on the hub's own host, with /")
        return address

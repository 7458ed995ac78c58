"""A way to log in that a site brings along."""

from __future__ import annotations

from typing import Any

from dask_gateway.auth import BasicAuth


class OwnLogin(BasicAuth):  # type: ignore[misc]
    """Logs in with what a file says, as a centre's own class may."""

    def __init__(self, account: str, word: str) -> None:
        super().__init__(account, word)


class BrokenLogin(BasicAuth):  # type: ignore[misc]
    """Cannot log in."""

    def pre_request(self, resp: Any) -> Any:
        raise RuntimeError("no credentials cache found")

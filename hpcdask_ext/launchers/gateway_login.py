"""Logging in to a gateway's dashboards, where they ask for it: with what the gateway's own client logs in with."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from hpcdask_ext.errors import BatchRefused

if TYPE_CHECKING:
    from dask_gateway.auth import GatewayAuth

_ASKS_FOR_LOGIN = (301, 302, 303, 307, 308, 401, 403)
"""How servers answer whom they do not know; a hub in front of the gateway redirects to its page for logging in."""


async def login_headers(auth: GatewayAuth, url: str) -> Mapping[str, str] | None:
    """Return the headers that a dashboard wants at `url`, or None if there is none.

    There are no headers if it answers without, as most do. So tokens and passwords are only sent where they are asked
    for, and never further.

    Raises
    ------
    BatchRefused
        It does not accept the login.
    """
    import aiohttp  # noqa: PLC0415  (100 ms)

    # "unsafe" lets an IP address set cookies, as in the client itself: there is only one server here.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(url, allow_redirects=False) as answer:
            if answer.status not in _ASKS_FOR_LOGIN:
                return None if answer.status == HTTPStatus.NOT_FOUND else {}
            headers, context = auth.pre_request(answer)
        async with session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status in _ASKS_FOR_LOGIN:
                raise BatchRefused(f"The gateway's dashboards do not accept the login ({answer.status}).")
            auth.post_response(answer, context)
            cookies = session.cookie_jar.filter_cookies(answer.url)
    named = "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())
    return {**headers, "Cookie": named} if named else dict(headers)

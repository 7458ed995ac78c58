"""What a dashboard answers, and what of it the browser gets to see: as if it came from Jupyter."""

from __future__ import annotations

from typing import Any

import pytest
from tornado import web

from hpcdask_ext.clusters.credentials import TOKEN_HEADER

from .conftest import Server
from .test_proxy import Stub, stub  # noqa: F401
from .test_proxy_adopted import Dashboard, dashboard  # noqa: F401

JUPYTERS_OWN = {
    "Set-Cookie": "username-localhost=evil; Path=/",
    "WWW-Authenticate": 'Basic realm="type your password"',
    "Clear-Site-Data": '"*"',
    "Service-Worker-Allowed": "/",
    "Strict-Transport-Security": "max-age=31536000",
    "Access-Control-Allow-Origin": "https://evil.example",
    "Access-Control-Allow-Credentials": "true",
    "Authorization": "token mine",
    "Refresh": "0; url=https://evil.example",
    "X-JupyterHub-Version": "0",
    "Proxy-Authenticate": "Basic",
    "Alt-Svc": 'h2="evil.example:443"',
}
PAGES = {
    "Content-Type": "text/css; charset=utf-8",
    "Content-Disposition": "inline",
    "Cache-Control": "max-age=60",
    "Etag": '"1"',
    "Last-Modified": "Fri, 20 Nov 2026 10:00:00 GMT",
    "Vary": "Accept",
    "Content-Security-Policy": "default-src 'self'",
}


def answering(status: int, headers: dict[str, str], body: str = "") -> Any:
    async def answer(handler: web.RequestHandler) -> None:
        handler.set_status(status)
        for name, value in headers.items():
            handler.set_header(name, value)
        handler.write(body)

    return answer


@pytest.mark.parametrize("status", [200, 401, 404])
async def test_nothing_that_a_browser_would_take_for_jupyters_own_comes_back(
    server: Server,
    stub: Stub,  # noqa: F811
    status: int,
) -> None:
    stub.pages["/page"] = answering(status, {**JUPYTERS_OWN, **PAGES}, "a page")
    page = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/page")
    assert (page.status, page.text) == (status, "a page")
    theirs = {(name.lower(), value) for name, value in JUPYTERS_OWN.items()}
    assert {(name.lower(), value) for name, value in page.headers.items()} & theirs == set()
    assert "evil" not in str(page.headers), "Jupyter may set a cookie of its own"
    assert {name: page.headers.get(name) for name in PAGES} == PAGES


async def test_a_dashboard_that_tells_what_it_was_asked_tells_no_token(server: Server, stub: Stub) -> None:  # noqa: F811
    """The cluster's token is sent with each request, so a page must not repeat it in its headers."""
    secret = stub.credentials.headers()
    stub.pages["/page"] = answering(200, {**secret, "X-Seen": str(secret)})
    page = await server.ask("GET", f"hpcdask/proxy/{stub.cluster_id}/page")
    assert page.status == 200
    assert TOKEN_HEADER not in page.headers
    assert secret[TOKEN_HEADER] not in str(page.headers)


@pytest.mark.parametrize(
    ("to", "comes_back_as"),
    [
        ("/status?x=1", "PROXY/status?x=1"),
        ("status", "status"),
        ("OWN/status", "PROXY/status"),
        ("OWN/status?next=http://x/", "PROXY/status?next=http://x/"),
        ("//evil.example/", "//evil.example/"),
        ("https://evil.example/", "https://evil.example/"),
        ("OWN.evil.example/", "OWN.evil.example/"),
        ("OWN@evil.example/", "OWN@evil.example/"),
    ],
)
async def test_a_redirect_to_itself_stays_with_the_cluster(
    server: Server,
    dashboard: Dashboard,  # noqa: F811
    to: str,
    comes_back_as: str,
) -> None:
    """However the dashboard writes it; one that leads elsewhere is the browser's to follow, without credentials."""
    own = f"http://127.0.0.1:{dashboard.port}"
    location = to.replace("OWN", own) if "OWN." in to or "OWN@" in to else to.replace("OWN", own + dashboard.prefix)
    if to.startswith("/status"):
        location = dashboard.prefix + to
    dashboard.redirect = location
    page = await server.ask("GET", f"hpcdask/proxy/{dashboard.cluster_id}/elsewhere")
    expected = comes_back_as.replace("PROXY", f"/a%40b/hpcdask/proxy/{dashboard.cluster_id}").replace("OWN", own)
    assert (page.status, page.headers["Location"]) == (302, expected)

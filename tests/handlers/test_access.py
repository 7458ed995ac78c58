"""Who may ask: every route there is, with nothing, with a cookie, with too few permissions."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest
from jupyter_server.auth import Authorizer
from tornado.httpclient import HTTPClientError

from hpcdask_ext.handlers.routes import ROUTES

from .conftest import Server

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
POST_ONLY = tuple(
    f"hpcdask/api/clusters/{what}" for what in ("adopt", "preview", "0123456789/groups", "0123456789/keep")
)
CHANGES = (
    ("POST", "clusters"),
    ("POST", "clusters/preview"),
    ("POST", "clusters/adopt"),
    ("POST", "clusters/0123456789/groups"),
    ("POST", "clusters/0123456789/keep"),
    ("PATCH", "clusters/0123456789"),
    ("DELETE", "clusters/0123456789"),
)
"""What needs the permission to write; a preview may ask the batch system whether it would take the job."""


def paths() -> list[str]:
    """Return an address for each route of the table."""
    return [
        re.sub(r"\(\.\*\)", "status", pattern).replace("([^/]+)", "0123456789").lstrip("/") for pattern, _ in ROUTES
    ]


def test_the_table_has_the_routes_of_the_reference() -> None:
    assert sorted(paths()) == [
        "hpcdask/api/clusters",
        "hpcdask/api/clusters/0123456789",
        "hpcdask/api/clusters/0123456789/groups",
        "hpcdask/api/clusters/0123456789/keep",
        "hpcdask/api/clusters/0123456789/logs",
        "hpcdask/api/clusters/adopt",
        "hpcdask/api/clusters/preview",
        "hpcdask/api/sites",
        "hpcdask/proxy/0123456789/status",
    ]


@pytest.mark.parametrize("path", paths())
async def test_without_a_token_no_route_answers_any_method(server: Server, path: str) -> None:
    """Not even whether there is such a cluster. A page sends a person to the login instead."""
    for method in METHODS:
        body = "{}" if method in ("POST", "PATCH", "PUT") else None
        for headers in ({}, {"Authorization": "token wrong"}, {"Cookie": "username-localhost=x"}):
            answer = await server.ask(method, path, body, auth=False, headers=headers)
            if method == "OPTIONS":
                assert answer.text in ("", "Method Not Allowed"), "it is answered to everybody, and tells nothing"
                continue
            is_page = path.startswith("hpcdask/proxy")
            # A method that a route does not have is 405 whoever asks.
            usual = "GET" if is_page else "POST" if path in POST_ONLY else "GET POST"
            others = (405,) if method not in usual.split() else ()
            assert answer.status in ((302, 403) if is_page else (403,)) + others, (method, answer)
            if answer.status == 302:
                assert "/login?" in answer.headers["Location"]
            assert "0123456789'" not in answer.text


async def test_without_a_token_a_launch_launches_nothing(server: Server) -> None:
    assert (await server.ask("POST", "hpcdask/api/clusters", {}, auth=False)).status == 403
    assert await server.get("clusters") == {"clusters": []}


async def test_a_browser_needs_the_xsrf_token_where_it_changes_something(server: Server) -> None:
    token = server.app.identity_provider.token
    login = await server.ask("GET", "api/status", auth=False, params={"token": token})
    cookie = login.headers["Set-Cookie"].split(";")[0]
    browser = {"Cookie": cookie}
    seen = await server.ask("GET", "hpcdask/api/clusters", auth=False, headers=browser)
    assert seen.status == 200, "the cookie lets in"
    for method, path in CHANGES:
        body = "{}" if method != "DELETE" else None
        answer = await server.ask(method, f"hpcdask/api/{path}", body, auth=False, headers=browser)
        assert answer.status == 403
        assert "_xsrf" in answer.text


class Limited(Authorizer):
    """Lets everybody do with us what `actions` has, and all else."""

    actions: ClassVar[set[str]] = set()
    asked: ClassVar[set[tuple[str, str]]] = set()

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.add((action, resource))
        return action in self.actions


class TestPermissions:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["ServerApp"]["authorizer_class"] = Limited
        Limited.asked.clear()
        return jp_server_config

    async def test_who_may_only_read_sees_and_changes_nothing(self, server: Server) -> None:
        Limited.actions = {"read"}
        assert await server.get("clusters") == {"clusters": []}
        assert len((await server.get("sites"))["sites"]) == 1
        await self.changes_nothing(server)
        assert Limited.asked == {("read", "hpcdask"), ("write", "hpcdask")}

    async def test_who_may_do_nothing_with_us_sees_nothing(self, server: Server, jp_ws_fetch: Any) -> None:
        Limited.actions = set()
        for path in paths():
            method, body = ("POST", "{}") if path in POST_ONLY else ("GET", None)
            assert (await server.ask(method, path, body)).status == 403
        await self.changes_nothing(server)
        with pytest.raises(HTTPClientError) as caught:
            await jp_ws_fetch("hpcdask/proxy/0123456789/status/ws")
        assert caught.value.code == 403

    async def changes_nothing(self, server: Server) -> None:
        for method, path in CHANGES:
            body = "{}" if method != "DELETE" else None
            assert (await server.ask(method, f"hpcdask/api/{path}", body)).status == 403

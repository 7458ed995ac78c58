"""Who may ask dask-labextension's routes: nobody who may not ask ours, and nobody at all unless it is configured."""

from __future__ import annotations

from typing import Any

import pytest

from hpcdask_ext.handlers.routes import LABEXTENSION_ROUTES

from .conftest import Server
from .test_access import METHODS, Limited


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any]) -> dict[str, Any]:
    jp_server_config["HPCDaskApp"]["answer_dask_labextension"] = True
    return jp_server_config


async def listed(server: Server) -> list[dict[str, Any]]:
    answer = await server.ask("GET", "dask/clusters")
    assert answer.status == 200, answer
    models: list[dict[str, Any]] = answer.json
    return models


def paths() -> list[tuple[str, str]]:
    """Return an address for each route, with the methods that the front end uses there."""
    fill = {"([^/]+)": "0123456789", "(.*)": "status", "(.+)": "http%3A%2F%2Fx", "/?": "", "\\.": "."}
    methods = {"/dask/clusters/?": "GET PUT", "/dask/clusters/([^/]+)": "GET PATCH DELETE"}
    found = []
    for pattern, _ in LABEXTENSION_ROUTES:
        path = pattern
        for old, new in fill.items():
            path = path.replace(old, new)
        found.append((path.lstrip("/"), methods.get(pattern, "GET")))
    return found


@pytest.mark.parametrize(("path", "methods"), paths())
async def test_without_a_token_nothing_is_answered(server: Server, path: str, methods: str) -> None:
    for method in METHODS:
        answer = await server.ask(method, path, "{}" if method in ("POST", "PATCH", "PUT") else None, auth=False)
        if method == "OPTIONS":
            assert answer.text in ("", "Method Not Allowed"), "it is answered to everybody, and tells nothing"
        else:
            # A page sends a person to the login; a method that a route does not have is 405 whoever asks.
            assert answer.status in ((302, 403) if method in methods.split() else (302, 403, 405)), (method, answer)
    assert await listed(server) == []


async def test_a_browser_needs_the_xsrf_token_where_it_changes_something(server: Server) -> None:
    token = server.app.identity_provider.token
    login = await server.ask("GET", "api/status", auth=False, params={"token": token})
    browser = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}
    assert (await server.ask("GET", "dask/clusters", auth=False, headers=browser)).status == 200
    for method, path in (("PUT", ""), ("PATCH", "/0123456789"), ("DELETE", "/0123456789")):
        body = None if method == "DELETE" else "{}"
        answer = await server.ask(method, f"dask/clusters{path}", body, auth=False, headers=browser)
        assert (answer.status, "_xsrf" in answer.text) == (403, True)
    assert await listed(server) == []


class TestPermissions:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["ServerApp"]["authorizer_class"] = Limited
        Limited.asked.clear()
        return jp_server_config

    async def test_who_may_only_read_changes_nothing(self, server: Server) -> None:
        Limited.actions = {"read"}
        assert await listed(server) == []
        for method, path in (("PUT", ""), ("PATCH", "/0123456789"), ("DELETE", "/0123456789")):
            body = None if method == "DELETE" else "{}"
            assert (await server.ask(method, f"dask/clusters{path}", body)).status == 403
        assert Limited.asked == {("read", "hpcdask"), ("write", "hpcdask")}

    async def test_who_may_do_nothing_with_us_sees_nothing(self, server: Server) -> None:
        Limited.actions = set()
        assert [(await server.ask("GET", path)).status for path, _ in paths()] == [403] * len(paths())


class TestSwitchedOff:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        del jp_server_config["HPCDaskApp"]["answer_dask_labextension"]
        return jp_server_config

    async def test_nothing_is_answered_unless_an_administrator_wants_it(self, server: Server) -> None:
        assert [(await server.ask("GET", path)).status for path, _ in paths()] == [404] * len(paths())

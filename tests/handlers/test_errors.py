"""Bad input: which status, and what exactly the body says."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Server

CLUSTERS = "hpcdask/api/clusters"
NOBODY = "0123456789"
FORGOTTEN = f"There is no cluster '{NOBODY}': it may have been forgotten in another window."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "The body is not JSON: "),
        ("size: small", "The body is not JSON: "),
        (b"\xff\xfe", "The body is not JSON: "),
        ("[]", "The body is not a JSON object."),
        ('"small"', "The body is not a JSON object."),
        ("null", "The body is not a JSON object."),
        ("5", "The body is not a JSON object."),
        ("[" * 100_000, "The body is not JSON: "),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_a_body_that_is_no_json_object_is_400(server: Server, body: Any, message: str) -> None:
    answer = await server.ask("POST", CLUSTERS, body)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/json")
    assert set(answer.json) == {"message", "reason", "errors"}
    assert answer.json["message"].startswith(message)
    assert answer.json["errors"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"{CLUSTERS}/{NOBODY}"), ("PATCH", f"{CLUSTERS}/{NOBODY}"), ("DELETE", f"{CLUSTERS}/{NOBODY}"),
     ("GET", f"{CLUSTERS}/{NOBODY}/logs")],
)  # fmt: skip
async def test_a_cluster_that_is_not_tracked_is_404(server: Server, method: str, path: str) -> None:
    answer = await server.ask(method, path, {} if method == "PATCH" else None)
    assert (answer.status, answer.json) == (404, {"message": FORGOTTEN, "reason": "not found", "errors": []})


@pytest.mark.parametrize("cluster_id", ["..", "%2e%2e", "..%2f..", "x%00", "x%0a", "%C3%BC", "<b>", "x" * 2000])
async def test_an_id_that_is_none_is_404_whatever_it_tries(server: Server, cluster_id: str) -> None:
    for path in (f"{CLUSTERS}/{cluster_id}", f"{CLUSTERS}/{cluster_id}/logs", f"hpcdask/proxy/{cluster_id}/status"):
        assert (await server.ask("GET", path)).status == 404


async def test_an_unknown_site_alone_is_404_and_names_the_field(server: Server) -> None:
    answer = await server.ask("POST", CLUSTERS, {"site": "nowhere"})
    message = "Unknown site 'nowhere'. Available: local"
    assert (answer.status, answer.json) == (
        404,
        {"message": message, "reason": "not found", "errors": [{"field": "site", "message": message}]},
    )


async def test_every_field_that_is_wrong_is_in_one_422(server: Server) -> None:
    limits = (await server.get("sites"))["sites"][0]["queues"][0]["limits"]
    body = {
        "queue": "fast",
        "size": {"workers": 0, "cores": 0, "memory": "much"},
        "environment": "pyton3",
        "name": "a\nb",
        "walltime": "soon",
        "layout": "spread",
        "options": {"qos": "high"},
        "scaling": {"workers": -1},
        "colour": 1,
    }
    answer = await server.ask("POST", CLUSTERS, body)
    fields = {error["field"] for error in answer.json["errors"]}
    assert answer.status == 422
    assert fields == {
        "queue", "size.workers", "size.cores", "size.memory", "environment", "name", "walltime", "layout",
        "options.qos", "scaling.workers", "colour",
    }  # fmt: skip
    assert (answer.json["message"], answer.json["reason"]) == (f"{len(fields)} fields are wrong", "invalid")
    too_many = {
        "size": {"workers": limits["workers"] + 1, "cores": limits["cores"] + 1, "memory": limits["memory"] + 1}
    }
    answer = await server.ask("POST", CLUSTERS, too_many)
    told = {error["field"]: error["message"] for error in answer.json["errors"]}
    assert set(told) == {"size.workers", "size.cores", "size.memory"}
    assert told["size.workers"].endswith(f"more than the queue local allows: {limits['workers']}")
    assert (await server.get("clusters")) == {"clusters": []}


async def test_one_field_that_is_wrong_is_told_in_the_message_too(server: Server) -> None:
    answer = await server.ask("POST", CLUSTERS, {"queue": "lokal"})
    message = "Unknown queue 'lokal'. Available: local"
    assert (answer.status, answer.json) == (
        422,
        {"message": message, "reason": "invalid", "errors": [{"field": "queue", "message": message}]},
    )


@pytest.mark.parametrize(
    "body",
    [{"a.b": 1}, {"size.workers": 1}, {"walltime": 10**20}, {"size": {"workers": 1, "cores": 1, "memory": 10**400}}],
)
async def test_what_nobody_would_ask_for_is_422_as_well(server: Server, body: dict[str, Any]) -> None:
    answer = await server.ask("POST", CLUSTERS, body)
    assert answer.status == 422
    assert len(answer.json["errors"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", CLUSTERS), ("DELETE", CLUSTERS), ("PATCH", CLUSTERS), ("POST", "hpcdask/api/sites"),
     ("POST", f"{CLUSTERS}/{NOBODY}"), ("POST", f"{CLUSTERS}/{NOBODY}/logs"),
     ("POST", f"hpcdask/proxy/{NOBODY}/status"),
     ("PUT", f"hpcdask/proxy/{NOBODY}/"), ("DELETE", f"hpcdask/proxy/{NOBODY}/"), ("PATCH", f"hpcdask/proxy/{NOBODY}/"),
     ("OPTIONS", f"hpcdask/proxy/{NOBODY}/status")],
)  # fmt: skip
async def test_a_method_that_a_route_does_not_have_is_405(server: Server, method: str, path: str) -> None:
    assert (await server.ask(method, path, "" if method in ("POST", "PUT", "PATCH") else None)).status == 405


async def test_the_sites_are_this_machine_with_the_kernels_of_this_server(server: Server) -> None:
    answer = await server.get("sites")
    (site,) = answer["sites"]
    assert answer["problems"] == []
    assert (site["name"], site["batch_system"], site["layouts"]) == ("local", "local", ["elastic", "allocation"])
    assert [queue["name"] for queue in site["queues"]] == ["local"]
    assert site["sizes"][0] == {
        **site["sizes"][0],
        "name": "small",
        "workers": 2,
        "workers_per_job": 1,
        "walltime": None,
    }
    assert site["environments"][0]["name"] == "python3"
    assert "echo" not in {environment["name"] for environment in site["environments"]}
    assert site["defaults"] == {
        "queue": "local", "size": "small", "workers": 2, "account": None, "environment": "python3", "layout": "elastic",
        "walltime": None, "scaling": {"mode": "fixed", "workers": 2},
    }  # fmt: skip
    assert set(site) == {
        "name", "title", "description", "batch_system", "layouts", "scheduler", "queues", "sizes", "environments",
        "accounts", "options", "defaults", "kind", "limits", "idle_timeout",
    }  # fmt: skip

"""What a gateway declares and refuses, at the fields of the form; and sites that cannot be used."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import JupyterServer, until

from .conftest import Serve, site_of
from .server import GatewayServer


def errors(server: JupyterServer, **body: Any) -> dict[str, str]:
    """Return what a launch is refused for, by field."""
    response = server.http.post("hpcdask/api/clusters", json={"site": "gw", **body})
    assert response.status_code == 422, response.text
    return {error["field"]: error["message"] for error in response.json()["errors"]}


def test_the_form_has_what_the_gateway_declares(server: JupyterServer) -> None:
    answer = server.ask("GET", "sites")
    (site,) = answer["sites"]
    assert answer["problems"] == []
    assert (site["kind"], site["queues"], site["sizes"], site["environments"]) == ("gateway", [], [], [])
    assert site["defaults"]["workers"] == 2
    fields = ("type", "title", "default", "minimum", "maximum", "choices")
    assert {option["name"]: tuple(option[field] for field in fields) for option in site["options"]} == {
        "worker_cores": ("integer", "Worker cores", 1, 1, 4, []),
        "worker_memory": ("number", "Worker memory (GiB)", 0.5, 0.25, 8, []),
        "image": ("string", "Image", "daskgateway/dask-gateway:latest", None, None, []),
        "partition": ("choice", "Partition", "small", None, None, ["small", "large"]),
        "spot": ("boolean", "Cheaper nodes", False, None, None, []),
        "environment": ("string", "Environment variables", "{}", None, None, []),
    }
    assert "TEST_GATEWAY" not in str(answer)


def test_every_wrong_value_is_told_at_its_field_before_anything_is_submitted(
    gateway: GatewayServer, server: JupyterServer
) -> None:
    options = {
        "worker_cores": 5,
        "worker_memory": "much",
        "partition": "huge",
        "spot": "yes",
        "environment": "[]",
        "mistaken": 1,
    }
    found = errors(server, options=options, queue="q", size="small", scaling={"mode": "fixed", "workers": -1})
    assert found.keys() == {*(f"options.{name}" for name in options), "queue", "size", "scaling.workers"}
    assert "above the maximum of 4" in found["options.worker_cores"]
    assert errors(server, options={"environment": '{"A": }'}).keys() == {"options.environment"}
    assert server.ask("POST", "clusters/preview", {"site": "gw", "options": {"environment": "{1}"}})["valid"] is False
    assert server.ask("POST", "clusters/preview", {"site": "gw"})["valid"] is True
    assert errors(server, layout="allocation").keys() == {"layout"}
    assert errors(server, script={"path": "a.py"}).keys() >= {"script"}
    assert gateway.clusters("alice") == {}


def test_what_only_the_gateway_knows_to_be_wrong_leaves_no_record(
    gateway: GatewayServer, server: JupyterServer
) -> None:
    assert errors(server, options={"image": "forbidden"}) == {
        "options.image": "The gateway refused: the image 'forbidden' is not allowed for alice."
    }
    assert errors(server, options={"worker_memory": 7.5}) == {
        "options": "The gateway refused: This project may not use workers that large."
    }
    assert server.ask("GET", "clusters")["clusters"] == []
    assert gateway.clusters("alice") == {}


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    """Return a port on which somebody listens who never says anything, and one where nobody does."""
    with socket.socket() as silent, socket.socket() as closed:
        for one in (silent, closed):
            one.bind(("127.0.0.1", 0))
        silent.listen(50)
        yield {"silent": silent.getsockname()[1], "closed": closed.getsockname()[1]}


def test_gateways_that_cannot_be_used_say_why_and_keep_nobody_waiting(
    gateway: GatewayServer, serve: Serve, ports: dict[str, int]
) -> None:
    server = serve(
        gw=site_of(gateway, password="not the one"),
        local="{name: local, batch_system: local, queues: [{name: local}], "
        "sizes: [{name: one, workers: 1, cores: 1, memory: 256 MiB}]}",
        hangs=f"{{name: hangs, kind: gateway, address: 'http://127.0.0.1:{ports['silent']}'}}",
        down=f"{{name: down, kind: gateway, address: 'http://127.0.0.1:{ports['closed']}'}}",
        page=f"{{name: page, kind: gateway, address: '{gateway.address}/elsewhere'}}",
        variable="{name: variable, kind: gateway, address: 'http://{NOT_SET}:8000'}",
        broken="{name: broken, kind: gateway, address: 'http://127.0.0.1:1', "
        "auth: {type: tests.gateway.no_such.Login, kwargs: {word: secret}}}",
        nowhere="{name: nowhere, kind: gateway}",
    )
    began = time.monotonic()
    sites = server.ask("GET", "sites")["sites"]
    took = time.monotonic() - began
    assert [site["name"] for site in sites if site["sizes"]] == ["local"]
    # The gateway is given up after 8 seconds.
    assert took < 7, "the other sites are shown meanwhile"
    messages: dict[str, str] = {}

    def all_told() -> bool:
        problems = server.ask("GET", "sites")["problems"]
        messages.update({problem["file"]: problem["message"] for problem in problems})
        return messages.keys() == {site["name"] for site in sites} - {"local"}

    until(all_told, 40)
    assert "did not answer in 8 s" in messages["hangs"]
    assert "cannot be reached" in messages["down"]
    assert "Something other than a Dask Gateway answers" in messages["page"]
    assert "NOT_SET' is not set" in messages["variable"]
    assert "no_such" in messages["broken"]
    assert "neither the site file nor your gateway.yaml says its address" in messages["nowhere"]
    assert "did not accept the login (401" in messages["gw"]
    assert "password" in messages["gw"]
    assert not [word for word in ("secret", "not the one") if word in str(messages)]
    assert "did not accept the login" in errors(server)["options"]
    assert server.ask("GET", "clusters")["clusters"] == []

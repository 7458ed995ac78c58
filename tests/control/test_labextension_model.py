"""The code that dask-labextension's own front end makes of our model: it connects, and nothing in it becomes code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.clusters.models import Cluster, Job, TLSFiles
from hpcdask_ext.clusters.states import ClusterState, Role
from hpcdask_ext.control.labextension_model import change_of, labextension_model, scheduler_address
from hpcdask_ext.sites.gateway import GatewayAuth, GatewaySite
from tests.conftest import record
from tests.labextension import auto_started_code, inserted_code

HOSTILE = [
    "with space", 'quote"s', "apostrophe's", "back\\slash", "new\nline", "tab\t", "größe", "\u2028", "{braces}",
    "${dollar}", "`tick`", '"); import os; ("', "'}); import os; ({'", "\\", '\\"', "#", "\x7f",
]  # fmt: skip


def call_in(code: str) -> tuple[Any, dict[str, Any]]:
    """Return the only argument and the keyword arguments of the `Client` that the code makes, and does nothing else."""
    statements = ast.parse(code).body
    assert [type(one) for one in statements] == [ast.ImportFrom, ast.Assign, ast.Expr]
    call = statements[1].value  # type: ignore[attr-defined]
    assert isinstance(call, ast.Call)
    assert ast.unparse(call.func) == "Client"
    (address,) = [ast.literal_eval(argument) for argument in call.args]
    return address, {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}


def own_files(directory: Path) -> dict[str, str]:
    certificate, key = str(directory / "tls-cert.pem"), str(directory / "tls-key.pem")
    return {"tls_ca_file": certificate, "tls_client_cert": certificate, "tls_client_key": key}


@pytest.mark.parametrize("folder", HOSTILE)
def test_ours_connect_with_their_certificate_wherever_it_lies(folder: str) -> None:
    directory = Path("/scratch") / folder / "0123456789"
    cluster = record(directory, address="tls://[fe80::1]:4567")
    address, arguments = call_in(inserted_code(scheduler_address(cluster, None)))
    assert address == "tls://[fe80::1]:4567"
    expected = {"security": own_files(directory), "scheduler_file": str(directory / "scheduler.json")}
    assert arguments == expected


def test_a_pending_cluster_has_no_address_but_a_file_to_wait_for() -> None:
    address, arguments = call_in(inserted_code(scheduler_address(record(Path("/c/0123456789")), None)))
    assert address == "not known yet"
    assert arguments["scheduler_file"] == "/c/0123456789/scheduler.json"


@pytest.mark.parametrize("text", HOSTILE)
def test_an_address_that_a_foreign_scheduler_tells_is_text_and_no_code(text: str) -> None:
    cluster = adopted(address=f"tcp://{text}:8786")
    assert call_in(inserted_code(scheduler_address(cluster, None))) == (f"tcp://{text}:8786", {})


def test_an_adopted_cluster_with_tls_files_connects_with_those() -> None:
    cluster = adopted(address="tls://ten:8786", tls=TLSFiles(ca=Path("/ca'.pem"), key=Path("/key.pem")))
    expected = {"security": {"tls_ca_file": "/ca'.pem", "tls_client_key": "/key.pem"}, "name": cluster.id}
    assert call_in(inserted_code(scheduler_address(cluster, None))) == ("tls://ten:8786", expected)


def test_a_cluster_class_connects_with_the_files_that_it_wrote_if_it_uses_tls() -> None:
    plain = record(Path("/c/0123456789"), kind="factory", address="tcp://ten:8786")
    assert call_in(inserted_code(scheduler_address(plain, None))) == ("tcp://ten:8786", {})
    encrypted = plain.model_copy(update={"address": "tls://ten:8786"})
    _, arguments = call_in(inserted_code(scheduler_address(encrypted, None)))
    assert arguments["security"]["tls_client_key"] == "/c/0123456789/client-key.pem"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cluster_of_a_gateway_is_connected_through_that(text: str) -> None:
    site = GatewaySite(
        name="gw",
        address="https://gw.example:443/{ME}",
        auth=GatewayAuth(type="basic", kwargs={"username": text, "password": "hidden"}),
    )
    name = f"gw.{text}"
    job = Job(tag="cluster", name="x", role=Role.ALLOCATION, place="batch", id=name)
    cluster = record(Path("/c"), kind="gateway", address=f"gateway://gw:8786/{text}", jobs=(job,))
    code = inserted_code(scheduler_address(cluster, site))
    call = ast.parse(code).body[1].value  # type: ignore[attr-defined]
    shown, configured, connected = call.args[0].values
    assert ast.literal_eval(shown) == f"gateway://gw:8786/{text}"
    assert ast.literal_eval(configured.args[0]) == {"gateway.auth.kwargs.username": text}
    assert ast.literal_eval(connected.args[0]) == name
    opened = ast.unparse(connected.func)
    assert opened.startswith("__import__('dask_gateway').Gateway(address='https://gw.example:443/{ME}'.format(")
    assert opened.endswith("auth='basic').connect")
    assert [keyword.arg for keyword in call.keywords] == ["name"]
    assert "hidden" not in code
    with pytest.raises(SyntaxError):
        ast.parse(auto_started_code(scheduler_address(cluster, site)))


@pytest.mark.parametrize("text", HOSTILE)
def test_what_runs_in_every_kernel_becomes_no_code_either(text: str) -> None:
    code = ast.parse(auto_started_code(scheduler_address(adopted(address=f"tcp://{text}:8786"), None)))
    (settings,) = [node for node in ast.walk(code) if isinstance(node, ast.Dict)]
    assert [type(node) for node in settings.values] == [ast.Constant]
    assert len(code.body) == 4


@pytest.mark.parametrize("text", HOSTILE)
def test_what_runs_in_every_kernel_does_nothing_where_an_address_is_not_enough(text: str) -> None:
    """Otherwise it would leave an address in Dask's configuration at which no other client connects."""
    tls = TLSFiles(ca=Path(text))
    for cluster in (record(Path("/scratch") / text), adopted(address="tls://ten:8786", tls=tls)):
        with pytest.raises(SyntaxError):
            ast.parse(auto_started_code(scheduler_address(cluster, None)))


def test_auto_start_connects_where_an_address_is_all_it_takes() -> None:
    code = auto_started_code(scheduler_address(adopted(address="tcp://10.0.0.1:8786"), None))
    assert "dask.config.set({'scheduler-address': 'tcp://10.0.0.1:8786'})" in code


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"state": ClusterState.SUBMITTING}, "small-1, submitting"),
        ({"state": ClusterState.PENDING, "reason": "Waiting (Priority)"}, "small-1, pending: Waiting (Priority)"),
        ({"state": ClusterState.RUNNING}, "small-1, 0 of 1 workers"),
        ({"state": ClusterState.RUNNING, "reachable": False}, "small-1, cannot be reached now"),
    ],
)
def test_how_far_a_cluster_is_stands_behind_its_name(changes: dict[str, Any], title: str) -> None:
    assert model(record(Path("/c"), **changes))["name"] == title


def test_the_name_stands_alone_once_all_workers_are_there() -> None:
    cluster = record(Path("/c"), state=ClusterState.RUNNING).with_group("workers", connected=1)
    assert model(cluster)["name"] == "small-1"


@pytest.mark.parametrize(
    ("changed", "scaling"),
    [
        ({"workers": 4, "adapt": None}, {"mode": "fixed", "workers": 4}),
        ({"workers": None, "adapt": None}, {"mode": "fixed", "workers": None}),
        ({"workers": 4}, {"mode": "fixed", "workers": 4}),
        (
            {"workers": 4, "adapt": {"minimum": 1, "maximum": 8}},
            {"mode": "adaptive", "minimum": 1, "maximum": 8},
        ),
        ({"adapt": [1, 2]}, {"mode": "adaptive", "minimum": None, "maximum": None}),
    ],
)
def test_what_the_dialog_for_scaling_sends_is_a_change_of_ours(changed: Any, scaling: Any) -> None:
    assert change_of(changed) == {"scaling": scaling}


def adopted(**changes: Any) -> Cluster:
    return record(Path("/c/0123456789"), kind="adopted", **changes)


def model(cluster: Cluster) -> dict[str, Any]:
    return labextension_model(cluster, None, "/")

"""An adopted cluster that goes away, comes back, and is forgotten; and a Jupyter server that is restarted."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .dask import Start
from .jupyter import Jupyter

GONE = re.compile(r"The scheduler's dashboard did not answer \(\w+\)\. If the cluster has ended, forget it\.")


@pytest.fixture
def own_jupyter(tmp_path: Path) -> Iterator[Jupyter]:
    server = Jupyter(tmp_path / "jupyter", {})
    server.start()
    yield server
    server.end()


def test_a_scheduler_that_goes_away_is_never_taken_for_ended_and_comes_back(jupyter: Jupyter, start: Start) -> None:
    dask = start()
    cluster_id = jupyter.adopt(address=dask.address, dashboard=dask.dashboard)["id"]
    port, dashboard = dask.port, dask.told["services"]["dashboard"]
    dask.kill()
    gone = jupyter.wait(cluster_id, reachable=False)
    assert (gone["state"], gone["can_forget"]) == ("running", True)
    assert GONE.fullmatch(gone["reason"])
    assert gone["unreachable_since"] is not None
    refused = jupyter.http.delete(f"hpcdask/api/clusters/{cluster_id}")
    name = gone["name"]
    expected = f"“{name}” does not answer now: stop it once it does, or forget it if it has ended. The scheduler's"
    assert (refused.status_code, refused.json()["message"].startswith(expected)) == (409, True)
    page = jupyter.http.get(f"hpcdask/proxy/{cluster_id}/status")
    assert (page.status_code, page.text.startswith("The dashboard does not answer.")) == (502, True)

    dask.start(port=port, dashboard=dashboard)
    dask.start_worker()
    back = jupyter.wait(cluster_id, reachable=True, cores=2)
    assert (back["state"], back["reason"], back["unreachable_since"]) == ("running", "", None)
    assert back["workers"] == {"requested": 1, "pending": 0, "running": 1}


def test_a_restarted_server_keeps_what_it_adopted_also_what_is_gone(own_jupyter: Jupyter, start: Start) -> None:
    stays, goes = start(workers=1), start()
    first = own_jupyter.adopt(address=stays.address, name="stays")
    second = own_jupyter.adopt(address=goes.address, name="goes")
    goes.kill()
    since = own_jupyter.wait(second["id"], reachable=False)["unreachable_since"]
    own_jupyter.restart(signal.SIGKILL)
    assert own_jupyter.cluster(first["id"]).items() >= {"kind": "adopted", "state": "running", "cores": 2}.items()
    gone = own_jupyter.cluster(second["id"])
    assert (gone["state"], gone["reachable"], gone["unreachable_since"]) == ("running", False, since)
    own_jupyter.forget(second["id"])
    stays.start_worker()
    own_jupyter.wait(first["id"], cores=4)
    own_jupyter.ask("DELETE", f"clusters/{first['id']}")
    own_jupyter.wait_for(first["id"], "stopped")


def test_to_stop_it_never_ends_another_scheduler_that_has_its_place(jupyter: Jupyter, start: Start) -> None:
    dask = start()
    places = {"port": dask.port, "dashboard": dask.told["services"]["dashboard"]}
    cluster_id = jupyter.adopt(address=dask.address)["id"]
    dask.kill()
    dask.start(**places)
    jupyter.wait(cluster_id, reachable=True)
    jupyter.ask("DELETE", f"clusters/{cluster_id}")
    assert jupyter.wait_for(cluster_id, "stopped")["warnings"] == []
    assert not dask.has_ended()
    assert jupyter.adopt(address=dask.address)["state"] == "running", "it is another cluster"

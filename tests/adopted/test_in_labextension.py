"""Adopted clusters in dask-labextension's own list, whose routes we answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.labextension import auto_started_code, inserted_code
from tests.servers import run_client

from .dask import Dask, Files
from .jupyter import Jupyter

COMPUTE = "print(client.submit(sum, [1, 2]).result())"


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Jupyter]:
    """Return a server that answers its routes."""
    server = Jupyter(tmp_path / "answering", {}, extensions={"dask_labextension": False})
    server.configure(HPCDaskApp={"answer_dask_labextension": True})
    server.start()
    yield server
    server.end()


def test_what_its_front_end_inserts_connects(answering: Jupyter, plain: Dask, secure: Dask, files: Files) -> None:
    adopted = [answering.adopt(address=plain.address), answering.adopt(address=secure.address, tls=files.body)]
    models = {model["id"]: model for model in answering.http.get("dask/clusters").json()}
    addresses = [models[cluster["id"]]["scheduler_address"] for cluster in adopted]
    assert addresses[0] == plain.address
    assert [run_client(inserted_code(address), COMPUTE) for address in addresses] == ["3", "3"]
    assert run_client(auto_started_code(addresses[0]), COMPUTE) == "3"
    check = answering.http.get(f"dask/dashboard-check/{quote(f'{plain.dashboard}/status', safe='')}").json()
    assert (check["isActive"], check["effectiveUrl"]) == (True, f"/dask/dashboard/{adopted[0]['id']}")
    answering.forget_all()
    assert answering.http.get("dask/clusters").json() == []
    check = answering.http.get(f"dask/dashboard-check/{quote(plain.dashboard, safe='')}").json()
    assert check["isActive"] is False, "what is tracked no more is asked no more"

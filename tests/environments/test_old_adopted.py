"""A cluster of somebody else with an older `distributed` than the server's: found, watched and stopped as any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adopted.dask import Dask
from tests.adopted.jupyter import Jupyter
from tests.servers import until


@pytest.fixture
def dask(old_python: Path, tmp_path: Path) -> Iterator[Dask]:
    dask = Dask(tmp_path / "dask", python=str(old_python), plots=True, nannies=True)
    yield dask.start(workers=1)
    dask.end()


def test_an_old_cluster_is_adopted_and_stopped(dask: Dask, tmp_path: Path) -> None:
    jupyter = Jupyter(tmp_path / "jupyter", {})
    jupyter.start()
    try:
        cluster = jupyter.adopt(address=dask.address)
        assert (cluster["cores"], cluster["memory"], cluster["workers"]["running"]) == (2, 2**28, 1)
        dask.start_worker()
        jupyter.wait(cluster["id"], cores=4)
        assert "<title>Dask" in jupyter.http.get(f"{cluster['dashboard_url']}status").text
        jupyter.ask("DELETE", f"clusters/{cluster['id']}")
        jupyter.wait_for(cluster["id"], "stopped")
        until(dask.has_ended)
    finally:
        jupyter.end()

"""Clusters of others, and Jupyter servers that adopt them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .dask import Dask, Files, Start, make_files
from .jupyter import Jupyter


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make_files(tmp_path_factory.mktemp("tls") / "somebody")


@pytest.fixture(scope="session")
def other_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make_files(tmp_path_factory.mktemp("tls") / "another")


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """Return a cluster without TLS that no test ends."""
    dask = Dask(tmp_path_factory.mktemp("plain"), plots=True)
    yield dask.start(workers=1)
    dask.end()


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory, files: Files) -> Iterator[Dask]:
    """Return a cluster with TLS that no test ends."""
    dask = Dask(tmp_path_factory.mktemp("secure"), files)
    yield dask.start(workers=1)
    dask.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a starter of clusters that the test may end."""
    started: list[Dask] = []

    def start(workers: int = 0, *, port: int = 0, **options: object) -> Dask:
        started.append(Dask(tmp_path / f"dask{len(started)}", **options))  # type: ignore[arg-type]
        return started[-1].start(workers, port)

    yield start
    for dask in started:
        dask.end()


@pytest.fixture(scope="session")
def session_jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), {}, base_url="/a@b/")
    server.start()
    yield server
    server.end()


@pytest.fixture
def jupyter(session_jupyter: Jupyter) -> Iterator[Jupyter]:
    """Return a Jupyter server that tracks nothing, and that no test ends."""
    yield session_jupyter
    session_jupyter.forget_all()

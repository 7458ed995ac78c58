"""What all tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from hpcdask_ext.clusters.groups import FixedScaling, WorkerShape
from hpcdask_ext.clusters.models import GENERATION, Cluster, Environment
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.store import new_id

HERE = Environment(name="python3", title="Python 3", argv=(sys.executable,))
"""The environment in which the tests run; it has `distributed`."""


def record(directory: Path, **changes: object) -> Cluster:
    """Return the record of a small local cluster, but for the fields that are given."""
    values: dict[str, object] = {
        "id": new_id(),
        "generation": GENERATION,
        "name": "small-1",
        "site": "local",
        "site_title": "This machine",
        "queue": "local",
        "size": "small",
        "environment": HERE,
        "shape": WorkerShape(cores=1, memory=2**28),
        "scaling": FixedScaling(workers=1),
        "directory": directory,
        "created": datetime.now(timezone.utc),
        "state": ClusterState.STARTING,
    }
    return Cluster(**(values | changes))


@pytest.fixture
def make_record() -> Callable[..., Cluster]:
    """Return `record`."""
    return record

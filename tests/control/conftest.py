"""A cluster to observe, and a site whose batch system is a conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hpcdask_ext.clusters.groups import FixedScaling, WorkerShape
from hpcdask_ext.clusters.models import GENERATION, Cluster, Element, Environment, Job
from hpcdask_ext.clusters.states import ClusterState, Role
from hpcdask_ext.clusters.store import ClusterStore
from hpcdask_ext.control.catalogue import Catalogue
from hpcdask_ext.control.manager import ClusterManager
from hpcdask_ext.launchers.job_request import Directories
from hpcdask_ext.sites.load import SiteFiles

from .conversation import SITE, SPECS, Batch

START = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)


def after(seconds: float) -> datetime:
    """Return the moment so many seconds after the launch."""
    return START + timedelta(seconds=seconds)


def job(tag: str, count: int, place: str = "batch", job_id: str | None = "7") -> Job:
    role = {"scheduler": Role.SCHEDULER, "allocation": Role.ALLOCATION}.get(tag, Role.WORKER)
    elements = {index: Element() for index in range(1, count + 1)}
    name = f"hpcdask-c-{tag}"
    submitted = START if job_id else None
    return Job(tag=tag, name=name, role=role, place=place, id=job_id, submitted=submitted, elements=elements)


@pytest.fixture
def make_cluster(tmp_path: Path) -> Callable[..., Cluster]:
    def make(*jobs: Job, **changes: object) -> Cluster:
        values: dict[str, object] = {
            "id": "c",
            "generation": GENERATION,
            "name": "test",
            "site": "centre",
            "site_title": "Centre",
            "queue": "regular",
            "walltime": timedelta(hours=1),
            "environment": Environment(name="python3", argv=("python",)),
            "shape": WorkerShape(cores=1, memory=2**30),
            "scaling": FixedScaling(workers=2),
            "directory": tmp_path,
            "created": START,
            "state": ClusterState.STARTING,
            "jobs": jobs or (job("scheduler", 1, "host", "s"), job("workers-1", 2)),
        }
        return Cluster(**(values | changes))

    return make


@pytest.fixture
def batch() -> Batch:
    return Batch()


@pytest.fixture
def new_manager(tmp_path: Path, batch: Batch) -> Callable[[], ClusterManager]:
    folder = tmp_path / "config" / "hpcdask" / "sites.d"
    folder.mkdir(parents=True)
    (folder / "centre.yaml").write_text(SITE)

    def make() -> ClusterManager:
        files, directories = SiteFiles([str(tmp_path / "config")]), Directories(tmp_path, tmp_path / "warm")
        catalogue = Catalogue(files, lambda: SPECS, batch, batch, directories)
        return ClusterManager(ClusterStore(tmp_path / "clusters"), catalogue, lambda *, data: events.append(data))

    events: list[dict[str, object]] = []
    make.events = events
    return make


@pytest.fixture
async def manager(new_manager: Callable[[], ClusterManager]) -> AsyncIterator[ClusterManager]:
    manager = new_manager()
    await manager.start()
    yield manager
    await manager.close()

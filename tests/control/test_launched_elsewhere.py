"""A cluster that another program, such as `jupyter hpcdask run`, is in the middle of launching."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from hpcdask_ext.clusters.models import Cluster, Process
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.store import ClusterStore
from hpcdask_ext.control.processes import is_another_alive, this_process
from hpcdask_ext.errors import WrongState

from .conftest import job
from .conversation import until

ID = "abcdefghjk"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def launched(other, make_cluster, tmp_path, monkeypatch) -> Cluster:
    monkeypatch.setattr("hpcdask_ext.control.tracking._LOOK", 0.05)
    started = psutil.Process(other.pid).create_time()
    process = Process(host=this_process().host, pid=other.pid, started=started)
    store = ClusterStore(tmp_path / "clusters")
    cluster = make_cluster(id=ID, directory=store.create(ID), launched_by=process, jobs=())
    cluster = cluster.model_copy(update={"state": ClusterState.SUBMITTING, "jobs": ()})
    store.save(cluster)
    return cluster


@pytest.fixture
async def manager(launched, new_manager):
    manager = new_manager()
    await manager.start()
    yield manager
    await manager.close()


async def test_it_is_left_alone_until_that_has_submitted_it(manager, launched, tmp_path):
    assert manager.get(ID).state is ClusterState.SUBMITTING
    with pytest.raises(WrongState, match="Another program is just launching"):
        await manager.stop(ID)
    submitted = launched.model_copy(update={"state": ClusterState.STARTING, "jobs": (job("workers-1", 2),)})
    ClusterStore(tmp_path / "clusters").save(submitted)
    await until(lambda: manager.get(ID).state is not ClusterState.SUBMITTING)
    assert manager.get(ID).outcome is None
    assert [kept.tag for kept in manager.get(ID).jobs] == ["workers-1"]


async def test_it_has_failed_once_that_has_died(manager, other):
    assert manager.get(ID).state is ClusterState.SUBMITTING
    other.kill()
    other.wait()
    await until(lambda: manager.get(ID).state is ClusterState.FAILED)
    assert "while this cluster was being launched" in manager.get(ID).reason


def test_a_process_is_told_from_a_later_one_with_its_number(other):
    started = psutil.Process(other.pid).create_time()
    host = this_process().host
    assert is_another_alive(Process(host=host, pid=other.pid, started=started))
    assert not is_another_alive(Process(host=host, pid=other.pid, started=started - 100))
    assert not is_another_alive(Process(host="elsewhere", pid=other.pid, started=started))
    assert not is_another_alive(this_process())
    assert not is_another_alive(None)

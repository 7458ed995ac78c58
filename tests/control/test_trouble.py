"""What goes wrong around the clusters: a full disk, a batch system that is away, another host, hasty users."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest

from hpcdask_ext.clusters.reports import Report
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.clusters.store import ClusterStore
from hpcdask_ext.control.queue_monitor import QueueMonitor
from hpcdask_ext.control.reconcile import Answer, Observation, reconcile
from hpcdask_ext.errors import BatchRefused, ClusterNotFound, StoreError

from .conftest import after, job
from .conversation import until

AWAY = "scancel: error: Unable to contact slurm controller (connect failure)"


async def pending(manager):
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    return cluster


async def test_a_cancellation_that_fails_is_not_repeated_at_once(manager, new_manager, batch):
    cluster = await pending(manager)
    batch.refusals["scancel"] = AWAY
    batch.hold.clear()
    await manager.stop(cluster.id)
    await asyncio.sleep(0.3)  # the watch looks, and wants to cancel as well
    batch.hold.set()
    await until(lambda: manager.get(cluster.id).warnings)
    new_manager.events.clear()
    await asyncio.sleep(2)
    assert batch.asked.count("scancel") == 1
    assert len(new_manager.events) < 10
    assert manager.get(cluster.id).warnings[0].startswith("Some jobs could not be ended yet. ")
    assert "Unable to contact slurm controller" in manager.get(cluster.id).warnings[0]


async def test_what_could_not_be_withdrawn_from_the_queue_is_still_there_to_withdraw(manager, batch):
    cluster = await pending(manager)
    batch.refusals["scancel"] = AWAY
    await manager.change(cluster.id, {"scaling": {"workers": 1}})
    await until(lambda: manager.get(cluster.id).warnings)
    assert "Unable to contact slurm controller" in manager.get(cluster.id).warnings[0]
    assert manager.get(cluster.id).main.scaling.workers == 2
    del batch.refusals["scancel"]
    await manager.change(cluster.id, {"scaling": {"workers": 1}})
    number = manager.get(cluster.id).job("workers-1").id  # the first jobs are submitted at once, in any order
    await until(lambda: batch.cancelled == [f"{number}_[2]"])


async def test_stopping_in_the_middle_of_a_withdrawal_leaves_no_job_behind(manager, batch):
    cluster = await pending(manager)
    batch.hold.clear()
    await manager.change(cluster.id, {"scaling": {"workers": 0}})
    await until(lambda: "scancel" in batch.asked)
    await manager.stop(cluster.id)
    batch.hold.set()
    await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)
    assert not batch.jobs


async def test_a_crash_in_the_middle_of_stopping_leaves_no_job_behind(manager, new_manager, batch):
    cluster = await pending(manager)
    batch.hold.clear()
    await manager.stop(cluster.id)
    await until(lambda: "scancel" in batch.asked)
    await manager.close()
    assert batch.jobs
    batch.hold.set()
    second = new_manager()
    await second.start()
    try:
        await until(lambda: second.get(cluster.id).state is ClusterState.STOPPED)
        assert not batch.jobs
    finally:
        await second.close()


async def test_a_full_disk_keeps_nobody_from_stopping(manager, batch, monkeypatch):
    cluster = await pending(manager)

    def full(self, cluster):
        raise StoreError("No space left on device")

    monkeypatch.setattr(ClusterStore, "save", full)
    await manager.stop(cluster.id)
    await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)
    assert not batch.jobs


async def test_without_a_record_nothing_is_submitted(manager, batch, monkeypatch):
    batch.hold.clear()
    cluster = await manager.launch({})

    def full(self, cluster):
        raise StoreError("No space left on device")

    monkeypatch.setattr(ClusterStore, "save", full)
    batch.hold.set()
    await until(lambda: manager.get(cluster.id).state is ClusterState.FAILED)
    assert "No space left" in manager.get(cluster.id).reason
    assert "sbatch" not in batch.asked


async def test_a_launch_on_a_full_disk_is_refused_and_leaves_nothing(manager, batch, monkeypatch, tmp_path):
    def full(self, cluster):
        raise StoreError("No space left on device")

    monkeypatch.setattr(ClusterStore, "save", full)
    with pytest.raises(StoreError):
        await manager.launch({})
    assert manager.all() == []
    assert not list((tmp_path / "clusters").iterdir())


async def test_clusters_of_a_site_whose_file_broke_can_still_be_stopped(manager, batch, tmp_path):
    cluster = await pending(manager)
    site = tmp_path / "config" / "hpcdask" / "sites.d" / "centre.yaml"
    site.write_text("name: centre\nbatch_system: slrum\n")
    assert (await manager.show_sites())["problems"]
    await manager.stop(cluster.id)
    await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)
    assert not batch.jobs


async def test_a_server_that_never_saw_the_site_shows_its_clusters_all_the_same(manager, new_manager, batch, tmp_path):
    cluster = await pending(manager)
    await manager.close()
    (tmp_path / "config" / "hpcdask" / "sites.d" / "centre.yaml").unlink()
    second = new_manager()
    await second.start()
    try:
        await until(lambda: second.get(cluster.id).reachable is False)
        assert "has no valid site file here" in second.get(cluster.id).reason
        await second.stop(cluster.id)
        await until(lambda: "has no valid site file here" in " ".join(second.get(cluster.id).warnings))
        assert second.get(cluster.id).state is ClusterState.STOPPING
        assert batch.jobs
    finally:
        await second.close()


async def test_forgetting_right_after_the_end_leaves_nothing_behind(manager, batch, caplog):
    for _ in range(5):
        cluster = await pending(manager)
        await manager.stop(cluster.id)
        await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)  # noqa: B023
        await manager.forget(cluster.id)
        await asyncio.sleep(0)
        with pytest.raises(ClusterNotFound):
            manager.get(cluster.id)
        assert not cluster.directory.exists()
    assert "background task failed" not in caplog.text
    assert "failed unexpectedly" not in caplog.text


async def test_a_cluster_may_be_forgotten_before_the_last_try_to_cancel_its_jobs(manager, batch, caplog):
    cluster = await pending(manager)
    await manager.stop(cluster.id)
    await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)
    await manager.forget(cluster.id)
    await manager._tracker.spawn(manager._tracker.then_look(cluster.id, manager._driver.cancel_rest(cluster.id)))
    assert "background task failed" not in caplog.text


async def test_a_failed_scaling_does_not_undo_a_newer_one(manager, batch):
    cluster = await pending(manager)
    batch.refusals["sbatch"] = "sbatch: error: too many jobs"
    batch.hold.clear()
    await manager.change(cluster.id, {"scaling": {"workers": 50}})
    await manager.change(cluster.id, {"scaling": {"workers": 1}})
    batch.hold.set()
    await until(lambda: manager.get(cluster.id).capacity(manager.get(cluster.id).main) == 1)
    assert manager.get(cluster.id).main.scaling.workers == 1
    assert not any("worker jobs failed or" in warning for warning in manager.get(cluster.id).warnings)


async def test_a_monitor_survives_what_it_did_not_expect():
    answers = [OSError(11, "Resource temporarily unavailable"), BatchRefused("no"), RuntimeError("a bug"), []]

    async def ask():
        answer = answers.pop(0) if answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    monitor = QueueMonitor(ask)
    woken = asyncio.Event()
    monitor.need("c", woken.set)
    await asyncio.wait_for(woken.wait(), 5)
    assert "Resource temporarily unavailable" in monitor.trouble
    await monitor.close()


def test_what_runs_on_another_host_is_not_gone_because_this_one_does_not_see_it(make_cluster):
    elsewhere = job("scheduler", 1, "host", "s").model_copy(update={"host": "login1"})
    here = elsewhere.model_copy(update={"host": socket.gethostname()})
    seen = Observation(
        after(100), {("scheduler", 1): Report(after(1), "login1")}, answers={"host": Answer(after(90), [])}
    )
    assert reconcile(make_cluster(elsewhere), seen, lambda *_: "").jobs[0].live == (1,)
    assert reconcile(make_cluster(here), seen, lambda *_: "").jobs[0].live == ()


def test_a_crash_after_seconds_is_no_walltime_however_short_that_is(make_cluster):
    short = job("workers-1", 2).model_copy(update={"walltime": timedelta(minutes=1)})
    cluster = make_cluster(job("scheduler", 1, "host", "s"), short, walltime=timedelta(minutes=1))
    reports = {("scheduler", 1): Report(after(1), "n")}
    reports |= {("workers-1", index): Report(after(5), "n1", after(8), 1) for index in (1, 2)}
    status = SchedulerStatus(1, 0, 0, 0, 0)
    cluster = reconcile(cluster, Observation(after(9), reports, scheduler=status), lambda *_: "")
    assert cluster.outcome is ClusterState.FAILED


async def test_clusters_of_this_machine_can_still_be_stopped_when_a_first_site_file_has_appeared(
    new_manager, batch, tmp_path, make_cluster
):
    scheduler = job("scheduler", 1, "host", "hpcdask-abcdefghjk-scheduler")
    store = ClusterStore(tmp_path / "clusters")
    directory = store.create("abcdefghjk")
    store.save(make_cluster(scheduler, id="abcdefghjk", site="local", directory=directory))
    manager = new_manager()
    await manager.start()
    try:
        assert [site.name for site in (await manager._catalogue.sites()).sites] == ["centre"]
        await manager.stop("abcdefghjk")
        await until(lambda: "local_jobs.py" in batch.asked)
    finally:
        await manager.close()

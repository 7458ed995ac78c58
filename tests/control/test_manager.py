"""Conversations with a batch system: what is asked of it, and what becomes of the clusters."""

from __future__ import annotations

import pytest

from hpcdask_ext.clusters.states import ClusterState, JobState
from hpcdask_ext.errors import CommandMissing, CommandTimeout, InvalidRequest, WrongState

from .conversation import until


async def test_a_launch_returns_before_any_command_has_answered(manager, batch):
    batch.hold.clear()
    cluster = await manager.launch({})
    assert cluster.state is ClusterState.SUBMITTING
    assert "sbatch" not in batch.asked
    batch.hold.set()
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)


async def test_two_submissions_whatever_the_number_of_workers(manager, batch):
    cluster = await manager.launch({"size": {"workers": 64, "cores": 1, "memory": "1 GiB"}})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    await until(lambda: "(Priority)" in manager.get(cluster.id).reason)
    assert batch.asked.count("sbatch") == 2


async def test_an_environment_without_distributed_is_refused_before_anything_is_submitted(manager, batch):
    batch.versions = {}
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.FAILED)
    assert "lacks the package “distributed”" in manager.get(cluster.id).reason
    assert "Tried: " in manager.get(cluster.id).reason
    assert "sbatch" not in batch.asked


async def test_a_refused_submission_fails_in_the_batch_system_s_words_and_leaves_nothing_behind(manager, batch):
    batch.refusals["sbatch"] = "sbatch: error: invalid partition specified: regular"
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.FAILED)
    assert "invalid partition specified: regular" in manager.get(cluster.id).reason
    assert not batch.jobs
    await until(lambda: not (cluster.directory / "tls-key.pem").exists())


async def test_a_missing_command_fails_and_says_which(manager, batch):
    batch.errors["sbatch"] = CommandMissing("sbatch could not be started")
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.FAILED)
    assert "sbatch could not be started" in manager.get(cluster.id).reason


async def test_a_submission_that_hangs_is_looked_for_by_name_and_cancelled(manager, batch, monkeypatch):
    monkeypatch.setattr("hpcdask_ext.control.queue_monitor.FIRST_INTERVAL", 0.6)
    cluster = await manager.launch({"account": "science"})
    batch.errors["sbatch"] = CommandTimeout("sbatch did not answer within 60 s")
    await until(lambda: manager.get(cluster.id).outcome is ClusterState.FAILED)
    assert manager.get(cluster.id).state is ClusterState.STOPPING
    # It had been submitted all the same: now it turns up in the queue.
    batch.jobs = {"41": f"hpcdask-{cluster.id}-scheduler"}
    await until(lambda: not batch.jobs)
    assert "scancel" in batch.asked
    assert "sbatch did not answer" in manager.get(cluster.id).reason


async def test_stop_while_pending_cancels_every_job_and_forgets_the_credentials(manager, batch):
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    assert (cluster.directory / "tls-key.pem").stat().st_mode & 0o777 == 0o600
    stopping = await manager.stop(cluster.id)
    assert stopping.state is ClusterState.STOPPING
    await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)
    assert not batch.jobs
    await until(lambda: not (cluster.directory / "tls-key.pem").exists())
    await manager.forget(cluster.id)
    assert not cluster.directory.exists()


async def test_stop_during_a_slow_look_into_the_environment_submits_nothing(manager, batch):
    batch.hold.clear()
    cluster = await manager.launch({})
    await until(lambda: "probe.py" in batch.asked)
    await manager.stop(cluster.id)
    await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)
    assert "sbatch" not in batch.asked


async def test_a_cancellation_that_fails_is_tried_again_and_shown_as_unreachable(manager, batch):
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    batch.refusals["scancel"] = "scancel: error: Unable to contact slurm controller (connect failure)"
    await manager.stop(cluster.id)
    await until(lambda: manager.get(cluster.id).reachable is False)
    assert manager.get(cluster.id).state is ClusterState.STOPPING
    del batch.refusals["scancel"]
    await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)
    assert not batch.jobs


async def test_a_batch_system_that_is_away_makes_nothing_gone(manager, batch):
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    jobs = manager.get(cluster.id).jobs
    batch.refusals["squeue"] = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"
    await until(lambda: manager.get(cluster.id).reachable is False, 12)
    assert [job.live for job in manager.get(cluster.id).jobs] == [job.live for job in jobs]
    assert manager.get(cluster.id).state is ClusterState.PENDING


async def test_scaling_up_is_one_more_array_and_scaling_down_cancels_what_waits(manager, batch):
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    await manager.change(cluster.id, {"scaling": {"mode": "fixed", "workers": 6}})
    await until(lambda: manager.get(cluster.id).capacity(manager.get(cluster.id).main) == 6)
    await until(lambda: batch.asked.count("sbatch") == 3)
    await until(lambda: all(job.id for job in manager.get(cluster.id).jobs))
    await manager.change(cluster.id, {"scaling": {"mode": "fixed", "workers": 3}})
    await until(lambda: "scancel" in batch.asked)
    await until(lambda: manager.get(cluster.id).capacity(manager.get(cluster.id).main) == 3)
    ended = [element for job in manager.get(cluster.id).jobs for element in job.elements.values()]
    assert sum(element.state is JobState.ENDED for element in ended) == 3


async def test_a_refused_scaling_goes_back_and_says_why(manager, batch):
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    batch.refusals["sbatch"] = "sbatch: error: QOSMaxSubmitJobPerUserLimit"
    await manager.change(cluster.id, {"scaling": {"mode": "fixed", "workers": 6}})
    await until(lambda: manager.get(cluster.id).main.scaling.workers == 2)
    assert any("QOSMaxSubmitJobPerUserLimit" in warning for warning in manager.get(cluster.id).warnings)
    assert manager.get(cluster.id).state is ClusterState.PENDING


async def test_an_ended_cluster_cannot_be_scaled(manager, batch):
    batch.versions = {}
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.FAILED)
    with pytest.raises(WrongState, match="failed"):
        await manager.change(cluster.id, {"scaling": {"workers": 3}})
    with pytest.raises(InvalidRequest, match="64"):
        await manager.change(cluster.id, {"scaling": {"workers": 65}})


async def test_a_second_server_finds_the_clusters_and_what_they_wait_for(manager, new_manager, batch):
    cluster = await manager.launch({"name": "höl $(touch x)"})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    await manager.close()
    second = new_manager()
    await second.start()
    try:
        assert second.get(cluster.id).name == "höl $(touch x)"
        await until(lambda: second.get(cluster.id).state is ClusterState.PENDING)
        assert second.get(cluster.id).reachable
        assert batch.asked.count("sbatch") == 2
    finally:
        await second.close()


async def test_a_server_that_died_while_launching_leaves_a_failed_cluster_and_no_job(new_manager, batch):
    first = new_manager()
    await first.start()
    batch.hold.clear()
    cluster = await first.launch({})
    await until(lambda: "probe.py" in batch.asked)
    await first.close()
    batch.hold.set()
    second = new_manager()
    await second.start()
    try:
        await until(lambda: second.get(cluster.id).state is ClusterState.FAILED)
        assert "while this cluster was being launched" in second.get(cluster.id).reason
        assert not batch.jobs
    finally:
        await second.close()


async def test_every_change_of_state_is_told(manager, new_manager, batch):
    cluster = await manager.launch({})
    await until(lambda: manager.get(cluster.id).state is ClusterState.PENDING)
    await manager.stop(cluster.id)
    await until(lambda: manager.get(cluster.id).state is ClusterState.STOPPED)
    states = [event["state"] for event in new_manager.events if event["change"] in ("launched", "state", "stopped")]
    assert states == ["submitting", "starting", "pending", "stopping", "stopped"]


async def test_what_only_the_batch_system_s_own_rules_refuse_is_refused_at_the_click(manager, tmp_path):
    site = tmp_path / "config" / "hpcdask" / "sites.d" / "centre.yaml"
    site.write_text(site.read_text().replace("batch_system: slurm", "batch_system: sge"))
    with pytest.raises(InvalidRequest, match="parallel_environment"):
        await manager.launch({"size": {"workers": 1, "cores": 4, "memory": "1 GiB"}})
    assert manager.all() == []

"""Several groups of workers in one cluster: what is warned of and shown, and which of them is scaled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hpcdask_ext.clusters.groups import AdaptiveScaling, FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import Job
from hpcdask_ext.clusters.reach import Endpoint, Reach, SchedulerAddress
from hpcdask_ext.clusters.reports import Report
from hpcdask_ext.clusters.scheduler_api import Retired
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control import asking, scaling
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.view import cluster_view
from hpcdask_ext.errors import InvalidRequest, WrongState
from hpcdask_ext.sites.models import BatchSite, Limits

from .conftest import after, job
from .conversation import until
from .test_reconcile import ADDRESS, UP, explain

GPU = {"name": "gpu", "size": {"workers": 3, "cores": 2, "memory": "1 GiB"}}


def group(name: str, workers: int, queue: str = "regular") -> WorkerGroup:
    shape = WorkerShape(cores=1, memory=2**30)
    return WorkerGroup(name=name, queue=queue, shape=shape, scaling=FixedScaling(workers=workers))


def of_group(name: str, count: int) -> Job:
    return job(f"{name}-1", count, job_id="8").model_copy(update={"group": name})


@pytest.fixture
def cluster(make_cluster):
    """Return a cluster of two workers, and two of the group `gpu`."""
    made = make_cluster(job("scheduler", 1, "host", "s"), job("workers-1", 2), of_group("gpu", 2))
    return made.with_new_group(group("gpu", 2, "gpus"))


def status(**groups: int) -> SchedulerStatus:
    total = sum(groups.values())
    return SchedulerStatus(version=1, workers=total, nthreads=total, memory_limit=0, clients=0, groups=groups)


def test_each_group_counts_its_own_workers(cluster):
    seen = reconcile(cluster, Observation(after(9), UP, ADDRESS, status(workers=2, gpu=1)), explain)
    shown = cluster_view(seen, None, "/")
    assert [entry["workers"] for entry in shown["groups"]] == [
        {"requested": 2, "pending": 0, "running": 2},
        {"requested": 2, "pending": 1, "running": 1},
    ]
    assert shown["workers"] == {"requested": 4, "pending": 1, "running": 3}
    assert [entry["group"] for entry in shown["jobs"]] == ["workers", "workers", "gpu"]


def test_lost_jobs_are_told_of_the_group_that_lost_them(cluster):
    reports = UP | {("gpu-1", 1): Report(after(1), "n", after(2), 1), ("workers-1", 1): Report(after(1), "n")}
    seen = reconcile(cluster, Observation(after(60), reports, ADDRESS, status(workers=2, gpu=1)), explain)
    assert seen.state is ClusterState.RUNNING
    assert seen.warnings == (
        "1 of 2 worker jobs of the group “gpu” failed or ended early (exit code 1): see their logs.",
    )


def test_a_cluster_ends_once_the_workers_of_all_groups_have_and_not_before(cluster):
    over = {("workers-1", index): Report(after(1), "n", after(50), 0) for index in (1, 2)}
    seen = reconcile(cluster, Observation(after(60), UP | over, ADDRESS, status()), explain)
    assert seen.outcome is None
    over |= {("gpu-1", index): Report(after(1), "n", after(50), 0) for index in (1, 2)}
    assert reconcile(cluster, Observation(after(60), UP | over, ADDRESS, status()), explain).outcome is not None


def test_the_code_shows_how_to_send_tasks_to_each_group_if_there_are_several(cluster, make_cluster):
    code = cluster_view(cluster, None, "/")["client_code"]
    compile(code, "code", "exec")
    for name in ("workers", "gpu"):
        assert f"with dask.annotate(resources={{'{name}': 1}})" in code
    assert "annotate" not in cluster_view(make_cluster(), None, "/")["client_code"]


def test_a_group_may_have_what_the_others_in_its_queue_leave(cluster):
    queues = [{"name": "regular", "limits": {"workers": 10}}, {"name": "gpus"}]
    sizes = [{"name": "small", "workers": 1, "cores": 1, "memory": "1 GiB"}]
    site = BatchSite.model_validate({"name": "centre", "batch_system": "slurm", "queues": queues, "sizes": sizes})
    more = group("more", 3).model_copy(update={"scaling": AdaptiveScaling(minimum=0, maximum=5)})
    groups = cluster_view(cluster.with_new_group(more), site, "/")["groups"]
    assert [entry["limits"]["workers"] for entry in groups] == [5, None, 8]


async def test_only_the_group_that_is_meant_is_scaled_down(cluster, monkeypatch):
    """Its waiting elements are cancelled, and the scheduler is asked for workers with its name only."""
    cancelled, asked = [], []

    class Launcher:
        async def cancel(self, place, jobs):
            cancelled.extend((one.job_id, one.indexes) for one in jobs)

    class API:
        def __init__(self, endpoint):
            pass

        async def retire(self, prefix, jobs, workers_per_job, keep=0):
            asked.append((prefix, jobs))
            return Retired(("c-gpu-1-2",))

        async def aclose(self):
            pass

    monkeypatch.setattr(asking, "SchedulerAPI", API)

    async def find_way(cluster):
        return Reach(ADDRESS, Endpoint("https://h:2"), Endpoint("https://h:2"))

    reports = UP | {("gpu-1", 2): Report(after(1), "n"), ("workers-1", 1): Report(after(1), "n")}
    seen = Observation(after(9), reports, SchedulerAddress("tls://h:1", "https://h:2"), status(workers=1, gpu=1))
    records = [reconcile(cluster, seen, explain)]

    async def change(edit):
        records.append(edit(records[-1]))

    await scaling.shrink(records[-1], records[-1].group("gpu"), 2, Launcher(), change, find_way=find_way)
    assert cancelled == [("8", (1,))]
    assert asked == [("c-gpu-", 1)]
    assert records[-1].job("gpu-1").uncancelled == ()
    assert records[-1].job("workers-1").uncancelled == (1, 2)


async def test_each_group_is_an_array_of_its_own_and_an_added_one_is_one_array_more(manager, batch, new_manager):
    launched = await manager.launch({"groups": [{"name": "big", "size": {**GPU["size"], "workers": 1}}]})
    await until(lambda: len(batch.jobs) == 3)
    assert sorted(name.partition(f"{launched.id}-")[2] for name in batch.jobs.values()) == [
        "big-1", "scheduler", "workers-1",
    ]  # fmt: skip
    await until(lambda: manager.get(launched.id).state is ClusterState.PENDING)
    added = await manager.add_group(launched.id, GPU)
    assert [one.name for one in added.groups] == ["workers", "big", "gpu"]
    await until(lambda: any(name.endswith("-gpu-1") for name in batch.jobs.values()))
    assert len(batch.jobs) == 4
    await until(lambda: len(manager.get(launched.id).job("gpu-1").elements) == 3)
    assert new_manager.events[-1]["cluster"] == launched.id
    with pytest.raises(InvalidRequest):
        await manager.add_group(launched.id, GPU)


async def test_a_group_that_is_refused_has_no_workers_and_the_others_stay(manager, batch):
    launched = await manager.launch({})
    await until(lambda: manager.get(launched.id).state is ClusterState.PENDING)
    batch.refusals["sbatch"] = "sbatch: error: Batch job submission failed: Invalid account"
    await manager.add_group(launched.id, GPU)
    await until(lambda: manager.get(launched.id).warnings)
    cluster = manager.get(launched.id)
    assert "Invalid account" in cluster.warnings[0]
    assert (cluster.group("gpu").scaling.workers, cluster.state) == (0, ClusterState.PENDING)
    assert [one.tag for one in cluster.jobs] == ["scheduler", "workers-1"]
    batch.refusals.clear()
    await manager.change(launched.id, {"group": "gpu", "scaling": {"workers": 2}})
    await until(lambda: any(name.endswith("-gpu-1") for name in batch.jobs.values()))


async def test_a_cluster_that_is_not_running_or_never_ends_for_idleness_cannot_be_kept(manager, make_cluster):
    launched = await manager.launch({})
    with pytest.raises(WrongState, match="only a running cluster"):
        await manager.keep(launched.id)
    assert launched.idle_timeout is None


@pytest.mark.parametrize(
    "hours",
    [(1, 4, None, None, 4), (1, 4, 2, None, 2), (1, None, 2, None, 2), (1, None, None, None, None), (1, 4, 2, 3, 3)],
)
async def test_the_scheduler_s_job_stays_as_long_as_any_group(manager, make_cluster, hours):
    """The walltimes of two groups, what its queue allows, what the site says, and what becomes of all that."""
    hours = [None if hour is None else timedelta(hours=hour) for hour in hours]
    launcher = await manager._catalogue.launcher("centre")
    limits = launcher.site.queues[0].limits.model_copy(update={"walltime": hours[2]})
    queue = launcher.site.queues[0].model_copy(update={"limits": limits})
    place = launcher.site.scheduler.model_copy(update={"walltime": hours[3]})
    launcher.site = launcher.site.model_copy(update={"queues": (queue,), "scheduler": place})
    cluster = make_cluster().with_new_group(group("gpu", 1))
    cluster = cluster.with_group("workers", walltime=hours[0]).with_group("gpu", walltime=hours[1])
    scheduler, *workers = launcher.first_jobs(cluster)
    assert scheduler.walltime == hours[4]
    assert [one.walltime for one in workers] == hours[:2]
    assert (scheduler.cores, [one.cores for one in workers]) == (1, [1, 1])


@pytest.mark.parametrize("hours", [(1, 48, None, 48), (1, None, None, 1), (None, None, None, None), (1, 48, 3, 3)])
async def test_the_scheduler_s_job_outlives_workers_that_are_replaced(manager, make_cluster, hours):
    """The walltime of the workers, what the scheduler's queue allows, what the site says, and what becomes of that."""
    workers, allowed, said, expected = (None if hour is None else timedelta(hours=hour) for hour in hours)
    launcher = await manager._catalogue.launcher("centre")
    queue = launcher.site.queues[0].model_copy(update={"limits": Limits(walltime=allowed)})
    place = launcher.site.scheduler.model_copy(update={"walltime": said})
    launcher.site = launcher.site.model_copy(update={"queues": (queue,), "scheduler": place})
    scaling = AdaptiveScaling(minimum=0, maximum=8, workers=0)
    (scheduler,) = launcher.first_jobs(make_cluster().with_group("workers", walltime=workers, scaling=scaling))
    assert scheduler.walltime == expected

"""Clusters that are a single job."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.groups import FixedScaling
from hpcdask_ext.clusters.models import Cluster, Element, Job, Script
from hpcdask_ext.clusters.reach import Endpoint, Reach, SchedulerAddress
from hpcdask_ext.clusters.reports import Report
from hpcdask_ext.clusters.scheduler_api import Retired
from hpcdask_ext.clusters.states import ClusterState, JobState, Role
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control import asking, scaling
from hpcdask_ext.control.reconcile import Answer, Observation, reconcile
from hpcdask_ext.errors import InvalidRequest, SchedulerUnreachable

from .conftest import START, after
from .conversation import until

ADDRESS = SchedulerAddress("tls://10.0.0.1:1", "https://10.0.0.1:2")
SCRIPT = Script(path=Path("/home/ada/analysis.py"), directory=Path("/home/ada"))


def explain(place: str, reason: str) -> str:
    return f"Waiting ({reason})"


@pytest.fixture
def cluster(make_cluster) -> Cluster:
    job = Job(
        tag="allocation",
        name="hpcdask-c-allocation",
        role=Role.ALLOCATION,
        place="batch",
        id="9",
        walltime=timedelta(hours=1),
        submitted=START,
        elements={1: Element()},
        tasks=4,
    )
    cluster = make_cluster(job, layout="allocation", scaling=FixedScaling(workers=4))
    Credentials(cluster.directory).create()
    return cluster


def seen(cluster: Cluster, exit_code: int | None = None, at: float = 60, **more: object) -> Cluster:
    ended = None if exit_code is None else after(at)
    reports = {("allocation", 1): Report(after(5), "n1", ended, exit_code)}
    return reconcile(cluster, Observation(after(at), reports, **more), explain)


def test_it_waits_as_a_whole(cluster):
    waiting = JobStatus("9", "hpcdask-c-allocation", JobState.PENDING, None, "Resources", estimated_start=after(600))
    pending = reconcile(cluster, Observation(after(60), answers={"batch": Answer(after(60), [waiting])}), explain)
    assert (pending.state, pending.reason) == (ClusterState.PENDING, "Waiting (Resources)")
    assert pending.jobs[0].estimated_start == after(600)


def test_it_runs_once_a_worker_is_connected_and_its_tasks_are_its_capacity(cluster):
    status = SchedulerStatus(version=1, workers=3, nthreads=3, memory_limit=0, clients=0)
    running = seen(cluster, address=ADDRESS, scheduler=status)
    assert (running.state, running.workers, running.capacity(running.main)) == (ClusterState.RUNNING, 3, 4)


@pytest.mark.parametrize(
    ("exit_code", "state", "reason"),
    [(0, ClusterState.STOPPED, "The scheduler was shut down"), (9, ClusterState.FAILED, "The scheduler failed")],
)
def test_it_ends_with_its_scheduler(cluster, exit_code, state, reason):
    over = seen(cluster, exit_code)
    assert over.state is state
    assert over.reason.startswith(reason)
    assert over.exit_code is None


@pytest.mark.parametrize(
    ("exit_code", "at", "state", "reason"),
    [
        (0, 60, ClusterState.STOPPED, "“analysis.py” has ended with exit code 0."),
        (3, 60, ClusterState.FAILED, "“analysis.py” has failed (exit code 3): see its log."),
        (143, 3605, ClusterState.FAILED, "“analysis.py” was ended because the job reached its walltime (walltime)."),
    ],
)
def test_with_a_script_it_ends_with_that(cluster, exit_code, at, state, reason):
    over = seen(cluster.model_copy(update={"script": SCRIPT}), exit_code, at)
    assert (over.state, over.reason, over.exit_code) == (state, reason, exit_code)


@pytest.mark.parametrize(
    ("state", "word", "outcome", "exit_code"),
    [(JobState.ENDED, "", ClusterState.STOPPED, 0), (JobState.FAILED, "NODE_FAIL", ClusterState.FAILED, None)],
)
def test_what_the_batch_system_says_of_a_script_counts_where_no_report_is_seen_yet(
    cluster, state, word, outcome, exit_code
):
    running = seen(cluster.model_copy(update={"script": SCRIPT}))
    over = JobStatus("9", "hpcdask-c-allocation", state, None, word)
    ended = reconcile(running, Observation(after(90), answers={"batch": Answer(after(90), [over])}), explain)
    assert (ended.state, ended.exit_code) == (outcome, exit_code)


class Retiring:
    """A scheduler that retires what it is asked to."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, endpoint: object) -> Retiring:
        return self

    async def retire(self, prefix: str, jobs: int, workers_per_job: int, keep: int) -> Retired:
        self.asked.append((jobs, workers_per_job, keep))
        return Retired(tuple(f"{prefix}0-{number}" for number in range(1, jobs - keep + 1)))

    async def aclose(self) -> None:
        pass


async def test_it_shrinks_by_retiring_tasks_and_keeps_its_job(cluster, monkeypatch):
    scheduler = Retiring()
    monkeypatch.setattr(asking, "SchedulerAPI", scheduler)
    scaled = cluster.with_group("workers", scaling=FixedScaling(workers=1))
    kept = [scaled.model_copy(update={"dashboard": ADDRESS.dashboard})]

    async def change(to) -> None:
        kept.append(to(kept[-1]))

    async def find_way(asked: Cluster) -> Reach | None:
        return Reach(ADDRESS, Endpoint("https://h"), Endpoint("https://h")) if asked.dashboard else None

    await scaling.shrink(kept[0], kept[0].main, 3, launcher=None, change=change, find_way=find_way)
    assert scheduler.asked == [(4, 1, 1)]
    assert kept[-1].capacity(kept[-1].main) == 1
    assert kept[-1].jobs[0].uncancelled == (1,)
    with pytest.raises(SchedulerUnreachable, match="not up yet"):
        await scaling.shrink(cluster, cluster.main, 1, launcher=None, change=change, find_way=find_way)


async def test_tasks_that_connect_after_it_shrank_leave_again(manager, batch, monkeypatch):
    scheduler = Retiring()
    monkeypatch.setattr(asking, "SchedulerAPI", scheduler)
    cluster_id = (
        await manager.launch({"layout": "allocation", "size": {"workers": 4, "cores": 1, "memory": "1 GiB"}})
    ).id
    await until(lambda: manager.get(cluster_id).state is ClusterState.PENDING)

    services = {"address": "tls://127.0.0.1:1", "services": {"dashboard": 1}}
    manager.get(cluster_id).scheduler_file.write_text(json.dumps(services))

    async def connect(workers: int) -> None:
        status = SchedulerStatus(version=workers, workers=workers, nthreads=workers, memory_limit=0, clients=0)
        reports = {("allocation", 1): Report(START, "n1")}
        seen = Observation(datetime.now(timezone.utc), reports, address=ADDRESS, scheduler=status)
        await manager._tracker._apply(cluster_id, seen)

    await connect(1)
    await manager.change(cluster_id, {"scaling": {"workers": 2}})
    await until(lambda: manager.get(cluster_id).capacity(manager.get(cluster_id).main) == 2)
    await connect(2)
    assert scheduler.asked == [(4, 1, 2)], "these are as many as were asked for"
    await connect(3)
    await until(lambda: len(scheduler.asked) > 1)
    assert set(scheduler.asked) == {(4, 1, 2)}, "the watch may have seen it as well, which asks for the same"
    assert batch.asked.count("sbatch") == 1


async def test_it_is_one_submission_and_cannot_grow(manager, batch):
    cluster = await manager.launch({"layout": "allocation", "size": {"workers": 64, "cores": 1, "memory": "1 GiB"}})
    await until(lambda: "(Priority)" in manager.get(cluster.id).reason)
    assert batch.asked.count("sbatch") == 1
    with pytest.raises(InvalidRequest, match="can shrink but not grow: choose at most 64"):
        await manager.change(cluster.id, {"scaling": {"workers": 65}})
    (shown,) = await manager.show([manager.get(cluster.id)], "/")
    assert (shown["layout"], shown["can_grow"], shown["jobs"][0]["role"]) == ("allocation", False, "allocation")


async def test_a_script_makes_it_a_single_job(manager, tmp_path):
    (tmp_path / "analysis.py").write_text("")
    cluster = await manager.launch({"script": {"path": "analysis.py", "arguments": ["--year", "2026"]}})
    assert (cluster.layout, cluster.name) == ("allocation", "analysis-1")
    assert cluster.script.arguments == ("--year", "2026")
    with pytest.raises(InvalidRequest) as refused:
        await manager.launch({"script": {"path": "gone.py"}, "layout": "elastic"})
    assert {error.field for error in refused.value.errors} == {"layout", "script.path"}


async def test_a_notebook_that_the_environment_cannot_execute_is_refused_before_anything_is_submitted(
    manager, batch, tmp_path
):
    (tmp_path / "analysis.ipynb").write_text("{}")
    batch.versions |= {"ipykernel": "7.1.0"}
    body = {"script": {"path": "analysis.ipynb"}}
    refused = (await manager.launch(body)).id
    await until(lambda: manager.get(refused).state is ClusterState.FAILED)
    assert "“Python 3” cannot execute notebooks: it lacks nbconvert." in manager.get(refused).reason
    assert "sbatch" not in batch.asked
    batch.versions |= {"nbconvert": "7.16.6"}
    await manager.launch(body)
    await until(lambda: "sbatch" in batch.asked)


async def test_the_logs_of_its_tasks_are_told_apart(manager):
    cluster = await manager.launch({"layout": "allocation"})
    await until(lambda: manager.get(cluster.id).jobs and manager.get(cluster.id).jobs[0].id)
    for name in ("allocation.1", "allocation.task-0", "allocation.task-2"):
        (cluster.directory / "logs" / f"{name}.log").write_text(f"{name}\n")
    logs = await manager.logs(cluster.id, None, None, None)
    found = {(log["role"], log["text"]) for log in logs} - {("launch", logs[0]["text"])}
    assert found == {
        ("allocation", "allocation.1"),
        ("scheduler", "allocation.task-0"),
        ("worker", "allocation.task-2"),
    }

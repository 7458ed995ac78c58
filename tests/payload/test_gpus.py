"""Which GPUs a worker sees: one worker, its own ones."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from distributed import Client

from hpcdask_ext.launchers.dask_command import GPU_PRELOAD, job_environment
from hpcdask_ext.sites.machine import local_site

from .conftest import RealCluster, job_of
from .test_gate import security_of

specification = importlib.util.spec_from_file_location("gpu_preload", GPU_PRELOAD)
assert specification is not None
assert specification.loader is not None
preload = importlib.util.module_from_spec(specification)
specification.loader.exec_module(preload)

CUDA, HIP, ROCR = "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"
HERE = socket.gethostname().split(".")[0]


class Node:
    """The GPUs of a node, of which its workers take theirs."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def take(self, places: Sequence[int]) -> bool:
        if set(places) & set(self.taken):
            return False
        self.taken += places
        return True


def seen(number: int, per_worker: int = 1, workers: int = 4, **variables: str) -> Mapping[str, str]:
    counts = {"HPCDASK_GPUS_PER_WORKER": str(per_worker), "HPCDASK_WORKERS_PER_JOB": str(workers)}
    return preload.visible(f"k3v9-workers-1-2-{number}", counts | variables, Node().take)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({CUDA: "0,1,2,3"}, {CUDA: "2"}),
        ({CUDA: "4, 5,6 ,7"}, {CUDA: "6"}),
        ({CUDA: "GPU-a,GPU-b,GPU-c,GPU-d"}, {CUDA: "GPU-c"}),
        ({CUDA: "MIG-a,MIG-b,MIG-c,MIG-d"}, {CUDA: "MIG-c"}),
        ({HIP: "4,5,6,7"}, {HIP: "6"}),
        ({ROCR: "4,5,6,7"}, {ROCR: "6"}),
        ({ROCR: "4,5,6,7", HIP: "0,1,2,3"}, {HIP: "2"}),
        ({ROCR: "4,5,6,7", CUDA: "0,1,2,3", HIP: "0,1,2,3"}, {HIP: "2", CUDA: "2"}),
        ({"ZE_AFFINITY_MASK": "0,1,2,3"}, {"ZE_AFFINITY_MASK": "2"}),
        ({"SGE_HGR_gpu": "3 4 5 6"}, {CUDA: "5"}),
        ({"SGE_HGR_gpu": "gpu3 gpu4 gpu5 gpu6"}, {CUDA: "5"}),
        ({}, {CUDA: "2"}),
    ],
)
def test_the_third_worker_sees_the_third_gpu_of_its_job(variables: dict[str, str], expected: dict[str, str]) -> None:
    assert seen(2, **variables) == expected


def test_torque_lists_the_gpus_of_all_nodes_and_only_those_of_this_one_count(tmp_path: Path) -> None:
    file = tmp_path / "gpus"
    file.write_text(f"other-gpu-7-gpu3\n{HERE}-gpu1\n{HERE}.example.org-gpu5\nother-gpu-7-gpu2\n")
    assert seen(1, PBS_GPUFILE=str(file)) == {CUDA: "5"}
    assert seen(1, PBS_GPUFILE=str(tmp_path / "gone")) == {CUDA: "1"}


def test_several_gpus_of_a_worker_stay_together() -> None:
    assert seen(1, per_worker=2, **{CUDA: "4,5,6,7"}) == {CUDA: "6,7"}
    assert seen(1, per_worker=2) == {CUDA: "2,3"}


def test_a_single_worker_has_all_gpus_of_its_job_whatever_its_name_ends_with() -> None:
    assert seen(7, per_worker=2, workers=1, **{CUDA: "4,5"}) == {CUDA: "4,5"}
    assert seen(7, per_worker=1, workers=1, **{CUDA: "4"}) == {CUDA: "4"}


@pytest.mark.parametrize(
    ("workers", "per_worker", "expected"),
    [(1, 1, ["4", "5", "6", "7"]), (1, 2, ["4,5", "6,7"]), (2, 1, ["4", "5", "6", "7"])],
)
def test_tasks_that_see_all_gpus_of_a_node_share_them_out(workers: int, per_worker: int, expected: list[str]) -> None:
    counts = {"HPCDASK_GPUS_PER_WORKER": str(per_worker), "HPCDASK_WORKERS_PER_JOB": str(workers), CUDA: "4,5,6,7"}
    node = Node()
    names = [f"k3v9-allocation-{number // workers + 1}-{number % workers}" for number in range(4 // per_worker)]
    assert [preload.visible(name, counts, node.take)[CUDA] for name in names] == expected
    assert preload.visible(names[0], counts, node.take) == {CUDA: expected[0]}, "where none is left, they are shared"


def test_a_job_s_own_gpus_need_not_be_shared_out() -> None:
    node = Node()
    counts = {"HPCDASK_GPUS_PER_WORKER": "1", "HPCDASK_WORKERS_PER_JOB": "4", CUDA: "4,5,6,7"}
    assert [preload.visible(f"k3v9-workers-1-2-{number}", counts, node.take)[CUDA] for number in range(4)] == [
        "4", "5", "6", "7",
    ]  # fmt: skip
    assert node.taken == []


def test_too_few_gpus_are_shared_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert [seen(number, **{CUDA: "4,5"})[CUDA] for number in range(4)] == ["4", "5", "4", "5"]
    assert "The job has 2 GPUs, which are too few" in caplog.text


@pytest.mark.parametrize("none", ["", "-1", "NoDevFiles"])
def test_where_a_batch_system_hides_all_gpus_they_stay_hidden(none: str) -> None:
    assert seen(0, **{CUDA: none}) == {}


@pytest.mark.parametrize("count", [{}, {"HPCDASK_GPUS_PER_WORKER": "0"}])
def test_without_gpus_nothing_is_changed(count: dict[str, str]) -> None:
    assert preload.visible("k3v9-workers-1-2-x", {CUDA: "4,5", **count}, Node().take) == {}


async def test_the_workers_of_a_real_job_see_one_gpu_each(
    cluster: RealCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They only read their environments: there need not be any GPU."""
    monkeypatch.setenv(CUDA, "4,7")
    cluster.start_workers("gpus", (1,), per_job=2, gpus=1)
    async with Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True) as client:
        await client.wait_for_workers(2, timeout=30)

        def own(dask_worker: object) -> tuple[str, str]:
            import os

            return dask_worker.name, os.environ["CUDA_VISIBLE_DEVICES"]  # type: ignore[attr-defined]

        name = cluster.name("gpus")
        assert dict((await client.run(own)).values()) == {f"{name}-1-0": "4", f"{name}-1-1": "7"}


async def test_real_jobs_that_see_the_same_gpus_have_one_each(
    cluster: RealCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CUDA, "4,7,8")
    cluster.start_workers("shared", (1, 2), gpus=1)
    async with Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True) as client:
        await client.wait_for_workers(2, timeout=30)

        def own() -> str:
            import os

            return os.environ["CUDA_VISIBLE_DEVICES"]

        before = set((await client.run(own)).values())
        assert before == {"4", "7"}
        await client.restart()  # their processes end, and with them their locks
        assert len(set((await client.run(own)).values())) == 2


def test_on_this_machine_jobs_are_told_how_many_gpus_there_are(cluster: RealCluster) -> None:
    site = local_site()
    queue = site.queues[0].model_copy(update={"gpus": 4})
    shape = cluster.record.main.shape.model_copy(update={"gpus": 1})
    record = cluster.record.with_group("workers", shape=shape, queue=queue.name)
    told = job_environment(record, site.model_copy(update={"queues": (queue,)}), job_of(record, "workers-1"))
    assert told["HPCDASK_GPUS"] == "4"
    node = Node()
    names = [f"k3v9-workers-1-{index}" for index in (1, 2, 3)]
    assert [preload.visible(name, told, node.take) for name in names] == [{CUDA: "0"}, {CUDA: "1"}, {CUDA: "2"}]


def test_groups_with_different_numbers_of_gpus_do_not_get_the_same_ones() -> None:
    node, all_of_them = Node(), {CUDA: "0,1,2,3,4,5"}
    one, two = ({"HPCDASK_GPUS_PER_WORKER": count, "HPCDASK_WORKERS_PER_JOB": "1"} for count in "12")
    names = [("k3v9-one-1-1", one), ("k3v9-two-1-1", two), ("k3v9-one-1-2", one), ("k3v9-two-1-2", two)]
    seen = [preload.visible(name, all_of_them | counts, node.take)[CUDA] for name, counts in names]
    assert seen == ["0", "2,3", "1", "4,5"]


async def test_real_workers_of_groups_with_different_numbers_of_gpus_do_not_share_them(
    cluster: RealCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CUDA, "0,1,2,3")
    async with Client(cluster.address.comm, security=security_of(cluster.credentials), asynchronous=True) as client:
        for number, gpus in enumerate((1, 2), start=1):
            cluster.start_workers(f"unequal{gpus}", (1,), gpus=gpus)
            await client.wait_for_workers(number, timeout=30)

        def own() -> str:
            import os

            return os.environ["CUDA_VISIBLE_DEVICES"]

        assert set((await client.run(own)).values()) == {"0", "2,3"}


def test_jobs_are_told_what_the_preload_needs_only_with_gpus(cluster: RealCluster) -> None:
    shape = cluster.record.main.shape.model_copy(update={"gpus": 2, "workers_per_job": 4})
    job = job_of(cluster.record, "workers-1")
    told = job_environment(cluster.record.with_group("workers", shape=shape), local_site(), job)
    assert (told["HPCDASK_GPUS_PER_WORKER"], told["HPCDASK_WORKERS_PER_JOB"]) == ("2", "4")
    assert "HPCDASK_GPUS_PER_WORKER" not in job_environment(cluster.record, local_site(), job)

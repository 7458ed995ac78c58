"""Which GPUs a worker sees: one worker, its own ones."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from distributed import Client

from hpcdask_ext.launchers.dask_command import GPU_PRELOAD, job_environment
from hpcdask_ext.sites.machine import local_site

from .conftest import RealCluster
from .test_gate import security_of

specification = importlib.util.spec_from_file_location("gpu_preload", GPU_PRELOAD)
assert specification is not None
assert specification.loader is not None
preload = importlib.util.module_from_spec(specification)
specification.loader.exec_module(preload)

CUDA, HIP, ROCR = "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"
HERE = socket.gethostname().split(".")[0]


def seen(number: int, per_worker: int = 1, workers: int = 4, **variables: str) -> Mapping[str, str]:
    counts = {"HPCDASK_GPUS_PER_WORKER": str(per_worker), "HPCDASK_WORKERS_PER_JOB": str(workers)}
    return preload.visible(f"k3v9-workers-1-2-{number}", counts | variables)


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


def test_too_few_gpus_are_shared_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert [seen(number, **{CUDA: "4,5"})[CUDA] for number in range(4)] == ["4", "5", "4", "5"]
    assert "The job has 2 GPUs, which are too few" in caplog.text


@pytest.mark.parametrize("none", ["", "-1", "NoDevFiles"])
def test_where_a_batch_system_hides_all_gpus_they_stay_hidden(none: str) -> None:
    assert seen(0, **{CUDA: none}) == {}


@pytest.mark.parametrize("count", [{}, {"HPCDASK_GPUS_PER_WORKER": "0"}])
def test_without_gpus_nothing_is_changed(count: dict[str, str]) -> None:
    assert preload.visible("k3v9-workers-1-2-x", {CUDA: "4,5", **count}) == {}


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


def test_jobs_are_told_what_the_preload_needs_only_with_gpus(cluster: RealCluster) -> None:
    shape = cluster.record.shape.model_copy(update={"gpus": 2, "workers_per_job": 4})
    told = job_environment(cluster.record.model_copy(update={"shape": shape}), local_site())
    assert (told["HPCDASK_GPUS_PER_WORKER"], told["HPCDASK_WORKERS_PER_JOB"]) == ("2", "4")
    assert "HPCDASK_GPUS_PER_WORKER" not in job_environment(cluster.record, local_site())

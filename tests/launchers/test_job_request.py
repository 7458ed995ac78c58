"""What is asked of a batch system for the jobs of a cluster."""

from __future__ import annotations

import shlex
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.batch.local import LocalSystem
from hpcdask_ext.batch.slurm import SlurmSystem
from hpcdask_ext.clusters.groups import FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import Cluster, Environment, Script
from hpcdask_ext.launchers.batch import BatchLauncher
from hpcdask_ext.launchers.dask_command import offered_resources
from hpcdask_ext.launchers.job_request import Directories, job_request
from hpcdask_ext.sites.models import BatchSite

HERE = Directories(Path("/home/ada"), Path("/run/warm"))
PYTHON = ("/opt/env/bin/python",)


def site_with(**changes: Any) -> BatchSite:
    values = {
        "name": "centre",
        "batch_system": "slurm",
        "queues": [{"name": "regular"}],
        "sizes": [{"name": "small", "workers": 4, "cores": 2, "memory": "8 GiB"}],
    }
    return BatchSite.model_validate(values | changes)


def cluster_with(**changes: Any) -> Cluster:
    values = {
        "id": "k3x9",
        "name": "test",
        "site": "centre",
        "site_title": "Centre",
        "queue": "regular",
        "walltime": timedelta(hours=1),
        "environment": Environment(name="python3", argv=PYTHON),
        "shape": WorkerShape(cores=2, memory=8 * 2**30, workers_per_job=2),
        "scaling": FixedScaling(workers=4),
        "directory": Path("/scratch/k3x9"),
        "created": datetime(2026, 1, 1, tzinfo=timezone.utc),
    }
    return Cluster(**(values | changes))


def requests(site: BatchSite, cluster: Cluster) -> list[Any]:
    launcher = BatchLauncher(site, {"host": LocalSystem(), "batch": SlurmSystem()}, {}, HERE)
    return [job_request(site, cluster, job, HERE, SlurmSystem().quote) for job in launcher.first_jobs(cluster)]


def option(command: str, name: str) -> str:
    words = shlex.split(command)
    return words[words.index(name) + 1]


def test_a_job_asks_for_what_its_workers_have_together() -> None:
    _, workers = requests(site_with(), cluster_with())
    assert (workers.count, workers.cores, workers.memory, workers.gpus) == (2, 4, 16 * 2**30, 0)
    assert option(workers.command, "--nworkers") == "2"
    assert option(workers.command, "--nthreads") == "2"
    assert option(workers.command, "--memory-limit") == str(8 * 2**30)
    assert option(workers.command, "--name") == "k3x9-workers-1-$HPCDASK_INDEX"


def test_an_allocation_has_a_task_for_the_scheduler_and_one_for_each_group_of_workers() -> None:
    (job,) = requests(site_with(), cluster_with(layout="allocation"))
    assert (job.count, job.tasks.count, job.cores, job.memory) == (1, 2, 4, 16 * 2**30)
    assert "distributed.cli.dask_scheduler" in job.command
    assert option(job.tasks.command, "--name") == "k3x9-workers-0-$HPCDASK_TASK"
    assert job.program is None


def test_libraries_use_one_thread_unless_the_environment_or_the_site_says_otherwise() -> None:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    environment = Environment(name="e", argv=PYTHON, env={"MKL_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"})
    plain, *_ = requests(site_with(), cluster_with())
    assert {plain.environment[name] for name in names} == {"1"}
    said, *_ = requests(site_with(env={"OMP_NUM_THREADS": "4"}), cluster_with(environment=environment))
    assert [said.environment[name] for name in names] == ["4", "2", "1", "1"]


def test_dask_gets_the_share_of_the_memory_that_the_site_says() -> None:
    _, workers = requests(site_with(memory_share=0.9), cluster_with(shape=WorkerShape(cores=4, memory=20 * 10**9)))
    assert workers.memory == 20 * 10**9
    assert option(workers.command, "--memory-limit") == str(18 * 10**9)


def test_gpus_are_asked_for_each_worker_and_told_to_it() -> None:
    shape = WorkerShape(cores=1, memory=2**30, gpus=1, workers_per_job=4)
    scheduler, workers = requests(site_with(scheduler={"place": "job"}), cluster_with(shape=shape))
    assert (scheduler.gpus, workers.gpus) == (0, 4)
    assert workers.environment["HPCDASK_GPUS_PER_WORKER"] == "1"
    assert "HPCDASK_GPUS_PER_WORKER" not in requests(site_with(), cluster_with())[0].environment


def test_a_queue_may_have_its_own_worker_command_and_directives() -> None:
    queues = [
        {"name": "regular", "worker_command": ["-m", "dask", "cuda", "worker"], "extra_directives": ["--exclusive"]},
        {"name": "shared", "extra_directives": ["--qos=shared"]},
    ]
    site = site_with(queues=queues, scheduler={"place": "job", "queue": "shared"}, extra_directives=["--comment=x"])
    scheduler, workers = requests(site, cluster_with())
    assert "/opt/env/bin/python -m dask cuda worker --protocol tls" in workers.command
    assert "--nworkers" not in workers.command
    assert (workers.queue, workers.extra_directives) == ("regular", ("--comment=x", "--exclusive"))
    assert (scheduler.queue, scheduler.extra_directives) == ("shared", ("--comment=x", "--qos=shared"))


@pytest.mark.parametrize("value", ["ib0", "a b; touch FIRED", "$(touch FIRED)"])
def test_options_add_to_the_command_lines_as_one_word(value: str) -> None:
    options = [
        {"name": "net", "pattern": ".*", "argument": "--interface {value}"},
        {"name": "res", "type": "integer", "worker_argument": "--resources=GPU={value}"},
        {"name": "off", "type": "boolean", "worker_argument": "--no-nanny"},
    ]
    scheduler, workers = requests(
        site_with(options=options, worker_arguments=["--lifetime", "1 h"]),
        cluster_with(options={"net": value, "res": 2, "off": False}),
    )
    assert option(scheduler.command, "--interface") == option(workers.command, "--interface") == value
    assert option(workers.command, "--lifetime") == "1 h"
    assert option(workers.command, "--resources") == "GPU=2 workers=2"
    assert "--resources" not in scheduler.command
    assert "--no-nanny" not in workers.command


def test_workers_have_the_resources_of_their_group_one_by_its_name_and_what_the_site_gives() -> None:
    cluster = cluster_with()
    shape = WorkerShape(cores=8, memory=2**30, gpus=2)
    gpu = WorkerGroup(
        name="gpu", queue="gpus", shape=shape, scaling=FixedScaling(workers=2), resources={"GPU": 2, "disk": 0.5}
    )
    site = site_with(
        queues=[{"name": "regular"}, {"name": "gpus", "gpus": 2, "worker_command": ["-m", "dask", "cuda", "worker"]}],
        worker_arguments=["--resources", "site=1 GPU=9", "--resources=more=2"],
    )
    _, plain, gpus = requests(site, cluster.with_new_group(gpu))
    assert option(plain.command, "--resources") == "site=1 GPU=9 more=2 workers=2"
    assert option(gpus.command, "--resources") == "site=1 GPU=2 more=2 gpu=8 disk=0.5", "the group's own one counts"
    assert gpus.command.count("--resources") == 1
    assert (plain.queue, gpus.queue, gpus.gpus) == ("regular", "gpus", 2)
    assert option(gpus.command, "--name") == "k3x9-gpu-1-$HPCDASK_INDEX"
    assert gpus.environment["HPCDASK_GPUS_PER_WORKER"] == "2"
    assert "HPCDASK_GPUS_PER_WORKER" not in plain.environment
    assert option(requests(site_with(), cluster)[1].command, "--resources") == "workers=2"


def test_what_tasks_can_ask_for_is_what_the_command_lines_of_workers_say() -> None:
    group = WorkerGroup(
        name="fast", queue="cuda", shape=WorkerShape(cores=8, memory=2**30), scaling=FixedScaling(workers=2),
        resources={"disk": 0.5},
    )  # fmt: skip
    queues = [{"name": "regular"}, {"name": "cuda", "worker_command": ["-m", "own", "--resources", "GPU=4,ssd=2"]}]
    options = [{"name": "ssd", "type": "integer", "worker_argument": "--resources=ssd={value}"}]
    site = site_with(queues=queues, options=options, worker_arguments=["--resources", "disk=9 odd=many most=inf"])
    cluster = cluster_with(options={"ssd": 1}).with_new_group(group)
    assert offered_resources(cluster, site, cluster.main) == {"workers": 2, "disk": 9, "ssd": 1}
    assert offered_resources(cluster, site, group) == {"fast": 8, "disk": 0.5, "GPU": 4, "ssd": 1}
    for job, group in zip(requests(site, cluster)[1:], cluster.groups, strict=True):
        told = dict(part.split("=") for part in option(job.command, "--resources").split())
        told = {name: float(amount) for name, amount in told.items() if name not in ("odd", "most")}
        assert told == offered_resources(cluster, site, group)


def test_a_group_may_say_itself_how_many_of_its_name_there_are() -> None:
    group = WorkerGroup(name="gpu", shape=WorkerShape(cores=8, memory=2**30), scaling=FixedScaling(workers=1))
    cluster = cluster_with().with_new_group(group.model_copy(update={"queue": "regular", "resources": {"gpu": 1}}))
    assert option(requests(site_with(), cluster)[2].command, "--resources") == "gpu=1"


def test_a_script_runs_beside_the_scheduler_which_does_not_end_when_idle() -> None:
    script = Script(path=Path("/home/ada/it's.py"), arguments=("a b", "$HOME"), directory=Path("/home/ada"))
    site = site_with()
    (job,) = requests(site, cluster_with(layout="allocation", script=script))
    last = shlex.split(next(line for line in job.program.splitlines() if "exec" in line))
    assert last == ["exec", *PYTHON, "-u", "/home/ada/it's.py", "a b", "$HOME"]
    assert "idle_preload" not in job.command


def test_a_scheduler_is_told_how_long_it_may_be_idle_and_workers_are_not() -> None:
    cluster = cluster_with(idle_timeout=timedelta(hours=1))
    for layout, tag in (("elastic", "scheduler"), ("allocation", "allocation")):
        scheduler, *workers = requests(site_with(), cluster.model_copy(update={"layout": layout}))
        assert "idle_preload.py" in scheduler.command
        assert scheduler.environment["HPCDASK_IDLE_TIMEOUT"] == "3600"
        assert scheduler.environment["HPCDASK_IDLE_REPORT"] == f"/scratch/k3x9/reports/{tag}.1.idle"
        assert scheduler.environment["HPCDASK_AWAITS_WORKERS"] == "1"
        assert not [job for job in workers if "idle" in job.command or "HPCDASK_IDLE_TIMEOUT" in job.environment]


def test_a_cluster_without_workers_is_idle_from_its_start() -> None:
    cluster = cluster_with(idle_timeout=timedelta(hours=1))
    scheduler, *_ = requests(site_with(), cluster.with_group("workers", scaling=FixedScaling(workers=0)))
    assert "HPCDASK_AWAITS_WORKERS" not in scheduler.environment


def test_a_script_finds_the_address_whatever_the_environment_s_wrapper_prints(tmp_path: Path) -> None:
    script = Script(path=tmp_path / "show.py", directory=tmp_path)
    script.path.write_text("import os\nprint(os.environ['DASK_SCHEDULER_ADDRESS'])\n")
    (tmp_path / "scheduler.json").write_text('{"address": "tls://10.0.0.1:8786"}')
    wrapper = ("/bin/sh", "-c", f'echo "Loading geo/2026"; exec {sys.executable} "$@"', "sh")
    environment = Environment(name="geo", argv=wrapper)
    cluster = cluster_with(layout="allocation", script=script, environment=environment, directory=tmp_path)
    (job,) = requests(site_with(), cluster)
    ran = subprocess.run(["/bin/sh", "-c", job.program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["Loading geo/2026", "tls://10.0.0.1:8786"]


def test_a_notebook_is_executed_into_a_copy() -> None:
    script = Script(path=Path("/home/ada/analysis.ipynb"), directory=Path("/home/ada"))
    (job,) = requests(site_with(), cluster_with(layout="allocation", script=script))
    assert "-m nbconvert --to notebook --execute" in job.program
    assert option(job.program, "--output") == "analysis.executed.ipynb"

"""What is asked of Grid Engine: directives, and the job script at work."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from batch_samples import ALLOCATION, RECORDINGS, request_with

from hpcdask_ext.batch.records import JobElements, JobRequest, Tasks
from hpcdask_ext.batch.sge import GridEngineSystem
from hpcdask_ext.errors import InvalidRequest

ELEMENT = {"JOB_ID": "11", "SGE_TASK_ID": "1", "HOSTNAME": "n1"}


def grid_engine(**settings: Any) -> GridEngineSystem:
    values = {"parallel_environment": "smp", "allocation_environment": "mpi", **settings}
    return GridEngineSystem(settings=GridEngineSystem.Settings(**values))


def directives(job: JobRequest, **settings: Any) -> list[str]:
    lines = grid_engine(**settings).script(job).splitlines()
    return [line.removeprefix("#$ ") for line in lines if line.startswith("#$ ")]


def refused(job: JobRequest, **settings: Any) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        grid_engine(**settings).script(job)
    ((field, message),) = [(error.field, error.message) for error in caught.value.errors]
    return field, message


def test_directives_ask_for_each_element_and_for_memory_of_each_slot() -> None:
    asked = directives(request_with(queue="gpu.q", account="a1", cores=3, memory=10**9))
    assert {"-t 1-3", "-q gpu.q", "-P a1", "-pe smp 3", "-l h_rt=01:00:00", "-l h_vmem=318M"} <= set(asked)
    assert {"-S /bin/bash", "-r n", "-notify", "-j y"} <= set(asked)
    assert '-o ":/scratch/ada/hpcdask/k3x9/logs/workers-1.$TASK_ID.log"' in asked


def test_what_is_not_asked_for_stands_in_no_directive() -> None:
    asked = directives(request_with(walltime=None, cores=1), memory_resource=None)
    assert [line for line in asked if line.split()[0] in ("-l", "-pe", "-q", "-P", "-V", "-v")] == []


@pytest.mark.parametrize(
    ("walltime", "text"),
    [
        (timedelta(seconds=0.5), "00:00:01"),
        (timedelta(hours=23, minutes=59, seconds=59), "23:59:59"),
        (timedelta(days=8, hours=1), "193:00:00"),
    ],
)
def test_walltime(walltime: timedelta, text: str) -> None:
    assert f"-l h_rt={text}" in directives(request_with(walltime=walltime))


def test_an_allocation_asks_for_the_slots_of_all_its_tasks() -> None:
    asked = directives(ALLOCATION)
    assert {"-pe mpi 36", "-t 1-1", "-l h_vmem=4096M"} <= set(asked)


def test_without_a_parallel_environment_there_are_no_several_slots() -> None:
    field, remedy = refused(request_with(cores=4), parallel_environment=None)
    assert field == "settings.parallel_environment"
    assert "for 4 cores in one job: name one of `qconf -spl`" in remedy
    assert refused(ALLOCATION, allocation_environment=None)[0] == "settings.allocation_environment"
    # The site's own directive asks for one.
    own = request_with(cores=4, extra_directives=("-pe omp 4",))
    assert [line for line in directives(own, parallel_environment=None) if "-pe" in line] == ["-pe omp 4"]


def test_resources_have_the_names_that_the_centre_gave_them() -> None:
    asked = directives(request_with(cores=1, gpus=2), memory_resource="mem_free", gpu_resource="ngpus")
    assert {"-l mem_free=16384M", "-l ngpus=2"} <= set(asked)
    assert not [line for line in asked if "h_vmem" in line]


def test_more_resources_are_requested_and_none_twice() -> None:
    asked = directives(request_with(cores=1), resource_spec="h_vmem=20G,arch=lx-amd64")
    assert [line for line in asked if line.startswith("-l")] == ["-l h_rt=01:00:00", "-l h_vmem=20G,arch=lx-amd64"]


def test_gpus_of_each_slot() -> None:
    assert "-l gpu=2" in directives(request_with(cores=2, gpus=4), gpu_per_slot=True)
    assert "-l gpu=1" in directives(request_with(**vars(ALLOCATION) | {"cores": 2, "gpus": 2}), gpu_per_slot=True)
    field, message = refused(request_with(cores=4, gpus=2), gpu_per_slot=True)
    assert (field, "2 GPUs cannot be shared by 4 slots" in message) == ("gpus", True)
    field, message = refused(request_with(**vars(ALLOCATION) | {"gpus": 1}))
    assert (field, "choose the elastic layout" in message) == ("gpus", True)


def test_directives_of_the_site_stand_last() -> None:
    assert directives(request_with(extra_directives=("-l h_vmem=1G",)))[-1] == "-l h_vmem=1G"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("environment", {"environment": {"NOTE": "first\n#$ -t 1-75000"}}),
        ("prologue", {"prologue": ("#$ -V",)}),
        ("command", {"command": "dask-worker --name 'a\n#$ -V'"}),
        ("command", {"tasks": Tasks("dask-worker --name 'a\n#$ -V'", 1), "count": 1}),
    ],
)
def test_a_directive_hidden_in_the_script_is_refused(field: str, change: dict[str, Any]) -> None:
    """Grid Engine reads directives from every line of a script, not only from its head (tried with 8.1.9)."""
    assert refused(request_with(**change))[0] == field
    assert directives(request_with(environment={"NOTE": "a #$ -V"}))


def test_cancelling_names_whole_jobs_and_runs_of_elements() -> None:
    command = grid_engine().cancel([JobElements("11", (3, 5, 6, 7)), JobElements("12")])
    assert command.argv == ("qdel", "11.3", "11.5-7", "12")


def fake(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("file", ["qstat-states.txt", "qstat-empty.txt"])
def test_the_query_asks_only_about_our_jobs_that_wait(tmp_path: Path, file: str) -> None:
    listed, _, explained = (RECORDINGS / "sge" / file).read_text().partition("hpcdask|\n")
    foreign = "<job_list>\n<JB_job_number>99</JB_job_number>\n<JB_name>mine</JB_name>\n<state>qw</state>\n</job_list>\n"
    (tmp_path / "list").write_text(listed.replace("  </job_info>", f"{foreign}  </job_info>"))
    (tmp_path / "explanations").write_text("<djob_info>\n" + explained)
    fake(tmp_path, "qstat", 'cd "${0%/*}"; echo "$*" >>asked; case $1 in -j) cat explanations ;; *) cat list ;; esac')
    path = f"{tmp_path}:{os.environ['PATH']}"
    command = grid_engine().query()
    result = subprocess.run(command.argv, capture_output=True, text=True, env={"PATH": path}, check=True)
    assert result.stdout == (RECORDINGS / "sge" / file).read_text()
    waiting = ["-j 5,6,7,8,9,10,11,12,13,14,15,16,17 -xml"] if explained else []
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert (tmp_path / "asked").read_text().splitlines() == [f"-u {user} -s prs -r -xml", *waiting]


def test_the_query_fails_when_the_list_does(tmp_path: Path) -> None:
    fake(tmp_path, "qstat", "echo 'error: commlib error' >&2; exit 3")
    command = grid_engine().query()
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    result = subprocess.run(command.argv, capture_output=True, text=True, env=environment, check=False)
    assert (result.returncode, result.stderr) == (3, "error: commlib error\n")


def start(job: JobRequest, tmp_path: Path, **environment: str) -> subprocess.Popen[str]:
    changes = {"report_prefix": tmp_path / "report", "log_prefix": tmp_path / "log", "script_file": tmp_path / "job.sh"}
    job = request_with(**vars(job) | changes | {"working_directory": tmp_path})
    job.script_file.write_text(grid_engine().script(job))
    return subprocess.Popen(
        ["/bin/sh", job.script_file],
        env={**os.environ, **ELEMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_job_outlives_its_suspension_and_closes_down_when_it_will_be_killed(tmp_path: Path) -> None:
    closing = "sh -c 'trap \"kill \\$!; exit 5\" TERM; echo up; sleep 60 & wait'"
    process = start(request_with(command=closing), tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    os.killpg(process.pid, signal.SIGUSR1)
    time.sleep(0.3)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGUSR2)
    process.communicate(timeout=10)
    assert "exit=5\n" in (tmp_path / "report.1.ended").read_text()
    assert stat.S_IMODE((tmp_path / "report.1.ended").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("hosts", "places", "is_complete"),
    [
        ("n1 2 a.q@n1 UNDEFINED\nn2 4 a.q@n2 UNDEFINED\n", "n2 1|n2 2", True),
        ("n1 4 a.q@n1 UNDEFINED\nn2 2 a.q@n2 UNDEFINED\n", "n1 1|n2 2", True),
        ("n1 1 a.q@n1 <NULL>\nn2 4 a.q@n2 <NULL>\nn1 1 b.q@n1 <NULL>\n", "n2 1|n2 2", True),
        ("n1 3 a.q@n1 UNDEFINED\nn2 3 a.q@n2 UNDEFINED\n", "n2 1", False),
    ],
)
def test_tasks_start_where_their_slots_are(tmp_path: Path, hosts: str, places: str, is_complete: bool) -> None:
    (tmp_path / "hosts").write_text(hosts)
    fake(tmp_path, "qrsh", 'echo "$4 $8" >>"${0%/*}/placed"; shift 4; exec "$@"')
    tasks = Tasks('touch "task-$HPCDASK_TASK"; sleep 60', 2)
    all_started = f"[ $(ls -d task-* 2>/dev/null | wc -l) -ge {len(places.split('|'))} ]"
    job = request_with(cores=2, count=1, tasks=tasks, command=f"until {all_started}; do sleep 0.1; done; sleep 0.3")
    path = f"{tmp_path}:{os.environ['PATH']}"
    printed = start(job, tmp_path, PATH=path, PE_HOSTFILE=str(tmp_path / "hosts")).communicate(timeout=20)[0]
    assert sorted((tmp_path / "placed").read_text().splitlines()) == places.split("|")
    assert len(list(tmp_path.glob("task-*"))) == len(places.split("|"))
    assert ("Only 1 of 2 workers are started" in printed) is not is_complete
    assert "exit=0\n" in (tmp_path / "report.1.ended").read_text()

"""What a real Slurm answers to our commands, and what our parsers make of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hpcdask_ext.batch.records import Command, CommandResult, JobElements, JobRequest
from hpcdask_ext.batch.slurm import SlurmSystem
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused
from tests.servers import until
from tests.slurm.conftest import slurm

pytestmark = pytest.mark.slurm
SLURM = SlurmSystem()


def answer(command: Command) -> CommandResult:
    result = subprocess.run(command.argv, input=command.stdin, capture_output=True, text=True, timeout=30, check=False)
    return CommandResult(command.argv, result.returncode, result.stdout, result.stderr)


@pytest.fixture
def job(tmp_path: Path) -> Iterator[JobRequest]:
    yield JobRequest(
        name="hpcdask-test-answers",
        command="sleep 60",
        count=1,
        cores=1,
        memory=2**28,
        walltime=timedelta(minutes=20),
        report_prefix=tmp_path / "report",
        log_prefix=tmp_path / "log",
        working_directory=tmp_path,
        script_file=tmp_path / "job.sh",
        queue="regular",
    )
    slurm("scancel", "--name=hpcdask-test-answers")
    until(lambda: not slurm("squeue", "--noheader", "--name=hpcdask-test-answers"))


def submit(job: JobRequest) -> str:
    return SLURM.parse_submit(job, answer(SLURM.submit(job, SLURM.script(job))))


def estimate(job: JobRequest) -> datetime | None:
    return SLURM.parse_estimate(answer(SLURM.estimate(job, SLURM.script(job))))


def test_queues() -> None:
    queues = {queue.name: queue for queue in SLURM.parse_queues(answer(SLURM.queues()))}
    assert next(iter(queues.values())).is_default
    regular = queues["regular"]
    assert (regular.cores, regular.memory, regular.gpus) == (8, 16 * 2**30, 2)
    assert (regular.nodes, regular.walltime) == (4, timedelta(days=1))
    assert (queues["single"].nodes, queues["single"].cores) == (1, 1)
    assert (queues["maint"].is_open, queues["maint"].note) == (False, "DOWN")


def test_a_slurm_without_accounts() -> None:
    assert SLURM.parse_accounts(answer(SLURM.accounts())) == []


def test_an_estimate_knows_what_runs(job: JobRequest) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=5)
    submit(replace(job, cores=8, count=4))
    running = ("squeue", "--noheader", "--array", "--name=hpcdask-test-answers", "--states=running")
    until(lambda: len(slurm(*running).splitlines()) == 4)
    start = estimate(replace(job, cores=8, count=4))
    assert start is not None
    assert timedelta(minutes=15) < start - before < timedelta(days=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"queue": "nosuch"}, "Invalid partition name specified"),
        ({"cores": 1000}, "Requested node configuration is not available"),
        ({"gpus": 3}, "Requested node configuration is not available"),
        ({"extra_directives": ("--time=banana",)}, "Invalid --time specification"),
    ],
)
def test_what_slurm_would_refuse_it_refuses_when_asked(job: JobRequest, changes: dict[str, object], words: str) -> None:
    with pytest.raises(BatchRefused, match=words):
        estimate(replace(job, **changes))


def test_a_walltime_over_the_limit_is_accepted_and_never_starts(job: JobRequest) -> None:
    job_id = submit(replace(job, queue="debug", walltime=timedelta(hours=2)))

    def reason() -> str:
        (status,) = [one for one in SLURM.parse_query(answer(SLURM.query())) if one.job_id == job_id]
        assert status.state is JobState.PENDING
        return status.reason

    until(lambda: reason() == "PartitionTimeLimit")
    assert "does not allow a walltime this long" in SLURM.explain(reason())


def test_unknown_and_ended_jobs_can_be_cancelled(job: JobRequest) -> None:
    job_id = submit(job)
    for _ in range(2):
        SLURM.parse_cancel(
            answer(SLURM.cancel([JobElements(job_id), JobElements("99999999"), JobElements("99999998", (1,))]))
        )
    until(lambda: job_id not in slurm("squeue", "--noheader", "--format=%A").split())
    statuses = SLURM.parse_query(answer(SLURM.query()))
    assert "99999999" not in [status.job_id for status in statuses]
    assert [status.state for status in statuses if status.job_id == job_id] == [JobState.ENDED]


def test_memory_of_the_site_s_own(job: JobRequest) -> None:
    job_id = submit(replace(job, extra_directives=("--mem-per-cpu=100M",)))
    assert "MinMemoryCPU=100M" in slurm("scontrol", "show", "job", job_id)

"""Slurm's answers, as recorded and as its manual pages describe them."""

from __future__ import annotations

import shlex
from datetime import datetime, timezone
from pathlib import Path

import pytest
from batch_samples import PLAIN, RECORDINGS, recorded, request_with, said

from hpcdask_ext.batch.records import JobElements, JobStatus
from hpcdask_ext.batch.slurm import SlurmSystem
from hpcdask_ext.batch.slurm_words import STATES
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

HEADING = "hpcdask|JOBID|STATE|START_TIME|NODELIST|NAME|REASON\n"
SLURM = SlurmSystem()


def statuses(*records: str) -> list[JobStatus]:
    return list(SLURM.parse_query(said(HEADING + "".join(f"hpcdask|{record}\n" for record in records))))


def recorded_jobs() -> dict[str, list[JobStatus]]:
    jobs: dict[str, list[JobStatus]] = {}
    for status in SLURM.parse_query(said((RECORDINGS / "slurm/squeue-states.txt").read_text())):
        jobs.setdefault(status.name, []).append(status)
    return jobs


def test_users_own_variables_change_no_command() -> None:
    submit = SLURM.submit(request_with(queue="regular"), Path("/s.sh")).argv
    assert {"SBATCH_PARTITION", "SBATCH_TIMELIMIT", "SBATCH_ARRAY_INX"} <= set(submit)
    # An account that only the user's own variable names is the user's choice.
    assert "SBATCH_ACCOUNT" not in submit
    assert "SQUEUE_PARTITION" in SLURM.query().argv
    assert {"SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0"} <= set(SLURM.query().argv)
    assert "SCANCEL_INTERACTIVE" in SLURM.cancel([JobElements("7")]).argv


def test_every_refusal_on_record_is_a_refusal_or_taken() -> None:
    for name in ("slurm/sbatch-refusals.txt", "slurm/sbatch-refusals-enforced.txt"):
        for command, result in recorded(name):
            if not command.startswith("sbatch") or result.exit_code == 0:
                continue
            with pytest.raises(BatchRefused) as caught:
                SLURM.parse_submit(PLAIN, result)
            assert "sbatch: error" not in caught.value.message
            assert result.stderr.split()[-1] in caught.value.message, command


def test_a_refusal_is_complete() -> None:
    words = dict(recorded("slurm/sbatch-refusals.txt"))["sbatch --mem=100G job.sh"]
    with pytest.raises(BatchRefused) as caught:
        SLURM.parse_submit(PLAIN, words)
    assert caught.value.message == (
        "Slurm did not accept the job: Memory specification can not be satisfied; "
        "Batch job submission failed: Requested node configuration is not available"
    )


def test_the_id_is_found_behind_what_a_login_script_prints() -> None:
    assert SLURM.parse_submit(PLAIN, said("Welcome to login1\n2 messages\n4711;alpha\n")) == "4711"


def test_recorded_states() -> None:
    jobs = recorded_jobs()
    assert jobs["done"] == [JobStatus("1", "done", JobState.ENDED, node="n4")]
    assert jobs["failing"] == [JobStatus("2", "failing", JobState.FAILED, reason="NonZeroExitCode", node="n4")]
    assert jobs["closed"][0].reason == "PartitionDown"
    assert jobs["closed"][0].indexes == (1, 3, 4, 8, *range(10, 41))
    assert [(status.state, status.indexes) for status in jobs["array"]] == [
        (JobState.ENDED, (1,)),
        (JobState.PENDING, (4,)),
        (JobState.RUNNING, (3,)),
        (JobState.RUNNING, (2,)),
    ]
    assert jobs["array"][0].reason == "CANCELLED"
    assert jobs["resources"][0].estimated_start == datetime.fromtimestamp(1795175607, timezone.utc)
    assert jobs["held"][0].estimated_start is None
    assert jobs["onn3"][0].reason == "ReqNodeNotAvail, UnavailableNodes:n3"


def test_a_line_break_in_the_name_of_a_foreign_job_disturbs_nobody() -> None:
    assert recorded_jobs()["two\nlines"][0].job_id == "16"


@pytest.mark.parametrize(
    ("text", "job_id", "indexes"),
    [
        ("7", "7", None),
        ("11_3", "11", (3,)),
        ("11_[3]", "11", (3,)),
        ("11_[3-4%2]", "11", (3, 4)),
        ("11_[1,3-5]", "11", (1, 3, 4, 5)),
        ("11_[1-7:2%5]", "11", (1, 3, 5, 7)),
        ("12+1", "12", None),
    ],
)
def test_forms_of_an_id(text: str, job_id: str, indexes: tuple[int, ...] | None) -> None:
    (status,) = statuses(f"{text}|PENDING|N/A||x|Priority")
    assert (status.job_id, status.indexes) == (job_id, indexes)


def test_the_rest_of_a_cancelled_array_is_named_without_numbers() -> None:
    """Seen with 22.05 after `scancel 4_[3-7]` and `scancel 4_[1-200]` of an array that was waiting."""
    (status,) = statuses("4|CANCELLED|1795171519||long|PartitionDown")
    assert (status.job_id, status.indexes, status.state, status.reason) == ("4", None, JobState.ENDED, "CANCELLED")


@pytest.mark.parametrize("text", ["11_[1,3,5...]", "x", "", "11_", "11_[]", "11_[a]"])
def test_an_id_that_was_cut_short_is_not_guessed(text: str) -> None:
    with pytest.raises(NotUnderstood):
        statuses(f"{text}|PENDING|N/A||x|Priority")


def test_every_state_of_slurm() -> None:
    for word, state in STATES.items():
        (status,) = statuses(f"7|{word}|N/A|n1|x|None")
        assert status.state is state
        assert status.reason or word in ("PENDING", "RUNNING", "COMPLETED")
    (later,) = statuses("7|HIBERNATING|N/A|n1|x|None")
    assert (later.state, later.reason) == (JobState.UNKNOWN, "HIBERNATING")


def test_a_thousand_jobs() -> None:
    running = [f"9_{index}|RUNNING|1795171495|n{index % 40}|x|None" for index in range(1, 1001)]
    pending = f"10_[{','.join(str(index) for index in range(1, 2000, 2))}]|PENDING|N/A||y|Priority"
    answer = statuses(*running, pending)
    assert len(answer) == 1001
    assert len(answer[-1].indexes or ()) == 1000


def test_cancelling_names_elements_and_whole_jobs() -> None:
    command = SLURM.cancel([JobElements("11", (3, 5, 6, 7)), JobElements("12")])
    assert shlex.join(command.argv).endswith("scancel '11_[3,5-7]' 12")


def test_cancelling_what_has_ended_is_done() -> None:
    ended = (
        "scancel: error: Kill job error on job id 1: Invalid job id specified\n"
        "scancel: error: Kill job error on job id 2: Job/step already completing or completed\n"
    )
    SLURM.parse_cancel(said(stderr=ended, exit_code=1))
    denied = "scancel: error: Kill job error on job id 3: Access/permission denied\n"
    with pytest.raises(BatchRefused, match="job id 3: Access/permission denied") as caught:
        SLURM.parse_cancel(said(stderr=ended + denied, exit_code=1))
    assert "Invalid job id" not in caught.value.message
    with pytest.raises(BatchRefused, match="exit code 1, no output"):
        SLURM.parse_cancel(said(exit_code=1))


def test_what_becomes_of_jobs_whose_node_fails_or_whose_queue_is_removed() -> None:
    answers = {command: list(SLURM.parse_query(result)) for command, result in recorded("slurm/squeue-troubles.txt")}
    _, failed, removed, cancelled = answers.values()
    (lost,) = [status for status in failed if status.name == "lost"]
    assert (lost.state, lost.reason, lost.node) == (JobState.FAILED, "NODE_FAIL", "n4")
    assert SLURM.explain(lost.reason) == "Its node failed, or its queue was removed: launch again (NODE_FAIL)"
    # Slurm forgets jobs after a while (MinJobAge): the answer does not mention it any more.
    assert "lost" not in [status.name for status in removed]
    (homeless,) = [status for status in removed if status.name == "noqueue"]
    assert (homeless.state, homeless.reason, homeless.node) == (JobState.FAILED, "NODE_FAIL", None)
    assert {status.name: status.state for status in cancelled}["toolong"] is JobState.ENDED


def test_a_walltime_over_the_limit_waits_for_ever_and_says_so() -> None:
    _, before = next(recorded("slurm/squeue-troubles.txt"))
    (status,) = [status for status in SLURM.parse_query(before) if status.name == "toolong"]
    assert status.state is JobState.PENDING
    assert "stop it and launch with a shorter walltime" in SLURM.explain(status.reason)


def test_an_account_that_was_not_granted() -> None:
    words = dict(recorded("slurm/sbatch-refusals.txt"))["sbatch -A nosuch job.sh"]
    with pytest.raises(BatchRefused, match="Invalid account or account/partition combination specified"):
        SLURM.parse_submit(PLAIN, words)


@pytest.mark.parametrize(
    "words",
    [
        "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
        "slurm_load_jobs error: Zero Bytes were transmitted or received",
        "ssh: connect to host login1 port 22: Connection refused",
        "ada@login1: Permission denied (publickey,keyboard-interactive).",
        "squeue: error: Slurm controller not responding, sleeping and retrying.",
        "slurm_load_jobs error: Slurm backup controller in standby mode",
        "squeue: fatal: Could not establish a configuration source",
    ],
)
def test_more_words_for_unreachable(words: str) -> None:
    with pytest.raises(BatchUnreachable):
        SLURM.parse_query(said(stderr=words + "\n", exit_code=1))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Resources", "Waiting for other jobs to end (Resources)"),
        ("Priority", "Waiting for jobs of higher priority (Priority)"),
        ("PartitionTimeLimit", "shorter walltime"),
        ("QOSMaxWallDurationPerJobLimit", "shorter walltime"),
        ("QOSMaxJobsPerUserLimit", "limit on jobs"),
        ("AssocMaxJobsLimit", "limit on jobs"),
        ("MaxJobsPerAccount", "limit on jobs"),
        ("QOSMaxCpuPerUserLimit", "they use all"),
        ("QOSMaxMemoryPerUser", "they use all"),
        ("AssocMaxCpuPerJobLimit", "more than one job may have"),
        ("AssocGrpCPUMinutesLimit", "has reached its limit"),
        ("QOSGrpNodeLimit", "has reached its limit"),
        (
            "ReqNodeNotAvail, UnavailableNodes:n3",
            "down, reserved or in maintenance (ReqNodeNotAvail, UnavailableNodes:n3)",
        ),
        ("Nodes required for job are DOWN, DRAINED or reserved", "down, reserved or in maintenance"),
        ("launch failed requeued held", "Held because it could not be started"),
        ("TimeLimit", "reached its walltime"),
        ("JobHeldAdmin", "ask the centre"),
    ],
)
def test_reasons_in_plain_words(reason: str, words: str) -> None:
    sentence = SLURM.explain(reason)
    assert words in sentence
    assert sentence.endswith(f"({reason})")


def test_every_recorded_reason_has_a_sentence_and_hopeless_ones_say_so() -> None:
    for statuses_of_job in recorded_jobs().values():
        for status in statuses_of_job:
            assert not SLURM.explain(status.reason).startswith("Waiting (")
    for word in ("PartitionTimeLimit", "PartitionConfig", "InvalidAccount", "InvalidQOS", "BadConstraints"):
        assert "will not start like this: stop it and" in SLURM.explain(word)

"""HTCondor's answers, as its documentation has them."""

from __future__ import annotations

import pytest
from batch_samples import PLAIN, recorded, said

from hpcdask_ext.batch.htcondor import HTCondorSystem
from hpcdask_ext.batch.htcondor_words import HOLDS, WAITING_HOLDS, WALLTIME_REASONS
from hpcdask_ext.batch.records import JobElements, JobStatus, QueueInfo
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

CONDOR = HTCondorSystem()
CONDOR_Q = dict(recorded("htcondor/condor_q.txt"))
BEGIN, END = "Begin of condor_q\n", "End of condor_q\n"


def recorded_jobs() -> dict[str, list[JobStatus]]:
    jobs: dict[str, list[JobStatus]] = {}
    for status in CONDOR.parse_query(CONDOR_Q["condor_q"]):
        jobs.setdefault(status.name, []).append(status)
    return jobs


def test_every_refusal_is_told_in_htcondors_words() -> None:
    refused = [result for _, result in recorded("htcondor/condor_submit.txt") if result.exit_code]
    assert len(refused) == 3
    for result in refused:
        with pytest.raises(BatchRefused) as caught:
            CONDOR.parse_submit(PLAIN, result)
        assert caught.value.message.startswith("HTCondor did not accept the job: ")
        assert "ERROR" not in caught.value.message
        assert result.stderr.split()[-1] in caught.value.message


def test_the_id_is_that_of_the_cluster() -> None:
    assert CONDOR.parse_submit(PLAIN, said("Welcome\n4711.0 - 4711.99\n")) == "4711"
    for text in ("12", "12.0", "12.0 - ", "3 job(s) submitted to cluster x."):
        with pytest.raises(NotUnderstood, match="no job id"):
            CONDOR.parse_submit(PLAIN, said(text))


def test_recorded_states() -> None:
    jobs = recorded_jobs()
    assert [(status.state, status.indexes, status.reason, status.node) for status in jobs["array"]] == [
        (JobState.RUNNING, (1,), "", "node7.example.org"),
        (JobState.RUNNING, (2,), "", "node8.example.org"),
        (JobState.PENDING, (3,), "insufficient priority", None),
        (JobState.ENDED, (4,), "", None),
    ]
    (nowhere,) = jobs["nowhere"]
    assert nowhere.state is JobState.FAILED
    assert nowhere.reason.startswith("IwdError: Error from slot1_1@node7.example.org: Cannot access initial working")
    others = {name: (status.state, status.reason) for name, (status, *_) in jobs.items()}
    assert others["failing"] == (JobState.FAILED, "ExitCode 3")
    assert others["killed"] == (JobState.FAILED, "ExitSignal 9")
    assert others["long"] == (JobState.FAILED, "JobDurationExceeded")
    assert others["held"] == (JobState.PENDING, "UserRequest")
    assert others["removed"] == (JobState.ENDED, "Removed")
    assert others["evicted"] == (JobState.FAILED, "Evicted")
    assert others[""] == (JobState.RUNNING, "Suspended")
    assert others['a [running] "name" {of mine}'] == (JobState.PENDING, "Idle")


def test_every_hold_is_known_and_only_the_users_own_are_waited_for() -> None:
    for code, label in HOLDS.items():
        ad = f'{{"ClusterId": 1, "ProcId": 0, "JobStatus": 5, "HoldReasonCode": {code}, "HoldReason": "why"}}'
        (status,) = CONDOR.parse_query(said(f"{BEGIN}[\n{ad}\n]\n{END}"))
        assert status.state is (JobState.PENDING if code in WAITING_HOLDS else JobState.FAILED)
        assert status.reason.partition(":")[0] == label
    assert {HOLDS[46], HOLDS[47]} == WALLTIME_REASONS


def test_a_state_that_is_new_is_unknown() -> None:
    (status,) = CONDOR.parse_query(said(BEGIN + '[\n{"ClusterId": 1, "ProcId": 0, "JobStatus": 9}\n]\n' + END))
    assert (status.state, status.reason) == (JobState.UNKNOWN, "JobStatus 9")


def test_no_jobs_are_told_from_no_answer() -> None:
    assert list(CONDOR.parse_query(said(f"Welcome to login1\n{BEGIN}{END}"))) == []
    for text in ("hello\n", "{}", "[1, 2]", '[{"ClusterId": 1}]', "[{]", "[\n"):
        with pytest.raises(NotUnderstood):
            CONDOR.parse_query(said(f"{BEGIN}{text}{END}"))
    for text in ("", "[\n]\n", BEGIN, END, f"{BEGIN}[\n]\n"):
        with pytest.raises(NotUnderstood):
            CONDOR.parse_query(said(text))


def test_advice_on_how_to_configure_a_pool_is_left_out() -> None:
    answer = dict(recorded("htcondor/unreachable.txt"))["condor_q (no schedd)"]
    with pytest.raises(BatchUnreachable) as caught:
        CONDOR.parse_query(answer)
    words = "HTCondor could not be asked: Can't find address for schedd submit.example.org"
    assert caught.value.message == words


def test_cancelling_names_processes_and_whole_clusters() -> None:
    command = CONDOR.cancel([JobElements("11", (3, 5)), JobElements("12")])
    assert command.argv == ("condor_rm", "11.2", "11.4", "12")


def test_cancelling_what_has_ended_is_done() -> None:
    for _, result in recorded("htcondor/condor_rm.txt"):
        CONDOR.parse_cancel(result)
    denied = "Job 12.9 not found\nPermission denied to remove job 13.0\n"
    with pytest.raises(BatchRefused, match=r"Permission denied to remove job 13\.0") as caught:
        CONDOR.parse_cancel(said(stderr=denied, exit_code=1))
    assert "not found" not in caught.value.message
    with pytest.raises(BatchRefused, match="exit code 1, no output"):
        CONDOR.parse_cancel(said(exit_code=1))


def test_the_pool_is_one_queue() -> None:
    answers = dict(recorded("htcondor/condor_status.txt"))
    (queue,) = CONDOR.parse_queues(answers["condor_status"])
    assert queue == QueueInfo(
        "default",
        cores=64,
        memory=256000 * 2**20,
        gpus=4,
        nodes=4,
        free_nodes=1,
        free_cores=20 + 32 + 16,
        is_default=True,
    )
    (nothing,) = CONDOR.parse_queues(answers["condor_status (none)"])
    assert (nothing.is_open, nothing.note, nothing.nodes) == (False, "no slots", 0)
    for text in ("", "<html>", 'Begin of condor_status\n[{"Machine": "a"}]\nEnd of condor_status'):
        with pytest.raises(NotUnderstood):
            CONDOR.parse_queues(said(text))


def test_what_htcondor_does_not_keep() -> None:
    assert CONDOR.accounts() is None
    assert CONDOR.estimate(PLAIN, "") is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Idle", "Waiting for HTCondor to find a machine"),
        ("no match found ", "No machine that is free has what was requested"),
        ("insufficient priority", "who have used the pool less"),
        ("concurrency limit matlab reached", "a limit of the pool"),
        ("UserRequest", "release it with `condor_release`"),
        ("JobDurationExceeded", "reached its walltime"),
        ("JobOutOfResources: Error from slot1@n7: memory usage exceeded request_memory", "more memory or disk"),
        ("ExitCode 3", "see its log"),
        ("Evicted", "launch again"),
    ],
)
def test_reasons_in_plain_words(reason: str, words: str) -> None:
    sentence = CONDOR.explain(reason)
    assert words in sentence
    assert sentence.endswith(f"({reason})")


def test_every_recorded_reason_has_a_sentence() -> None:
    for statuses in recorded_jobs().values():
        assert not any(CONDOR.explain(status.reason).startswith("Waiting (") for status in statuses)

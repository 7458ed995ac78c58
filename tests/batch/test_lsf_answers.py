"""LSF's answers, as its documentation has them."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta, timezone

import pytest
from batch_samples import PLAIN, recorded, said

from hpcdask_ext.batch.lsf import LSFSettings, LSFSystem
from hpcdask_ext.batch.lsf_words import CANCELLED, STATES, WALLTIME_REASONS, telling
from hpcdask_ext.batch.records import JobElements, JobStatus, QueueInfo
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

LSF = LSFSystem()
GROUPS = LSFSystem(settings=LSFSettings(account="group"))
BJOBS = dict(recorded("lsf/bjobs.txt"))


def recorded_jobs() -> dict[str, list[JobStatus]]:
    jobs: dict[str, list[JobStatus]] = {}
    for status in LSF.parse_query(BJOBS["bjobs -a -json -o"]):
        jobs.setdefault(status.name, []).append(status)
    return jobs


def test_every_refusal_is_told_in_lsfs_words() -> None:
    refused = [(command, result) for command, result in recorded("lsf/bsub.txt") if result.exit_code]
    assert len(refused) == 10
    for _, result in refused:
        with pytest.raises(BatchRefused, match="Job not submitted") as caught:
            LSF.parse_submit(PLAIN, result)
        assert caught.value.message == f"LSF did not accept the job: {'; '.join(result.stderr.splitlines())}"


def test_the_id_is_found_behind_what_a_login_script_prints() -> None:
    assert LSF.parse_submit(PLAIN, said("Welcome\nJob <4711> is submitted to default queue <normal>.\n")) == "4711"
    with pytest.raises(NotUnderstood, match="no job id"):
        LSF.parse_submit(PLAIN, said("Job <x> is submitted\n"))


def test_recorded_states() -> None:
    jobs = recorded_jobs()
    assert jobs["done"] == [JobStatus("811", "done", JobState.ENDED, (1,), node="c101")]
    assert jobs["failing"] == [JobStatus("814", "failing", JobState.FAILED, (1,), "EXIT", "c103")]
    assert jobs["long"] == [JobStatus("813", "long", JobState.FAILED, (1,), "TERM_RUNLIMIT", "c103")]
    assert jobs["lost"] == [JobStatus("815", "lost", JobState.UNKNOWN, (1,), "UNKWN", "c104")]
    assert [(status.state, status.indexes, status.node) for status in jobs["array"]] == [
        (JobState.RUNNING, (1,), "c101"),
        (JobState.RUNNING, (2,), "c102"),
        (JobState.PENDING, (3,), None),
        (JobState.ENDED, (4,), None),
    ]
    assert jobs["array"][2].reason == "Job slot limit reached: 40 hosts"
    assert jobs["array"][2].estimated_start == datetime(2026, 11, 20, 15, 4, tzinfo=timezone.utc)
    assert jobs["array"][3].reason == "TERM_OWNER"
    assert jobs["held"][0].reason == "The job was suspended by the user while pending"
    assert (jobs["stopped"][0].state, jobs["stopped"][0].reason) == (JobState.RUNNING, "USUSP")


def test_a_foreign_name_disturbs_nobody() -> None:
    (foreign,) = recorded_jobs()['cd /scratch; echo "running | waiting"']
    assert (foreign.job_id, foreign.indexes) == ("817", None)


def test_no_jobs_are_no_jobs_in_all_of_lsfs_words() -> None:
    for name in ("bjobs (none)", "bjobs (none unfinished)", "bjobs (none, as JSON)"):
        assert list(LSF.parse_query(BJOBS[name])) == []
    assert list(LSF.parse_query(said(stderr="Job <hpcdask-*> is not found\n", exit_code=255))) == []


def test_an_answer_counts_although_it_was_late() -> None:
    (status,) = LSF.parse_query(BJOBS["bjobs (late)"])
    assert (status.name, status.state) == ("late", JobState.RUNNING)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"JOBS":11', '"JOBS":12'),
        ('"COMMAND":"bjobs"', '"COMMAND":"bhosts"'),
        ('"JOBID":"811"', '"JOBID":"?"'),
        ('"JOBID":"811"', '"ERROR":"Job <811> is not found"'),
        ('"RECORDS"', '"RECORD"'),
    ],
)
def test_a_list_that_is_not_whole_is_not_used(old: str, new: str) -> None:
    text = BJOBS["bjobs -a -json -o"].stdout
    with pytest.raises(NotUnderstood):
        LSF.parse_query(said(text.replace(old, new)))


def test_every_state_of_lsf() -> None:
    text = BJOBS["bjobs (late)"].stdout
    for word, state in STATES.items():
        (status,) = LSF.parse_query(said(text.replace('"RUN"', f'"{word}"')))
        assert status.state is state
        assert status.reason or word in ("PEND", "PROV", "PSUSP", "WAIT", "RUN", "DONE")
    (later,) = LSF.parse_query(said(text.replace('"RUN"', '"PONDERING"')))
    assert (later.state, later.reason) == (JobState.UNKNOWN, "PONDERING")


@pytest.mark.parametrize(
    ("job_id", "name", "indexes"),
    [("811", "late[3]", (3,)), ("811[3]", "late[3]", (3,)), ("811[3]", "late", (3,)), ("811", "late", None)],
)
def test_forms_of_an_id(job_id: str, name: str, indexes: tuple[int, ...] | None) -> None:
    text = BJOBS["bjobs (late)"].stdout.replace('"811"', f'"{job_id}"').replace("late[1]", name)
    (status,) = LSF.parse_query(said(text))
    assert (status.job_id, status.name, status.indexes) == ("811", "late", indexes)


def test_the_walltime_is_told_from_other_ends() -> None:
    assert {status.reason for status in recorded_jobs()["long"]} <= WALLTIME_REASONS
    assert not WALLTIME_REASONS & CANCELLED


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("Nov 20 15:04 2026", (2026, 11, 20, 15, 4)),
        ("Jan  2 03:04:05 2027", (2027, 1, 2, 3, 4, 5)),
        ("Jan 2 03:04 2027 L", (2027, 1, 2, 3, 4)),
    ],
)
def test_times(text: str, time: tuple[int, ...]) -> None:
    answer = BJOBS["bjobs -a -json -o"].stdout.replace("Nov 20 15:04 2026", text)
    (status,) = [one for one in LSF.parse_query(said(answer)) if one.estimated_start]
    assert status.estimated_start == datetime(*time, tzinfo=timezone.utc)


def test_a_time_without_a_year_is_near() -> None:
    soon = datetime.now(timezone.utc).replace(second=0, microsecond=0) + timedelta(days=2)
    answer = BJOBS["bjobs -a -json -o"].stdout.replace("Nov 20 15:04 2026", f"{soon:%b %d %H:%M}")
    assert [one.estimated_start for one in LSF.parse_query(said(answer)) if one.estimated_start] == [soon]
    answer = answer.replace(f"{soon:%b %d %H:%M}", "sooner or later")
    assert not any(one.estimated_start for one in LSF.parse_query(said(answer)))


def test_cancelling_names_elements_and_whole_jobs() -> None:
    command = LSF.cancel([JobElements("11", (3, 5, 6, 7)), JobElements("12")])
    assert shlex.join(command.argv) == "env bkill '11[3,5-7]' 12"


def test_cancelling_what_has_ended_is_done() -> None:
    for _, result in recorded("lsf/bkill.txt"):
        LSF.parse_cancel(result)
    denied = "Job <13>: User permission denied\n"
    with pytest.raises(BatchRefused, match="Job <13>: User permission denied") as caught:
        LSF.parse_cancel(said(stderr="Job <12>: Job has already finished\n" + denied, exit_code=255))
    assert "already finished" not in caught.value.message
    with pytest.raises(BatchRefused, match="exit code 255, no output"):
        LSF.parse_cancel(said(exit_code=255))


def test_waiting_for_lsf_hides_no_refusal() -> None:
    """bsub says that it waits, then is answered: what counts is the answer."""
    words = "LSF is down. Please wait ...\ngold: No such queue. Job not submitted.\n"
    with pytest.raises(BatchRefused, match=r"^LSF did not accept the job: gold: No such queue"):
        LSF.parse_submit(PLAIN, said(stderr=words, exit_code=255))


@pytest.mark.parametrize("words", ["ssh: connect to host login1 port 22: Connection refused", "LIM is down; try later"])
def test_more_words_for_unreachable(words: str) -> None:
    with pytest.raises(BatchUnreachable):
        LSF.parse_query(said(stderr=words + "\n", exit_code=255))


def test_queues() -> None:
    (answer,) = [result for _, result in recorded("lsf/bqueues.txt")]
    assert LSF.parse_queues(answer) == [
        QueueInfo("normal", walltime=timedelta(days=1), running_jobs=0, pending_jobs=0, is_default=True),
        QueueInfo("bigmem", walltime=timedelta(days=5), running_jobs=128, pending_jobs=64),
        QueueInfo("night", is_open=False, note="Open:Inact_Win", running_jobs=0, pending_jobs=8),
        QueueInfo("interactive", is_open=False, note="ONLY_INTERACTIVE", running_jobs=3, pending_jobs=0),
        QueueInfo("old", is_open=False, note="Closed:Inact_Adm", running_jobs=0, pending_jobs=0),
    ]
    for text in ("", "<html>", "QUEUE: x\nPRIO STATUS\n"):
        with pytest.raises(NotUnderstood):
            LSF.parse_queues(said(text))
    with pytest.raises(BatchUnreachable):
        LSF.parse_queues(said(stderr="LSF is down. Please wait ...\n", exit_code=255))


def test_accounts_are_the_users_groups_where_accounts_are_groups() -> None:
    assert LSF.accounts() is None
    assert GROUPS.accounts() is not None
    answers = dict(recorded("lsf/bugroup.txt"))
    assert GROUPS.parse_accounts(answers["sh -c id -un && exec bugroup -r -w"]) == ["climate", "everybody"]
    assert GROUPS.parse_accounts(answers["bugroup (none)"]) == []
    with pytest.raises(NotUnderstood):
        GROUPS.parse_accounts(said("ada\n"))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("New job is waiting for scheduling", "Waiting for LSF to consider it"),
        ("Job slot limit reached: 40 hosts", "the nodes are full"),
        ("Job slot limit reached: 1 host", "the nodes are full"),
        ("Load information unavailable: c101, c102", "do not answer"),
        ("User has reached the per-user job slot limit of the queue", "you have reached the limit"),
        ("One of the user's groups has reached its job slot limit", "your group has reached its limit"),
        ("Job's requirements for reserving resource (mem) not satisfied: 12 hosts", "enough free memory"),
        ("Job's requirements for reserving resource (ngpus_physical) not satisfied", "resources that other jobs use"),
        ("The queue is inactivated by the administrator", "ask why"),
        ("The job was suspended by the user while pending", "release it with `bresume`"),
        ("TERM_RUNLIMIT", "reached its walltime"),
        ("TERM_MEMLIMIT", "more memory than requested"),
        ("Job no longer satisfies queue PROCLIMIT configuration", "will not start like this"),
    ],
)
def test_reasons_in_plain_words(reason: str, words: str) -> None:
    sentence = LSF.explain(reason)
    assert words in sentence
    assert sentence.endswith(f"({reason})")


def test_every_recorded_reason_has_a_sentence() -> None:
    for statuses in recorded_jobs().values():
        assert not any(LSF.explain(status.reason).startswith("Waiting (") for status in statuses)


def test_of_several_reasons_the_jobs_own_tells_most_then_that_of_the_most_nodes() -> None:
    nodes = "Closed by LSF administrator: 99 hosts;Load threshold reached: 3 hosts;Job slot limit reached: 12 hosts;"
    assert telling(nodes) == "Job slot limit reached: 12 hosts"
    assert telling(f"{nodes} The queue has reached its job slot limit;") == "The queue has reached its job slot limit"
    assert telling("Closed by LSF administrator: 99 hosts;") == "Closed by LSF administrator: 99 hosts"
    assert telling("") == ""

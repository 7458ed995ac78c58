"""Moab's directives and answers, as its manual and published answers have them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from batch_samples import ALLOCATION, PLAIN, recorded, request_with, said

from hpcdask_ext.batch.moab_words import STATES
from hpcdask_ext.batch.records import JobElements, JobStatus
from hpcdask_ext.batch.torque import MoabSystem
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

MOAB = MoabSystem()
SUBMISSIONS = dict(recorded("moab/submissions.txt"))


def jobs() -> dict[str, list[JobStatus]]:
    found: dict[str, list[JobStatus]] = {}
    for status in MOAB.parse_query(dict(recorded("moab/showq.txt"))["showq"]):
        found.setdefault(status.name, []).append(status)
    return found


def statuses(job: str) -> list[JobStatus]:
    text = f"hpcdask-jobs\n<Data><queue>{job}</queue></Data>\n<Data></Data>\nhpcdask\n"
    return list(MOAB.parse_query(said(text)))


def test_directives_are_msubs_own() -> None:
    lines = MOAB.script(request_with(queue="long")).splitlines()
    for line in ("#MSUB -q long", "#MSUB -t [1-3]", "#MSUB -l nodes=1:ppn=4,mem=16384mb", "#MSUB -l walltime=01:00:00"):
        assert line in lines
    assert not any(line.startswith("#PBS") for line in lines)


@pytest.mark.parametrize(
    ("command", "job_id"),
    [("msub", "881196"), ("msub (no resource manager yet)", "Moab.12"), ("msub -t [1-3]", "Moab.12")],
)
def test_ids(command: str, job_id: str) -> None:
    assert MOAB.parse_submit(request_with(count=1), SUBMISSIONS[command]) == job_id
    assert MOAB.parse_submit(request_with(count=3), SUBMISSIONS[command]) == f"{job_id}[]"


def test_a_refusal_is_told_in_its_own_words() -> None:
    with pytest.raises(BatchRefused) as caught:
        MOAB.parse_submit(PLAIN, SUBMISSIONS["msub -q nosuch"])
    assert caught.value.message == "Moab did not accept the job: cannot submit job - class 'nosuch' does not exist"


def test_jobs_that_live() -> None:
    found = jobs()
    assert found["one"] == [JobStatus("881196", "one", JobState.RUNNING, None, "", "m13s0703")]
    assert [(one.job_id, one.indexes, one.state, one.reason) for one in found["array"]] == [
        ("Moab.12[]", (2,), JobState.RUNNING, ""),
        ("Moab.12[]", (1,), JobState.PENDING, "Starting"),
        ("Moab.12[]", (3,), JobState.PENDING, "Idle"),
    ]
    assert found["array"][2].estimated_start == datetime.fromtimestamp(1562999999, timezone.utc)
    assert found['a <b> "c"'][0].job_id == "881205"
    assert (found["blocked"][0].reason, found["held"][0].reason) == ("IdlePolicy", "BatchHold")


def test_ends() -> None:
    found = jobs()
    assert {name: (one.state, one.reason) for name, (one, *_) in found.items() if one.state.is_final} == {
        "done": (JobState.ENDED, ""),
        "failed": (JobState.FAILED, "CompletionCode 3"),
        "walltime": (JobState.FAILED, "wallclock limit"),
        "cancelled": (JobState.ENDED, "CNCLD(271)"),
        "deleted": (JobState.ENDED, "CompletionCode 271"),
        "vacated": (JobState.FAILED, "Vacated"),
    }
    assert {"wallclock limit"} == MoabSystem.WALLTIME_REASONS


def test_every_state_of_moab() -> None:
    for word, state in [*STATES.items(), ("Dreaming", JobState.UNKNOWN)]:
        (status,) = statuses(f'<job JobID="1" State="{word}"/>')
        assert status.state is state
        assert status.reason or word in ("Running", "Completed")


@pytest.mark.parametrize(
    ("text", "job_id", "indexes"),
    [
        ("Moab.12[3]", "Moab.12[]", (3,)),
        ("Moab.12[3-5,7]", "Moab.12[]", (3, 4, 5, 7)),
        ("Moab.12[](3)", "Moab.12[]", None),
        ("cluster-1.45[37]", "cluster-1.45[]", (37,)),
        ("45", "45", None),
    ],
)
def test_forms_of_an_id(text: str, job_id: str, indexes: tuple[int, ...] | None) -> None:
    (status,) = statuses(f'<job JobID="{text}" State="Idle"/>')
    assert (status.job_id, status.indexes) == (job_id, indexes)


@pytest.mark.parametrize(
    "job", ['<job JobID="1"/>', '<job State="Idle"/>', '<job JobID="1[-]" State="Idle"/>', '<job JobID="1" Stat']
)
def test_an_unreadable_record_is_no_empty_list(job: str) -> None:
    with pytest.raises(NotUnderstood):
        statuses(job)


def test_one_document_is_half_an_answer() -> None:
    with pytest.raises(NotUnderstood):
        MOAB.parse_query(said("hpcdask-jobs\n<Data></Data>\nhpcdask\n"))


def test_cancelling_names_each_element() -> None:
    jobs_to_end = [JobElements("Moab.12[]", (1, 3)), JobElements("Moab.13[]"), JobElements("881196", (1,))]
    assert MOAB.cancel(jobs_to_end).argv == ("canceljob", "Moab.12[1]", "Moab.12[3]", "Moab.13[]", "Moab.13", "881196")


def test_cancelling_what_has_ended_is_done() -> None:
    MOAB.parse_cancel(SUBMISSIONS["canceljob 881196"])
    MOAB.parse_cancel(said(stderr="ERROR:  invalid job specified (881196)\n", exit_code=1))
    with pytest.raises(BatchRefused, match="no authority to cancel job '881197'") as caught:
        MOAB.parse_cancel(SUBMISSIONS["canceljob 881196 881197"])
    assert "invalid job" not in caught.value.message


def test_the_estimate_is_of_all_cores_and_the_walltime() -> None:
    assert MOAB.estimate(PLAIN, "").argv[-1] == "date +%s && showstart 4@01:00:00"
    assert MOAB.estimate(ALLOCATION, "").argv[-1] == "date +%s && showstart 36@01:00:00"
    assert MOAB.estimate(request_with(walltime=None), "").argv[-1] == "date +%s && showstart 4"


def test_an_estimate_is_the_wait_from_now_on() -> None:
    start = MOAB.parse_estimate(SUBMISSIONS["date +%s && showstart 8@36:00:00"])
    assert start == datetime.fromtimestamp(1562924500, timezone.utc) + timedelta(hours=3, minutes=31, seconds=22)
    days = said("1562924500\nEstimated Rsv based start in    1:02:03:04 on Fri Aug 15 12:40:10\n")
    assert MOAB.parse_estimate(days) == datetime.fromtimestamp(1562924500 + 86400 + 7384, timezone.utc)
    assert MOAB.parse_estimate(said("1562924500\njob 8@1 requires 8 procs\n")) is None


def test_an_estimate_that_cannot_be_had() -> None:
    with pytest.raises(BatchRefused, match="would not accept the job: no nodes"):
        MOAB.parse_estimate(said("1562924500\n", "ERROR:    no nodes\n", 1))
    with pytest.raises(BatchUnreachable):
        MOAB.parse_estimate(said("1562924500\n", "ERROR:  client timed out after 30 seconds\n", 1))
    for text in ("", "soon\n", "1562924500\n"):
        with pytest.raises(NotUnderstood):
            MOAB.parse_estimate(said(text))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Idle", "Waiting for its turn (Idle)"),
        ("IdlePolicy", "a limit is reached"),
        ("BatchHold", "will not start like this"),
        ("UserHold", "Held by you"),
        ("Deferred", "will try again"),
        ("wallclock limit", "reached its walltime"),
        ("CNCLD(271)", "It was cancelled"),
        ("CompletionCode 3", "see its log"),
    ],
)
def test_reasons_in_plain_words(reason: str, words: str) -> None:
    assert words in MOAB.explain(reason)
    assert MOAB.explain(reason).endswith(f"({reason})")


def test_every_state_and_recorded_reason_has_a_sentence() -> None:
    reasons = {one.reason for found in jobs().values() for one in found} | set(STATES) - {"Running", "Completed"}
    for reason in reasons - {"Suspended", "Canceling"}:
        assert not MOAB.explain(reason).startswith("Waiting ("), reason

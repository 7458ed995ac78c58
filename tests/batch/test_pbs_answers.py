"""PBS's answers about jobs, as recorded and as OpenPBS's manual pages and source describe them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from batch_samples import RECORDINGS, said

from hpcdask_ext.batch.pbs import PBSSystem
from hpcdask_ext.batch.pbs_words import STATES
from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

PBS = PBSSystem()


def answer(*jobs: str, code: int = 0) -> list[JobStatus]:
    """Return the statuses of jobs: an id, then fields after semicolons."""
    text = ""
    for job in jobs:
        name, *fields = job.split("; ")
        text += f"Job Id: {name}\n" + "".join(f"    {field}\n" for field in fields)
    return list(PBS.parse_query(said(f"{text}hpcdask exit {code}\n")))


@pytest.fixture(scope="module")
def jobs() -> dict[str, JobStatus]:
    statuses = PBS.parse_query(said((RECORDINGS / "pbs/jobs.txt").read_text()))
    return {f"{status.job_id} {status.indexes or ''}".strip(): status for status in statuses}


def test_recorded_jobs_that_run_or_wait(jobs: dict[str, JobStatus]) -> None:
    assert jobs["43.vm"] == JobStatus("43.vm", "hpcdask-r2d2-workers-1", JobState.RUNNING, None, "", "vm")
    # Nothing is true of all elements of an array that runs.
    assert "42[].vm" not in jobs
    assert jobs["42[].vm (4,)"].state is JobState.RUNNING
    assert jobs["45[].vm"].reason == jobs["45[].vm (2,)"].reason == "Not Running: Queue not started."
    assert jobs["46.vm"].reason == "Can Never Run: Insufficient amount of resource: ncpus (R: 64 A: 16 T: 16)"
    assert (jobs["47.vm"].state, jobs["47.vm"].reason) == (JobState.PENDING, "Job held by user")
    assert (jobs["48.vm"].state, jobs["48.vm"].reason) == (JobState.PENDING, "Execution_Time")


def test_elements_start_when_their_array_is_expected_to(jobs: dict[str, JobStatus]) -> None:
    start = datetime(2026, 11, 20, 14, 37, 44, tzinfo=timezone.utc)
    assert [jobs[f"44[].vm{index}"].estimated_start for index in ("", " (1,)", " (2,)")] == [start] * 3
    assert jobs["42[].vm (4,)"].estimated_start is None
    assert jobs["46.vm"].estimated_start is None


def test_recorded_ends(jobs: dict[str, JobStatus]) -> None:
    final = (JobState.ENDED, JobState.FAILED)
    ends = {key: (status.state, status.reason) for key, status in jobs.items() if status.state in final}
    assert ends == {
        "38[].vm": (JobState.ENDED, ""),
        "38[].vm (1,)": (JobState.FAILED, "exit code 3"),
        "38[].vm (2,)": (JobState.FAILED, "exceeded resource walltime"),
        "38[].vm (3,)": (JobState.ENDED, ""),
        "38[].vm (4,)": (JobState.FAILED, "exit code 137"),
        "39.vm": (JobState.FAILED, "exit code 3"),
        "40.vm": (JobState.ENDED, ""),
        "41[].vm": (JobState.ENDED, "terminated"),
        "41[].vm (1,)": (JobState.ENDED, "terminated"),
        "41[].vm (2,)": (JobState.ENDED, "terminated"),
        "41[].vm (3,)": (JobState.ENDED, "terminated"),
        "42[].vm (1,)": (JobState.FAILED, "exit code 3"),
    }
    assert ends["38[].vm (2,)"][1] in PBSSystem.WALLTIME_REASONS


def test_of_an_element_of_which_nothing_is_kept_the_end_is_not_that_of_its_array() -> None:
    """Seen with 23.06 when an array was deleted of which one element had ended before."""
    (status,) = answer("5[2].s; job_state = F; substate = 91; comment = Subjob finished; Exit_status = 0")
    assert (status.state, status.reason) == (JobState.ENDED, "")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("-3", "Exit_status=-3"),
        ("-27", "exceeded resource mem"),
        ("1", "exit code 1"),
        ("137", "exit code 137"),
        ("265", "killed by signal 9"),
        ("?", "exit code 1"),
    ],
)
def test_ends_that_are_failures(status: str, reason: str) -> None:
    (job,) = answer(f"7.s; Job_Name = x; job_state = F; substate = 93; Exit_status = {status}")
    assert (job.state, job.reason) == (JobState.FAILED, reason)


def test_every_state_of_pbs() -> None:
    for letter, state in STATES.items():
        (status,) = answer(f"7.s; job_state = {letter}")
        assert status.state is state
    for letter in ("M", "?"):
        (status,) = answer(f"7.s; job_state = {letter}")
        assert (status.state, status.reason) == (JobState.UNKNOWN, f"job_state={letter}")
    (waits,) = answer("7.s; job_state = W")
    assert waits.reason == "Execution_Time"


def test_what_is_known_of_an_array_is_not_said_of_the_jobs_behind_it() -> None:
    statuses = answer(
        "4[].s; job_state = Q; comment = Not Running: a; estimated.start_time = Fri Nov 20 09:32:27 2026",
        "4[1].s; job_state = Q",
        "4[2].s; job_state = Q; comment = Not Running: b",
        "5.s; job_state = Q",
    )
    assert [(status.indexes, status.reason) for status in statuses] == [
        (None, "Not Running: a"),
        ((1,), "Not Running: a"),
        ((2,), "Not Running: b"),
        (None, ""),
    ]
    assert statuses[0].estimated_start == datetime(2026, 11, 20, 9, 32, 27, tzinfo=timezone.utc)


def test_a_value_that_goes_on_in_the_next_line_keeps_its_spaces() -> None:
    (status,) = answer("7.s; job_state = F; substate = 91; comment = Job run and terminated by \n\tada@login1")
    assert status.reason == "terminated by ada@login1"


def test_a_start_that_pbs_does_not_know_is_none() -> None:
    assert answer("7.s; job_state = Q; estimated.start_time = UNKNOWN")[0].estimated_start is None


def test_a_job_that_was_forgotten_meanwhile_does_not_hide_the_others() -> None:
    for code in (153, 35):
        assert len(answer("7.s; job_state = R", code=code)) == 1


def test_a_server_that_went_away_between_the_calls_is_no_empty_list() -> None:
    with pytest.raises(BatchUnreachable):
        PBS.parse_query(said("hpcdask exit 255\n", "qstat: cannot connect to server s (errno=111)\n"))
    with pytest.raises(BatchRefused, match="exit code 2"):
        PBS.parse_query(said("hpcdask exit 2\n"))


@pytest.mark.parametrize("record", ["7.s; Job_Name = x", "x; job_state = R", "7[a].s; job_state = R"])
def test_a_record_that_cannot_be_read_is_not_left_out(record: str) -> None:
    with pytest.raises(NotUnderstood):
        answer("6.s; job_state = R", record)


def test_the_first_field_of_a_name_counts() -> None:
    """A variable of a job may have lines in its value, which older versions print as they are."""
    (status,) = answer("7.s; job_state = R; job_state = F; Exit_status = 1")
    assert status.state is JobState.RUNNING


@pytest.mark.parametrize(
    "words",
    [
        "qstat: cannot connect to server pbs01 (errno=15034)\n",
        "No Permission.\nqstat: cannot connect to server pbs01 (errno=15007)",
        "qstat: Request not allowed: Server shutting down",
        "ssh: connect to host login1 port 22: Connection refused",
        "ada@login1: Permission denied (publickey).",
    ],
)
def test_more_words_for_unreachable(words: str) -> None:
    with pytest.raises(BatchUnreachable):
        PBS.parse_query(said(stderr=words, exit_code=1))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Not Running: Insufficient amount of resource: ncpus (R: 12 A: 4 T: 16)", "Waiting for other jobs to end"),
        ("Not Running: Not enough free nodes available", "Waiting for other jobs to end"),
        ("Not Running: Queue not started.", "not starting jobs. Choose another queue"),
        ("Not Running: User has reached server running job limit.", "limit on jobs"),
        ("Not Running: Queue regular job limit reached for user ada", "limit on jobs"),
        ("Not Running: would exceed user ada's limit on resource ncpus in complex", "all that you may have at once"),
        ("Not Running: would exceed group g's limit on resource ncpus in queue q", "group or project"),
        ("Not Running: Project has reached queue q's running limit.", "group or project"),
        ("Not Running: Server job limit has been reached.", "whole centre has reached its limit"),
        ("Not Running: Job would conflict with reservation or top job", "reserved for others"),
        ("Not Running: Job would break strict sorted order", "jobs of higher priority"),
        ("Not Running: Dedicated time conflict", "dedicated time"),
        ("Not Running: PBS Error: Execution server rejected request", "PBS will try again"),
        ("Not Running: Node is in an ineligible state: offline", "down or in maintenance"),
        ("Can Never Run: Not enough total nodes available", "too few nodes"),
        ("Can Never Run: Insufficient amount of resource: ncpus (R: 64 A: 16 T: 16)", "No node has what was requested"),
        ("Can Never Run: Insufficient amount of queue resource: ncpus (R: 64 A: 16)", "queue does not allow that much"),
        ("job held, too many failed attempts to run", "could not be started"),
        ("Job held by ada on Fri Nov 20 at 09:32", "release it with `qrls`"),
        ("Job held by operator", "ask the centre why"),
        ("Execution_Time", "earliest start time"),
        ("Job Array Began at Fri Nov 20 at 14:29", "other parts of the same job have started"),
        ("Not Running: something new", "Waiting (Not Running: something new)"),
    ],
)
def test_reasons_in_plain_words(reason: str, words: str) -> None:
    sentence = PBS.explain(reason)
    assert words in sentence
    assert sentence.endswith(f"({reason})")
    assert ("will not start like this: stop it and" in sentence) == reason.startswith("Can Never Run")

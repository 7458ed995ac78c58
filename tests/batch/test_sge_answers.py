"""Grid Engine's answers, as recorded and as its manual pages describe them."""

from __future__ import annotations

import pytest
from batch_samples import PLAIN, RECORDINGS, recorded, said

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.batch.sge import GridEngineSystem
from hpcdask_ext.batch.sge_words import job_state, telling
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

GRID_ENGINE = GridEngineSystem()
STATES = (RECORDINGS / "sge/qstat-states.txt").read_text()
NEVER = "will not start like this: stop it and"


def recorded_jobs() -> dict[str, list[JobStatus]]:
    jobs: dict[str, list[JobStatus]] = {}
    for status in GRID_ENGINE.parse_query(said(STATES)):
        jobs.setdefault(status.name.removeprefix("hpcdask-"), []).append(status)
    return jobs


def status_of(state: str, tasks: str | None = "1", name: str = "x") -> JobStatus:
    element = "" if tasks is None else f"<tasks>{tasks}</tasks>"
    job = (
        f"<JB_job_number>7</JB_job_number><JB_name>{name}</JB_name><state>{state}</state><queue_name>a@n1</queue_name>"
    )
    answer = f"<?xml version='1.0'?>\n<job_info><job_info><job_list>{job}{element}</job_list></job_info></job_info>\n"
    (status,) = GRID_ENGINE.parse_query(said(answer))
    return status


def test_recorded_states() -> None:
    jobs = recorded_jobs()
    assert [(status.state, status.indexes) for status in jobs["k3x9-workers-1"]] == [
        (JobState.RUNNING, (1,)),
        (JobState.RUNNING, (2,)),
        (JobState.RUNNING, (3,)),
    ]
    assert [status.reason for status in jobs["k3x9-workers-3"]] == ["", "s"]
    # It is being deleted, and has not ended yet.
    assert jobs["k3x9-workers-4"] == [
        JobStatus("19", "hpcdask-k3x9-workers-4", JobState.RUNNING, (1,), node="n1"),
    ]
    assert jobs["p2m4-workers-1"][0].indexes == (1, 4, 5, 6, 8, 9, 10)
    assert [status.state for status in jobs["g2p0-workers-1"]] == [JobState.RUNNING, JobState.RUNNING, JobState.PENDING]
    assert jobs["e7r0-workers-1"][0].state is JobState.PENDING


@pytest.mark.parametrize(
    ("job", "reason", "words"),
    [
        ("p2m4-workers-1", 'queue instance "single.q@n1" dropped because it is full', "Waiting for other jobs to end"),
        ("c1o5-workers-1", 'queue instance "closed.q@n1" dropped because it is disabled', "the queue is closed"),
        ("e7r0-workers-1", 'Eqw: can\'t open output file "/nonexistent/x.1.log": No such file or directory', NEVER),
        ("h3l0-workers-1", "hqw", "Held: release it with `qrls`"),
        (
            "l0n6-workers-1",
            '(-l h_rt=7200) cannot run in queue "short.q" because of cluster queue',
            "so long a walltime",
        ),
        ("b1g0-workers-1", 'cannot run in PE "smp" because it only offers 0 slots', "enough slots are free at once"),
        ("l4t3-workers-1", "execution time not reached", "earliest start time"),
        ("q7a0-workers-1", 'cannot run because it exceeds limit "/////" in rule "most/1"', "you have reached a limit"),
        (
            "m3m0-workers-1",
            '(-l h_vmem=100G) cannot run at host "n1" because it offers only hc:h_vmem=34.000G',
            "a host with enough of what it requests",
        ),
        (
            "p7v0-workers-1",
            '(no project) does not have the correct project to run in cluster queue "private.q"',
            "may not use this queue",
        ),
    ],
)
def test_recorded_reasons_in_plain_words(job: str, reason: str, words: str) -> None:
    status = recorded_jobs()[job][-1]
    assert status.reason == reason
    sentence = GRID_ENGINE.explain(status.reason)
    assert words in sentence
    assert sentence.endswith(f"({reason})")


def test_every_recorded_reason_has_a_sentence() -> None:
    for statuses in recorded_jobs().values():
        for status in statuses:
            assert not GRID_ENGINE.explain(status.reason).startswith("Waiting (")
            assert bool(status.reason) == (status.state is JobState.PENDING) or status.reason == "s"


def test_the_message_about_the_queue_asked_for_tells_most() -> None:
    full = 'queue instance "a@n1" dropped because it is full'
    closed = 'queue instance "b@n2" dropped because it is disabled'
    refused = 'cannot run in queue "a" because PE "smp" is not in pe list'
    few, none = (f'cannot run in PE "mpi" because it only offers {count} slots' for count in (17, 0))
    assert telling([], [full, closed], ["b"]) == closed
    assert telling([], [full, closed], ["*@n2", "c"]) == full
    assert telling([few], [full], ["a"]) == few
    assert telling([none], [full], ["a"]) == full
    assert telling([refused], [full, closed], ["a"]) == refused
    # Any queue will do, but for one; the others are closed.
    assert telling([refused], [full, closed], []) == closed
    assert telling(["quota exceeds limit", refused], [closed], []) == "quota exceeds limit"
    assert telling([], [], ["a"]) == ""


def test_a_scheduler_that_does_not_tell_leaves_the_state() -> None:
    assert status_of("qw").reason == "qw"
    assert GRID_ENGINE.explain("qw") == "Waiting for Grid Engine to start it (qw)"
    off = "(Collecting of scheduler job information is turned off)"
    assert GRID_ENGINE.explain(off) == f"Waiting; Grid Engine does not tell here what for ({off})"


def test_reasons_that_were_cut_short_cost_no_states() -> None:
    whole = GRID_ENGINE.parse_query(said(STATES))
    _, _, explained = STATES.partition("hpcdask|\n")
    for length in (0, 1, len(explained) // 3, len(explained) - 5):
        cut = GRID_ENGINE.parse_query(said(STATES[: len(STATES) - len(explained) + length]))
        assert [(status.job_id, status.indexes, status.state) for status in cut] == [
            (status.job_id, status.indexes, status.state) for status in whole
        ]


@pytest.mark.parametrize(
    ("text", "indexes"),
    [(None, None), ("3", (3,)), ("2,3", (2, 3)), ("1-3:1,9", (1, 2, 3, 9)), ("1-9:4,10-12:1", (1, 5, 9, 10, 11, 12))],
)
def test_forms_of_task_ranges(text: str | None, indexes: tuple[int, ...] | None) -> None:
    assert status_of("qw", text).indexes == indexes


@pytest.mark.parametrize("text", ["", "x", "1-3:1,...", "1-", "undefined"])
def test_a_task_range_that_was_cut_short_is_not_guessed(text: str) -> None:
    with pytest.raises(NotUnderstood):
        status_of("qw", text)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("qw hqw Eqw Rq hRwq Ehqw dqw", JobState.PENDING),
        ("r t dr dt Rr Rt s ts S tS T dRr hr ds sS", JobState.RUNNING),
        ("z", JobState.ENDED),
        ("x ? qx E h", JobState.UNKNOWN),
    ],
)
def test_every_state(words: str, state: JobState) -> None:
    for word in words.split():
        assert job_state(word) is state
        status = status_of(word)
        assert status.state is state
        assert status.reason == word or state in (JobState.RUNNING, JobState.ENDED)


def test_names_and_login_scripts_disturb_nobody() -> None:
    assert status_of("r", name="a&amp;b &lt;c&gt;").name == "a&b <c>"
    assert len(GRID_ENGINE.parse_query(said(f"Welcome to <login1>\n{STATES}"))) == STATES.count("</job_list>")
    with pytest.raises(NotUnderstood):
        GRID_ENGINE.parse_query(said("<?xml version='1.0'?>\n<unknown_jobs >\n<ST_name>9</ST_name>\n</unknown_jobs>\n"))


def test_a_thousand_jobs() -> None:
    before, _, after = STATES.partition("<job_list")
    job, _, after = after.partition("</job_list>")
    answer = GRID_ENGINE.parse_query(said(f"{before}{f'<job_list{job}</job_list>' * 1000}{after}"))
    assert len(answer) == 1000 + STATES.count("</job_list>") - 1


def test_every_refusal_on_record_is_a_refusal_in_grid_engine_s_words() -> None:
    for command, result in recorded("sge/qsub-refusals.txt"):
        with pytest.raises(BatchRefused) as caught:
            GRID_ENGINE.parse_submit(PLAIN, result)
        assert "Unable to run job" not in caught.value.message
        assert "Exiting" not in caught.value.message
        assert caught.value.message.startswith("Grid Engine did not accept the job: "), command
    words = dict(recorded("sge/qsub-refusals.txt"))["qsub -terse -P secret"]
    with pytest.raises(BatchRefused) as caught:
        GRID_ENGINE.parse_submit(PLAIN, words)
    assert caught.value.message == (
        'Grid Engine did not accept the job: job rejected: no access to project "secret" for user "ada"'
    )


def test_the_id_is_found_behind_what_a_login_script_prints() -> None:
    assert GRID_ENGINE.parse_submit(PLAIN, said("Welcome\n2 messages\n4711.1-3:1\n")) == "4711"
    assert GRID_ENGINE.parse_submit(PLAIN, said("4711\n")) == "4711"


def test_cancelling_what_has_ended_is_done() -> None:
    *harmless, (_, denied) = recorded("sge/qdel.txt")
    assert {result.exit_code for _, result in harmless} == {0, 1}
    for _, result in harmless:
        GRID_ENGINE.parse_cancel(result)
    with pytest.raises(BatchRefused, match='privileges to delete the job "1"') as caught:
        GRID_ENGINE.parse_cancel(denied)
    assert "does not exist" not in caught.value.message
    with pytest.raises(BatchRefused, match="exit code 1, no output"):
        GRID_ENGINE.parse_cancel(said(exit_code=1))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("-l h_vmem=100G", 'cannot run at host "n1" because it offers only hc:h_vmem=64.000G'),
        ("-q short.q -l h_rt=02:00:00", '(-l h_rt=7200) cannot run in queue "short.q" because of cluster queue'),
        ("-q single.q -pe smp 2", 'cannot run in PE "smp" because it only offers 0 slots'),
        ("-P nosuch", 'job rejected: the requested project "nosuch" does not exist'),
    ],
)
def test_a_job_that_could_never_start_is_refused_before_it_is_submitted(request_: str, words: str) -> None:
    with pytest.raises(BatchRefused) as caught:
        GRID_ENGINE.parse_estimate(dict(recorded("sge/qsub-verify.txt"))[f"qsub -w v {request_}"])
    assert caught.value.message.endswith(words)
    assert "hard queue list" not in caught.value.message


@pytest.mark.parametrize("request_", ["", " -q closed.q", " -l mem_free=1G"])
def test_no_time_is_known_and_what_load_will_be_is_not_either(request_: str) -> None:
    assert GRID_ENGINE.parse_estimate(dict(recorded("sge/qsub-verify.txt"))[f"qsub -w v{request_}"]) is None


def test_projects_are_the_accounts() -> None:
    (_, some), (_, none) = recorded("sge/projects.txt")
    assert GRID_ENGINE.parse_accounts(some) == ["science"]
    assert GRID_ENGINE.parse_accounts(none) == []
    with pytest.raises(BatchUnreachable):
        GRID_ENGINE.parse_accounts(
            said(stderr="error: commlib error: got select error (Connection refused)", exit_code=1)
        )

"""LSF's answers, as its documentation has them, and jobs that a fake LSF really runs."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from batch_samples import ALLOCATION, PLAIN, recorded, request_with, said
from fake_site import FakeSite

from hpcdask_ext.batch.base import JobElements, JobStatus, QueueInfo, Tasks
from hpcdask_ext.batch.lsf import LSFSettings, LSFSystem
from hpcdask_ext.batch.lsf_words import CANCELLED, STATES, WALLTIME_REASONS, telling
from hpcdask_ext.clusters.models import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, InvalidRequest, NotUnderstood

LSF = LSFSystem()
BJOBS = dict(recorded("lsf/bjobs.txt"))


def lsf_with(**settings: object) -> LSFSystem:
    return LSFSystem(settings=LSFSettings(**settings))


def directives(script: str) -> dict[str, str]:
    lines = [line.removeprefix("#BSUB ") for line in script.splitlines() if line.startswith("#BSUB ")]
    return {words[0]: words[1] if len(words) > 1 else "" for words in map(shlex.split, lines)}


def recorded_jobs() -> dict[str, list[JobStatus]]:
    jobs: dict[str, list[JobStatus]] = {}
    for status in LSF.parse_query(BJOBS["bjobs -a -json -o"]):
        jobs.setdefault(status.name, []).append(status)
    return jobs


# --- scripts


def test_directives_ask_for_each_element() -> None:
    asked = directives(LSF.script(request_with(queue="bigmem", account="a1", cores=8, memory=20 * 10**9, gpus=2)))
    assert (asked["-q"], asked["-P"], asked["-W"], asked["-n"]) == ("bigmem", "a1", "01:00", "8")
    assert asked["-J"] == f"{PLAIN.name}[1-3]"
    assert asked["-R"] == "span[hosts=1] rusage[mem=19074MB]"
    assert asked["-M"] == "19074MB"
    assert asked["-gpu"] == "num=2"
    assert "-rn" in asked


def test_pegasus() -> None:
    """What its users write by hand: 8 cores, 20 GB, queue bigmem, half an hour."""
    job = request_with(queue="bigmem", cores=8, memory=20 * 10**9, walltime=timedelta(minutes=30))
    asked = directives(lsf_with(memory_unit="MB").script(job))
    assert (asked["-q"], asked["-n"], asked["-W"], asked["-M"]) == ("bigmem", "8", "00:30", "19074")


@pytest.mark.parametrize(
    ("walltime", "text"),
    [
        (timedelta(seconds=1), "00:01"),
        (timedelta(minutes=30), "00:30"),
        (timedelta(hours=23, minutes=59, seconds=1), "24:00"),
        (timedelta(days=14), "336:00"),
    ],
)
def test_walltime(walltime: timedelta, text: str) -> None:
    assert directives(LSF.script(request_with(walltime=walltime)))["-W"] == text


def test_what_is_not_asked_for_stands_in_no_directive() -> None:
    asked = directives(lsf_with(memory_limit="none").script(request_with(walltime=None)))
    assert not {"-W", "-q", "-P", "-G", "-M", "-gpu"} & set(asked)


@pytest.mark.parametrize(
    ("settings", "reserved", "limit"),
    [
        ({}, "1025MB", "1025MB"),
        ({"memory_unit": "KB"}, "1048577", "1048577"),
        ({"memory_unit": "MB"}, "1025", "1025"),
        ({"memory_unit": "GB"}, "2", "2"),
        ({"memory_per": "slot"}, "257MB", "1025MB"),
        ({"memory_per": "slot", "memory_unit": "GB"}, "1", "2"),
    ],
)
def test_memory_in_the_units_of_the_centre_is_rounded_up(
    settings: dict[str, object], reserved: str, limit: str
) -> None:
    asked = directives(lsf_with(**settings).script(request_with(cores=4, memory=2**30 + 1)))
    assert (asked["-R"], asked["-M"]) == (f"span[hosts=1] rusage[mem={reserved}]", limit)


def test_an_allocation_has_slots_for_every_task_and_memory_for_each_host() -> None:
    asked = directives(LSF.script(ALLOCATION))
    assert (asked["-n"], asked["-R"], asked["-M"]) == ("36", "span[ptile=4] rusage[mem=16384MB]", "16384MB")
    asked = directives(lsf_with(memory_limit="job").script(ALLOCATION))
    assert asked["-M"] == f"{9 * 16384}MB"


def test_gpus_are_of_a_host_also_where_lsf_counts_for_slots() -> None:
    asked = directives(lsf_with(memory_per="slot").script(request_with(gpus=2)))
    assert asked["-gpu"] == "num=2/host"


def test_an_account_may_be_a_user_group() -> None:
    asked = directives(lsf_with(account="group").script(request_with(account="climate")))
    assert asked["-G"] == "climate"
    assert "-P" not in asked


def test_only_the_path_is_passed_on_unless_the_site_says_otherwise() -> None:
    assert directives(LSF.script(PLAIN))["-env"] == "PATH"
    assert directives(lsf_with(environment=["PATH", "TZ"]).script(PLAIN))["-env"] == "PATH, TZ"
    assert directives(lsf_with(environment=["all"]).script(PLAIN))["-env"] == "all"


@pytest.mark.parametrize("value", ["it's", 'a "b" c', "$(x)", "a\\b", "größe"])
def test_a_value_is_quoted_as_bsub_reads_it(value: str) -> None:
    script = LSF.script(request_with(account=value))
    quoted = re.search(r"^#BSUB -P (.*)$", script, re.MULTILINE)[1]
    assert quoted[1:-1] == value
    assert quoted[0] == quoted[-1] == ("'" if '"' in value else '"')


@pytest.mark.parametrize("value", ['it\'s "so"', "a  b", " a", "a ", "# a"])
def test_what_bsub_would_misread_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot stand in an LSF directive") as caught:
        LSF.script(request_with(account=value))
    assert caught.value.errors[0].field == "account"


@pytest.mark.parametrize("text", ["#BSUB -q gold", "  # BSUB -J x[1-1000]"])
def test_nothing_but_the_head_of_a_script_has_directives(text: str) -> None:
    """bsub reads them in every line, also in the middle of a quoted value."""
    with pytest.raises(InvalidRequest, match=r"^environment: .*would be read as a directive"):
        LSF.script(request_with(environment={"TITLE": f"first line\n{text}"}))
    LSF.script(request_with(environment={"TITLE": f"first line {text}"}))


def test_users_own_variables_change_no_command() -> None:
    assert {"BSUB_QUIET", "BSUB_CHK_RESREQ"} <= set(LSF.submit(PLAIN, "text").argv)
    assert {"TZ=UTC", "LSB_DISPLAY_YEAR=Y"} <= set(LSF.query().argv)


# --- answers


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
    system = lsf_with(account="group")
    assert system.accounts() is not None
    answers = dict(recorded("lsf/bugroup.txt"))
    assert system.parse_accounts(answers["sh -c id -un && exec bugroup -r -w"]) == ["climate", "everybody"]
    assert system.parse_accounts(answers["bugroup (none)"]) == []
    with pytest.raises(NotUnderstood):
        system.parse_accounts(said("ada\n"))


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


# --- jobs that run


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    site = FakeSite(LSF, tmp_path, monkeypatch)
    yield site
    site.end()


async def test_elements_run_and_report(site: FakeSite) -> None:
    job_id = await site.submit(site.request('echo "I am $HPCDASK_INDEX"; exit $((HPCDASK_INDEX - 1))', count=2))
    assert f"job={job_id}[2]\n" in await site.text("report.2.started")
    assert "exit=1\n" in await site.text("report.2.ended")
    assert await site.text("log.1.log", "\n") == "I am 1\n"
    assert (await site.status(1, lambda status: status.state is JobState.ENDED)).reason == ""
    assert (await site.status(2, lambda status: status.state is JobState.FAILED)).reason == "EXIT"


async def test_one_element_can_be_cancelled(site: FakeSite) -> None:
    job_id = await site.submit(site.request("exec sleep 60", count=2))
    await site.text("report.1.started")
    await site.text("report.2.started")
    await site.cancel(JobElements(job_id, (2,)))
    assert "exit=143\n" in await site.text("report.2.ended")
    cancelled = await site.status(2, lambda status: status.state is JobState.ENDED)
    assert (cancelled.reason, cancelled.node) == ("TERM_OWNER", "n1")
    assert (await site.status(1, lambda _: True)).state is JobState.RUNNING
    await site.cancel(JobElements(job_id), JobElements("99"))
    assert "exit=143\n" in await site.text("report.1.ended")


async def test_a_job_waits_and_says_why(site: FakeSite) -> None:
    site.store.hold("bigmem", "Job slot limit reached: 40 hosts")
    site.store.change(estimate="Nov 20 15:04 2026")
    await site.submit(site.request("true", count=1, queue="bigmem"))
    status = await site.status(1, lambda _: True)
    assert (status.state, status.reason) == (JobState.PENDING, "Job slot limit reached: 40 hosts")
    assert status.estimated_start is not None
    site.store.release()
    await site.text("report.1.ended")


async def test_the_walltime_ends_a_job(site: FakeSite) -> None:
    site.store.change(minute=0.5)
    await site.submit(site.request("exec sleep 60", count=1, walltime=timedelta(minutes=1)))
    status = await site.status(1, lambda status: status.state.is_final)
    assert (status.state, status.reason) == (JobState.FAILED, "TERM_RUNLIMIT")


def signal_all(mark: str, number: int) -> None:
    """Signal every process that a fake has marked as one of a job's."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"={mark}\0".encode() in (entry / "environ").read_bytes():
                os.kill(int(entry.name), number)


async def test_the_signal_before_the_walltime_is_an_end_that_is_reported(site: FakeSite) -> None:
    """LSF sends SIGUSR2 to all processes of a job ten minutes before it kills them."""
    await site.submit(site.request("exec sleep 60", count=1))
    await site.text("report.1.started")
    await asyncio.sleep(0.5)  # until the command is there
    signal_all(f"{site.store.root}:1:1", signal.SIGUSR2)
    assert "exit=140\n" in await site.text("report.1.ended")


async def test_what_lsf_refuses(site: FakeSite) -> None:
    with pytest.raises(BatchRefused, match="gold: No such queue"):
        await site.submit(site.request("true", queue="gold"))
    with pytest.raises(BatchRefused, match="RUNLIMIT: Cannot exceed queue's hard limit"):
        await site.submit(site.request("true", walltime=timedelta(days=2)))
    site.store.mood("away")
    with pytest.raises(BatchUnreachable, match="LSF is down"):
        await site.submit(site.request("true"))
    site.store.mood(None)
    assert list(await site.query()) == []


async def test_the_secrets_of_the_submitter_do_not_reach_a_job(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_PASSPHRASES", "s3cret")
    await site.submit(site.request("env >environment", count=1))
    await site.text("report.1.ended")
    assert "s3cret" not in await site.text("environment")


async def test_an_allocation_runs_its_tasks_on_all_hosts_and_ends_with_the_first(site: FakeSite) -> None:
    first = 'until [ -e task-1 ] && [ -e task-2 ]; do sleep 0.1; done; echo "$A"; exit 3'
    others = 'echo "$A" >"task-$HPCDASK_TASK"; exec sleep 60'
    job = site.request(first, count=1, tasks=Tasks(others, 2), environment={"A": "first\nsecond"})
    await site.submit(job)
    assert "exit=3\n" in await site.text("report.1.ended")
    assert await site.text("task-2") == "first\nsecond\n"
    assert await site.text("log.task-0.log", "second") == "first\nsecond\n"
    hosts = [arguments[2] for arguments in site.store.calls("blaunch")]
    assert sorted(hosts) == ["n2", "n3"]
    assert (await site.status(1, lambda status: status.state.is_final)).state is JobState.FAILED


async def test_tasks_share_a_host_that_has_slots_for_them(site: FakeSite) -> None:
    job = site.request("exec sleep 60", count=1, tasks=Tasks('touch "task-$HPCDASK_TASK"; exec sleep 60', 3))
    wide = LSF.script(job).replace("ptile=2", "ptile=4")
    job.script_file.write_text(wide)
    await site.run(LSF.submit(job, wide))
    for task in (1, 2, 3):
        await site.text(f"task-{task}")
    assert sorted(arguments[2] for arguments in site.store.calls("blaunch")) == ["n1", "n2", "n2"]


async def test_a_program_runs_beside_the_scheduler_and_its_exit_code_is_the_jobs(site: FakeSite) -> None:
    job = site.request("exec sleep 60", count=1, tasks=Tasks("exec sleep 60", 1), program="sleep 1; (exit 7)")
    await site.submit(job)
    assert "exit=7\n" in await site.text("report.1.ended")


async def test_queues_and_groups_of_the_fake(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    (default, bigmem) = LSF.parse_queues(await site.run(LSF.queues()))
    assert (default.name, default.is_default, bigmem.name) == ("normal", True, "bigmem")
    assert default.walltime == timedelta(days=1)
    groups = lsf_with(account="group")
    assert groups.parse_accounts(await site.run(groups.accounts())) == ["everybody"]

"""Torque's directives and answers, as its manuals and its source have them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from batch_samples import ALLOCATION, PLAIN, recorded, request_with, said

from hpcdask_ext.batch.records import JobElements, JobStatus
from hpcdask_ext.batch.torque import TorqueSystem
from hpcdask_ext.batch.torque_words import STATES
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, InvalidRequest, NotUnderstood

TORQUE = TorqueSystem()


def torque_with(**settings: Any) -> TorqueSystem:
    return TorqueSystem(settings=TorqueSystem.Settings(**settings))


def resources(job: Any, system: TorqueSystem = TORQUE) -> str:
    lines = system.script(job).splitlines()
    return next(line for line in lines if line.startswith("#PBS -l ") and "walltime" not in line).split(" ", 2)[2]


def jobs() -> dict[str, list[JobStatus]]:
    found: dict[str, list[JobStatus]] = {}
    for status in TORQUE.parse_query(dict(recorded("torque/qstat.txt"))["qstat"]):
        found.setdefault(status.name, []).append(status)
    return found


def statuses(xml: str) -> list[JobStatus]:
    return list(TORQUE.parse_query(said(f"hpcdask-jobs\n{xml}\nhpcdask\n")))


def test_an_element_asks_for_cores_of_one_node_and_memory_for_the_job() -> None:
    assert resources(request_with(cores=3, memory=10**9)) == "nodes=1:ppn=3,mem=954mb"
    assert resources(request_with(cores=4, memory=8 * 2**30, gpus=2)) == "nodes=1:ppn=4:gpus=2,mem=8192mb"


@pytest.mark.parametrize(
    ("memory", "text"),
    [("mem", ",mem=147456mb"), ("vmem", ",vmem=147456mb"), ("pmem", ",pmem=4096mb"), ("none", "")],
)
def test_an_allocation_asks_for_a_node_for_each_task(memory: str, text: str) -> None:
    assert resources(ALLOCATION, torque_with(memory=memory)) == f"nodes=9:ppn=4{text}"


def test_a_site_can_ask_in_its_own_words() -> None:
    assert resources(PLAIN, torque_with(node_properties="ib:haswell")).startswith("nodes=1:ppn=4:ib:haswell,")
    system = torque_with(resource_spec="nodes=1:ppn=24,pmem=5gb")
    assert resources(PLAIN, system) == "nodes=1:ppn=24,pmem=5gb"
    assert resources(ALLOCATION, system) == "nodes=9:ppn=24,pmem=5gb"
    with pytest.raises(InvalidRequest, match="layout: 'procs=4' cannot be asked for 9 times"):
        resources(ALLOCATION, torque_with(resource_spec="procs=4"))


def test_directives() -> None:
    script = TORQUE.script(request_with(queue="long", account="a b", walltime=timedelta(days=2, seconds=0.5)))
    lines = script.splitlines()
    for line in ("#PBS -q long", '#PBS -A "a b"', "#PBS -t 1-3", "#PBS -l walltime=48:00:01", "#PBS -S /bin/bash"):
        assert line in lines
    one = TORQUE.script(request_with(count=1, walltime=None))
    assert "#PBS -t" not in one
    assert "walltime" not in one


def test_directives_of_the_site_stand_last() -> None:
    script = TORQUE.script(request_with(extra_directives=("-l mem=1gb",)))
    assert script.index("-l mem=1gb") > script.index("mem=16384mb")


def test_users_own_variables_change_no_command() -> None:
    assert "PBS_DPREFIX" in TORQUE.submit(PLAIN, "").argv
    assert {"PBS_QSTAT_EXECONLY", "PBS_QSTAT_NO_COMPLETE"} <= set(TORQUE.query().argv)


@pytest.mark.parametrize(
    ("text", "job_id"),
    [
        ("12.server\n", "12.server"),
        ("12[].server.example.org\n", "12[].server.example.org"),
        ("Welcome to login1\n2 messages\n12.server\n", "12.server"),
    ],
)
def test_ids(text: str, job_id: str) -> None:
    assert TORQUE.parse_submit(PLAIN, said(text)) == job_id


@pytest.mark.parametrize("text", ["12", "12[]", "Job 12.server", "x.server"])
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(NotUnderstood):
        TORQUE.parse_submit(PLAIN, said(text))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("qsub -q nosuch", "submit error (Unknown queue MSG=requested queue not found)"),
        ("qsub -A nosuch", "submit error (Invalid Account)"),
        ("qsub -l walltime=100:00:00", "submit error (Job exceeds queue resource limits MSG=cannot satisfy queue max"),
        ("qsub -l nodes=9999", "submit error (Job exceeds queue resource limits MSG=cannot locate feasible nodes"),
    ],
)
def test_refusals(command: str, words: str) -> None:
    with pytest.raises(BatchRefused) as caught:
        TORQUE.parse_submit(PLAIN, dict(recorded("torque/submissions.txt"))[command])
    assert caught.value.message.startswith(f"Torque did not accept the job: {words}")


def test_ends() -> None:
    found = jobs()
    assert {name: (one.state, one.reason) for name, (one, *_) in found.items() if one.state.is_final} == {
        "done": (JobState.ENDED, ""),
        "array": (JobState.ENDED, "exit_status 271"),
        "failed": (JobState.FAILED, "exit_status 3"),
        "walltime": (JobState.FAILED, "JOB_EXEC_OVERLIMIT_WT"),
        "memory": (JobState.FAILED, "JOB_EXEC_OVERLIMIT_MEM"),
        "killed": (JobState.FAILED, "exit_status 265"),
        "never": (JobState.ENDED, "deleted before it started"),
    }
    assert {"JOB_EXEC_OVERLIMIT_WT"} == TorqueSystem.WALLTIME_REASONS


def test_elements_of_an_array_have_its_name_and_id() -> None:
    assert [(one.job_id, one.indexes, one.state, one.node) for one in jobs()["array"]] == [
        ("22[].server.example.org", (1,), JobState.ENDED, "n11"),
        ("22[].server.example.org", (2,), JobState.RUNNING, "n12"),
        ("22[].server.example.org", (3,), JobState.PENDING, None),
    ]


def test_jobs_that_wait() -> None:
    found = jobs()
    reasons = {name: one.reason for name, (*_, one) in found.items() if one.state is JobState.PENDING}
    assert reasons == {
        "array": "Queued",
        "held": "Held (Hold_Types=us)",
        "later": "Waiting",
        "wide": "Not Running: Not enough of the right type of nodes available",
    }
    assert found["ending"][0].state is JobState.RUNNING


def test_an_array_as_a_whole_is_no_status() -> None:
    record = "<Job><Job_Id>22[].server</Job_Id><Job_Name>array</Job_Name><job_state>Q</job_state></Job>"
    assert statuses(f"<Data>{record}</Data>") == []


def test_characters_that_xml_would_escape_disturb_nobody() -> None:
    strange = "<Variable_List>A=/x<y:/c&d,X=</job_state>,N=1</Variable_List>"
    (status,) = statuses(f"<Data><Job><Job_Id>1.s</Job_Id>{strange}<job_state>R</job_state></Job></Data>")
    assert (status.job_id, status.state) == ("1.s", JobState.RUNNING)


def test_every_state_of_torque() -> None:
    for letter, state in [*STATES.items(), ("Z", JobState.UNKNOWN)]:
        (status,) = statuses(f"<Data><Job><Job_Id>1.s</Job_Id><job_state>{letter}</job_state></Job></Data>")
        assert status.state is state
        assert status.reason or letter in "RES"


@pytest.mark.parametrize(
    "text",
    [
        "<html>502</html>",
        "<Data>",
        "<Data><Job><Job_Id>1.s</Job_Id></Job></Data>",
        "<Data><Job><Job_Id>x</Job_Id><job_state>R</job_state></Job></Data>",
        "<Data><Job><job_state>R</job_state></Job></Data>",
        "<Data><Job></Job></Data>",
    ],
)
def test_an_unreadable_record_is_no_empty_list(text: str) -> None:
    with pytest.raises(NotUnderstood):
        statuses(text)


def test_no_jobs_may_print_nothing_at_all() -> None:
    assert list(TORQUE.parse_query(dict(recorded("torque/qstat.txt"))["qstat (no jobs, older)"])) == []


def test_cancelling_names_elements_in_one_call_for_each_array() -> None:
    jobs_to_end = [JobElements("12[].s", (1, 2, 3, 7)), JobElements("13[].s"), JobElements("14.s", (1,))]
    assert TORQUE.cancel(jobs_to_end).argv[-1] == (
        "code=0\nqdel -t 1-3,7 '12[].s' || code=$?\nqdel '13[].s' || code=$?\nqdel 14.s || code=$?\nexit $code"
    )


def test_cancelling_what_has_ended_is_done() -> None:
    answers = dict(recorded("torque/submissions.txt"))
    TORQUE.parse_cancel(answers["qdel 99"])
    with pytest.raises(BatchRefused, match="operation not permitted 12") as caught:
        TORQUE.parse_cancel(answers["qdel 11 12"])
    assert "COMPLETE" not in caught.value.message
    with pytest.raises(BatchRefused, match="exit code 1, no output"):
        TORQUE.parse_cancel(said(exit_code=1))


@pytest.mark.parametrize(
    "words",
    [
        "Cannot resolve default server host 'x' - check server_name file.",
        "qsub: submit error (Pbs Server is currently too busy to service this request. Please retry this request.)",
        "qstat: Time out",
        "ssh: connect to host login1 port 22: Connection refused",
    ],
)
def test_more_words_for_unreachable(words: str) -> None:
    with pytest.raises(BatchUnreachable):
        TORQUE.parse_query(said(stderr=words + "\n", exit_code=1))


def test_queues() -> None:
    (answer,) = (result for _, result in recorded("torque/queues.txt"))
    batch, long = TORQUE.parse_queues(answer)
    assert (batch.name, batch.is_default, batch.is_open, batch.walltime) == ("batch", True, True, timedelta(days=1))
    assert (batch.cores, batch.memory, batch.gpus, batch.nodes) == (32, 65938632 * 2**10, 2, 3)
    assert (batch.free_nodes, batch.free_cores, batch.running_jobs, batch.pending_jobs) == (1, 27, 2, 0)
    assert (long.name, long.is_open, long.note) == ("long", False, "started = False")
    assert (long.memory, long.running_jobs, long.pending_jobs) == (32 * 2**30, 40, 15)


@pytest.mark.parametrize("text", ["", "Queue: a\n    enabled = True\n", "hpcdask\n", "<html>\nhpcdask\n"])
def test_what_are_no_queues(text: str) -> None:
    with pytest.raises(NotUnderstood):
        TORQUE.parse_queues(said(text))


def test_queues_without_nodes_tell_their_limits() -> None:
    (queue,) = TORQUE.parse_queues(said("Queue: a\n    enabled = True\n    started = True\nhpcdask\n"))
    assert (queue.cores, queue.memory, queue.gpus, queue.nodes, queue.free_cores) == (None, None, None, None, None)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Queued", "Waiting for its turn (Queued)"),
        ("Held (Hold_Types=u)", "qrls"),
        ("JOB_EXEC_OVERLIMIT_WT", "reached its walltime"),
        ("JOB_EXEC_OVERLIMIT_MEM", "more memory"),
        ("JOB_EXEC_FAIL1", "node failed"),
        ("exit_status 271", "It was deleted"),
        ("exit_status 3", "see its log"),
        ("Not Running: Not enough of the right type of nodes available", "Waiting for other jobs to end"),
        ("Not Running: Queue not started.", "queue is not starting jobs"),
    ],
)
def test_reasons_in_plain_words(reason: str, words: str) -> None:
    assert words in TORQUE.explain(reason)
    assert TORQUE.explain(reason).endswith(f"({reason})")

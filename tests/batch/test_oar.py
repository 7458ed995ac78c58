"""OAR's directives and answers; a real one's answers are in the recordings."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from batch_samples import ALLOCATION, PLAIN, recorded, request_with, said

from hpcdask_ext.batch.oar import OARSystem
from hpcdask_ext.batch.oar_words import STATES
from hpcdask_ext.batch.records import JobElements, JobStatus
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, InvalidRequest, NotUnderstood

OAR = OARSystem()
ANSWERS = [result for _, result in recorded("oar/jobs.txt")]


def oar_with(**settings: Any) -> OARSystem:
    return OARSystem(settings=OARSystem.Settings(**settings))


def options(job: Any, system: OARSystem = OAR) -> list[str]:
    return list(system.submit(job, system.script(job)).argv[1:-1])


def asked(job: Any, system: OARSystem = OAR) -> str:
    words = options(job, system)
    return words[words.index("-l") + 1]


def statuses(text: str) -> list[JobStatus]:
    return list(OAR.parse_query(said(f"hpcdask-jobs\n{text}hpcdask\n")))


def jobs() -> dict[str, list[JobStatus]]:
    found: dict[str, list[JobStatus]] = {}
    for result in ANSWERS:
        for status in OAR.parse_query(result):
            found.setdefault(status.name.removeprefix("hpcdask-"), []).append(status)
    return found


def test_resources_are_those_of_one_node_for_each_element() -> None:
    assert asked(request_with(cores=3, walltime=timedelta(days=2, seconds=90.5))) == "/nodes=1/core=3,walltime=48:01:31"
    assert asked(request_with(walltime=None)) == "/nodes=1/core=4"
    assert asked(ALLOCATION) == "/nodes=9/core=4,walltime=1:00:00"


def test_memory_is_asked_for_only_where_a_property_has_it() -> None:
    system = oar_with(memory_per_core_property="mem_core")
    job = request_with(cores=3, memory=10 * 2**30)
    assert asked(job, system).startswith("{mem_core>=3414}/nodes=1/core=3")
    assert "mem" not in asked(job)


def test_cores_are_counted_within_each_gpu() -> None:
    assert asked(request_with(cores=8, gpus=2)).startswith("/nodes=1/gpu=2/core=4,")
    assert asked(request_with(cores=1, gpus=2), oar_with(gpu_resource="gpudevice")).startswith(
        "/nodes=1/gpudevice=2/core=1,"
    )


def test_a_site_can_ask_in_its_own_words() -> None:
    system = oar_with(resource_spec="{c='x'}/switch=1/nodes={nodes}/core={cores}")
    assert asked(ALLOCATION, system) == "{c='x'}/switch=1/nodes=9/core=4,walltime=1:00:00"


@pytest.mark.parametrize(
    ("directive", "words"),
    [
        ("-t besteffort", ["-t", "besteffort"]),
        ("-p mem > 64 AND switch = 'sw1'", ["-p", "mem > 64 AND switch = 'sw1'"]),
        ("-p \"mem > 64 AND switch = 'sw1'\"", ["-p", "mem > 64 AND switch = 'sw1'"]),
        ("-p 'a' = 'b'", ["-p", "'a' = 'b'"]),
        ("--project=science", ["--project", "science"]),
        ("--notify mail:ada@example.org", ["--notify", "mail:ada@example.org"]),
        ("--hold", ["--hold"]),
    ],
)
def test_a_directive_is_one_option_and_the_rest_of_its_line(directive: str, words: list[str]) -> None:
    assert options(request_with(extra_directives=(directive,)))[-len(words) :] == words


def test_only_the_head_of_a_script_has_directives() -> None:
    job = request_with(environment={"A": "x\n#OAR --hold"}, prologue=("#OAR --hold",))
    assert "--hold" not in options(job)
    with pytest.raises(InvalidRequest, match=r"options: '#OAR besteffort' is not a directive"):
        options(request_with(extra_directives=("besteffort",)))


def test_the_log_and_the_script_may_have_any_path() -> None:
    job = request_with(log_prefix=Path("/a b/it's/log"), script_file=Path("/a b/it's/job.sh"))
    command = OAR.submit(job, OAR.script(job)).argv[-1]
    assert command.endswith("""sh '/a b/it'"'"'s/log' '/a b/it'"'"'s/job.sh'""")


def test_the_id_of_an_array_is_its_own() -> None:
    submissions = dict(recorded("oar/submissions.txt"))
    assert OAR.parse_submit(PLAIN, submissions["oarsub --array 3"]) == "8"
    assert OAR.parse_submit(PLAIN, submissions["oarsub -n named -l /core=2,walltime=00:10:00"]) == "3"
    with pytest.raises(NotUnderstood, match="no job id"):
        OAR.parse_submit(PLAIN, said("OAR_JOB_ID=-5\n"))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("oarsub -q nosuch", "OAR did not accept the job: The queue nosuch does not exist"),
        (
            "oarsub -l /core=64",
            "OAR did not accept the job: There are not enough resources for your request; "
            "Oarsub failed, please verify your request syntax.",
        ),
        ("oarsub -t nosuch", "OAR did not accept the job: unknown job type: nosuch"),
        ("oarsub -p mem>1000", "OAR did not accept the job: DBD::Pg::st execute failed"),
        ("oarsub --nosuch", "OAR did not accept the job: Unknown option: nosuch"),
    ],
)
def test_refusals(command: str, words: str) -> None:
    with pytest.raises(BatchRefused) as caught:
        OAR.parse_submit(PLAIN, dict(recorded("oar/submissions.txt"))[command])
    assert caught.value.message.startswith(words)


def test_every_refusal_on_record_is_one() -> None:
    for _, result in recorded("oar/submissions.txt"):
        if result.exit_code != 0:
            with pytest.raises(BatchRefused):
                OAR.parse_submit(PLAIN, result)


def test_a_refusal_without_words_of_its_own() -> None:
    with pytest.raises(BatchRefused, match="exit code 6, no output"):
        OAR.parse_submit(PLAIN, said(exit_code=6))


def test_recorded_ends() -> None:
    found = jobs()
    ended = {name: (status.state, status.reason) for name, (status, *_) in found.items() if status.state.is_final}
    assert ended == {
        "wall": (JobState.FAILED, "WALLTIME"),
        "exit3": (JobState.FAILED, "exit_code 768 (3,0,0)"),
        "done": (JobState.ENDED, ""),
        "killed": (JobState.FAILED, "exit_code 9 (0,9,0)"),
        "nodir": (JobState.FAILED, "WORKING_DIRECTORY"),
        "nolog": (JobState.FAILED, "OUTPUT_FILES"),
        "deleted": (JobState.ENDED, "FRAG_JOB_REQUEST"),
        "besteffort": (JobState.FAILED, "BESTEFFORT_KILL"),
        "heldgone": (JobState.ENDED, "FRAG_JOB_REQUEST"),
    }
    assert [(status.indexes, status.state) for status in found["array"]] == [
        ((1,), JobState.RUNNING),
        ((2,), JobState.ENDED),
        ((3,), JobState.ENDED),
    ]
    assert {"WALLTIME"} == OARSystem.WALLTIME_REASONS


def test_recorded_jobs_that_wait() -> None:
    found = jobs()
    first, second = found["waits"]
    assert (first.job_id, first.indexes, first.state, first.reason) == ("30", (1,), JobState.PENDING, "Waiting")
    assert first.estimated_start == datetime.fromtimestamp(1795183975, timezone.utc)
    assert second.indexes == (2,)
    assert (found["held"][0].state, found["held"][0].reason) == (JobState.PENDING, "Hold")
    assert found["held"][0].estimated_start is None
    assert found["none"][0].reason == "No enough matching resources (no_matching_slot)"
    assert found["dep"][0].reason.startswith("Cannot determine scheduling time")


def test_a_job_that_oar_submitted_again_is_the_same_element() -> None:
    first = '"7": {"Job_Id": 7, "array_id": 5, "array_index": 2, "name": "x", "state": "Error"}'
    again = '"12": {"Job_Id": 12, "array_id": 5, "array_index": 2, "name": "x", "state": "Running"}'
    (status,) = statuses(f"{{{again}, {first}}}\n")
    assert (status.job_id, status.indexes, status.state) == ("5", (2,), JobState.RUNNING)


def test_every_state_of_oar() -> None:
    for word, state in [*STATES.items(), ("Hibernating", JobState.UNKNOWN)]:
        (status,) = statuses(f'{{"7": {{"Job_Id": 7, "array_id": 7, "array_index": 1, "state": "{word}"}}}}\n')
        assert status.state is state
        assert status.reason or word in ("Running", "Terminated")


@pytest.mark.parametrize(
    "text",
    [
        '{"7": {"Job_Id": 7}}\n',
        '{"7": {"Job_Id": 7, "array_id": null, "array_index": 1, "state": "Running"}}\n',
        '{"7": []}\n',
        '{"7": {"Job_Id": 7, "arr\n',
        "<html>502</html>\n",
    ],
)
def test_an_unreadable_record_is_no_empty_list(text: str) -> None:
    with pytest.raises(NotUnderstood):
        statuses(text)


def test_what_a_login_script_prints_is_no_job() -> None:
    assert list(OAR.parse_query(said("Welcome!\nhpcdask-jobs\nhpcdask\n"))) == []
    assert len(OAR.parse_query(said("Welcome!\n" + ANSWERS[0].stdout))) == len(OAR.parse_query(ANSWERS[0]))


def test_a_query_that_failed_has_no_mark() -> None:
    with pytest.raises(BatchUnreachable, match="DB connection error, exiting"):
        OAR.parse_query(dict(recorded("oar/unreachable.txt"))["oarstat -f -J"])


def test_cancelling_names_elements_and_whole_jobs() -> None:
    (program, option, condition) = OAR.cancel([JobElements("11", (3, 5)), JobElements("12")]).argv
    assert (program, option) == ("oardel", "--sql")
    assert condition.endswith("AND (array_id = 11 AND array_index IN (3, 5) OR array_id = 12)")


def test_cancelling_what_is_being_ended_is_done() -> None:
    answers = dict(recorded("oar/oardel.txt"))
    OAR.parse_cancel(answers['oardel --sql "array_id = 9999"'])
    OAR.parse_cancel(answers["oardel 3"])
    with pytest.raises(BatchRefused, match="Cannot frag 99999 ; You are not the right user"):
        OAR.parse_cancel(answers["oardel 99999"])
    with pytest.raises(BatchRefused, match="exit code 4, no output"):
        OAR.parse_cancel(said(exit_code=4))


def test_recorded_queues() -> None:
    (answer,) = (result for _, result in recorded("oar/queues.txt"))
    default, besteffort = OAR.parse_queues(answer)
    assert (default.name, default.is_default, default.is_open) == ("default", True, True)
    assert (default.nodes, default.cores, default.free_cores) == (3, 16, 20)
    assert (default.running_jobs, default.pending_jobs) == (1, 3)
    assert (default.memory, default.gpus, default.walltime) == (None, None, None)
    assert (besteffort.name, besteffort.running_jobs, besteffort.is_default) == ("besteffort", 0, False)
    assert [queue.name for queue in oar_with(queues=("night",)).parse_queues(answer)] == ["night", "default"]


def test_nodes_with_gpus_memory_and_none() -> None:
    def resource(core: int, host: str, gpu: int, state: str = "Alive") -> str:
        fields = {"core": core, "gpu": gpu, "mem": '"4096"', "network_address": f'"{host}"', "type": '"default"'}
        return (
            "".join(f'      "{key}" : {value},\n' for key, value in (fields | {"state": f'"{state}"'}).items())
            + "   },\n"
        )

    nodes = resource(1, "a", 1) + resource(2, "a", 2) + resource(3, "b", 0) + resource(4, "c", 0, "Dead")
    system = oar_with(memory_per_core_property="mem")
    (queue, _) = system.parse_queues(said(f"{nodes}hpcdask-free\n1\nhpcdask-jobs\nhpcdask\n"))
    assert (queue.cores, queue.gpus, queue.memory, queue.nodes) == (2, 2, 2 * 4096 * 2**20, 2)
    (closed, _) = system.parse_queues(said("hpcdask-free\n0\nhpcdask-jobs\nhpcdask\n"))
    assert (closed.is_open, closed.note, closed.cores) == (False, "no node is Alive", None)
    for garbage in ("", "<html>", "hpcdask-free\nx\nhpcdask-jobs\nhpcdask\n", "hpcdask-free\n1\nhpcdask-jobs\n1 "):
        with pytest.raises(NotUnderstood):
            system.parse_queues(said(garbage))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Waiting", "Waiting for its turn (Waiting)"),
        ("Hold", "oarresume"),
        ("No enough matching resources (no_matching_slot)", "launch with less"),
        ("quota_exceeded:Gantt_quotas->{*}->{*}->{*}->{ada}=[9,1,9]>[8,-1,-1]", "quota"),
        ("WALLTIME", "reached its walltime"),
        ("FRAG_JOB_REQUEST", "It was deleted"),
        ("BESTEFFORT_KILL", "best-effort"),
        ("EXTERMINATE_JOB", "Its node has failed"),
        ("PING_CHECKER_NODE_SUSPECTED", "Its node has failed"),
        ("exit_code 768 (3,0,0)", "see its log"),
        ("Error", "OAR does not explain"),
    ],
)
def test_reasons_in_plain_words(reason: str, words: str) -> None:
    assert words in OAR.explain(reason)
    assert OAR.explain(reason).endswith(f"({reason})")


def test_every_recorded_reason_has_a_sentence() -> None:
    for name, statuses in jobs().items():
        for status in statuses:
            assert not OAR.explain(status.reason).startswith("Waiting ("), name


def test_a_quota_that_is_used_up_is_the_reason() -> None:
    message = "R=2,W=0:10:0,J=B,N=x (Karma=0.000,quota_exceeded:Gantt_quotas->{*}=[9,1]>[8,1])"
    record = f'{{"7": {{"Job_Id": 7, "array_id": 7, "array_index": 1, "state": "Waiting", "message": "{message}"}}}}'
    (status,) = statuses(f"{record}\n")
    assert status.reason.startswith("quota_exceeded:")

"""What Slurm says about its queues, a user's accounts and the start of a job, as recorded."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from batch_samples import PLAIN, RECORDINGS, recorded, request_with, said

from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.batch.slurm import SlurmSystem
from hpcdask_ext.errors import BatchRefused, BatchUnreachable, NotUnderstood

SLURM = SlurmSystem()
HEADING = "hpcdask|PARTITION|AVAIL|TIMELIMIT|NODES(A/I/O/T)|CPUS(A/I/O/T)|CPUS|MEMORY|MAX_CPUS_PER_NODE|GRES\n"
ANSWERS = {
    command: result for name in ("sacctmgr", "sbatch-test-only") for command, result in recorded(f"slurm/{name}.txt")
}


def recorded_queues() -> dict[str, QueueInfo]:
    return {queue.name: queue for queue in SLURM.parse_queues(said((RECORDINGS / "slurm/sinfo.txt").read_text()))}


def queue(record: str) -> QueueInfo:
    (found,) = SLURM.parse_queues(said(f"{HEADING}hpcdask|{record}\n"))
    return found


def test_a_queue_with_different_nodes() -> None:
    assert recorded_queues()["regular"] == QueueInfo(
        name="regular",
        cores=64,
        memory=1031523 * 2**20,
        gpus=3,
        walltime=timedelta(days=1),
        nodes=4,
        free_nodes=2,
        free_cores=3 + 8 + 64,
        is_default=True,
    )


def test_the_default_queue_is_first_and_the_others_are_in_slurm_s_order() -> None:
    assert list(recorded_queues()) == ["regular", "debug", "single", "maint", "long", "old", "empty"]


def test_a_queue_is_open_only_when_it_is_up() -> None:
    notes = {queue.name: queue.note for queue in recorded_queues().values() if not queue.is_open}
    assert notes == {"maint": "DOWN", "long": "DRAIN", "old": "INACTIVE"}


def test_limits_on_cpus_and_walltime() -> None:
    queues = recorded_queues()
    assert queues["single"].cores == 1
    assert queues["maint"].walltime is None
    assert queues["debug"].walltime == timedelta(minutes=30)
    assert queues["old"].walltime == timedelta(hours=1)
    assert queues["long"].walltime == timedelta(days=14)


def test_a_queue_without_nodes() -> None:
    empty = recorded_queues()["empty"]
    assert (empty.is_open, empty.nodes, empty.cores, empty.memory, empty.gpus) == (True, 0, None, None, 0)


@pytest.mark.parametrize(
    ("gres", "gpus"),
    [
        ("(null)", 0),
        ("gpu:4", 4),
        ("gpu:a100:4(S:0-1)", 4),
        ("gpu:tesla:2(S:0),gpu:kepler:1(S:1),mps:400", 3),
        ("craynetwork:4,gpu:4", 4),
        ("shard:gpu:8", 0),
    ],
)
def test_gpus(gres: str, gpus: int) -> None:
    assert queue(f"q|up|1:00:00|0/1/0/1|0/8/0/8|8|16384|UNLIMITED|{gres}").gpus == gpus


def test_the_least_of_different_nodes_where_sinfo_tells_no_more() -> None:
    assert queue("q|up|1:00:00|0/2/0/2|0/24/0/24|8+|16384+|UNLIMITED|(null)").cores == 8


@pytest.mark.parametrize("text", ["", "hello", HEADING + "hpcdask|regular*|up|1-00:00:00|1/0\n", "PARTITION AVAIL\n"])
def test_what_nobody_can_read_is_no_list_of_queues(text: str) -> None:
    with pytest.raises(NotUnderstood):
        SLURM.parse_queues(said(text))


def test_no_queues_at_all() -> None:
    assert list(SLURM.parse_queues(said(HEADING))) == []


def test_accounts_begin_with_the_default_one() -> None:
    assert SLURM.parse_accounts(ANSWERS["sacctmgr for a user with two accounts, the second the default"]) == [
        "science",
        "ocean",
    ]


def test_no_accounts_are_no_error() -> None:
    for situation in ("for a user with none", "without accounting"):
        assert SLURM.parse_accounts(ANSWERS[f"sacctmgr {situation}"]) == []


def test_accounts_that_could_not_be_asked_for_are_not_none() -> None:
    with pytest.raises(BatchUnreachable, match="Connection refused"):
        SLURM.parse_accounts(ANSWERS["sacctmgr with slurmdbd down"])
    for text in ("", "hello"):
        with pytest.raises(NotUnderstood):
            SLURM.parse_accounts(said(text))


def test_an_account_once_per_partition_is_one_account() -> None:
    answer = "Def Acct|Account\nscience|ocean\nscience|science\nscience|ocean\n"
    assert SLURM.parse_accounts(said(answer)) == ["science", "ocean"]


def test_an_estimated_start() -> None:
    expected = datetime.fromtimestamp(1795185863, timezone.utc)
    for command in ("sbatch -n 9 -c 2 --mem-per-cpu=100M", "sbatch --array=1-3"):
        assert SLURM.parse_estimate(ANSWERS[command]) == expected


def test_the_script_is_tested_as_it_would_be_submitted() -> None:
    job = request_with(queue="regular", gpus=1)
    command = SLURM.estimate(job, "text")
    assert command.stdin == "text"
    assert command.argv[-2:] == ("sbatch", "--test-only")
    # Without this, the times would be in the time zone of whatever host answers.
    assert "SLURM_TIME_FORMAT=%s" in command.argv
    assert {"SBATCH_PARTITION", "SBATCH_GRES"} <= set(command.argv)
    assert "SBATCH_GRES" not in SLURM.estimate(PLAIN, "text").argv


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("-A nosuch", "Invalid account or account/partition combination specified"),
        ("-p nosuch", "invalid partition specified: nosuch; Invalid partition name specified"),
        ("-n 100", "Requested node configuration is not available"),
        ("-t banana", "Invalid --time specification"),
    ],
)
def test_a_job_that_would_not_be_accepted(options: str, words: str) -> None:
    with pytest.raises(BatchRefused) as caught:
        SLURM.parse_estimate(ANSWERS[f"sbatch {options}"])
    assert caught.value.message == f"Slurm would not accept the job: {words}"


def test_an_estimate_that_nobody_can_read() -> None:
    with pytest.raises(NotUnderstood):
        SLURM.parse_estimate(said(stderr="sbatch: lua: welcome\n"))
    in_local_time = (
        "sbatch: Job 48 to start at 2026-11-20T14:10:30 using 3 processors on nodes n1 in partition regular\n"
    )
    assert SLURM.parse_estimate(said(stderr=in_local_time)) is None


@pytest.mark.parametrize("parse", [SLURM.parse_queues, SLURM.parse_accounts, SLURM.parse_estimate])
def test_not_to_be_asked_is_no_answer(parse) -> None:
    for _, result in recorded("slurm/unreachable.txt"):
        with pytest.raises(BatchUnreachable):
            parse(result)

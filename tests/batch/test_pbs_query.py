"""What PBS is asked for jobs and queues, and what it says about queues."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from batch_samples import RECORDINGS, said

from hpcdask_ext.batch.pbs import PBSSystem
from hpcdask_ext.batch.pbs_records import duration, size
from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.errors import BatchUnreachable, NotUnderstood

PBS = PBSSystem()


def test_recorded_queues() -> None:
    queues = PBS.parse_queues(said((RECORDINGS / "pbs/queues.txt").read_text()))
    assert queues[0] == QueueInfo(
        name="regular",
        cores=16,
        memory=32 * 2**30,
        walltime=timedelta(hours=24),
        nodes=1,
        free_nodes=0,
        free_cores=0,
        running_jobs=3,
        pending_jobs=4,
        is_default=True,
    )
    assert (queues[1].name, queues[1].is_open, queues[1].note) == ("closed", False, "started = False")


def test_queues_with_limits_and_nodes_of_their_own() -> None:
    text = """Queue: small
    resources_max.ncpus = 4
    resources_max.mem = 8gb
    state_count = Transit:0 Queued:5 Held:1 Waiting:0 Running:7 Exiting:0 Begun:2
    enabled = True
    started = True
Queue: big
    default_chunk.Qlist = big
    enabled = True
    started = True
    from_route_only = True
n1
     state = free
     resources_available.ncpus = 16
     resources_available.mem = 64gb
     resources_assigned.ncpus = 6
n2
     state = down,offline
     resources_available.ncpus = 64
     resources_available.ngpus = 4
     resources_available.Qlist = huge,big
n3
     state = free
     queue = other
     resources_available.ncpus = 128
hpcdask exit 0
"""
    small, big = PBS.parse_queues(said(text))
    assert (small.cores, small.memory, small.nodes, small.free_nodes, small.free_cores) == (4, 8 * 2**30, 2, 0, 10)
    assert (small.running_jobs, small.pending_jobs, small.gpus) == (7, 6, 4)
    assert (big.cores, big.gpus, big.nodes, big.free_cores, big.note) == (64, 4, 1, 0, "from_route_only = True")


def test_queues_where_nobody_may_see_the_nodes() -> None:
    (queue,) = PBS.parse_queues(said("Queue: q\n    enabled = True\n    started = True\nhpcdask exit 0\n"))
    assert queue == QueueInfo(name="q")
    for bad in ("", "Queue: q\n    enabled = True\n"):
        with pytest.raises(NotUnderstood):
            PBS.parse_queues(said(bad))


@pytest.mark.parametrize(
    ("text", "expected"), [("32gb", 32 * 2**30), ("7kb", 7168), ("4mw", 4 * 2**23), ("12", 12), ("?", None), ("", None)]
)
def test_sizes(text: str, expected: int | None) -> None:
    assert size(text) == expected


@pytest.mark.parametrize(("text", "hours"), [("24:00:00", 24), ("7200", 2), ("1:00:00:00", 24), ("x", None)])
def test_durations(text: str, hours: int | None) -> None:
    assert duration(text) == (None if hours is None else timedelta(hours=hours))


class TestTheQueryItself:
    """The shell text, run with programs that print what PBS would."""

    @pytest.fixture
    def ask(self, tmp_path: Path):
        def run(qstat: str, timeout: float = 10) -> subprocess.CompletedProcess[str]:
            program = tmp_path / "qstat"
            program.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\n{qstat}\n')
            program.chmod(0o755)
            return subprocess.run(
                PBS.query().argv,
                env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )

        return run

    HEADING = "Job ID          Username Queue    Jobname    SessID NDS TSK Memory Time  S Time"
    LIVE = "12[].verylongse* ada      regular  hpcdask-k* 4711   1   1    --  01:00 B   -- "
    OTHER = "13.pbs01        ada      regular  analysis   4711   1   1    --  01:00 R   -- "
    OVER = "9.pbs01         ada      regular  hpcdask-k* 4711   1   1    --  01:00 F   -- "

    def qstat(self, over: str) -> str:
        return f"""case "$*" in
            "-u "*) echo '{self.HEADING}'; echo '{self.LIVE}'; echo '{self.OTHER}' ;;
            "-H -u "*) {over} ;;
            *) printf 'Job Id: 9.pbs01\\n    Job_Name = hpcdask-x\\n    Variable_List = A=1,\\n\\tB=2\\n'
               echo '    job_state = F'
               echo "qstat: Unknown Job Id 12[]" >&2; exit 153 ;;
        esac"""

    def test_asks_for_ours_alone_and_leaves_out_what_is_not_needed(self, ask, tmp_path: Path) -> None:
        result = ask(self.qstat(f"echo '{self.OVER}'"))
        assert result.stdout == "Job Id: 9.pbs01\n    Job_Name = hpcdask-x\n    job_state = F\nhpcdask exit 153\n"
        assert (tmp_path / "calls").read_text().splitlines()[-1] == "-x -f -t 9 12[]"
        (status,) = PBS.parse_query(said(result.stdout, result.stderr))
        assert status.job_id == "9.pbs01"

    @pytest.mark.parametrize(
        "over", ["echo 'qstat: PBS is not configured to maintain job history' >&2", "echo 'invalid option' >&2; exit 2"]
    )
    def test_asks_for_live_jobs_where_there_is_no_history(self, ask, tmp_path: Path, over: str) -> None:
        ask(self.qstat(over))
        assert (tmp_path / "calls").read_text().splitlines()[-1] == "-f -t 12[]"

    def test_no_job_is_an_answer_and_asks_for_nobody_elses(self, ask, tmp_path: Path) -> None:
        result = ask("exit 0")
        assert PBS.parse_query(said(result.stdout)) == []
        assert len((tmp_path / "calls").read_text().splitlines()) == 2

    def test_no_server_is_no_answer(self, ask) -> None:
        result = ask("echo 'qstat: cannot connect to server pbs01 (errno=111)' >&2; exit 255")
        assert (result.returncode, result.stdout) == (255, "")
        with pytest.raises(BatchUnreachable):
            PBS.parse_query(said(result.stdout, result.stderr, result.returncode))

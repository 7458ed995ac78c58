"""Grid Engine's queues, from what qconf and qhost print."""

from __future__ import annotations

from datetime import timedelta

import pytest
from batch_samples import RECORDINGS, said

from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.batch.sge import GridEngineSystem
from hpcdask_ext.errors import BatchUnreachable, NotUnderstood

GRID_ENGINE = GridEngineSystem()
QUEUES = (RECORDINGS / "sge/queues.txt").read_text()
HOST = """ <host name='{name}'>
   <hostvalue name='mem_total'>{memory}</hostvalue>
 <queue name='all.q'>
   <queuevalue qname='all.q' name='slots_used'>{used}</queuevalue>
   <queuevalue qname='all.q' name='slots'>{slots}</queuevalue>
   <queuevalue qname='all.q' name='state_string'>{state}</queuevalue>
 </queue>
 </host>
"""


def one_queue(h_rt: str = "INFINITY", *hosts: dict[str, object]) -> QueueInfo:
    described = "".join(
        HOST.format(**{"name": "n1", "memory": "16.0G", "used": 0, "slots": 4, "state": "", **host}) for host in hosts
    )
    text = f"qname  all.q\nslots  4\nh_rt   {h_rt}\n\nhpcdask|\n<?xml version='1.0'?>\n<qhost>{described}</qhost>\n"
    (queue,) = GRID_ENGINE.parse_queues(said(text))
    return queue


def test_recorded_queues() -> None:
    queues = {queue.name: queue for queue in GRID_ENGINE.parse_queues(said(QUEUES))}
    assert list(queues) == ["all.q", "short.q", "single.q", "closed.q"]
    assert queues["all.q"].is_open
    assert (queues["all.q"].cores, queues["all.q"].free_cores, queues["all.q"].walltime) == (32, 32, None)
    assert queues["all.q"].memory == int(23.5 * 2**30)
    assert queues["short.q"].walltime == timedelta(minutes=30)
    assert (queues["closed.q"].is_open, queues["closed.q"].note, queues["closed.q"].free_cores) == (False, "d", 0)
    assert (queues["single.q"].cores, queues["single.q"].nodes, queues["single.q"].free_nodes) == (1, 1, 1)


def test_the_largest_host_and_what_is_free() -> None:
    queue = one_queue(
        "INFINITY",
        {"name": "n1", "used": 1},
        {"name": "n2", "slots": 8, "memory": "1.5T"},
        {"name": "n3", "memory": "-", "state": "au"},
        {"name": "n4", "state": "a", "slots": 2, "used": 2},
    )
    assert (queue.nodes, queue.free_nodes, queue.free_cores) == (4, 1, 11)
    assert (queue.cores, queue.memory, queue.is_open, queue.note) == (8, int(1.5 * 2**40), True, "")


@pytest.mark.parametrize("states", [["d"], ["d", "adu"], ["S"], ["E"], ["D"], ["o"], ["C"], ["s"]])
def test_a_queue_is_closed_where_no_host_starts_jobs(states: list[str]) -> None:
    queue = one_queue("INFINITY", *({"state": state} for state in states))
    assert not queue.is_open
    assert set(queue.note) == {letter for state in states for letter in state}


def test_a_queue_without_hosts_is_closed() -> None:
    queue = one_queue("INFINITY")
    assert (queue.is_open, queue.note, queue.cores, queue.memory, queue.nodes) == (False, "no hosts", None, None, 0)


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        ("INFINITY", None),
        ("infinity", None),
        ("172800", timedelta(days=2)),
        ("00:30:00", timedelta(minutes=30)),
        ("48:00:00", timedelta(days=2)),
        ("1::1", timedelta(hours=1, seconds=1)),
        ("24:00:00,[n1=48:0:0],[@large=1:0:0]", timedelta(days=2)),
        ("24:00:00,[n1=INFINITY]", None),
    ],
)
def test_the_longest_time_that_a_queue_allows(text: str, longest: timedelta | None) -> None:
    assert one_queue(text).walltime == longest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        QUEUES.partition("hpcdask|")[0],
        QUEUES[: len(QUEUES) - 40],
        QUEUES.replace("name='slots'>32", "name='slots'>many"),
        "qname a\nh_rt INFINITY\n\nhpcdask|\n<html></html>",
    ],
)
def test_half_an_answer_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        GRID_ENGINE.parse_queues(said(text))


def test_a_daemon_that_is_away_has_no_queues() -> None:
    away = 'error: unable to send message to qmaster using port 1 on host "n1": got send error'
    with pytest.raises(BatchUnreachable):
        GRID_ENGINE.parse_queues(said(stderr=away, exit_code=1))

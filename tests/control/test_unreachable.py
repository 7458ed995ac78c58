"""Since when a cluster cannot be reached."""

from __future__ import annotations

import asyncio

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.reach import Endpoint, Reach, SchedulerAddress
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.view import cluster_view
from hpcdask_ext.control.watch import ClusterWatch
from hpcdask_ext.errors import SchedulerUnreachable

from .conftest import after


def look(cluster: Cluster, seconds: float, silent: str = "") -> Cluster:
    return reconcile(cluster, Observation(after(seconds), silent=silent), lambda place, reason: reason)


def test_it_cannot_be_reached_since_the_first_time_that_it_could_not_be_asked(make_cluster):
    first = look(make_cluster(), 60, "the scheduler did not answer")
    later = look(first, 90, "squeue did not answer")
    assert (later.reachable, later.unreachable_since) == (False, after(60))
    assert cluster_view(later, None, "/")["unreachable_since"] == after(60).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_once_it_answers_nothing_is_left_of_that(make_cluster):
    again = look(look(make_cluster(), 60, "the scheduler did not answer"), 90)
    assert (again.reachable, again.unreachable_since) == (True, None)


def test_a_group_tells_what_one_worker_has_however_many_there_are(make_cluster):
    cluster = make_cluster()
    worker = cluster_view(cluster, None, "/")["groups"][0]["worker"]
    assert worker == {name: getattr(cluster.main.shape, name) for name in ("cores", "memory", "gpus")}


class Source:
    """A scheduler that tells its status to those whose login has not expired; it holds whatever else it is asked."""

    def __init__(self, reach: Reach) -> None:
        self.login = reach.dashboard.headers["Cookie"]

    async def status(self, since: int | None = None) -> SchedulerStatus:
        if self.login == "old":
            raise SchedulerUnreachable("It does not accept the login.")
        if since is not None:
            await asyncio.Event().wait()
        return SchedulerStatus(1, 3, 3, 0, None)

    async def aclose(self) -> None:
        pass


async def test_the_way_to_a_scheduler_of_others_is_looked_up_anew_when_it_does_not_answer(make_cluster):
    logins, seen = iter(["old", "old", "new"]), []

    async def reach(cluster: Cluster) -> Reach | None:
        endpoint = Endpoint("http://127.0.0.1:1", {"Cookie": next(logins)})
        return Reach(SchedulerAddress("tcp://127.0.0.1:2", endpoint.url), endpoint, None)

    async def apply(observation: Observation) -> bool:
        seen.append(observation)
        if observation.scheduler is not None and not observation.silent:
            found.set()
        return False

    async def question(_: Cluster) -> dict[str, str]:
        return {}

    found, cluster = asyncio.Event(), make_cluster()
    watch = ClusterWatch(
        cluster.id, lambda _: cluster, apply,
        reach=reach, source=lambda way, _: Source(way), question=question, monitors={},
    )  # fmt: skip
    watching = asyncio.create_task(watch.run())
    await asyncio.wait_for(found.wait(), 20)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert seen[-1].scheduler.workers == 3
    assert any("does not accept" in one.silent for one in seen)

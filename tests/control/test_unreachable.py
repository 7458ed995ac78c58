"""Since when a cluster cannot be reached."""

from __future__ import annotations

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.control.reconcile import Observation, reconcile
from hpcdask_ext.control.view import cluster_view

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

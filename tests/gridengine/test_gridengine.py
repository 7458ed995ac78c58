"""Whole lives of clusters on a real Grid Engine, through the REST contract alone."""

from __future__ import annotations

import signal
import time

import pytest

from tests.gridengine.conftest import grid_engine, jobs_of
from tests.servers import JupyterServer, run_client, until

pytestmark = [pytest.mark.gridengine, pytest.mark.usefixtures("nothing_left")]
THREE = {"workers": 3, "cores": 1, "memory": "1 GiB"}
SCRIPT = """
import sys
from distributed import Client
client = Client()
client.wait_for_workers(2)
print("sum", client.submit(sum, [20, 22]).result(), sys.argv[1:], flush=True)
sys.exit(7)
"""
COMPUTE = "print(client.submit(sum, range(10**6)).result(), len(client.scheduler_info()['workers']))"


def submissions(server: JupyterServer, cluster_id: str) -> int:
    (log,) = server.ask("GET", f"clusters/{cluster_id}/logs?role=launch&tail=10000")["logs"]
    return str(log["text"]).count("$ qsub -terse")


def scale(server: JupyterServer, cluster_id: str, workers: int) -> None:
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": workers}})


@pytest.mark.parametrize(("site", "expected"), [("host", 1), ("job", 2)])
def test_workers_as_jobs_compute_over_tls_and_stop(server, site, expected):
    cluster_id = server.launch(site=site, size=THREE, account="science")
    cluster = server.wait_for_workers(cluster_id, 3)
    assert submissions(server, cluster_id) == expected
    assert cluster["scheduler"]["address"].startswith("tls://127.0.0.1:")
    assert run_client(cluster["client_code"], COMPUTE) == "499999500000 3"
    assert "science" in grid_engine("qstat", "-ext")
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    # Asked to end by a signal, the jobs have reported it themselves.
    until(lambda: len(list((server.clusters / cluster_id / "reports").glob("workers-1.*.ended"))) == 3)


def test_workers_with_several_cores_are_in_a_parallel_environment(server):
    cluster_id = server.launch(site="host", size={"workers": 2, "cores": 2, "memory": "1 GiB"})
    cluster = server.wait_for_workers(cluster_id, 2)
    threads = "print(sorted(worker['nthreads'] for worker in client.scheduler_info()['workers'].values()))"
    assert run_client(cluster["client_code"], threads) == "[2, 2]"
    job = jobs_of(cluster_id)[0].partition(".")[0]
    told = grid_engine("qstat", "-j", job)
    assert "smp range: 2" in told
    assert "h_vmem=512M" in told


def test_a_single_job_has_all_tasks_and_ends_with_its_scheduler(server):
    cluster_id = server.launch(site="host", layout="allocation", size={**THREE, "cores": 2}, queue="all.q")
    cluster = server.wait_for_workers(cluster_id, 3)
    assert (len(cluster["jobs"]), len(jobs_of(cluster_id)), submissions(server, cluster_id)) == (1, 1, 1)
    assert "mpi range: 8" in grid_engine("qstat", "-j", jobs_of(cluster_id)[0].partition(".")[0])
    assert run_client(cluster["client_code"], COMPUTE) == "499999500000 3"
    scale(server, cluster_id, 2)
    server.wait_for_workers(cluster_id, 2)
    more = {"scaling": {"mode": "fixed", "workers": 4}}
    assert server.http.request("PATCH", f"hpcdask/api/clusters/{cluster_id}", json=more).is_client_error
    run_client(cluster["client_code"], "client.shutdown()")
    server.wait_for(cluster_id, "stopped")
    until(lambda: not jobs_of(cluster_id))


def test_a_script_runs_in_the_job_of_its_cluster_and_its_exit_code_counts(server):
    (server.home / "notebooks" / "analysis.py").write_text(SCRIPT)
    cluster_id = server.launch(site="host", layout="allocation", script={"path": "analysis.py", "arguments": ["a b"]})
    cluster = server.wait_for(cluster_id, "failed")
    assert "exit code 7" in cluster["reason"]
    printed = server.ask("GET", f"clusters/{cluster_id}/logs?role=allocation")["logs"]
    assert any("sum 42 ['a b']" in log["text"] for log in printed), printed


def test_stopping_a_single_job_ends_every_task_of_it(server):
    cluster_id = server.launch(site="host", layout="allocation", size=THREE)
    server.wait_for_workers(cluster_id, 3)
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    until(lambda: not jobs_of(cluster_id), 10)


def test_scaling_is_one_array_more_and_deletes_single_elements(server):
    cluster_id = server.launch(site="host")
    server.wait_for_workers(cluster_id, 2)
    scale(server, cluster_id, 5)
    server.wait_for_workers(cluster_id, 5)
    assert submissions(server, cluster_id) == 2
    scale(server, cluster_id, 1)
    server.wait_for_workers(cluster_id, 1)
    until(lambda: len(jobs_of(cluster_id)) == 1)
    assert server.cluster(cluster_id)["state"] == "running"


def test_scaling_down_what_waits_deletes_only_that(server):
    cluster_id = server.launch(site="host", queue="closed.q", size={**THREE, "workers": 4})
    until(lambda: len(jobs_of(cluster_id)) == 4)
    server.wait_for(cluster_id, "pending")
    scale(server, cluster_id, 1)
    until(lambda: len(jobs_of(cluster_id)) == 1)
    assert server.cluster(cluster_id)["state"] == "pending"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"queue": "closed.q"}, ("the queue is closed", "dropped because it is disabled")),
        ({"queue": "short.q"}, ("so long a walltime", "(-l h_rt=3600)")),
        ({"size": {"workers": 1, "cores": 1, "memory": "80 GiB"}}, ("a host with enough", "h_vmem=")),
    ],
)
def test_why_it_waits_is_on_the_card_in_plain_words_and_grid_engine_s(server, request_, words):
    cluster_id = server.launch(site="host", **request_)
    cluster = until(lambda: (c := server.cluster(cluster_id))["reason"].count(words[1]) and c)
    assert cluster["state"] == "pending"
    assert words[0] in cluster["reason"]


def test_a_full_queue_says_so(server):
    first = server.launch(site="host", queue="single.q", size={**THREE, "workers": 1})
    server.wait_for_workers(first, 1)
    second = server.launch(site="host", queue="single.q", size={**THREE, "workers": 1})
    until(lambda: "Waiting for other jobs to end" in server.cluster(second)["reason"])
    server.ask("DELETE", f"clusters/{first}")
    server.wait_for_workers(second, 1)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"queue": "nosuch.q"}, 'job requests unknown queue "nosuch.q"'),
        ({"account": "nosuch"}, 'the requested project "nosuch" does not exist'),
    ],
)
def test_a_refusal_is_on_the_card_in_grid_engine_s_own_words(server, request_, words):
    cluster = server.wait_for(server.launch(site="host", **request_), "failed")
    assert words in cluster["reason"]


def test_queues_and_projects_are_asked_for(server):
    site = until(lambda: [s for s in server.ask("GET", "sites")["sites"] if s["name"] == "asked" and s["queues"]])[0]
    queues = {queue["name"]: queue for queue in site["queues"]}
    assert set(queues) == {"all.q", "short.q", "single.q", "closed.q"}
    assert queues["short.q"]["limits"]["walltime"] == "00:30:00"
    assert site["accounts"] == ["science"]


def test_a_preview_tells_what_could_never_start(server):
    preview = server.ask("POST", "clusters/preview", {"site": "host", "queue": "short.q"})
    assert "cannot run in queue" in str(preview)
    assert "short.q" in str(preview)
    assert not grid_engine("qstat")


def test_a_worker_that_somebody_else_deleted_is_a_warning_and_the_others_work_on(server):
    cluster_id = server.launch(site="host")
    server.wait_for_workers(cluster_id, 2)
    grid_engine("qdel", jobs_of(cluster_id)[0])
    cluster = until(lambda: (c := server.cluster(cluster_id))["warnings"] and c, 60)
    assert cluster["state"] == "running"
    assert "1 of 2 worker jobs failed or ended early" in cluster["warnings"][0]


def test_stop_ends_this_cluster_and_nothing_else(server):
    other = grid_engine("qsub", "-terse", "-b", "y", "-o", "/dev/null", "-j", "y", "sleep", "300")
    try:
        kept, ended = server.launch(site="host"), server.launch(site="job")
        server.wait_for_workers(kept, 2)
        server.wait_for_workers(ended, 2)
        server.ask("DELETE", f"clusters/{ended}")
        server.wait_for(ended, "stopped")
        until(lambda: not jobs_of(ended), 15)
        assert len(jobs_of(kept)) == 2
        assert other in grid_engine("qstat")
    finally:
        grid_engine("qdel", other)


def test_a_suspended_job_goes_on_later(server):
    cluster_id = server.launch(site="host", size={**THREE, "workers": 1})
    server.wait_for_workers(cluster_id, 1)
    (job,) = jobs_of(cluster_id)
    grid_engine("qmod", "-sj", job)
    time.sleep(2)
    grid_engine("qmod", "-usj", job)
    cluster = server.wait_for_workers(cluster_id, 1)
    assert run_client(cluster["client_code"], COMPUTE) == "499999500000 1"


def test_a_restarted_server_finds_its_clusters_again(server):
    running, waiting = server.launch(site="job"), server.launch(site="host", queue="closed.q")
    server.wait_for_workers(running, 2)
    server.wait_for(waiting, "pending")
    server.restart(signal.SIGKILL)
    assert server.wait_for_workers(running, 2)["reachable"] is True
    until(lambda: "the queue is closed" in server.cluster(waiting)["reason"])


def test_a_job_that_fails_says_why(server):
    cluster = server.wait_for(server.launch(site="broken"), "failed")
    assert "exit code 3" in cluster["reason"]
    assert "the module dask was not found" in cluster["reason"]

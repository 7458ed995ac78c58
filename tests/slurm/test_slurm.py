"""Whole lives of clusters on a real Slurm, through the REST contract alone."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.servers import JupyterServer, run_client, until
from tests.slurm.conftest import SITES, jobs_of, processes_of, slurm

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("nothing_left")]


def launch_log(server: JupyterServer, cluster_id: str) -> str:
    (log,) = server.ask("GET", f"clusters/{cluster_id}/logs?role=launch&tail=10000")["logs"]
    return str(log["text"])


@pytest.mark.parametrize(("site", "submissions"), [("host", 1), ("job", 2)])
def test_a_cluster_comes_up_computes_over_tls_and_stops(server, site, submissions):
    cluster_id = server.launch(site=site, size={"workers": 3, "cores": 1, "memory": "512 MiB"})
    cluster = server.wait_for(cluster_id, "running")
    cluster = server.wait_for_workers(cluster_id, 3)
    assert launch_log(server, cluster_id).count(" sbatch --parsable\n") == submissions
    assert cluster["scheduler"]["address"].startswith("tls://127.0.0.1:")
    assert cluster["ends_at"] is not None
    printed = run_client(
        cluster["client_code"],
        "print(client.submit(sum, range(10**6)).result(), client.dashboard_link, len(client.scheduler_info()))",
    )
    assert printed.startswith(f"499999500000 /user/alice/hpcdask/proxy/{cluster_id}/status")
    assert server.http.get(f"{cluster['dashboard_url']}individual-task-stream").status_code == 200
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    until(lambda: not list((server.clusters / cluster_id).glob("tls-*")))


@pytest.mark.parametrize("security", ["None", "Security.temporary()", "Security(require_encryption=True)"])
def test_a_client_without_the_cluster_s_certificate_does_not_get_in(server, security):
    cluster_id = server.launch(site="host")
    cluster = server.wait_for(cluster_id, "running")
    address = cluster["scheduler"]["address"]
    printed = run_client(
        "from distributed import Client, Security",
        "try:",
        f"    Client({address!r}, security={security}, timeout='3s')",
        "except (OSError, TypeError, RuntimeError):",
        "    print('refused')",
    )
    assert printed == "refused"


def test_a_closed_queue_says_so_in_words_and_with_slurm_s_own(server):
    cluster_id = server.launch(site="host", queue="maint")
    cluster = until(lambda: (c := server.cluster(cluster_id))["reason"].endswith("(PartitionDown)") and c)
    assert cluster["state"] == "pending"
    assert "queue is closed" in cluster["reason"]
    assert cluster["workers"] == {"requested": 2, "pending": 2, "running": 0}


def test_scaling_is_one_array_more_and_the_idle_go_first(server):
    cluster_id = server.launch(site="host")
    server.wait_for_workers(cluster_id, 2)
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 5}})
    server.wait_for_workers(cluster_id, 5)
    assert launch_log(server, cluster_id).count(" sbatch --parsable\n") == 2
    shown = server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 1}})
    assert shown["workers"]["requested"] == 1
    server.wait_for_workers(cluster_id, 1)
    until(lambda: len(jobs_of(cluster_id)) == 1)
    assert server.cluster(cluster_id)["state"] == "running"


def test_scaling_down_a_pending_cluster_cancels_only_what_waits(server):
    cluster_id = server.launch(site="host", queue="maint", size={"workers": 4, "cores": 1, "memory": "512 MiB"})
    until(lambda: len(jobs_of(cluster_id)) == 4)
    server.wait_for(cluster_id, "pending")
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 1}})
    until(lambda: len(jobs_of(cluster_id)) == 1)
    assert server.cluster(cluster_id)["state"] == "pending"


def test_stop_ends_this_cluster_and_nothing_else(server):
    other_job = slurm("sbatch", "--parsable", "--wrap", "sleep 300", "--output=/dev/null")
    try:
        kept, ended = server.launch(site="host"), server.launch(site="job")
        server.wait_for_workers(kept, 2)
        server.wait_for_workers(ended, 2)
        before = set(processes_of(kept))
        server.ask("DELETE", f"clusters/{ended}")
        server.wait_for(ended, "stopped")
        until(lambda: not jobs_of(ended) and not processes_of(ended), 15)
        assert len(jobs_of(kept)) == 2
        assert set(processes_of(kept)) == before
        assert other_job in slurm("squeue", "--noheader", "--format=%i").split()
    finally:
        slurm("scancel", other_job)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restarted_server_finds_its_clusters_again(server, how):
    running, pending = server.launch(site="job"), server.launch(site="host", queue="maint")
    server.wait_for_workers(running, 2)
    until(lambda: "(PartitionDown)" in server.cluster(pending)["reason"])
    server.restart(how)
    assert server.cluster(running)["state"] == "running"
    assert server.wait_for_workers(running, 2)["reachable"] is True
    until(lambda: "queue is closed" in server.cluster(pending)["reason"])
    server.ask("PATCH", f"clusters/{running}", {"scaling": {"mode": "fixed", "workers": 3}})
    server.wait_for_workers(running, 3)


def test_a_cluster_that_ends_while_no_server_runs_is_found_ended(server):
    cluster_id = server.launch(site="job")
    server.wait_for_workers(cluster_id, 2)
    server.end(signal.SIGKILL)
    slurm("scancel", *jobs_of(cluster_id))
    until(lambda: not jobs_of(cluster_id))
    server.start()
    assert server.wait_for(cluster_id, "stopped")["workers"]["running"] == 0


@pytest.mark.parametrize("options", [[], ["--signal=KILL", "--full"]])
def test_a_worker_job_that_somebody_else_ended_is_a_warning_and_the_others_work_on(server, options):
    cluster_id = server.launch(site="host")
    server.wait_for_workers(cluster_id, 2)
    slurm("scancel", *options, jobs_of(cluster_id)[0])
    cluster = until(lambda: (c := server.cluster(cluster_id))["warnings"] and c, 60)
    assert cluster["state"] == "running"
    assert cluster["workers"]["running"] == 1
    assert "1 of 2 worker jobs failed or ended early" in cluster["warnings"][0]


def test_a_job_that_fails_says_why_and_keeps_its_log(server):
    cluster_id = server.launch(site="broken")
    cluster = server.wait_for(cluster_id, "failed")
    assert "exit code 3" in cluster["reason"]
    assert "the module dask was not found" in cluster["reason"]
    logs = server.ask("GET", f"clusters/{cluster_id}/logs?role=worker")["logs"]
    assert any("the module dask was not found" in log["text"] for log in logs) or "scheduler" in cluster["reason"]


def test_a_refusal_is_on_the_card_in_slurm_s_own_words(server):
    cluster_id = server.launch(site="host", queue="nosuch")
    cluster = server.wait_for(cluster_id, "failed")
    assert "invalid partition specified: nosuch" in cluster["reason"]


def test_hostile_text_reaches_no_shell_and_no_directive_but_its_own(server, tmp_path):
    marker = tmp_path / "fired"
    hostile = f"\"'; touch {marker} #$(touch {marker})`touch {marker}` ü %j \\"
    cluster_id = server.launch(site="options", queue="maint", name=f"{hostile[:60]}", options={"remark": hostile})
    until(lambda: jobs_of(cluster_id))
    comment = slurm("squeue", "--noheader", f"--jobs={jobs_of(cluster_id)[0]}", "--format=%k")
    assert comment == hostile
    assert slurm("squeue", "--noheader", f"--jobs={jobs_of(cluster_id)[0]}", "--format=%P") == "maint"
    for script in (server.clusters / cluster_id / "jobs").glob("*.sh"):
        assert stat.S_IMODE(script.stat().st_mode) == 0o600
    assert not marker.exists()


def test_no_secret_is_in_what_slurm_or_the_machine_shows(server):
    cluster_id = server.launch(site="job")
    cluster = server.wait_for(cluster_id, "running")
    directory = server.clusters / cluster_id
    secrets = [(directory / "dashboard-token").read_text(), (directory / "tls-key.pem").read_text()[40:80]]
    shown = [slurm("scontrol", "show", "job", job) for job in jobs_of(cluster_id)]
    shown += [Path(f"/proc/{pid}/cmdline").read_text() for pid in processes_of(cluster_id)]
    shown += [str(cluster), (server.home / "server.log").read_text(), (directory / "record.json").read_text()]
    shown += [path.read_text() for path in (directory / "logs").iterdir()]
    assert len(shown) > 8
    assert not [text for text in shown for secret in secrets if secret in text]


class TestWithoutSlurm:
    """A server whose PATH has another sbatch, or none."""

    @pytest.fixture
    def lonely(self, tmp_path):
        server = JupyterServer(tmp_path, {"host": SITES["host"]})
        commands = tmp_path / "bin"
        commands.mkdir()
        server.environment["PATH"] = f"{commands}:/usr/bin-without-slurm:/bin-without-slurm"
        for name in ("sh", "env", "date", "uname", "cat", "mv", "sleep"):
            (commands / name).symlink_to(Path("/bin") / name)
        yield server
        server.end()

    def test_a_missing_sbatch_fails_and_says_what_to_do(self, lonely):
        lonely.start()
        cluster = lonely.wait_for(lonely.launch(), "failed")
        assert "sbatch could not be started" in cluster["reason"]
        assert "PATH" in cluster["reason"]
        until(lambda: not processes_of(cluster["id"]), 10)

    def test_a_hanging_sbatch_blocks_nothing(self, lonely):
        sbatch = lonely.home / "bin" / "sbatch"
        sbatch.write_text("#!/bin/sh\nexec sleep 300\n")
        sbatch.chmod(0o755)
        lonely.start()
        cluster_id = lonely.launch()
        until(lambda: subprocess.run(["pgrep", "-f", str(sbatch.parent)], check=False).returncode in (0, 1))
        times = []
        for _ in range(20):
            start = time.monotonic()
            assert lonely.cluster(cluster_id)["state"] == "submitting"
            times.append(time.monotonic() - start)
            time.sleep(0.05)
        assert max(times) < 1
        lonely.ask("DELETE", f"clusters/{cluster_id}")
        for pid in processes_of(cluster_id):
            os.kill(pid, signal.SIGTERM)
        until(lambda: not processes_of(cluster_id), 10)

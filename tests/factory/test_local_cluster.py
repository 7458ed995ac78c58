"""Dask's own `LocalCluster` as a cluster class: the whole life of a cluster."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.servers import JupyterServer, run_client, until

from .conftest import ONE_EACH, is_factory, processes_of, site

SECRET = "only-for-the-class"
SITES = {
    "plain": site(
        "plain",
        "dask.distributed",
        "LocalCluster",
        kwargs={**ONE_EACH, "local-directory": "$HPCDASK_TEST_SPILL"},
        workers=1,
        limits={"workers": 4},
        env={"MARK": "of the site"},
        options=[{"name": "protocol", "type": "choice", "choices": ["tcp", "tls"], "keyword": "protocol"}],
    ),
    "idle": site("idle", "dask.distributed", "LocalCluster", kwargs=ONE_EACH, idle_timeout="00:01:00"),
    "secure": site("secure", "dask.distributed", "LocalCluster", kwargs={**ONE_EACH, "security": True}),
    "adaptive": site(
        "adaptive",
        "dask.distributed",
        "LocalCluster",
        kwargs={**ONE_EACH, "name": SECRET},
        adapt={"minimum": 0, "maximum": 2},
    ),
}
COMPUTE = "print(client.submit(sum, range(10)).result(timeout=30))"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder that is named by a variable in the arguments of a class, with a configuration of Dask's."""
    with pytest.MonkeyPatch.context() as patch:
        made = tmp_path_factory.mktemp("folder")
        patch.setenv("HPCDASK_TEST_SPILL", str(made / "spill"))
        patch.setenv("DASK_CONFIG", str(made))
        section = {"factory": {"kwargs": ONE_EACH}, "default": {"workers": 1}}
        (made / "labextension.yaml").write_text(yaml.safe_dump({"labextension": section}), "utf-8")
        yield made


def ask_for(server: JupyterServer, cluster_id: str, **scaling: Any) -> Any:
    """Change the scaling of a cluster; return its answer."""
    return server.http.request("PATCH", f"hpcdask/api/clusters/{cluster_id}", json={"scaling": scaling})


def test_a_cluster_computes_scales_adapts_survives_and_stops(server: JupyterServer, folder: Path) -> None:
    cluster_id = server.launch(site="plain", scaling={"mode": "fixed", "workers": 2}, name="by class")
    assert server.wait_for(cluster_id, "running")["kind"] == "factory"
    cluster = server.wait_for_workers(cluster_id, 2)
    assert (cluster["state"], cluster["reason"], cluster["clients"], cluster["cores"]) == ("running", "", 0, 2)
    assert (cluster["can_scale"], cluster["can_adapt"], cluster["limits"]) == (True, True, {"workers": 4})
    assert [(job["role"], job["state"]) for job in cluster["jobs"]] == [("scheduler", "running")]
    assert any((folder / "spill").iterdir())
    mark = "print(set(client.run(lambda: __import__('os').environ['MARK']).values()))"
    assert run_client(cluster["client_code"], COMPUTE, mark).split("\n") == ["45", "{'of the site'}"]

    assert ask_for(server, cluster_id, mode="fixed", workers=3).status_code == 200
    server.wait_for_workers(cluster_id, 3)
    assert "4" in ask_for(server, cluster_id, mode="fixed", workers=5).json()["errors"][0]["message"]

    server.restart(signal.SIGKILL)
    assert server.wait_for_workers(cluster_id, 3)["state"] == "running"
    ask_for(server, cluster_id, mode="adaptive", minimum=0, maximum=2)
    adapted = server.wait_for_workers(cluster_id, 0)
    assert (adapted["state"], adapted["scaling"]) == ("running", {"mode": "adaptive", "minimum": 0, "maximum": 2})
    assert run_client(cluster["client_code"], COMPUTE) == "45", "a task brings workers"
    ask_for(server, cluster_id, mode="fixed", workers=1)
    assert server.wait_for_workers(cluster_id, 1)["workers"]["requested"] == 1

    server.ask("DELETE", f"clusters/{cluster_id}")
    stopped = server.wait_for(cluster_id, "stopped")
    assert (stopped["reason"], stopped["client_code"]) == ("", None)
    until(lambda: not processes_of(cluster_id), 10)
    logs = {log["role"]: log["text"] for log in server.ask("GET", f"clusters/{cluster_id}/logs")["logs"]}
    assert "Starting dask.distributed.LocalCluster" in logs["scheduler"]
    assert "Closing dask.distributed.LocalCluster" in logs["scheduler"]
    assert "payload/factory" not in logs["scheduler"], "nothing of ours has failed"


def test_the_dashboard_answers_through_the_proxy_alone(server: JupyterServer) -> None:
    cluster_id = server.launch(site="plain")
    cluster = server.wait_for(cluster_id, "running")
    page = server.http.get(f"{cluster['dashboard_url']}status")
    assert (page.status_code, "Dask" in page.text) == (200, True)
    plots = server.http.get(f"{cluster['dashboard_url']}individual-plots.json").json()
    assert "/individual-task-stream" in plots.values()
    told = json.loads(Path(cluster["scheduler"]["file"]).read_text("utf-8"))["hpcdask"]
    assert httpx.get(f"{told['dashboard']}/status").status_code == 403
    assert httpx.get(f"{told['api']}/hpcdask/status", verify=False).status_code == 403


def test_a_client_that_shuts_the_scheduler_down_ends_the_cluster(server: JupyterServer) -> None:
    cluster_id = server.launch(site="plain")
    code = server.wait_for(cluster_id, "running")["client_code"]
    run_client(code, "client.shutdown()")
    assert "was shut down" in server.wait_for(cluster_id, "stopped")["reason"]
    until(lambda: not processes_of(cluster_id), 10)


def test_tls_in_memory_becomes_files_that_only_the_user_can_read(server: JupyterServer) -> None:
    cluster_id = server.launch(site="secure", scaling={"mode": "fixed", "workers": 1})
    assert server.cluster(cluster_id)["client_code"] is None, "nobody knows yet whether it uses TLS"
    server.wait_for(cluster_id, "running")
    cluster = server.wait_for_workers(cluster_id, 1)
    assert cluster["scheduler"]["address"].startswith("tls://")
    assert run_client(cluster["client_code"], COMPUTE) == "45"
    folder = Path(cluster["scheduler"]["file"]).parent
    secrets = sorted(folder.glob("client-*.pem"))
    assert len(secrets) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}
    assert server.http.get(f"{cluster['dashboard_url']}status").status_code == 200
    server.ask("DELETE", f"clusters/{cluster_id}")
    server.wait_for(cluster_id, "stopped")
    assert not [*folder.glob("*.pem")]


def test_a_cluster_that_nobody_uses_says_when_it_will_end_and_can_be_kept(server: JupyterServer) -> None:
    cluster_id = server.launch(site="idle", scaling={"mode": "fixed", "workers": 1})
    server.wait_for(cluster_id, "running")
    counting = until(lambda: (found := server.cluster(cluster_id))["idle_ends_at"] and found)
    time.sleep(1.5)  # the time of an end is told in whole seconds
    assert server.ask("POST", f"clusters/{cluster_id}/keep")["idle_ends_at"] > counting["idle_ends_at"]


def test_a_launch_that_does_not_say_how_many_adapts_as_the_site_says(server: JupyterServer) -> None:
    cluster_id = server.launch(site="adaptive")
    cluster = server.wait_for(cluster_id, "running")
    assert cluster["scaling"] == {"mode": "adaptive", "minimum": 0, "maximum": 2}
    assert cluster["workers"] == {"requested": 0, "pending": 0, "running": 0}
    assert run_client(cluster["client_code"], COMPUTE) == "45"


def test_arguments_are_secret(server: JupyterServer) -> None:
    cluster_id = server.launch(site="adaptive")
    cluster = server.wait_for(cluster_id, "running")
    folder = Path(cluster["scheduler"]["file"]).parent
    found = subprocess.run(["grep", "-rl", SECRET, str(folder)], capture_output=True, text=True, check=False).stdout
    assert found == "", "they are removed once they were read"
    commands = [Path(f"/proc/{pid}/cmdline").read_text("utf-8") for pid in processes_of(cluster_id)]
    assert not [command for command in commands if SECRET in command]
    answers = [server.http.get(f"hpcdask/api/{path}").text for path in ("sites", "clusters", f"clusters/{cluster_id}")]
    assert not [answer for answer in answers if SECRET in answer]
    assert SECRET not in server.http.post("hpcdask/api/clusters/preview", json={"site": "adaptive"}).text


def test_a_section_of_dasks_configuration_is_a_site(server: JupyterServer) -> None:
    known = {found["name"]: found for found in server.ask("GET", "sites")["sites"]}
    assert known["labextension"]["title"] == "From Dask's configuration (LocalCluster)"
    assert known["labextension"]["defaults"]["workers"] == 1
    environments = [found["name"] for found in known["labextension"]["environments"]]
    assert "python3" in environments, "it has no environments of its own"
    cluster_id = server.launch(site="labextension")
    server.wait_for(cluster_id, "running")
    assert server.wait_for_workers(cluster_id, 1)["name"] == "labextension-1"


def test_an_option_is_an_argument_of_the_class(server: JupyterServer) -> None:
    cluster_id = server.launch(site="plain", options={"protocol": "tls"})
    assert "TLS" in server.wait_for(cluster_id, "failed")["reason"], "without certificates, Dask cannot speak it"


def test_a_launch_must_not_ask_for_what_a_class_decides(server: JupyterServer) -> None:
    body = {"site": "plain", "queue": "regular", "size": "small", "layout": "allocation", "scaling": {"workers": 9}}
    errors = server.http.post("hpcdask/api/clusters", json=body).json()["errors"]
    assert [error["field"] for error in errors] == ["queue", "size", "scaling.workers", "layout"]


def test_workers_end_with_a_process_that_was_killed(server: JupyterServer) -> None:
    cluster_id = server.launch(site="plain", scaling={"mode": "fixed", "workers": 2})
    server.wait_for(cluster_id, "running")
    server.wait_for_workers(cluster_id, 2)
    (factory,) = [pid for pid in processes_of(cluster_id) if is_factory(pid)]
    os.kill(factory, signal.SIGKILL)
    assert "exit code 137" in server.wait_for(cluster_id, "failed")["reason"]
    until(lambda: not processes_of(cluster_id), 20)

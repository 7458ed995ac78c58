"""Clusters that run already: what is known of them once adopted, and what can be done."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers import run_client, until

from .dask import Dask, Files, Start
from .jupyter import Jupyter

COMPUTE = "print(client.submit(sum, range(10)).result(timeout=30), client.dashboard_link)"


def test_a_schedulers_file_is_enough(jupyter: Jupyter, plain: Dask) -> None:
    (jupyter.home / "notebooks" / "run").mkdir(exist_ok=True)
    (jupyter.home / "notebooks" / "run" / "scheduler.json").write_bytes(plain.file.read_bytes())
    response = jupyter.http.post(
        "hpcdask/api/clusters/adopt", json={"scheduler_file": "run/scheduler.json", "name": "by hand"}
    )
    cluster = response.json()
    assert response.status_code == 201, cluster
    assert response.headers["Location"] == f"/a@b/hpcdask/api/clusters/{cluster['id']}"
    expected = {
        "kind": "adopted", "name": "by hand", "state": "running", "reachable": True, "reason": "", "site": "",
        "site_title": "Adopted", "queue": "", "size": None, "environment": "", "cores": 2, "memory": 2**28, "gpus": 0,
        "workers": {"requested": 1, "pending": 0, "running": 1}, "scaling": {"mode": "fixed", "workers": 0},
        "scheduler": {"address": plain.address, "file": None}, "clients": None, "warnings": [],
        "can_scale": False, "can_grow": False, "can_adapt": False, "can_forget": True,
        "dashboard_url": f"hpcdask/proxy/{cluster['id']}/", "core_hours": None, "idle_ends_at": None,
    }  # fmt: skip
    assert cluster.items() >= expected.items()
    assert cluster["started"] < cluster["created"], "the scheduler says since when it runs"
    (job,) = cluster["jobs"]
    assert (job["id"], job["role"], job["state"], job["count"]) == (plain.address, "scheduler", "running", 1)
    assert jupyter.http.get(f"{cluster['dashboard_url']}json/identity.json").json()["id"] == plain.told["id"]


def test_an_address_is_understood_as_people_write_it(jupyter: Jupyter, plain: Dask) -> None:
    cluster = jupyter.adopt(address=f" TCP://LocalHost:{plain.port}/ ")
    assert cluster["workers"]["running"] == 1
    assert cluster["scheduler"]["address"] == f"tcp://localhost:{plain.port}"


def test_the_client_code_connects_through_our_link(jupyter: Jupyter, plain: Dask) -> None:
    cluster = jupyter.adopt(address=plain.address)
    assert "Security" not in cluster["client_code"]
    assert run_client(cluster["client_code"], COMPUTE) == f"45 /a@b/hpcdask/proxy/{cluster['id']}/status"


def test_a_cluster_with_tls_is_adopted_with_its_files(jupyter: Jupyter, secure: Dask, files: Files) -> None:
    cluster = jupyter.adopt(address=f"127.0.0.1:{secure.port}", tls=files.body)
    assert cluster["scheduler"]["address"] == f"tls://127.0.0.1:{secure.port}"
    assert run_client(cluster["client_code"], COMPUTE).startswith("45 ")
    jupyter.wait(cluster["id"], workers={"requested": 1, "pending": 0, "running": 1})
    assert files.key.read_text() not in str(cluster)


def test_a_cluster_at_an_ipv6_address_is_adopted_with_a_dashboard_elsewhere(jupyter: Jupyter, start: Start) -> None:
    if not socket.has_ipv6 or not _has_ipv6_loopback():
        pytest.skip("this machine has no IPv6")
    dask = start(host="::1")
    address, port = f"tcp://[::1]:{dask.port}", dask.told["services"]["dashboard"]
    said = f"The scheduler at {address} answers, but not its dashboard at http://[::1]:{port}: give the dashboard's URL"
    assert jupyter.refusal(address=f"[::1]:{dask.port}") == {"dashboard": said}
    cluster = jupyter.adopt(address=f"[::1]:{dask.port}", dashboard=f"{dask.dashboard}/status")
    assert cluster["scheduler"]["address"] == address
    page = jupyter.http.get(f"{cluster['dashboard_url']}json/identity.json")
    assert (page.status_code, page.json()["address"]) == (200, address)


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_cluster_at_work_is_watched_and_adopted_as_one_at_rest(jupyter: Jupyter, start: Start) -> None:
    """While tasks run, a scheduler's identity.json fails, with a traceback in its log."""
    dask = start(workers=1)
    code = ["import time", "from distributed import Client", f"client = Client({dask.address!r})"]
    work = "tasks = client.map(lambda number: time.sleep(0.01), range(20_000)); print(1, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", "\n".join([*code, work])], stdout=subprocess.PIPE) as working:
        assert working.stdout is not None
        working.stdout.readline()
        cluster = jupyter.adopt(address=dask.address)
        dask.start_worker()
        assert jupyter.wait(cluster["id"], cores=4)["reachable"] is True
        working.kill()
    assert "Uncaught exception" not in dask.log


def test_workers_that_come_are_counted(jupyter: Jupyter, start: Start) -> None:
    dask = start()
    cluster = jupyter.adopt(address=dask.address)
    assert (cluster["workers"]["requested"], cluster["cores"], cluster["memory"], cluster["reason"]) == (0, 0, 0, "")
    dask.start_worker()
    seen = jupyter.wait(cluster["id"], cores=2)
    assert (seen["workers"], seen["memory"]) == ({"requested": 1, "pending": 0, "running": 1}, 2**28)
    assert seen["groups"][0]["cores"] == 2


def test_what_is_tracked_is_not_adopted_twice(jupyter: Jupyter, plain: Dask) -> None:
    jupyter.adopt(address=plain.address, name="mine")
    for body in (
        {"address": plain.address},
        {"address": f"localhost:{plain.port}"},
        {"scheduler_file": str(plain.file)},
    ):
        assert jupyter.refusal(409, **body) == {"": "This cluster is here already: “mine”."}


def test_two_clicks_adopt_once(jupyter: Jupyter, plain: Dask) -> None:
    bodies = [{"address": plain.address}, {"address": f"localhost:{plain.port}"}]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda body: jupyter.http.post("hpcdask/api/clusters/adopt", json=body), bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_it_is_renamed_but_not_scaled(jupyter: Jupyter, plain: Dask) -> None:
    path = f"hpcdask/api/clusters/{jupyter.adopt(address=plain.address)['id']}"
    assert jupyter.http.patch(path, json={"name": "renamed"}).json()["name"] == "renamed"
    for scaling in ({"mode": "fixed", "workers": 2}, {"mode": "adaptive", "minimum": 0, "maximum": 2}):
        refused = jupyter.http.patch(path, json={"scaling": scaling})
        assert (refused.status_code, refused.json()["message"]) == (
            409,
            "“renamed” was launched elsewhere: scale it there.",
        )


def test_to_forget_it_leaves_it_running_and_nothing_here(jupyter: Jupyter, plain: Dask) -> None:
    cluster = jupyter.adopt(address=plain.address)
    assert (jupyter.clusters / cluster["id"]).is_dir()
    assert jupyter.http.delete(f"hpcdask/api/clusters/{cluster['id']}?forget=true").status_code == 204
    assert not (jupyter.clusters / cluster["id"]).exists()
    assert jupyter.http.get(f"hpcdask/api/clusters/{cluster['id']}").status_code == 404
    assert jupyter.adopt(address=plain.address)["workers"]["running"] == 1


@pytest.mark.parametrize("has_tls", [False, True], ids=["plain", "tls"])
def test_to_stop_it_ends_the_scheduler_and_the_workers(
    jupyter: Jupyter, start: Start, files: Files, has_tls: bool
) -> None:
    dask = start(workers=1, files=files if has_tls else None, nannies=not has_tls)
    cluster = jupyter.adopt(address=dask.address, **({"tls": files.body} if has_tls else {}))
    stopping = jupyter.ask("DELETE", f"clusters/{cluster['id']}")
    assert stopping["state"] in ("stopping", "stopped")
    stopped = jupyter.wait_for(cluster["id"], "stopped")
    assert (stopped["client_code"], stopped["dashboard_url"], stopped["workers"]["running"]) == (None, None, 0)
    assert [job["state"] for job in stopped["jobs"]] == ["ended"]
    until(dask.has_ended)
    assert files.key.exists(), "what belongs to the user is left alone"


def test_no_path_of_a_file_or_address_is_in_the_name(jupyter: Jupyter, plain: Dask) -> None:
    assert re.fullmatch(r"adopted-\d+", jupyter.adopt(address=plain.address)["name"])

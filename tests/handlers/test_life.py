"""The life of a cluster of this machine, from the launch to the last trace of it, through the REST routes."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hpcdask_ext.batch import local_jobs
from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.handlers.core import Core
from tests.waiting import until

from .conftest import Server, end_jobs

FIELDS = {
    "id", "name", "site", "site_title", "queue", "layout", "size", "environment", "environment_title",
    "state", "reason", "reachable", "created", "started", "ended", "ends_at", "estimated_start", "walltime",
    "workers", "cores", "memory", "scaling", "limits", "clients", "jobs", "scheduler", "dashboard_url",
    "client_code", "warnings", "account", "gpus", "image", "script", "exit_code", "can_grow", "kind", "groups",
    "can_scale", "can_adapt", "can_forget", "unreachable_since", "idle_ends_at", "core_hours", "cores_running",
}  # fmt: skip
# What is set to None cannot be imported: a kernel's environment need not have it.
ONLY_DISTRIBUTED = """import sys
sys.modules.update(dict.fromkeys(("bokeh", "cryptography", "httpx", "jupyter_server", "hpcdask_ext")))
"""
COMPUTE = "\nprint('answer', client.submit(sum, range(10**6)).result(timeout=60), client.dashboard_link)\n"


def processes_of(cluster_id: str) -> set[str]:
    """Return the marks of the processes of a cluster."""
    return {process.job for process in local_jobs.processes() if f"-{cluster_id}-" in process.job}


async def run(code: str) -> str:
    """Run code as a notebook's kernel does, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return printed.decode()


async def test_a_cluster_lives_as_the_reference_says(server: Server, cluster_directory: Path) -> None:
    answer = await server.ask("POST", "hpcdask/api/clusters", {"name": "Grüße", "size": {**ONE}})
    launched = answer.json
    cluster_id, path = launched["id"], f"hpcdask/api/clusters/{launched['id']}"
    assert (answer.status, launched["state"]) == (201, "submitting")
    assert answer.headers["Location"] == f"/a%40b/{path}"
    assert set(launched) == FIELDS
    assert (launched["name"], launched["size"], launched["dashboard_url"], launched["jobs"]) == (
        "Grüße",
        None,
        None,
        [],
    )
    assert launched["workers"] == {"requested": 1, "pending": 1, "running": 0}
    assert (launched["cores"], launched["memory"], launched["walltime"]) == (1, 2**28, None)

    code = ONLY_DISTRIBUTED + launched["client_code"] + COMPUTE
    client = asyncio.create_task(run(code))  # it waits for the scheduler by itself
    running = await server.follow(cluster_id, "running", workers={"requested": 1, "pending": 0, "running": 1})
    assert (running["dashboard_url"], running["reachable"], running["reason"]) == (
        f"hpcdask/proxy/{cluster_id}/",
        True,
        "",
    )
    assert running["started"] >= running["created"]
    assert running["scheduler"]["address"].startswith("tls://127.0.0.1:")
    assert {(job["role"], job["state"], job["count"]) for job in running["jobs"]} == {
        ("scheduler", "running", 1),
        ("worker", "running", 1),
    }
    assert f"answer 499999500000 /a%40b/hpcdask/proxy/{cluster_id}/status" in await client

    scaled = await server.ask("PATCH", path, {"scaling": {"mode": "fixed", "workers": 2}, "name": "renamed"})
    assert (scaled.status, scaled.json["name"], scaled.json["scaling"]) == (
        200,
        "renamed",
        {"mode": "fixed", "workers": 2},
    )
    await server.follow(cluster_id, "running", workers={"requested": 2, "pending": 0, "running": 2})
    assert (await server.ask("PATCH", path, {"scaling": {"mode": "fixed", "workers": 1}})).status == 200
    await server.follow(cluster_id, "running", workers={"requested": 1, "pending": 0, "running": 1})
    most = running["limits"]["workers"]
    refused = await server.ask("PATCH", path, {"scaling": {"workers": most + 1}})
    message = f"{most + 1} workers are more than the queue local allows: {most}"
    assert (refused.status, refused.json["errors"]) == (422, [{"field": "scaling.workers", "message": message}])

    await check_logs(server, path)
    check_secrets(cluster_directory / cluster_id, json.dumps([launched, running, scaled.json]))

    stopped = await server.ask("DELETE", path)
    assert (stopped.status, stopped.json["state"]) == (202, "stopping")
    assert (await server.ask("DELETE", path)).status in (202, 204), "impatience is no error"
    await check_end(server, path, cluster_id)


ONE = {"workers": 1, "cores": 1, "memory": "256 MiB"}


async def check_logs(server: Server, path: str) -> None:
    logs = (await server.ask("GET", f"{path}/logs")).json["logs"]
    assert {log["role"] for log in logs} == {"launch", "scheduler", "worker"}
    assert set(logs[0]) == {"job", "role", "text", "truncated"}
    launch = (await server.ask("GET", f"{path}/logs", params={"role": "launch"})).json["logs"]
    assert len(launch) == 1
    assert '"distributed"' in launch[0]["text"]
    (short,) = (await server.ask("GET", f"{path}/logs", params={"role": "scheduler", "tail": 2})).json["logs"]
    assert (len(short["text"].splitlines()), short["truncated"]) == (2, True)
    wrong = await server.ask("GET", f"{path}/logs", params={"role": "cook", "tail": "all"})
    assert (wrong.status, [error["field"] for error in wrong.json["errors"]]) == (422, ["role", "tail"])


def check_secrets(directory: Path, answers: str) -> None:
    """No secret is in an answer, a record, a log or a job script, and nobody else gets at them."""
    credentials = Credentials(directory)
    token, key = credentials.token_file.read_text(), credentials.key.read_text().splitlines()[1]
    secret = {credentials.token_file, credentials.key}
    files = [path for path in directory.rglob("*") if path.is_file() and path not in secret]
    texts = [answers, *(path.read_text("utf-8", "replace") for path in files)]
    assert not [text for text in texts if token in text or key in text]
    everything = (directory, *directory.rglob("*"))
    shared = {path.name for path in everything if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert shared <= {"scheduler.json"}, "that one Dask writes with a mode of its own; it holds an address"


async def check_end(server: Server, path: str, cluster_id: str) -> None:
    ended = await server.follow(cluster_id, "stopped", 40)
    assert (ended["workers"], ended["dashboard_url"], ended["client_code"]) == (
        {"requested": 1, "pending": 0, "running": 0},
        None,
        None,
    )
    assert ended["ended"] >= ended["started"]
    assert processes_of(cluster_id) == set()
    scale = await server.ask("PATCH", path, {"scaling": {"workers": 1}})
    assert (scale.status, scale.json) == (
        409,
        {"message": "“renamed” is stopped and cannot be scaled now.", "reason": "wrong state", "errors": []},
    )
    assert (await server.ask("PATCH", path, {"name": "epitaph"})).json["name"] == "epitaph"
    roles = {log["role"] for log in (await server.ask("GET", f"{path}/logs")).json["logs"]}
    assert roles == {"launch", "scheduler", "worker"}, "what ended can still be read"
    assert (await server.ask("GET", f"hpcdask/proxy/{cluster_id}/status")).status == 404
    forgotten = await server.ask("DELETE", path)
    assert (forgotten.status, forgotten.text) == (204, "")
    for method in ("GET", "DELETE"):
        assert (await server.ask(method, path)).status == 404
    assert await server.get("clusters") == {"clusters": []}


async def test_a_launch_answers_before_anything_is_done_and_the_newest_is_first(
    server: Server, jp_kernel_dir: Path
) -> None:
    """The kernel takes its time, as a container does."""
    slow_kernel(jp_kernel_dir)
    start = time.monotonic()
    first = await server.launch(environment="slow")
    second = await server.launch(environment="slow")
    assert time.monotonic() - start < 5
    assert (first["state"], second["state"]) == ("submitting", "submitting")
    assert first["name"] != second["name"]
    assert [cluster["id"] for cluster in (await server.get("clusters"))["clusters"]] == [second["id"], first["id"]]
    for cluster in (first, second):
        assert (await server.ask("DELETE", f"hpcdask/api/clusters/{cluster['id']}")).status == 202
        stopped = await server.follow(cluster["id"], "stopped", 10)
        assert (stopped["jobs"], stopped["reason"]) == ([], "")


def slow_kernel(folder: Path) -> None:
    program = folder / "slow" / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    spec = {"argv": [str(program), "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Slow"}
    (folder / "slow" / "kernel.json").write_text(json.dumps({**spec, "language": "python"}))


async def test_an_environment_that_cannot_run_dask_fails_before_anything_is_submitted(
    server: Server, jp_kernel_dir: Path
) -> None:
    program = jp_kernel_dir / "bare" / "python"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    program.chmod(0o755)
    spec = {"argv": [str(program), "-m", "ipykernel_launcher", "-f", "x"], "display_name": "Bare", "language": "python"}
    (jp_kernel_dir / "bare" / "kernel.json").write_text(json.dumps(spec))
    launched = await server.launch(environment="bare")
    failed = await server.follow(launched["id"], "failed", 20)
    assert "“Bare” lacks the package “distributed”" in failed["reason"]
    assert f"Tried: {program} /" in failed["reason"]
    assert "It printed: {" in failed["reason"]
    assert failed["jobs"] == []
    assert processes_of(launched["id"]) == set()
    (log,) = (await server.get(f"clusters/{launched['id']}/logs"))["logs"]
    assert (log["role"], "[exit code 3]" in log["text"]) == ("launch", True)


async def test_another_server_finds_a_running_cluster_running_and_can_stop_it(
    server: Server, cluster_directory: Path
) -> None:
    cluster_id = (await server.launch())["id"]
    await server.follow(cluster_id, "running", workers={"requested": 1, "pending": 0, "running": 1})
    before = processes_of(cluster_id)
    await server.app.extension_manager.stop_extension(
        "hpcdask_ext", server.app.extension_manager.extension_apps["hpcdask_ext"]
    )
    assert processes_of(cluster_id) == before, "the cluster goes on without any server"
    events: list[dict[str, Any]] = []
    kernels = server.app.kernel_spec_manager.get_all_specs
    core = Core(
        root=cluster_directory,
        config_path=[],
        working_directory=cluster_directory,
        runtime_directory=cluster_directory.parent / "runtime",
        kernel_specs=kernels,
        emit=lambda *, data: events.append(data),
    )
    try:
        manager = await core.manager()
        assert manager.get(cluster_id).state.value == "running"
        assert manager.get(cluster_id).workers == 1

        async def look() -> str:
            return manager.get(cluster_id).state.value

        await manager.change(cluster_id, {"name": "found again"})
        assert {event["change"] for event in events} == {"renamed"}, "nothing else had changed"
        await manager.stop(cluster_id)
        await until(look, lambda state: state == "stopped", 30)
        assert processes_of(cluster_id) == set()
    finally:
        await core.close()
        end_jobs(cluster_directory)

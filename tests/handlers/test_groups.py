"""A cluster with several kinds of workers, and real tasks on them, through the REST routes."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.waiting import until

from .conftest import Server
from .test_life import processes_of, run

ONE = {"workers": 1, "cores": 1, "memory": "256 MiB"}
BIG = {"name": "big", "size": {**ONE, "cores": 2}, "resources": {"DISK": 2}}
# Several tasks of each kind, so that none of them is where it is by chance.
WHERE = """
from dask.distributed import get_worker
client.wait_for_workers(%d, timeout=60)

def where(number):
    import time
    time.sleep(0.05)
    return get_worker().name.split("-")[1]

def groups(**resources):
    with dask.annotate(resources=resources):
        delayed = [dask.delayed(where, pure=False)(number) for number in range(10)]
        return sorted(set(client.gather(client.compute(delayed))))

print("ran on", groups(workers=1), groups(big=1), groups(DISK=2))
with dask.annotate(resources={"big": 1}):
    print("submitted to", set(client.gather(client.map(where, range(10)))))
"""


async def connected(server: Server, cluster_id: str, **groups: int) -> dict[str, Any]:
    """Wait until the groups have exactly so many workers, and return the cluster."""

    async def look() -> dict[str, Any]:
        cluster: dict[str, Any] = await server.get(f"clusters/{cluster_id}")
        assert cluster["state"] not in ("stopped", "failed"), cluster
        return cluster

    return await until(
        look, lambda seen: {one["name"]: one["workers"]["running"] for one in seen["groups"]} == groups, 60
    )


async def only_left(cluster_id: str, groups: set[str]) -> None:
    """Wait until there are processes of those jobs and no others; workers disconnect a moment before they end."""

    async def look() -> set[str]:
        return {process.partition(f"-{cluster_id}-")[2].partition("-")[0] for process in processes_of(cluster_id)}

    await until(look, lambda seen: seen == groups)


async def scale(server: Server, cluster_id: str, group: str, workers: int) -> None:
    body = {"group": group, "scaling": {"mode": "fixed", "workers": workers}}
    answer = await server.ask("PATCH", f"hpcdask/api/clusters/{cluster_id}", body)
    assert answer.status == 200, answer


async def test_tasks_run_on_the_workers_that_they_ask_for_and_each_group_is_scaled_by_itself(server: Server) -> None:
    launched = await server.launch(groups=[BIG])
    cluster_id = launched["id"]
    assert [(one["name"], one["resources"]) for one in launched["groups"]] == [("workers", {}), ("big", {"DISK": 2})]
    assert (launched["cores"], launched["workers"]["requested"]) == (3, 2)
    running = await connected(server, cluster_id, workers=1, big=1)
    assert {(job["role"], job["group"]) for job in running["jobs"]} == {
        ("scheduler", "workers"), ("worker", "workers"), ("worker", "big"),
    }  # fmt: skip
    printed = await run(running["client_code"] + WHERE % 2)
    assert "ran on ['workers'] ['big'] ['big']" in printed, printed
    assert "submitted to {'big'}" in printed

    await scale(server, cluster_id, "big", 2)
    await connected(server, cluster_id, workers=1, big=2)
    await scale(server, cluster_id, "workers", 0)
    await connected(server, cluster_id, workers=0, big=2)
    await only_left(cluster_id, {"scheduler", "big"})
    unknown = await server.ask("PATCH", f"hpcdask/api/clusters/{cluster_id}", {"group": "b", "scaling": {"workers": 1}})
    assert (unknown.status, [error["field"] for error in unknown.json["errors"]]) == (422, ["group"])

    path = f"hpcdask/api/clusters/{cluster_id}/groups"
    most = running["groups"][0]["limits"]["workers"]
    refused = await server.ask(
        "POST", path, {"name": "more", "size": {**ONE, "workers": most + 1}, "resources": {"": 1}}
    )
    assert (refused.status, {error["field"] for error in refused.json["errors"]}) == (
        422,
        {"size.workers", "resources"},
    )
    added = await server.ask("POST", path, {"name": "more", "size": ONE})
    assert (added.status, [one["name"] for one in added.json["groups"]]) == (201, ["workers", "big", "more"])
    now = await connected(server, cluster_id, workers=0, big=2, more=1)
    assert (now["cores_running"], now["core_hours"] > 0) == (5, True)
    printed = await run(now["client_code"] + "\nprint(client.submit(sum, [1, 2], resources={'more': 1}).result())")
    assert printed.startswith("3"), printed
    await scale(server, cluster_id, "more", 0)
    await connected(server, cluster_id, workers=0, big=2, more=0)

    assert (await server.ask("DELETE", f"hpcdask/api/clusters/{cluster_id}")).status == 202
    ended = await server.follow(cluster_id, "stopped", 40)
    assert ended["cores_running"] == 0
    assert processes_of(cluster_id) == set()
    late = await server.ask("POST", path, {"name": "late", "size": ONE})
    assert (late.status, late.json["reason"]) == (409, "wrong state")
    again = await server.get(f"clusters/{cluster_id}")
    assert again["core_hours"] == ended["core_hours"], "nothing is used any more"
    assert again["warnings"] == []


async def test_a_preview_has_a_script_for_each_group_and_their_totals(server: Server) -> None:
    preview = (await server.ask("POST", "hpcdask/api/clusters/preview", {"size": ONE, "groups": [BIG]})).json
    assert preview["valid"], preview
    assert (preview["totals"]["workers"], preview["totals"]["cores"]) == (2, 3)
    assert [(script["role"], script["group"]) for script in preview["scripts"]][1:] == [
        ("worker", "workers"), ("worker", "big"),
    ]  # fmt: skip
    assert "big=2 DISK=2" in preview["scripts"][2]["text"]


async def test_only_one_of_two_equal_groups_is_added(server: Server) -> None:
    """Two clicks at the same time are one too many."""
    cluster_id = (await server.launch(scaling={"workers": 0}))["id"]
    await server.follow(cluster_id, "running")
    path = f"hpcdask/api/clusters/{cluster_id}/groups"
    body = {"name": "twice", "size": ONE}
    answers = await asyncio.gather(*(server.ask("POST", path, body) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [201, 422]
    await connected(server, cluster_id, workers=0, twice=1)

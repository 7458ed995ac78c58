"""Clusters that nobody uses end by themselves, unless somebody keeps them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until

from .conftest import Server
from .test_life import processes_of

# A site's shortest time is a minute; its jobs are told to be quicker.
SECONDS = 6
SITE = f"""
name: hasty
batch_system: local
idle_timeout: "00:01:00"
prologue: ["test -z \\"$HPCDASK_IDLE_TIMEOUT\\" || export HPCDASK_IDLE_TIMEOUT={SECONDS}"]
queues: [{{name: local}}]
sizes: [{{name: small, workers: 1, cores: 1, memory: 256 MiB}}]
"""
ENDED = f"It ended because it was idle for {SECONDS} seconds: it had neither a client nor a task."


@pytest.fixture(autouse=True)
def site(jp_config_dir: Path) -> None:
    folder = jp_config_dir / "hpcdask" / "sites.d"
    folder.mkdir(parents=True)
    (folder / "hasty.yaml").write_text(SITE)


async def idle(server: Server, cluster_id: str) -> dict[str, Any]:
    """Wait until the cluster counts down, and return it."""

    async def look() -> dict[str, Any]:
        cluster: dict[str, Any] = await server.get(f"clusters/{cluster_id}")
        return cluster

    return await until(look, lambda cluster: cluster["idle_ends_at"])


def time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


async def test_an_idle_cluster_counts_down_and_stops_with_a_sentence_that_says_so(server: Server) -> None:
    cluster_id = (await server.launch(size="small"))["id"]
    running = await idle(server, cluster_id)
    assert running["state"] == "running"
    assert abs(time(running["idle_ends_at"]) - datetime.now(timezone.utc) - timedelta(minutes=1)).total_seconds() < 30
    ended = await server.follow(cluster_id, "stopped", 60)
    assert (ended["reason"], ended["idle_ends_at"], ended["warnings"]) == (ENDED, None, [])
    assert processes_of(cluster_id) == set()


async def test_it_stays_for_as_long_as_somebody_keeps_it(server: Server) -> None:
    cluster_id = (await server.launch(size="small"))["id"]
    path = f"hpcdask/api/clusters/{cluster_id}/keep"
    early = await server.ask("POST", path)
    assert (early.status, early.json["reason"]) == (409, "wrong state")
    first = await idle(server, cluster_id)
    for _ in range(SECONDS):
        await asyncio.sleep(2)
        kept = await server.ask("POST", path)
        assert kept.status == 200, kept
        assert time(kept.json["idle_ends_at"]) > datetime.now(timezone.utc) + timedelta(seconds=55)
    assert time(kept.json["idle_ends_at"]) > time(first["idle_ends_at"])
    assert (await server.get(f"clusters/{cluster_id}"))["state"] == "running"
    assert (await server.follow(cluster_id, "stopped", 60))["reason"] == ENDED
    late = await server.ask("POST", path)
    assert (late.status, late.json["reason"]) == (409, "wrong state")
    assert (await server.ask("POST", "hpcdask/api/clusters/nope/keep")).status == 404


async def test_a_cluster_of_a_site_without_a_timeout_cannot_be_kept(server: Server, jp_config_dir: Path) -> None:
    site = jp_config_dir / "hpcdask" / "sites.d" / "hasty.yaml"
    site.write_text(SITE.replace('idle_timeout: "00:01:00"\n', ""))
    cluster_id = (await server.launch(size="small"))["id"]
    running = await server.follow(cluster_id, "running")
    assert running["idle_ends_at"] is None
    answer = await server.ask("POST", f"hpcdask/api/clusters/{cluster_id}/keep")
    assert (answer.status, "does not end when it is idle" in answer.json["message"]) == (409, True)

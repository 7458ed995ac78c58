"""Which clusters of a gateway get records by themselves: those that nobody tracks or is just submitting."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.states import ClusterState
from hpcdask_ext.clusters.store import ClusterStore, id_of, new_id
from hpcdask_ext.control.found import Finder
from hpcdask_ext.control.ledger import Ledger
from hpcdask_ext.control.processes import this_process
from hpcdask_ext.errors import BatchUnreachable, StoreError
from hpcdask_ext.launchers.base import Running
from hpcdask_ext.launchers.gateway import GatewayLauncher, gateway_job
from hpcdask_ext.sites.gateway import GatewaySite
from hpcdask_ext.sites.load import Sites

from .test_login import running

SITE = GatewaySite(name="gw")
BEFORE = datetime.now(timezone.utc) - timedelta(hours=1)


class Told(GatewayLauncher):
    """Tells of a cluster `abc`, or that the gateway is away."""

    is_away = False
    asked = 0

    async def running(self) -> list[Running]:
        self.asked += 1
        if self.is_away:
            raise BatchUnreachable("The gateway did not answer.")
        return [Running("abc", BEFORE)]


class OneSite:
    """A catalogue of one site."""

    def __init__(self) -> None:
        self.told = Told(SITE)

    async def launcher(self, name: str) -> Told:
        return self.told

    def directory(self, site: Any) -> None:
        return None


class Here:
    """A ledger, and a finder that adds to it."""

    def __init__(self, root: Path) -> None:
        self.ledger = Ledger(ClusterStore(root), lambda *, data: None)
        self.catalogue, self.watched = OneSite(), list[str]()
        self.finder = Finder(self.ledger, self.catalogue, self.watched.append)  # type: ignore[arg-type]

    async def look(self) -> list[Cluster]:
        await self.finder.look(Sites((SITE,)))
        return self.ledger.all()

    async def add(self, **changes: Any) -> Cluster:
        def make(store: ClusterStore) -> Cluster:
            cluster_id = new_id()
            directory = store.create(cluster_id)
            return running(directory).model_copy(update={"id": cluster_id, "launched_by": this_process(), **changes})

        return await self.ledger.add(make)


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


async def test_it_gets_a_record_and_is_asked_for_once_a_minute(here: Here) -> None:
    (found,) = await here.look()
    assert (found.id, found.kind, found.created, found.launched_by) == (id_of("abc"), "gateway", BEFORE, None)
    assert [job.id for job in found.jobs] == ["abc"]
    assert here.watched == [found.id]
    assert await here.look() == [found]
    assert here.catalogue.told.asked == 1


async def test_one_that_is_tracked_gets_none(here: Here) -> None:
    assert len({(await here.add()).id, *[cluster.id for cluster in await here.look()]}) == 1


async def test_one_that_may_just_be_submitted_is_left_for_the_next_time(here: Here) -> None:
    submitted = await here.add(state=ClusterState.SUBMITTING, jobs=(gateway_job("x", None),))
    assert await here.look() == [submitted]
    await here.ledger.change(submitted.id, lambda old: old.with_changed_job("scheduler", {"id": "abc"}))
    assert len(await here.look()) == 1
    assert here.catalogue.told.asked == 2


async def test_one_of_another_program_is_left_to_that_program(here: Here, tmp_path: Path) -> None:
    await Here(tmp_path).add()
    assert await here.look() == []


@pytest.mark.parametrize(("ended", "count"), [(BEFORE, 2), (datetime.now(timezone.utc) + timedelta(hours=1), 1)])
async def test_a_record_that_ended_before_is_about_another_life(here: Here, ended: datetime, count: int) -> None:
    await here.add(state=ClusterState.FAILED, ended=ended)
    assert len(await here.look()) == count


async def test_two_servers_that_find_it_at_once_do_not_harm_each_other(here: Here, tmp_path: Path) -> None:
    (found,) = await here.look()
    with pytest.raises(StoreError, match="cannot be created"):
        ClusterStore(tmp_path).create(found.id)
    assert ClusterStore(tmp_path).load(found.id) == found


async def test_a_gateway_that_is_away_finds_nothing_and_fails_nothing(here: Here) -> None:
    here.catalogue.told.is_away = True
    assert await here.look() == []

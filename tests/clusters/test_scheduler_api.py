"""Asking a scheduler: over real TLS, of a server whose answers can be chosen. (tests/payload asks a real scheduler.)"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tornado import web

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.reach import SchedulerAddress, own_endpoint
from hpcdask_ext.clusters.scheduler_api import Retired, SchedulerAPI, SchedulerStatus
from hpcdask_ext.errors import SchedulerUnreachable

from .stub_scheduler import UP, StubScheduler, answer


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    made = Credentials(tmp_path)
    made.create()
    return made


@pytest_asyncio.fixture
async def stub(credentials: Credentials) -> AsyncIterator[StubScheduler]:
    stub = StubScheduler(credentials)
    server = stub.start()
    yield stub
    server.stop()
    await server.close_all_connections()


@pytest_asyncio.fixture
async def api(stub: StubScheduler, credentials: Credentials) -> AsyncIterator[SchedulerAPI]:
    api = SchedulerAPI(own_endpoint(stub.url, credentials))
    yield api
    await api.aclose()


async def test_the_status_is_what_the_scheduler_says(stub: StubScheduler, api: SchedulerAPI) -> None:
    stub.pages["/hpcdask/status"] = answer(UP)
    assert await api.status() == SchedulerStatus(1, 1, 1, 2**28, 0, groups={"workers": 1})
    assert stub.seen[-1].query_arguments == {}
    await api.status(since=7)
    assert stub.seen[-1].query_arguments == {"since": [b"7"]}


async def test_the_versions_of_packages_are_told_by_role(stub: StubScheduler, api: SchedulerAPI) -> None:
    packages = {"workers": {"pandas": ["2.2.2"], "lz4": [None]}, "clients": {}}
    stub.pages["/hpcdask/status"] = answer({**UP, "packages": packages})
    assert (await api.status()).packages == {"workers": {"pandas": ("2.2.2",), "lz4": (None,)}, "clients": {}}


@pytest.mark.parametrize("packages", [None, 5, [], "x", {"workers": None}, {"workers": {"pandas": 5}}])
async def test_versions_that_make_no_sense_are_none_of_ours(
    stub: StubScheduler, api: SchedulerAPI, packages: Any
) -> None:
    stub.pages["/hpcdask/status"] = answer({**UP, "packages": packages})
    with pytest.raises(SchedulerUnreachable):
        await api.status()


async def test_retiring_says_how_many_jobs_of_how_many_workers_and_returns_names(
    stub: StubScheduler, api: SchedulerAPI
) -> None:
    stub.pages["/hpcdask/retire"] = answer({"retired": ["a-1", "a-2"]})
    assert await api.retire("k3-workers-", 2, 4, keep=1) == Retired(("a-1", "a-2"))
    assert stub.seen[-1].method == "POST"
    assert json.loads(stub.seen[-1].body) == {"prefix": "k3-workers-", "jobs": 2, "workers_per_job": 4, "keep": 1}


STRANGE = [b"", b"not json", b"[]", b"5", b"null", b"<html>Bad gateway</html>", b"{}", b'{"version": 1, "retire": []}']


@pytest.mark.parametrize("content", STRANGE)
async def test_an_answer_that_is_none_of_ours_is_a_scheduler_that_does_not_answer(
    stub: StubScheduler, api: SchedulerAPI, content: bytes
) -> None:
    stub.pages["/hpcdask/status"] = stub.pages["/hpcdask/retire"] = answer(content)
    with pytest.raises(SchedulerUnreachable):
        await api.status()
    with pytest.raises(SchedulerUnreachable):
        await api.retire("", 1, 1)


async def test_a_status_that_says_more_than_is_known_here_is_understood_or_refused(
    stub: StubScheduler, api: SchedulerAPI
) -> None:
    """Its preload may be of another version than this server, which was restarted after an update."""
    stub.pages["/hpcdask/status"] = answer({**UP, "gpus": 4})
    with suppress(SchedulerUnreachable):
        assert (await api.status()).workers == 1


async def test_a_refusal_and_an_error_page_are_schedulers_that_do_not_answer(
    stub: StubScheduler, api: SchedulerAPI
) -> None:
    async def fail(handler: web.RequestHandler) -> None:
        handler.set_status(500)

    async def leave(handler: web.RequestHandler) -> None:
        handler.redirect("https://127.0.0.1:1/elsewhere")

    for page in (fail, leave):
        stub.pages["/hpcdask/status"] = page
        with pytest.raises(SchedulerUnreachable):
            await api.status()
    stub.credentials.token_file.write_text("another")
    with pytest.raises(SchedulerUnreachable):
        await api.status()


async def test_a_connection_that_breaks_while_waiting_is_told_at_once(stub: StubScheduler, api: SchedulerAPI) -> None:
    waiting = asyncio.Event()

    async def hang(handler: web.RequestHandler) -> None:
        waiting.set()
        await asyncio.sleep(0.05)
        handler.request.connection.stream.close()

    stub.pages["/hpcdask/status"] = hang
    with pytest.raises(SchedulerUnreachable):
        await asyncio.wait_for(api.status(since=1), 5)
    assert waiting.is_set()


async def test_nobody_there_is_an_error_without_secrets(credentials: Credentials) -> None:
    api = SchedulerAPI(own_endpoint("https://127.0.0.1:1", credentials))
    with pytest.raises(SchedulerUnreachable) as caught:
        await api.status()
    assert credentials.token_file.read_text() not in caught.value.message
    await api.aclose()


async def test_another_certificate_is_not_believed_and_the_token_not_sent(stub: StubScheduler, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    credentials = Credentials(other)
    credentials.create()
    api = SchedulerAPI(own_endpoint(stub.url, credentials))
    with pytest.raises(SchedulerUnreachable):
        await api.status()
    assert stub.seen == []
    await api.aclose()


async def test_a_web_proxy_of_the_site_is_no_way_to_a_scheduler(
    stub: StubScheduler, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    stub.pages["/hpcdask/status"] = answer(UP)
    api = SchedulerAPI(own_endpoint(stub.url, credentials))
    assert (await api.status()).workers == 1
    await api.aclose()


@pytest.mark.parametrize(
    ("address", "dashboard"),
    [
        ("tls://10.1.2.3:4567", "https://10.1.2.3:8787"),
        ("tls://node7:4567", "https://node7:8787"),
        ("tls://[fd00::7]:4567", "https://[fd00::7]:8787"),
    ],
)
def test_the_address_is_read_from_the_schedulers_file(tmp_path: Path, address: str, dashboard: str) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"type": "Scheduler", "address": address, "services": {"dashboard": 8787}}))
    assert SchedulerAddress.read(file) == SchedulerAddress(address, dashboard)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "5", {}, {"address": "tls://a:1"}, {"address": "tls://a:1", "services": {}},
     {"address": "nonsense", "services": {"dashboard": 1}}, {"address": None, "services": {"dashboard": 1}},
     {"address": "tls://a:1", "services": None}, {"address": "tls://a:1", "services": {"dashboard": None}}],
)  # fmt: skip
def test_a_file_that_is_not_all_there_is_none_yet(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "scheduler.json"
    assert SchedulerAddress.read(file) is None
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    assert SchedulerAddress.read(file) is None

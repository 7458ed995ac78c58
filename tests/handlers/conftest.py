"""A Jupyter server with the extension, and a way to ask it.

The fixtures are pytest-jupyter's. Its hooks, by which it runs tests on an event loop of its own, stay out: they would
do so for every test there is.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pytest_jupyter.jupyter_core import (  # noqa: F401
    echo_kernel_spec,
    jp_config_dir,
    jp_data_dir,
    jp_env_config_path,
    jp_env_jupyter_path,
    jp_environ,
    jp_home_dir,
    jp_kernel_dir,
    jp_runtime_dir,
    jp_system_config_path,
    jp_system_jupyter_path,
)
from pytest_jupyter.jupyter_server import (  # noqa: F401
    jp_argv,
    jp_auth_header,
    jp_base_url,
    jp_configurable_serverapp,
    jp_fetch,
    jp_http_port,
    jp_logging_stream,
    jp_nbconvert_templates,
    jp_root_dir,
    jp_server_cleanup,
    jp_serverapp,
    jp_web_app,
    jp_ws_fetch,
)
from pytest_jupyter.pytest_tornasync import http_server, http_server_client, http_server_port  # noqa: F401
from tornado.httpclient import HTTPClientError, HTTPResponse

from hpcdask_ext.batch import local_jobs
from tests.waiting import until

SMALL = {"size": {"workers": 1, "cores": 1, "memory": "256 MiB"}}
"""The smallest launch."""


async def closed(connection: Any) -> None:
    """Close a websocket and wait until the other side has closed it, too: none may be left when the loop ends."""
    connection.close()
    while await asyncio.wait_for(connection.read_message(), 10) is not None:
        pass


@pytest_asyncio.fixture(autouse=True)
async def jp_asyncio_loop() -> asyncio.AbstractEventLoop:
    """Have pytest-jupyter's fixtures use the loop on which the test runs."""
    return asyncio.get_running_loop()


@pytest.fixture
def cluster_directory(tmp_path: Path) -> Path:
    return tmp_path / "clusters"


@pytest.fixture
def jp_server_config(cluster_directory: Path) -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"hpcdask_ext": True, "jupyter_server_terminals": False}},
        "HPCDaskApp": {"cluster_directory": str(cluster_directory)},
    }


@dataclass
class Answer:
    """What a server answered: status, headers, and the JSON or text of the body."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Server:
    """Asks the Jupyter server as a user of it, or, with `auth=False`, as anybody."""

    def __init__(self, fetch: Callable[..., Any], app: Any) -> None:
        self._fetch, self.app = fetch, app

    async def ask(self, method: str, path: str, body: Any = None, auth: bool = True, **options: Any) -> Answer:
        headers = {**options.pop("headers", {}), **({} if auth else {"Authorization": ""})}
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        options = {"follow_redirects": False, "allow_nonstandard_methods": True, **options}
        try:
            answer: HTTPResponse = await self._fetch(path, method=method, body=data, headers=headers, **options)
        except HTTPClientError as error:
            if error.response is None:
                raise
            answer = error.response
        return Answer(answer.code, dict(answer.headers), (answer.body or b"").decode("utf-8", "replace"))

    async def close(self) -> None:
        """Let go of the clusters, as the server's end does."""
        extension = next(iter(self.app.extension_manager.extension_apps["hpcdask_ext"]))
        await asyncio.wait_for(extension.core.close(), 3)

    async def get(self, path: str, **options: Any) -> Any:
        """Return the JSON of a good answer."""
        answer = await self.ask("GET", f"hpcdask/api/{path}", **options)
        assert answer.status == 200, answer
        return answer.json

    async def launch(self, **body: Any) -> dict[str, Any]:
        answer = await self.ask("POST", "hpcdask/api/clusters", {**SMALL, **body})
        assert answer.status == 201, answer
        cluster: dict[str, Any] = answer.json
        return cluster

    async def follow(self, cluster_id: str, state: str, seconds: float = 60, **expected: Any) -> dict[str, Any]:
        """Wait until a cluster is in a state, and what is expected of it is so."""

        async def look() -> dict[str, Any]:
            cluster: dict[str, Any] = await self.get(f"clusters/{cluster_id}")
            assert cluster["state"] in (state, "submitting", "starting", "running", "stopping"), cluster
            return cluster

        wanted = {"state": state, **expected}
        return await until(look, lambda cluster: wanted.items() <= cluster.items(), seconds)


@pytest_asyncio.fixture
async def server(jp_serverapp: Any, jp_fetch: Any, cluster_directory: Path) -> AsyncIterator[Server]:  # noqa: F811
    """Return the server; whatever was launched on it is ended by its marks."""
    server = Server(jp_fetch, jp_serverapp)
    yield server
    await server.close()
    end_jobs(cluster_directory)


def end_jobs(directory: Path) -> None:
    """End every process of the clusters in a directory."""
    ids = [path.name for path in directory.iterdir()] if directory.exists() else []
    jobs = {process.job for process in local_jobs.processes() if any(f"-{name}-" in process.job for name in ids)}
    if jobs:
        subprocess.run([sys.executable, local_jobs.__file__, "cancel", *sorted(jobs)], check=True, timeout=30)

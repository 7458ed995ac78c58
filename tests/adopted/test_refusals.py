"""What cannot be adopted: each mistake is told at its field, and nothing is left behind."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from .dask import Dask, Files, Start
from .jupyter import Jupyter

Listen = Callable[[Callable[[socket.socket], Any]], int]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Return a function that has whoever connects treated in some way, and returns the port."""
    open_sockets: list[socket.socket] = []

    def serve(server: socket.socket, treat: Callable[[socket.socket], Any]) -> None:
        with suppress(OSError):  # the end of the test
            while True:
                connection, _ = server.accept()
                open_sockets.append(connection)
                with suppress(OSError):
                    treat(connection)

    def listen(treat: Callable[[socket.socket], Any]) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        open_sockets.append(server)
        threads.append(threading.Thread(target=serve, args=(server, treat), daemon=True))
        threads[-1].start()
        return int(server.getsockname()[1])

    threads: list[threading.Thread] = []
    yield listen
    for opened in open_sockets:
        with suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)
        opened.close()
    for thread in threads:
        thread.join(10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_dead_address_and_a_wrong_name(jupyter: Jupyter) -> None:
    port = free_port()
    (said,) = jupyter.refusal(address=f"127.0.0.1:{port}").items()
    assert said[0] == "address"
    assert said[1].startswith(f"Nothing listens at tcp://127.0.0.1:{port}: the cluster has probably ended")
    (said,) = jupyter.refusal(address="no-such-host.invalid").items()
    assert said[1].startswith("There is no host with the name in tcp://no-such-host.invalid:8786: correct it")


def test_the_file_of_a_dead_cluster(jupyter: Jupyter, start: Start) -> None:
    dask = start()
    told = dask.file.read_bytes()
    dask.end()
    dask.file.write_bytes(told)
    said = jupyter.refusal(scheduler_file=str(dask.file))
    assert said["scheduler_file"].startswith(f"Nothing listens at {json.loads(told)['address']}")


def test_the_file_of_a_dead_cluster_in_whose_place_another_runs(jupyter: Jupyter, plain: Dask, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text(json.dumps({**plain.told, "id": "Scheduler-of-yesterday"}))
    for more in ({}, {"dashboard": plain.dashboard}):
        said = jupyter.refusal(scheduler_file=str(old), **more)
        expected = f"{old} is from a cluster that has ended: another scheduler is at {plain.address} now"
        assert said == {"scheduler_file": expected}


def test_a_web_server_is_not_taken_for_a_scheduler(jupyter: Jupyter, plain: Dask) -> None:
    port = plain.dashboard.rpartition(":")[2]
    (said,) = jupyter.refusal(address=f"127.0.0.1:{port}").items()
    assert said[0] == "address"
    assert said[1].startswith(f"A web server answers at tcp://127.0.0.1:{port}, no Dask scheduler")
    assert said[1].endswith(" (it speaks HTTP).")


ANSWERS = {
    "hang up": (lambda connection: connection.close(), "Something other than a Dask scheduler answers at"),
    "greet as ssh does": (
        lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        "Something other than a Dask scheduler answers at",
    ),
    "say nothing": (lambda connection: None, "The scheduler at"),
}


@pytest.mark.parametrize("how", ANSWERS)
def test_what_is_no_scheduler_is_refused(jupyter: Jupyter, listen: Listen, how: str) -> None:
    treat, sentence = ANSWERS[how]
    port = listen(treat)
    (said,) = jupyter.refusal(address=f"127.0.0.1:{port}").items()
    assert said[0] == "address"
    assert said[1].startswith(f"{sentence} tcp://127.0.0.1:{port}")


def test_a_workers_address_leads_to_its_scheduler(jupyter: Jupyter, plain: Dask) -> None:
    worker = plain.worker_address
    expected = f"{worker} is the address of a Dask worker: give that of its scheduler, {plain.address}."
    assert jupyter.refusal(address=worker) == {"address": expected}


def web(status: str, body: str, *headers: str) -> Callable[[socket.socket], Any]:
    """Return a treatment by a web server that always answers the same."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", body]

    def treat(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall("\r\n".join(lines).encode())
        connection.shutdown(socket.SHUT_WR)

    return treat


PAGES = {
    "not found": web("404 Not Found", "no"),
    "a page": web("200 OK", "<html>Router</html>"),
    "other JSON": web("200 OK", '{"workers": {}}'),
    "a redirect": web("302 Found", "", "Location: http://127.0.0.1:1/json/identity.json"),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_web_server_that_is_no_dashboard_is_not_reached_through_us(
    jupyter: Jupyter, plain: Dask, listen: Listen, page: str
) -> None:
    url = f"http://127.0.0.1:{listen(PAGES[page])}"
    said = jupyter.refusal(address=plain.address, dashboard=url)
    begin = f"{url} cannot be used. Something other than a Dask scheduler's dashboard answers at its address"
    assert said["dashboard"].startswith(begin)


def test_the_dashboard_of_another_scheduler(jupyter: Jupyter, plain: Dask, secure: Dask) -> None:
    said = jupyter.refusal(address=plain.address, dashboard=secure.dashboard)
    expected = f"{secure.dashboard} is the dashboard of another scheduler, {secure.address}: give its own"
    assert said == {"dashboard": expected}
    said = jupyter.refusal(address="inproc://127.0.0.1/1/1", dashboard=plain.dashboard)
    assert said["dashboard"].startswith(f"{plain.dashboard} is the dashboard of another scheduler")


def test_tls_files_that_are_missing_or_do_not_fit(
    jupyter: Jupyter, plain: Dask, secure: Dask, files: Files, other_files: Files
) -> None:
    needed = f"The scheduler at ADDRESS:{secure.port} needs TLS: give its TLS files"
    mixed = {**other_files.body, "ca": files.body["ca"]}
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"address": secure.address}, "tls.ca", needed.replace("ADDRESS", "tls://127.0.0.1")),
        (
            {"address": f"127.0.0.1:{secure.port}"},
            "tls.ca",
            needed.replace("ADDRESS", "tcp://127.0.0.1") + " (it speaks TLS: use tls://).",
        ),
        ({"scheduler_file": str(secure.file)}, "tls.ca", needed.replace("ADDRESS", "tls://127.0.0.1")),
        (
            {"address": secure.address, "tls": other_files.body},
            "tls.ca",
            f"The certificate of the scheduler at {secure.address} is not from this authority",
        ),
        (
            {"address": secure.address, "tls": mixed},
            "tls.certificate",
            f"The scheduler at {secure.address} does not accept this certificate",
        ),
        (
            {"address": f"tls://127.0.0.1:{plain.port}", "tls": files.body},
            "address",
            f"The scheduler at tls://127.0.0.1:{plain.port} does not use TLS",
        ),
        (
            {"address": plain.address, "tls": files.body},
            "tls.ca",
            f"{plain.address} is an address without TLS: leave the TLS files out, or write tls://",
        ),
    ]
    for body, field, begin in cases:
        said = jupyter.refusal(**body)
        assert list(said) == [field], body
        assert said[field].startswith(begin), said


def test_a_body_that_is_no_json_and_one_with_everything_wrong(jupyter: Jupyter) -> None:
    assert jupyter.http.post("hpcdask/api/clusters/adopt", content=b"{").status_code == 400
    said = jupyter.refusal(
        address="http://x:1", scheduler_file="no/such", dashboard="ftp://x", name="", tls={"ca": "/no/ca.pem"}, adress=1
    )
    assert set(said) == {"address", "scheduler_file", "dashboard", "name", "tls.ca", "tls.certificate", "adress"}


def test_addresses_that_keep_silent_delay_no_launch(jupyter: Jupyter, listen: Listen) -> None:
    came = threading.Semaphore(0)
    body = {"address": f"127.0.0.1:{listen(lambda _: came.release())}"}
    with ThreadPoolExecutor(8) as pool:
        asking = [
            pool.submit(jupyter.http.post, "hpcdask/api/clusters/adopt", json=body, timeout=120) for _ in range(8)
        ]
        for _ in range(4):
            assert came.acquire(timeout=30)
        cluster_id = jupyter.launch()
        jupyter.wait_for(cluster_id, "running")
        assert not all(one.done() for one in asking), "the launch has waited for all of them"
        assert {one.result().status_code for one in asking} == {422}
    jupyter.ask("DELETE", f"clusters/{cluster_id}")
    jupyter.wait_for(cluster_id, "stopped")


HOSTILE = """
import asyncio, os, sys
from distributed.core import Server
from distributed.protocol import to_serialize

class Trap:
    def __reduce__(self):
        return os.system, ("touch " + sys.argv[1],)

async def main():
    async def identity():
        told = {"type": "Scheduler", "id": "x", "address": server.address, "started": 1.0, "services": {}}
        return {**told, "extra": Trap() if sys.argv[2] == "pickled" else to_serialize(Trap())}

    server = Server({"identity": identity})
    await server.listen("tcp://127.0.0.1:0")
    print(server.address, flush=True)
    await asyncio.sleep(120)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["pickled", "serialized"])
def test_a_scheduler_of_somebody_else_cannot_have_its_code_run(jupyter: Jupyter, tmp_path: Path, how: str) -> None:
    (tmp_path / "hostile.py").write_text(HOSTILE)
    words = [sys.executable, str(tmp_path / "hostile.py"), str(tmp_path / "ran"), how]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as hostile:
        try:
            assert hostile.stdout is not None
            assert jupyter.refusal(address=hostile.stdout.readline().strip())
        finally:
            hostile.kill()
    assert not (tmp_path / "ran").exists()

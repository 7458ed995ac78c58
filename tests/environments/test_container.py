"""A kernel in a container: its prefix starts one with Debian's bubblewrap, around another Python than ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.servers import JupyterServer, until

from .client import computed

PLACE = "/mnt"
"""A directory of every machine, over which the container has something of its own."""

ASK = "print(client.submit(lambda: (open('/mnt/inside').read(), __import__('os').environ['WHERE'])).result())"


@pytest.fixture
def container(old_python: Path, tmp_path: Path) -> list[str]:
    """Return what starts Python in a container, with a file and a variable that exist only there."""
    bwrap = shutil.which("bwrap")
    assert bwrap, "these tests need bubblewrap (Debian: apt-get install bubblewrap)"
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "inside").write_text("only here")
    words = [bwrap, "--dev-bind", "/", "/", "--ro-bind", str(tmp_path / "place"), PLACE, "--setenv", "WHERE", "a b"]
    words += ["--unshare-pid", "--proc", "/proc", "--die-with-parent"]
    allowed = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if allowed.returncode:
        pytest.skip(f"the kernel allows no namespaces here: {allowed.stderr.strip()}")
    return [*words, str(old_python)]


def test_a_cluster_runs_in_the_container_and_the_client_outside_connects(
    jupyter: Callable[..., JupyterServer], container: list[str], old_python: Path, tmp_path: Path
) -> None:
    server = jupyter(container=container)
    cluster_id = server.launch(environment="container", scaling={"mode": "fixed", "workers": 2})
    code = server.wait_for(cluster_id, "running")["client_code"]
    server.wait_for_workers(cluster_id, 2)
    assert not (Path(PLACE) / "inside").exists(), "it is to be seen in the container only"
    assert computed(old_python, code, ASK) == ["('only here', 'a b')"]
    on_scheduler = "print(client.run_on_scheduler(lambda: open('/mnt/inside').read()))"
    assert computed(old_python, code, on_scheduler) == ["only here"]
    assert server.http.get(f"hpcdask/proxy/{cluster_id}/status").status_code == 200
    assert len(_inside(tmp_path)) >= 3, "the scheduler and two workers, each in a container"
    server.ask("PATCH", f"clusters/{cluster_id}", {"scaling": {"mode": "fixed", "workers": 1}})
    server.wait_for_workers(cluster_id, 1)
    server.ask("DELETE", f"clusters/{cluster_id}")
    ended = server.wait_for(cluster_id, "stopped")
    assert {job["state"] for job in ended["jobs"]} == {"ended"}
    until(lambda: not _inside(tmp_path))


def _inside(folder: Path) -> list[psutil.Process]:
    """Return the containers that run."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder / "place") == word for word in process.info["cmdline"] or ())
    ]


def test_a_container_that_cannot_be_started_is_told_in_its_own_words(
    jupyter: Callable[..., JupyterServer], container: list[str]
) -> None:
    server = jupyter(container=[*container[:-1], "/opt/no/such/python"])
    cluster = server.wait_for(server.launch(environment="container"), "failed")
    assert "“Container” cannot be started (exit code 1)" in cluster["reason"]
    assert "bwrap: execvp /opt/no/such/python: No such file or directory" in cluster["reason"]


def test_a_container_that_hides_our_files_is_told_what_to_let_it_see(
    jupyter: Callable[..., JupyterServer], container: list[str]
) -> None:
    from hpcdask_ext.sites.probe import PROBE

    server = jupyter(container=[*container[:-1], "--tmpfs", str(PROBE.parent), container[-1]])
    cluster = server.wait_for(server.launch(environment="container"), "failed")
    assert f"“Container” cannot read the files of hpcdask-ext in {PROBE.parent}" in cluster["reason"]

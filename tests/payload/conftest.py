"""A real scheduler and real workers of this machine, started with the command lines that a launch would use."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.groups import WorkerShape
from hpcdask_ext.clusters.models import Cluster, Job
from hpcdask_ext.clusters.reach import SchedulerAddress
from hpcdask_ext.clusters.states import Role
from hpcdask_ext.launchers.dask_command import job_environment, scheduler_command, worker_command, worker_name
from hpcdask_ext.sites.machine import local_site
from tests.conftest import record


def job_of(cluster: Cluster, tag: str) -> Job:
    """Return a job of a cluster."""
    role = Role.SCHEDULER if tag == "scheduler" else Role.WORKER
    return Job(tag=tag, name=f"hpcdask-{cluster.id}-{tag}", role=role, place="host")


@dataclass
class RealCluster:
    """A scheduler, and what was started for it."""

    record: Cluster
    warm_root: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.record.directory)

    @property
    def log(self) -> str:
        return (self.record.directory / "scheduler.log").read_text()

    @property
    def address(self) -> SchedulerAddress:
        address = SchedulerAddress.read(self.record.scheduler_file)
        assert address is not None
        return address

    def start_scheduler(self) -> None:
        self._start(
            scheduler_command(self.record, local_site(), self.warm_root),
            "scheduler",
            1,
            self.record,
            job_of(self.record, "scheduler"),
        )
        deadline = time.monotonic() + 40
        while SchedulerAddress.read(self.record.scheduler_file) is None:
            assert self.started[0].poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def start_workers(
        self, tag: str, indexes: tuple[int, ...], per_job: int = 1, gpus: int = 0
    ) -> list[subprocess.Popen[bytes]]:
        """Start elements of a job of workers; return their processes."""
        shape = WorkerShape(cores=1, memory=2**28, workers_per_job=per_job, gpus=gpus)
        cluster, job = self.record.with_group("workers", shape=shape), job_of(self.record, tag)
        command = worker_command(cluster, local_site(), job)
        return [self._start(command, f"{tag}.{index}", index, cluster, job) for index in indexes]

    def name(self, tag: str) -> str:
        """Return what the names of a job's workers begin with."""
        return worker_name(self.record, job_of(self.record, tag))

    def client(self, token: bool = True, **options: object) -> httpx.AsyncClient:
        """Return an HTTP client for the dashboard that trusts the certificate, with or without the token."""
        headers = self.credentials.headers() if token else {}
        context = self.credentials.ssl_context()
        return httpx.AsyncClient(
            base_url=self.address.dashboard, headers=headers, verify=context, timeout=20, **options
        )

    def processes(self) -> list[psutil.Process]:
        """Return what runs of the cluster."""
        found = []
        for started in self.started:
            if started.poll() is None:
                top = psutil.Process(started.pid)
                found += [top, *top.children(recursive=True)]
        return found

    def end_workers(self) -> None:
        """End the workers that were started here."""
        self._end(self.started[1:])

    def end(self) -> None:
        """End everything that was started here."""
        self.end_workers()
        self._end(self.started[:])

    def _end(self, started: list[subprocess.Popen[bytes]]) -> None:
        """End processes and what they started: politely, then not."""
        marked = [process for process in self.processes() if os.getpgid(process.pid) in {top.pid for top in started}]
        for top in started:
            if top.poll() is None:
                os.killpg(top.pid, signal.SIGTERM)
        _, alive = psutil.wait_procs(marked, timeout=10)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for top in started:
            top.wait(10)
            self.started.remove(top)

    def _start(self, command: str, log: str, index: int, cluster: Cluster, job: Job) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **job_environment(cluster, local_site(), job), "HPCDASK_INDEX": str(index)}
        with (self.record.directory / f"{log}.log").open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                env=environment,
                cwd=self.record.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started.append(process)
        return process


def make_cluster(directory: Path) -> RealCluster:
    directory.chmod(0o700)
    Credentials(directory).create()
    return RealCluster(record(directory), warm_root=directory / "warm")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    made = make_cluster(tmp_path_factory.mktemp("cluster"))
    try:
        made.start_scheduler()
        yield made
    finally:
        made.end()


@pytest.fixture(autouse=True)
def no_workers_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Begin each test without workers, for one scheduler serves them all."""
    yield
    if "cluster" in request.fixturenames:
        request.getfixturevalue("cluster").end_workers()


@pytest.fixture
def spoilt_cluster(tmp_path: Path) -> Iterator[Callable[[], RealCluster]]:
    """Return a starter of a cluster whose token is gone."""
    made = make_cluster(tmp_path)

    def start() -> RealCluster:
        made.credentials.token_file.write_text("")
        made.start_scheduler()
        return made

    try:
        yield start
    finally:
        made.end()

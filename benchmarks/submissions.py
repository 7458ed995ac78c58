"""How a launch reaches the server and the batch system: the answer's time, and how often `sbatch` runs."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import ENDED, Server, end_clusters

PROJECT = Path(__file__).parent.parent

# The queue's jobs never start: what is measured is the submission, not sixty-four workers on a small machine.
SITE = """
name: centre
title: Centre (Slurm)
batch_system: slurm
directory: {home}/scratch
interface: lo
queues:
  - {{name: maint, title: Down, limits: {{workers: 64, cores: 8, memory: 16 GiB, walltime: "24:00:00"}}}}
  - {{name: regular, title: Regular}}
sizes:
  - {{name: small, title: Small, workers: 2, cores: 1, memory: 1 GiB, walltime: "00:30:00"}}
"""


@dataclass
class Slurm:
    """A real Slurm, and an `sbatch` and an `squeue` before it on the PATH that write down each call."""

    folder: Path
    env: dict[str, str]

    def calls(self, program: str) -> int:
        """Return how often a program has been called; submissions that only ask do not count."""
        return (self.folder / "calls").read_text().splitlines().count(program)


@contextmanager
def slurm() -> Iterator[Slurm]:
    """Start Slurm with ci/slurm-up and stop it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hpcdask-bench-slurm-"))
    (folder / "calls").touch()
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for program in ("sbatch", "squeue"):
        wrapper = bin_folder / program
        # Questions such as `sbatch --version` or `--test-only` submit nothing.
        wrapper.write_text(
            "#!/bin/sh\n"
            'case " $* " in *" --version "*|*" -V "*|*" --test-only "*) ;; *)'
            f" echo {program} >>{folder}/calls ;; esac\n"
            f'exec {shutil.which(program) or f"/usr/bin/{program}"} "$@"\n'
        )
        wrapper.chmod(0o755)
    subprocess.run([PROJECT / "ci/slurm-up", folder / "slurm"], check=True, capture_output=True)
    try:
        path = f"{bin_folder}:{os.environ['PATH']}"
        yield Slurm(folder, {"PATH": path, "SLURM_CONF": str(folder / "slurm/slurm.conf")})
    finally:
        subprocess.run([PROJECT / "ci/slurm-down", folder / "slurm"], check=True, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def first_answer_time(server: Server) -> float:
    """Ask a new server for its sites; return the milliseconds until the answer."""
    start = time.perf_counter()
    server.api.get("hpcdask/api/sites").raise_for_status()
    return (time.perf_counter() - start) * 1000


def answer_time(server: Server) -> float:
    """Launch a small cluster over REST; return the milliseconds until the answer."""
    start = time.perf_counter()
    answer = server.api.post("hpcdask/api/clusters", json={})
    took = (time.perf_counter() - start) * 1000
    answer.raise_for_status()
    end_clusters(server)
    return took


def their_answer_time(server: Server) -> float:
    """Do the same with dask-labextension, which answers when the cluster is up."""
    start = time.perf_counter()
    server.api.put("dask/clusters").raise_for_status()
    took = (time.perf_counter() - start) * 1000
    end_clusters(server)
    return took


def submissions_of(server: Server, batch: Slurm, workers: int, seconds: float = 30) -> int:
    """Launch that many workers on Slurm; return how many submissions it took until all of them wait in the queue."""
    before = batch.calls("sbatch")
    size = {"workers": workers, "cores": 1, "memory": "1 GiB", "workers_per_job": 1}
    answer = server.api.post("hpcdask/api/clusters", json={"size": size})
    answer.raise_for_status()
    route = f"hpcdask/api/clusters/{answer.json()['id']}"
    end = time.monotonic() + seconds
    while True:
        cluster = server.api.get(route).json()
        waiting = sum(job["count"] for job in cluster["jobs"] if job["role"] == "worker" and job["state"] == "pending")
        if waiting == workers:
            break
        if cluster["state"] in ENDED or time.monotonic() > end:
            raise RuntimeError(f"{waiting} of {workers} workers wait in the queue: {cluster['reason']}")
        time.sleep(0.1)
    count = batch.calls("sbatch") - before
    end_clusters(server)
    return count

"""Rendering job scripts and parsing lists of jobs, for 1,000 jobs, with each batch system."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hpcdask_ext.batch import BATCH_SYSTEMS, batch_system
from hpcdask_ext.batch.records import JobRequest

JOBS = 1000
HERE = Path("/scratch/ada/hpcdask/k3x9")


def job_of(number: int) -> JobRequest:
    """Return a request for workers."""
    return JobRequest(
        name=f"hpcdask-k3x9-workers-{number}",
        command="python -m distributed.cli.dask_worker",
        count=3,
        cores=1,
        memory=2**30,
        walltime=timedelta(hours=1),
        report_prefix=HERE / "reports/workers",
        log_prefix=HERE / "logs/workers",
        working_directory=HERE,
        script_file=HERE / f"jobs/workers-{number}.sh",
        queue="regular",
    )


def milliseconds(act: Callable[[], object]) -> float:
    """Return how long something takes."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def rendering_times() -> dict[str, float]:
    """Return the milliseconds for the scripts of 1,000 jobs, by batch system; templates are compiled before."""
    jobs = [job_of(number) for number in range(JOBS)]
    times = {}
    for name in BATCH_SYSTEMS:
        system = batch_system(name)()
        system.script(jobs[0])
        times[name] = milliseconds(lambda system=system: [system.script(job) for job in jobs])
    return times

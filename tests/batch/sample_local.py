"""This machine: what its commands say, and what that means."""

from __future__ import annotations

import sys
from pathlib import Path

from batch_samples import PLAIN, Sample, said

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

HEADING = "JOB\tINDEX\tSTATE\tPID\tHOST\n"
SAMPLE = Sample(
    name="local",
    programs=(Path(sys.executable).name,) * 3,
    submitted=said(f"{PLAIN.name}\n"),
    job_id=PLAIN.name,
    jobs=said(f"{HEADING}{PLAIN.name}\t2\trunning\t4711\tlogin1\n"),
    one_status=JobStatus(PLAIN.name, PLAIN.name, JobState.RUNNING, (2,), "", "login1"),
    no_jobs=said(HEADING),
    refused=said(stderr="[Errno 2] No such file or directory: '/scratch'", exit_code=1),
    unreachable=(),
    has_directives=False,
    separator="\t",
    reads_stdin=False,
    element={"HPCDASK_JOB": PLAIN.name, "HPCDASK_INDEX": "2"},
)

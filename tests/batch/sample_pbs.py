"""PBS: what its commands say, and what that means."""

from __future__ import annotations

from batch_samples import RECORDINGS, Sample, recorded, said

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

SAMPLE = Sample(
    name="pbs",
    programs=("qsub", "sh", "qdel"),
    submitted=said("12[].pbs01\n"),
    job_id="12[].pbs01",
    jobs=said((RECORDINGS / "pbs/jobs.txt").read_text()),
    one_status=JobStatus("42[].vm", "hpcdask-k3x9-workers-2", JobState.RUNNING, (2,), "", "vm"),
    no_jobs=said("hpcdask exit 0\n"),
    refused=said(stderr="qsub: Job violates queue and/or server resource limits\n", exit_code=188),
    unreachable=tuple(result for _, result in recorded("pbs/unreachable.txt")),
    separator="=",
    cancelled=" 12[1-3].pbs01 12[7].pbs01",
    element={"PBS_JOBID": "12[2].pbs01", "PBS_ARRAY_ID": "12[].pbs01", "PBS_ARRAY_INDEX": "2"},
)

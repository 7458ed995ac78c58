"""Slurm: what its commands say, and what that means."""

from __future__ import annotations

from batch_samples import RECORDINGS, Sample, recorded, said

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

SAMPLE = Sample(
    name="slurm",
    programs=("sbatch", "squeue", "scancel"),
    submitted=said("11\n"),
    job_id="11",
    jobs=said((RECORDINGS / "slurm/squeue-states.txt").read_text()),
    one_status=JobStatus("8", "array", JobState.RUNNING, (2,), "", "n2"),
    no_jobs=said((RECORDINGS / "slurm/squeue-empty.txt").read_text()),
    refused=said(stderr="sbatch: error: Batch job submission failed: Invalid partition name specified\n", exit_code=1),
    unreachable=tuple(result for _, result in recorded("slurm/unreachable.txt")),
    element={"SLURM_ARRAY_JOB_ID": "11", "SLURM_ARRAY_TASK_ID": "2", "SLURMD_NODENAME": "n2"},
)

"""Torque: what its commands say, and what that means. See the heads of the recordings for where they are from."""

from __future__ import annotations

from batch_samples import Sample, recorded

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

_QSTAT = dict(recorded("torque/qstat.txt"))
_QSUB = dict(recorded("torque/submissions.txt"))
SAMPLE = Sample(
    name="torque",
    programs=("qsub", "sh", "sh"),
    submitted=_QSUB["qsub -t 1-3"],
    job_id="12[].server.example.org",
    jobs=_QSTAT["qstat"],
    one_status=JobStatus("22[].server.example.org", "array", JobState.RUNNING, (2,), "", "n12"),
    no_jobs=_QSTAT["qstat (no jobs)"],
    refused=_QSUB["qsub -q nosuch"],
    unreachable=tuple(result for _, result in recorded("torque/unreachable.txt")),
    separator="<",
    element={"PBS_JOBID": "12[2].server.example.org", "PBS_ARRAYID": "2"},
)

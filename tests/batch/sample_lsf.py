"""LSF: what its commands say, and what that means. See the heads of the recordings for where they are from."""

from __future__ import annotations

from batch_samples import Sample, recorded

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

_BJOBS = dict(recorded("lsf/bjobs.txt"))
_BSUB = dict(recorded("lsf/bsub.txt"))
SAMPLE = Sample(
    name="lsf",
    programs=("bsub", "bjobs", "bkill"),
    submitted=_BSUB["bsub"],
    job_id="12",
    jobs=_BJOBS["bjobs -a -json -o"],
    one_status=JobStatus("812", "array", JobState.RUNNING, (2,), "", "c102"),
    no_jobs=_BJOBS["bjobs (none, as JSON)"],
    refused=_BSUB["bsub -q nowhere"],
    unreachable=tuple(result for _, result in recorded("lsf/unreachable.txt")),
    separator='"',
    element={"LSB_JOBID": "12", "LSB_JOBINDEX": "2", "LSB_MCPU_HOSTS": "c101 4"},
)

"""Moab: what its commands say, and what that means. See the heads of the recordings for where they are from."""

from __future__ import annotations

from batch_samples import Sample, recorded

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

_SHOWQ = dict(recorded("moab/showq.txt"))
_MSUB = dict(recorded("moab/submissions.txt"))
SAMPLE = Sample(
    name="moab",
    programs=("msub", "sh", "canceljob"),
    submitted=_MSUB["msub -t [1-3]"],
    job_id="Moab.12[]",
    jobs=_SHOWQ["showq"],
    one_status=JobStatus("Moab.12[]", "array", JobState.RUNNING, (2,), "", "m13s0704"),
    no_jobs=_SHOWQ["showq (no jobs)"],
    refused=_MSUB["msub -q nosuch"],
    unreachable=tuple(result for _, result in recorded("moab/unreachable.txt")),
    separator="<",
    element={"PBS_JOBID": "881198.admin2", "MOAB_JOBARRAYINDEX": "2"},
    cancelled="Moab.12[1] Moab.12[2] Moab.12[3] Moab.12[7]",
)

"""OAR: what its commands say, and what that means. The recordings are of a real one."""

from __future__ import annotations

from batch_samples import Sample, recorded

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

_JOBS = [result for _, result in recorded("oar/jobs.txt")]
_SUBMISSIONS = dict(recorded("oar/submissions.txt"))
SAMPLE = Sample(
    name="oar",
    programs=("oarsub", "sh", "oardel"),
    submitted=_SUBMISSIONS["oarsub --array 3"],
    job_id="8",
    jobs=_JOBS[0],
    one_status=JobStatus("19", "hpcdask-run", JobState.RUNNING, (2,), "", "127.0.0.3"),
    no_jobs=_JOBS[2],
    refused=_SUBMISSIONS["oarsub -q nosuch"],
    unreachable=tuple(result for _, result in recorded("oar/unreachable.txt")),
    separator='"',
    reads_stdin=False,
    element={"OAR_JOB_ID": "9", "OAR_ARRAY_ID": "8", "OAR_ARRAY_INDEX": "2"},
    settings={"memory_per_core_property": "memcore"},
    cancelled="array_id = 8 AND array_index IN (1, 2, 3, 7)",
)

"""HTCondor: what its commands say, and what that means. See the heads of the recordings for where they are from."""

from __future__ import annotations

from batch_samples import Sample, recorded

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

_CONDOR_Q = dict(recorded("htcondor/condor_q.txt"))
_CONDOR_SUBMIT = dict(recorded("htcondor/condor_submit.txt"))
SAMPLE = Sample(
    name="htcondor",
    programs=("condor_submit", "sh", "condor_rm"),
    submitted=_CONDOR_SUBMIT["condor_submit -terse -"],
    job_id="12",
    jobs=_CONDOR_Q["condor_q"],
    one_status=JobStatus("12", "array", JobState.RUNNING, (2,), "", "node8.example.org"),
    no_jobs=_CONDOR_Q["condor_q (none)"],
    refused=_CONDOR_SUBMIT["condor_submit (directory)"],
    unreachable=tuple(result for _, result in recorded("htcondor/unreachable.txt")),
    separator='"',
    reads_stdin=False,
    element={"HPCDASK_CLUSTER": "12", "HPCDASK_PROCESS": "1"},
    settings={"queue_attribute": "JobFlavour", "walltime_attribute": "MaxRuntime"},
    cancelled="12.0 12.1 12.2 12.6",
)

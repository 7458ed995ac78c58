"""Grid Engine: what its commands say, and what that means."""

from __future__ import annotations

from batch_samples import RECORDINGS, Sample, recorded, said

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.states import JobState

SAMPLE = Sample(
    name="sge",
    programs=("qsub", "sh", "qdel"),
    submitted=said("11.1-3:1\n"),
    job_id="11",
    jobs=said((RECORDINGS / "sge/qstat-states.txt").read_text()),
    one_status=JobStatus("1", "hpcdask-k3x9-workers-1", JobState.RUNNING, (2,), "", "n1"),
    no_jobs=said((RECORDINGS / "sge/qstat-empty.txt").read_text()),
    refused=dict(recorded("sge/qsub-refusals.txt"))["qsub -terse -q nosuch.q"],
    unreachable=tuple(result for _, result in recorded("sge/unreachable.txt")),
    separator="<",
    unsayable="\"'#",
    unsayable_in_paths="\"'#$,",
    element={"JOB_ID": "11", "SGE_TASK_ID": "2", "HOSTNAME": "n2"},
    settings={"parallel_environment": "smp", "allocation_environment": "mpi"},
    cancelled="11.1-3 11.7",
)

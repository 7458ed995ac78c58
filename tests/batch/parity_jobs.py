"""Prints, as JSON, the scripts of dask-jobqueue's jobs; reads pairs of a batch system and options from standard input.

It is a program, since importing dask-jobqueue reads and writes the user's configuration.
"""

from __future__ import annotations

import json
import sys

from dask_jobqueue import htcondor, lsf, moab, oar, pbs, sge, slurm

JOBS = {
    "htcondor": htcondor.HTCondorJob,
    "lsf": lsf.LSFJob,
    "moab": moab.MoabJob,
    "oar": oar.OARJob,
    "pbs": pbs.PBSJob,
    "sge": sge.SGEJob,
    "slurm": slurm.SLURMJob,
    "torque": pbs.PBSJob,
}

if __name__ == "__main__":
    pairs = json.load(sys.stdin)
    scripts = [
        JOBS[system](scheduler="tls://10.0.0.1:8786", name="worker", **options).job_script()
        for system, options in pairs
    ]
    print(json.dumps(scripts))

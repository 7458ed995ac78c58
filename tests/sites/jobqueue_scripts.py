"""Prints, as JSON, the job script of dask-jobqueue for each section of its configuration that says how large a job is.

It is a program, since importing dask-jobqueue reads and writes the user's configuration.
"""

import json
import warnings

import dask
from dask_jobqueue import htcondor, local, lsf, moab, oar, pbs, sge, slurm

JOBS = {
    "htcondor": htcondor.HTCondorJob,
    "local": local.LocalJob,
    "lsf": lsf.LSFJob,
    "moab": moab.MoabJob,
    "oar": oar.OARJob,
    "pbs": pbs.PBSJob,
    "sge": sge.SGEJob,
    "slurm": slurm.SLURMJob,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # about deprecated keys
    sections = dask.config.get("jobqueue")
    scripts = {
        name: job(scheduler="tcp://127.0.0.1:8786", name="worker").job_script()
        for name, job in JOBS.items()
        if sections[name]["cores"]
    }
    print(json.dumps(scripts))

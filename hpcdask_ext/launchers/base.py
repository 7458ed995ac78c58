"""The contract of a launcher: what can be done with the jobs of one site's clusters.

A launcher keeps no state of clusters: it is given the record, and who calls keeps the record up to date. The order of a
launch is `prepare`, `first_jobs`, then `submit` for each of those, the record being written before and after each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from hpcdask_ext.batch.base import JobElements, JobStatus
from hpcdask_ext.clusters.models import Cluster, Environment, Job

Place = Literal["host", "batch"]
"""Who runs a job: this host's own processes, or the site's batch system."""


class Launcher(ABC):
    """What a site can do. Every method may be called again after a failure; none retries by itself."""

    @abstractmethod
    async def warm_up(self, environment: Environment) -> None:
        """Make the next launch in an environment faster, where that can be done. May be called often; never raises."""

    @abstractmethod
    async def prepare(self, cluster: Cluster) -> tuple[str, ...]:
        """Look into the environment and write the credentials. Nothing is submitted. Return warnings.

        Raises
        ------
        EnvironmentUnusable
            The environment cannot run Dask.
        BatchUnreachable
            The look into it could not be done.
        StoreError
            The cluster's directory cannot be written.
        """

    @abstractmethod
    def first_jobs(self, cluster: Cluster) -> tuple[Job, ...]:
        """Return the jobs to submit for a new cluster, not submitted yet."""

    @abstractmethod
    def more_workers(self, cluster: Cluster, workers: int) -> Job:
        """Return one job, not submitted yet, with the elements for at least `workers` more workers."""

    @abstractmethod
    async def submit(self, cluster: Cluster, job: Job) -> str:
        """Submit a job of the cluster: one submission whatever its number of elements. Return its id.

        Raises
        ------
        BatchRefused
            The batch system said no: nothing was submitted.
        BatchUnreachable
            It did not answer: the job may have been submitted all the same. It is found again by its name.
        """

    @abstractmethod
    async def cancel(self, place: Place, jobs: Sequence[JobElements]) -> None:
        """End elements of jobs, whatever state they are in. Those that have ended already are no error.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Some of them may still run.
        """

    @abstractmethod
    async def query(self, place: Place) -> Sequence[JobStatus]:
        """Ask once for all jobs of this user. A job that the answer does not mention is known there no more.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Nothing is known.
        """

    @abstractmethod
    def explain(self, place: Place, reason: str) -> str:
        """Return a plain sentence for a reason for waiting."""

"""The contract of a launcher: what can be done with the jobs of one site's clusters.

A launcher keeps no state of clusters: it is given the record, which the caller keeps up to date. A launch calls
`prepare`, `first_jobs`, then `submit` for each of those jobs; the record is written before and after each submission.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hpcdask_ext.batch.records import JobElements, JobRequest, JobStatus, QueueInfo
from hpcdask_ext.clusters.models import Cluster, Environment, Job
from hpcdask_ext.sites.probe import Probed

Place = Literal["host", "batch"]
"""What runs a job: processes on this host, or the site's batch system."""


@dataclass(frozen=True)
class Preview:
    """What a launch would submit: each job's role and script, and when the batch system would start it.

    `note` is what the batch system says against it, if it would refuse it or could not be asked.
    """

    scripts: tuple[tuple[str, str], ...]
    estimated_start: datetime | None = None
    note: str = ""


class Launcher(ABC):
    """What a site can do. Every method may be called again after a failure; none retries by itself."""

    @abstractmethod
    async def warm_up(self, environment: Environment) -> None:
        """Make the next launch in an environment faster, where possible. May be called often; never raises."""

    @abstractmethod
    async def prepare(self, cluster: Cluster) -> Probed:
        """Check the environment and write the credentials, without submitting anything.

        An environment that only a job can check is not checked here, and nothing is found.

        Raises
        ------
        EnvironmentUnusable
            The environment cannot run Dask.
        BatchUnreachable
            The environment could not be checked.
        StoreError
            The cluster's directory cannot be written to.
        """

    @abstractmethod
    def first_jobs(self, cluster: Cluster) -> tuple[Job, ...]:
        """Return the jobs to submit for a new cluster."""

    @abstractmethod
    def more_workers(self, cluster: Cluster, workers: int) -> Job:
        """Return one job to submit, with the elements for at least `workers` more workers."""

    @abstractmethod
    async def submit(self, cluster: Cluster, job: Job) -> str:
        """Submit a job of the cluster, in one submission whatever its number of elements, and return its id.

        Raises
        ------
        BatchRefused
            The batch system refused: nothing was submitted.
        BatchUnreachable
            It did not answer: the job may have been submitted nevertheless, and can be found by its name.
        """

    @abstractmethod
    async def cancel(self, place: Place, jobs: Sequence[JobElements]) -> None:
        """End elements of jobs, whatever state they are in. It is not an error if some have already ended.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Some of them may still be running.
        """

    @abstractmethod
    async def query(self, place: Place) -> Sequence[JobStatus]:
        """Ask once for all jobs of this user. A job that the answer does not mention is no longer known there.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Nothing is known.
        """

    @abstractmethod
    def explain(self, place: Place, reason: str) -> str:
        """Return a plain sentence for a reason for waiting."""

    @abstractmethod
    def scripts(self, cluster: Cluster) -> tuple[tuple[Job, JobRequest, str], ...]:
        """Return the first jobs of a cluster, what is asked for each, and its script; nothing is written.

        Raises
        ------
        InvalidRequest
            The batch system cannot do what is asked.
        """

    @abstractmethod
    async def preview(self, cluster: Cluster) -> Preview:
        """Return what launching a cluster would submit, without submitting or writing anything."""

    @abstractmethod
    async def queues(self) -> Sequence[QueueInfo]:
        """Ask the batch system for its queues; empty if it has none.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Nothing is known.
        """

    @abstractmethod
    async def accounts(self) -> Sequence[str]:
        """Ask the batch system for this user's accounts, the default one first; empty if it keeps none.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Nothing is known.
        """

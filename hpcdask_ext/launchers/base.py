"""The contract of a launcher: what can be done with the jobs of one site's clusters.

A launcher keeps no state of clusters: it is given the record, which the caller keeps up to date. A launch calls
`prepare`, `first_jobs`, then `submit` for each of those jobs; the record is written before and after each submission.

Where a service runs the cluster, it is one job of that service: its id is the service's name for it, `query` lists all
of them, and `cancel` ends them. Such a service, and a Dask cluster class, add and remove workers by themselves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from hpcdask_ext.batch.records import JobElements, JobRequest, JobStatus, QueueInfo
from hpcdask_ext.clusters.groups import Scaling, WorkerGroup
from hpcdask_ext.clusters.models import Cluster, Environment, Job
from hpcdask_ext.clusters.reach import Reach
from hpcdask_ext.clusters.states import Place
from hpcdask_ext.errors import WrongState
from hpcdask_ext.sites.options import Option
from hpcdask_ext.sites.probe import Probed


@dataclass(frozen=True)
class Preview:
    """What a launch would submit: each job's role, group and script, and when the batch system would start it.

    `note` is what the batch system says against it, if it would refuse it or could not be asked.
    """

    scripts: tuple[tuple[str, str, str], ...]
    estimated_start: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class Running:
    """A cluster of this user that a service runs, whoever launched it: its name there, and when it was launched."""

    name: str
    started: datetime


@dataclass(frozen=True)
class Adjusted:
    """What whoever runs a cluster has made of a scaling, and its own words about that."""

    scaling: Scaling
    note: str


class Launcher(ABC):
    """What a site can do. Every method may be called again after a failure; none retries by itself.

    `scales_with_jobs` says that workers are added with `more_workers`, and not with `scale`. `pace` is how many seconds
    there are between two calls of `query` at first and in the end, if not as many as between those to batch systems.
    """

    scales_with_jobs: ClassVar[bool] = True
    pace: ClassVar[tuple[float, float] | None] = None

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

    def explain(self, place: Place, reason: str) -> str:
        """Return a plain sentence for a reason for waiting."""
        return f"Waiting ({reason})" if reason else "Waiting"

    async def reach(self, cluster: Cluster) -> Reach | None:
        """Return how the scheduler of a gateway's cluster is reached, or None while it is not up.

        That of all others can be read from files (`read_reach`), even without a site.

        Raises
        ------
        SchedulerUnreachable
            What is needed to reach it cannot be read.
        """
        return None

    def more_workers(self, cluster: Cluster, group: WorkerGroup, workers: int) -> Job:
        """Return one job to submit, with the elements for at least `workers` more workers of a group."""
        raise WrongState(f"Workers cannot be added to “{cluster.name}”.")

    async def scale(self, cluster: Cluster, scaling: Scaling) -> Adjusted | None:
        """Have whoever runs the cluster add or remove workers, or adapt their number to the work from now on.

        Return what it does instead, if that is something else.

        Raises
        ------
        BatchRefused, BatchUnreachable, SchedulerUnreachable
            It refused, or could not be asked.
        """
        raise WrongState(f"“{cluster.name}” cannot be scaled.")

    async def warm_up(self, environment: Environment) -> None:
        """Make the next launch in an environment faster, where possible. May be called often; never raises."""
        return

    def scripts(self, cluster: Cluster) -> tuple[tuple[Job, JobRequest, str], ...]:
        """Return the first jobs of a cluster, what is asked for each, and its script; nothing is written.

        Raises
        ------
        InvalidRequest
            The batch system cannot do what is asked.
        """
        return ()

    async def preview(self, cluster: Cluster) -> Preview:
        """Return what launching a cluster would submit, without submitting or writing anything."""
        return Preview(())

    async def queues(self) -> Sequence[QueueInfo]:
        """Ask the batch system for its queues; empty if it has none.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Nothing is known.
        """
        return ()

    async def accounts(self) -> Sequence[str]:
        """Ask the batch system for this user's accounts, the default one first; empty if it keeps none.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Nothing is known.
        """
        return ()

    async def options(self) -> Sequence[Option]:
        """Ask the service for the options that a launch has there; empty if it declares none.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Nothing is known.
        """
        return ()

    async def running(self) -> Sequence[Running]:
        """Ask the service for this user's clusters that have not ended, whoever launched them.

        Raises
        ------
        BatchRefused, BatchUnreachable
            Nothing is known.
        """
        return ()

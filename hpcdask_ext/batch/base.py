"""The contract of a batch system: text in, text out.

A batch system builds command lines and job scripts and parses what commands print. It does no I/O itself, so it can be
tested on recorded output: only `hpcdask_ext.batch.runner` starts commands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel

from hpcdask_ext.batch.quoting import directive
from hpcdask_ext.batch.records import Command, CommandResult, JobElements, JobRequest, JobStatus, QueueInfo
from hpcdask_ext.clusters.frozen import Frozen


class Settings(Frozen):
    """What only one batch system needs to know about a site; a batch system without such needs uses this class."""


class BatchSystem(ABC):
    """What every batch system can do. One instance serves one site and is stateless.

    Parameters
    ----------
    template
        Text of the site's own job template, used instead of ``templates/<name>.sh.jinja``. It may extend that.
    settings
        The site's `settings`, an instance of the class's own `Settings`; None for the defaults.

    A `parse_*` method gets the result of the command that the method of the same name built. It raises `BatchRefused`,
    with the batch system's own words, if that refused; `BatchUnreachable` if it could not answer (its daemon is down);
    `NotUnderstood` if the output cannot be parsed. Nothing here retries: that is up to the caller.
    """

    name: ClassVar[str]
    """Its name in site files: `slurm`."""

    title: ClassVar[str]
    """Its name for people: `Slurm`."""

    Settings: ClassVar[type[BaseModel]] = Settings
    """The fields of a site's `settings`."""

    WALLTIME_REASONS: ClassVar[frozenset[str]] = frozenset()
    """The words in `JobStatus.reason` that mean that a job reached its walltime."""

    def __init__(self, template: str | None = None, settings: BaseModel | None = None) -> None:
        self.template = template
        self.settings = settings or self.Settings()

    def quote(self, value: object, field: str) -> str:
        """Return a user's value as one word of a directive, as the batch system's parser reads it.

        Raises
        ------
        InvalidRequest
            It cannot stand in a directive; the error names `field`.
        """
        return directive(value, field)

    @abstractmethod
    def script(self, job: JobRequest) -> str:
        """Return the job script, directives included, ending in a newline.

        Raises
        ------
        InvalidRequest
            A value cannot be used in a directive (it has a control character or a line break), or the batch system
            cannot do what is asked.
        """

    @abstractmethod
    def submit(self, job: JobRequest, text: str) -> Command:
        """Return the command that submits the script `text`, made from `job`: one submission for all its elements.

        The same text is stored at `job.script_file`. The command may run on another host, so where it can, it gets the
        text as its standard input.
        """

    @abstractmethod
    def parse_submit(self, job: JobRequest, result: CommandResult) -> str:
        """Return the id of the submitted job."""

    @abstractmethod
    def query(self) -> Command:
        """Return the one command that asks for all jobs of this user, including recently ended ones if possible."""

    @abstractmethod
    def parse_query(self, result: CommandResult) -> Sequence[JobStatus]:
        """Return the status of each job. A job that a valid answer does not mention is no longer known."""

    @abstractmethod
    def cancel(self, jobs: Sequence[JobElements]) -> Command:
        """Return the one command that ends all of `jobs` (not empty), whatever state they are in."""

    @abstractmethod
    def parse_cancel(self, result: CommandResult) -> None:
        """Return if everything was cancelled or had already ended."""

    @abstractmethod
    def explain(self, reason: str) -> str:
        """Return a plain sentence for a reason for waiting, with the reason's own word in brackets."""

    def queues(self) -> Command | None:
        """Return the one command that asks for all queues, their limits and their load; None if there are no queues."""
        return None

    def parse_queues(self, result: CommandResult) -> Sequence[QueueInfo]:
        """Return the queues in the order in which the batch system lists them, the default one first."""
        raise NotImplementedError

    def accounts(self) -> Command | None:
        """Return the command that asks for this user's accounts, or None if the batch system keeps none."""
        return None

    def parse_accounts(self, result: CommandResult) -> Sequence[str]:
        """Return the accounts that this user may use, the default one first."""
        raise NotImplementedError

    def estimate(self, job: JobRequest, text: str) -> Command | None:
        """Return the command that asks when a job would start, without submitting it; None if that cannot be asked."""
        return None

    def parse_estimate(self, result: CommandResult) -> datetime | None:
        """Return when the job would start, or None if the batch system cannot tell.

        Raises `BatchRefused` if it would not accept the job.
        """
        raise NotImplementedError

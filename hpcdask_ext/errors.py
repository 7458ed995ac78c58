"""Everything that can go wrong, as a tree, with one class for each way in which a caller would react.

::

    HPCDaskError
    +- InvalidRequest          values are wrong: correct the fields that `errors` names
    |  +- SiteNotFound         only the site's name is wrong
    +- ClusterNotFound         no cluster with that id is tracked
    +- WrongState              not possible in the cluster's present state
    +- EnvironmentUnusable     the chosen environment cannot run Dask: repair it or choose another
    +- StoreError              a record could not be written or read
    +- SchedulerUnreachable    a Dask scheduler did not answer: nothing is known, try again
    |  +- TLSRefused           it wants other TLS files: give those
    +- BatchError
       +- BatchRefused         the batch system refused, in its own words: change the request
       +- BatchUnreachable     it could not be asked: nothing is known, try again
          +- NotStarted        a command was not started: nothing has happened
          |  +- CommandMissing it is not installed or not on PATH
          +- CommandTimeout    a command did not finish in time
          +- NotUnderstood     a command's output could not be parsed

A message says what was wrong, with which value, and what to do. One table, in `hpcdask_ext.handlers.base`, decides how
an error becomes an HTTP answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of a request; `field` has the request's names, with dots for nesting."""

    field: str
    message: str


class HPCDaskError(Exception):
    """The root: the base class of every error that the project raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(HPCDaskError):
    """Values of a request are wrong; `errors` lists all of them."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in self.errors))


class SiteNotFound(InvalidRequest):
    """The request names a site that does not exist, and nothing else is wrong with it."""


class ClusterNotFound(HPCDaskError):
    """No cluster with that id is tracked."""

    def __init__(self, cluster_id: str) -> None:
        super().__init__(f"There is no cluster {cluster_id!r}: it may have been forgotten in another window.")


class WrongState(HPCDaskError):
    """The request is not possible in the cluster's present state."""


class EnvironmentUnusable(HPCDaskError):
    """The chosen environment cannot run Dask; the message has the command that was tried and its output."""


class StoreError(HPCDaskError):
    """A cluster's record could not be written or read."""


class SchedulerUnreachable(HPCDaskError):
    """A Dask scheduler did not answer; the state of its cluster is unknown."""


class TLSRefused(SchedulerUnreachable):
    """A scheduler and the TLS files do not fit; `part` is the file that is missing or wrong (`ca`, `certificate`)."""

    def __init__(self, message: str, part: str) -> None:
        super().__init__(message)
        self.part = part


class BatchError(HPCDaskError):
    """A batch system did not do what it was asked to do."""


class BatchRefused(BatchError):
    """The batch system refused; the message quotes it."""


class BatchUnreachable(BatchError):
    """The batch system could not be asked. This never means that a job is gone."""


class NotStarted(BatchUnreachable):
    """A command of the batch system was not even started, so it cannot have had an effect."""


class CommandMissing(NotStarted):
    """A command of the batch system is not installed or not on PATH."""


class CommandTimeout(BatchUnreachable):
    """A command of the batch system did not finish in time."""


class NotUnderstood(BatchUnreachable):
    """The output of a batch system's command could not be parsed."""

"""Everything that can go wrong, as a tree. One class for each thing that a caller would do differently.

::

    HPCDaskError
    +- InvalidRequest          values are wrong: correct the fields that `errors` names
    |  +- SiteNotFound         the one thing wrong is the site's name
    +- ClusterNotFound         no cluster of that id is tracked
    +- WrongState              not while the cluster is in this state
    +- EnvironmentUnusable     the chosen environment cannot run Dask: choose or mend one
    +- StoreError              a record could not be written or read
    +- SchedulerUnreachable    a Dask scheduler did not answer: nothing is known, try again
    +- BatchError
       +- BatchRefused         the batch system said no, in its own words: change the request
       +- BatchUnreachable     it could not be asked: nothing is known, try again
          +- CommandMissing    a command is not installed or not on PATH
          +- CommandTimeout    a command did not come back in time
          +- NotUnderstood     a command answered what nobody can read

A message says what was wrong, with which value, and what to do. How an error becomes an HTTP answer is decided
in one table, in `hpcdask_ext.handlers.base`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of a request; `field` is named as in the request, nested ones with dots."""

    field: str
    message: str


class HPCDaskError(Exception):
    """The root: catch this to catch everything that the project raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(HPCDaskError):
    """Values of a request are wrong; `errors` has every one of them."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in self.errors))


class SiteNotFound(InvalidRequest):
    """The request names a site that does not exist, and nothing else is wrong with it."""


class ClusterNotFound(HPCDaskError):
    """No cluster of that id is tracked."""

    def __init__(self, cluster_id: str) -> None:
        super().__init__(f"There is no cluster {cluster_id!r}: it may have been forgotten in another window.")


class WrongState(HPCDaskError):
    """What was asked cannot be done while the cluster is in its present state."""


class EnvironmentUnusable(HPCDaskError):
    """The chosen environment cannot run Dask; the message has the command that was tried and what it printed."""


class StoreError(HPCDaskError):
    """A cluster's record could not be written or read."""


class SchedulerUnreachable(HPCDaskError):
    """A Dask scheduler did not answer; nothing is known about its cluster."""


class BatchError(HPCDaskError):
    """A batch system did not do what it was asked to."""


class BatchRefused(BatchError):
    """The batch system refused; the message is its own words."""


class BatchUnreachable(BatchError):
    """The batch system could not be asked. This never means that a job is gone."""


class CommandMissing(BatchUnreachable):
    """A command of the batch system is not installed or not on PATH."""


class CommandTimeout(BatchUnreachable):
    """A command of the batch system did not come back in time."""


class NotUnderstood(BatchUnreachable):
    """A command of the batch system answered what cannot be read."""

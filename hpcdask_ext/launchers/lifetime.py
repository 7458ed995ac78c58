"""How long the workers of a job live: they end by themselves before its walltime, so that their data can move.

Dask's option `--lifetime` does that, and `--lifetime-stagger` lets workers that began together end one after another.
Jobs that are replaced end over a longer time, so that the others have the data until new workers are there; but the
workers of one job still end close together, because the job has its nodes until the last of them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

_LONGEST_MARGIN = timedelta(minutes=5)
_SPREAD = 0.3  # of the walltime, in which the workers of jobs that are replaced end
_TURN = 618  # thousandths; multiples of the golden ratio, without their whole part, lie apart however many there are
_MOMENT = timedelta(seconds=2)  # reports tell whole seconds


@dataclass(frozen=True)
class Lifetime:
    """Workers end up to `stagger` before or after `duration`, counted from the start of their job.

    That is for the last of the jobs. The others end up to `spread` earlier: each at its place among the elements of
    its submission, which is the one of that `number` of its group.
    """

    duration: timedelta
    stagger: timedelta
    spread: timedelta = timedelta()
    number: int = 1

    @property
    def shortest(self) -> timedelta:
        """The earliest that a job ends because its workers do, as its reports tell it."""
        return self.duration - self.spread - self.stagger - _MOMENT

    def option(self) -> str:
        """Return the options as shell text; a job may have waited for its scheduler before its workers start."""
        return f'--lifetime {self._left()} --lifetime-stagger "{_seconds(self.stagger)} seconds"'

    def variables(self) -> str:
        """Return the same as variables, for a command that does not have Dask's options."""
        prefix = "DASK_DISTRIBUTED__WORKER__LIFETIME__"
        return f'{prefix}DURATION={self._left()} {prefix}STAGGER="{_seconds(self.stagger)} seconds"'

    def _left(self) -> str:
        earlier = f"(HPCDASK_INDEX + {self.number}) * {_TURN} % 1000 * {_seconds(self.spread)} / 1000"
        lasts = f"{_seconds(self.duration)} - {earlier}" if self.spread else f"{_seconds(self.duration)}"
        return f'"$(({lasts} - $(date +%s) + hpcdask_began)) seconds"'


def lifetime_within(walltime: timedelta, *, is_replaced: bool, number: int) -> Lifetime:
    """Return the lifetime of the workers of a job with that walltime, the one of that number of its group.

    The last of them ends half a margin before it, which is the time that its data has to move.
    """
    margin = min(_LONGEST_MARGIN, walltime / 10)
    spread = walltime * _SPREAD - margin if is_replaced else timedelta()
    return Lifetime(walltime - margin, margin / 2, spread, number)


def says_lifetime(words: Sequence[str]) -> bool:
    """Return whether the words of a command line have a lifetime already."""
    return any(word == "--lifetime" or word.startswith("--lifetime=") for word in words)


def _seconds(time: timedelta) -> int:
    return int(time.total_seconds())

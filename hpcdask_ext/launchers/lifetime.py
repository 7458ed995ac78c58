"""How long workers of a batch job live: they end by themselves before its walltime, so that their data can move.

Dask's option `--lifetime` does that, and `--lifetime-stagger` lets workers that began together end one after another.
What is replaced ends over a longer time, so that the others have the data until new workers are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

_LONGEST_MARGIN = timedelta(minutes=5)
_SPREAD = 0.15  # of the walltime, before and after, for workers that are replaced
_MOMENT = timedelta(seconds=2)  # reports tell whole seconds


@dataclass(frozen=True)
class Lifetime:
    """Workers end up to `stagger` before or after `duration`, counted from the start of their job."""

    duration: timedelta
    stagger: timedelta

    @property
    def shortest(self) -> timedelta:
        """The earliest that a job ends because its workers do, as its reports tell it."""
        return self.duration - self.stagger - _MOMENT

    def option(self) -> str:
        """Return the options as shell text; a job may have waited for its scheduler before its workers start."""
        left = f'"$(({_seconds(self.duration)} - $(date +%s) + hpcdask_began)) seconds"'
        return f'--lifetime {left} --lifetime-stagger "{_seconds(self.stagger)} seconds"'

    def variables(self) -> str:
        """Return the same as variables, for a command that does not have Dask's options."""
        left = f'"$(({_seconds(self.duration)} - $(date +%s) + hpcdask_began)) seconds"'
        prefix = "DASK_DISTRIBUTED__WORKER__LIFETIME__"
        return f'{prefix}DURATION={left} {prefix}STAGGER="{_seconds(self.stagger)} seconds"'


def lifetime_within(walltime: timedelta, *, is_replaced: bool) -> Lifetime:
    """Return the lifetime of the workers of a job with that walltime.

    The last of them ends half a margin before it, which is the time that its data has to move.
    """
    margin = min(_LONGEST_MARGIN, walltime / 10)
    stagger = walltime * _SPREAD if is_replaced else margin / 2
    return Lifetime(walltime - margin / 2 - stagger, stagger)


def says_lifetime(words: Sequence[str]) -> bool:
    """Return whether the words of a command line have a lifetime already."""
    return any(word == "--lifetime" or word.startswith("--lifetime=") for word in words)


def _seconds(time: timedelta) -> int:
    return int(time.total_seconds())

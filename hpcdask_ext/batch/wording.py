"""What several batch systems want in the same words: spans of time, and calls that also work on another host."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from hpcdask_ext.batch.records import Command


def hours_minutes_seconds(walltime: timedelta) -> str:
    """Return a span of time as ``hours:minutes:seconds``, rounded up; the hours may exceed 24."""
    seconds = math.ceil(walltime.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def through_env(
    program: str,
    *arguments: str,
    unset: Sequence[str] = (),
    settings: Sequence[str] = (),
    stdin: str | None = None,
) -> Command:
    """Return a call through `env`, so that it works both here and behind a prefix such as ``ssh login1``."""
    options = [word for name in unset for word in ("-u", name)]
    return Command(("env", *options, *settings, program, *arguments), stdin)

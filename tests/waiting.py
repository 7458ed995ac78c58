"""Waiting for what has to come, with an end to patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Seen = TypeVar("Seen")


async def until(
    look: Callable[[], Awaitable[Seen]], is_there: Callable[[Seen], object] = bool, seconds: float = 40
) -> Seen:
    """Look again and again; return what was seen once it is what was waited for, or fail with what was seen last."""
    deadline = time.monotonic() + seconds
    while True:
        seen = await look()
        if is_there(seen):
            return seen
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain; seen last: {seen!r}"
        await asyncio.sleep(0.05)

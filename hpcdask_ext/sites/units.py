"""Memory sizes and time spans as people write them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, ByteSize, PlainSerializer, TypeAdapter

_WALLTIME = re.compile(r"(?:(?P<days>\d{1,4})-)?(?P<hours>\d{1,5}):(?P<minutes>[0-5]?\d)(?::(?P<seconds>[0-5]?\d))?\Z")
_MEMORY = re.compile(r"\s*\d+(\.\d+)?\s*[A-Za-z]{0,3}\s*\Z", re.ASCII)
_LEAST_BYTES = 2**24  # a number without a unit is most often meant as gigabytes
_MOST_BYTES = 2**60
_MOST_SECONDS = 10**9
_bytes = TypeAdapter(ByteSize)


def parse_memory(value: Any) -> int:
    """Return the bytes for a number of bytes or a string such as ``16 GiB``."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("memory must be a number of bytes or a string such as '16 GiB'")
    if isinstance(value, str) and not _MEMORY.match(value):
        raise ValueError("this is not an amount of memory: write, for instance, '16 GiB'")
    try:
        size = int(_bytes.validate_python(value))
    except (ValueError, OverflowError) as error:
        raise ValueError("this is not an amount of memory: write, for instance, '16 GiB'") from error
    if size < _LEAST_BYTES:
        raise ValueError("this is less memory than Python itself needs: write a unit, for instance '16 GiB'")
    if size > _MOST_BYTES:
        raise ValueError("memory must be at most 1 EiB")
    return size


def parse_walltime(value: Any) -> timedelta:
    """Return the time span of at least a minute for ``HH:MM:SS`` or ``D-HH:MM:SS``.

    A number means seconds: YAML reads an unquoted ``24:00:00`` as 86400.
    """
    return _parse_time(value, "walltime", timedelta(minutes=1))


def parse_span(value: Any) -> timedelta:
    """Return the same for a time span of at least a second."""
    return _parse_time(value, "time span", timedelta(seconds=1))


def _parse_time(value: Any, what: str, least: timedelta) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST_SECONDS:
        time = timedelta(seconds=value)
    elif isinstance(value, str) and (match := _WALLTIME.match(value.strip())):
        time = timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})
    else:
        raise ValueError(f"this is not a {what}: write HH:MM:SS, for instance '01:30:00'")
    if time < least:
        raise ValueError(f"this {what} is too short: it must be at least {time_in_words(least)}")
    return time


def format_walltime(time: timedelta | None) -> str | None:
    """Return ``HH:MM:SS``; the hours may exceed 24."""
    if time is None:
        return None
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def time_in_words(time: timedelta) -> str:
    """Return a text such as ``1 hour and 30 minutes``."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    amounts = ((hours, "hour"), (minutes, "minute"), (seconds, "second"))
    words = [f"{amount} {unit}{'' if amount == 1 else 's'}" for amount, unit in amounts if amount]
    return " and ".join(words) or "0 seconds"


def format_memory(size: int) -> str:
    """Return a text such as ``16 GiB``."""
    for unit, factor in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size} bytes"


Memory = Annotated[int, BeforeValidator(parse_memory)]
"""Bytes; read from a number or a string."""

Walltime = Annotated[
    timedelta, BeforeValidator(parse_walltime), PlainSerializer(format_walltime, return_type=str, when_used="json")
]
"""A time span of at least a minute; read from and written as ``HH:MM:SS``."""

Span = Annotated[
    timedelta, BeforeValidator(parse_span), PlainSerializer(format_walltime, return_type=str, when_used="json")
]
"""The same, of at least a second."""

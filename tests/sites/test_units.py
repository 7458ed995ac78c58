"""Memory and time as people write them, and as they should not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hpcdask_ext.sites.units import format_memory, format_walltime, parse_memory, parse_walltime


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (2**24, 2**24),
        (17179869184, 2**34),
        ("16 GiB", 2**34),
        ("16GiB", 2**34),
        ("  16 gib ", 2**34),
        ("1.5 GiB", 3 * 2**29),
        ("4 GB", 4 * 10**9),
        ("512 MiB", 2**29),
        ("40960000", 40960000),
        (1e9, 10**9),
    ],
)
def test_memory_is_read_as_people_write_it(written: Any, size: int) -> None:
    assert parse_memory(written) == size


@pytest.mark.parametrize(
    "written",
    [
        "lots", "", "GiB", "16 GiBs", "-1 GiB", -1, 0, "0 GiB", 0.25, "16 GiB; rm -rf /", "1 GiB\n2 GiB",
        "$(nproc) GiB", 1, 16, "16", "8 MiB", True, None, [], {}, float("nan"), "1e3 GiB", "16 ГБ",
    ],
)  # fmt: skip
def test_what_is_no_amount_of_memory_is_refused_with_the_value(written: Any) -> None:
    with pytest.raises(ValueError, match=r"memory|number of bytes") as caught:
        parse_memory(written)
    assert "'" in str(caught.value) or "at least" in str(caught.value) or "less than" in str(caught.value)


@pytest.mark.parametrize("written", [float("inf"), "9" * 400 + " GiB"])
def test_an_endless_amount_of_memory_is_a_wrong_value_like_any_other(written: Any) -> None:
    with pytest.raises(ValueError, match="memory"):
        parse_memory(written)


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("01:30:00", timedelta(hours=1, minutes=30)),
        ("1:30", timedelta(hours=1, minutes=30)),
        ("100:00:00", timedelta(hours=100)),
        ("1-00:00:00", timedelta(days=1)),
        ("2-12:30", timedelta(days=2, hours=12, minutes=30)),
        ("00:01:00", timedelta(minutes=1)),
        (86400, timedelta(days=1)),  # YAML 1.1 reads an unquoted 24:00:00 as that
        (timedelta(hours=2), timedelta(hours=2)),
    ],
)
def test_walltime_is_read_as_people_write_it(written: Any, time: timedelta) -> None:
    assert parse_walltime(written) == time


@pytest.mark.parametrize(
    "written",
    [
        "soon", "", "90", "1 hour", "01:60:00", "01:00:60", "-01:00:00", "01:00:00:00", "00:00:59", "00:00", 0, 59,
        -3600, True, None, [], 3600.5, "01:00:00; scancel -u $USER", "01:00:00\n#SBATCH --exclusive",
    ],
)  # fmt: skip
def test_what_is_no_walltime_is_refused_with_the_value(written: Any) -> None:
    with pytest.raises(ValueError, match=r"walltime|too short") as caught:
        parse_walltime(written)
    assert "'" in str(caught.value) or "at least" in str(caught.value) or "less than" in str(caught.value)


def test_an_endless_walltime_is_a_wrong_value_like_any_other() -> None:
    with pytest.raises(ValueError, match="walltime"):
        parse_walltime(10**20)


@pytest.mark.parametrize("text", ["00:01:00", "01:30:05", "24:00:00", "100:00:00"])
def test_a_walltime_is_written_as_it_was_read(text: str) -> None:
    assert format_walltime(parse_walltime(text)) == text


def test_no_walltime_stays_none() -> None:
    assert format_walltime(None) is None


@pytest.mark.parametrize(
    ("size", "text"),
    [(2**34, "16 GiB"), (3 * 2**29, "1.5 GiB"), (2**40, "1 TiB"), (2**25, "32 MiB")],
)
def test_memory_is_written_in_the_unit_that_people_would_choose(size: int, text: str) -> None:
    assert format_memory(size) == text
    assert parse_memory(text) == size

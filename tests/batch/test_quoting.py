"""Quoting, and lists of element numbers."""

from __future__ import annotations

import subprocess

import pytest

from hpcdask_ext.batch.indexes import format_indexes, parse_indexes
from hpcdask_ext.batch.quoting import directive, line, sh
from hpcdask_ext.errors import InvalidRequest


@pytest.mark.parametrize("value", ["", "a b", "it's", '"', "$(x)`y`", "a\nb\t", "🦆", "\\", "-n", "*", "~"])
def test_one_word_of_a_shell(value: str) -> None:
    result = subprocess.run(["/bin/sh", "-c", f"printf '%s|' {sh(value)}"], capture_output=True, text=True, check=True)
    assert result.stdout == value + "|"


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_no_command_line_holds_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match="queue"):
        sh(value, "queue")


def test_directives_are_quoted_only_where_they_need_it() -> None:
    assert directive("/scratch/a-b_c.%a.log", "directory") == "/scratch/a-b_c.%a.log"
    assert directive("a b#c", "queue") == '"a b#c"'
    assert directive('a"b\\c', "queue") == r'"a\"b\\c"'
    assert directive("", "queue") == '""'


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\x00b", "a\x1bb", "a\x85b", "a\u2028b", "a\tb"])
def test_a_control_character_names_its_field(value: str) -> None:
    for check in (directive, line):
        with pytest.raises(InvalidRequest) as caught:
            check(value, "account")
        assert [error.field for error in caught.value.errors] == ["account"]


@pytest.mark.parametrize(
    ("indexes", "text"),
    [((), ""), ((1,), "1"), ((1, 2, 3), "1-3"), ((3, 1, 2, 2), "1-3"), ((1, 3, 4, 9), "1,3-4,9")],
)
def test_lists_of_elements(indexes: tuple[int, ...], text: str) -> None:
    assert format_indexes(indexes) == text
    if text:
        assert parse_indexes(text) == tuple(sorted(set(indexes)))


@pytest.mark.parametrize("text", ["", "a", "1,", "1-", "1...", "-1", "1-2-3", "¹"])
def test_unreadable_lists(text: str) -> None:
    with pytest.raises(ValueError, match="not a list"):
        parse_indexes(text)

"""What the fake `qsub` is told: options on its command line, and directives in the script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from getopt import GetoptError, getopt
from typing import NamedTuple

from tests.fakes.engine import Refused

_OPTIONS = "a:A:c:C:e:fhIj:J:k:l:m:M:N:o:p:P:q:r:R:S:u:v:VW:z"


class Options(NamedTuple):
    """The options by letter, and what `-l` asks for."""

    values: dict[str, str]
    resources: dict[str, str]

    def get(self, letter: str, default: str | None = None) -> str | None:
        return self.values.get(letter, default)

    @property
    def count(self) -> int | None:
        """The number of elements; None for a job that is no array, or a range that qsub refuses."""
        match = re.fullmatch(r"1-(\d+)", self.values.get("J", ""))
        return int(match[1]) if match and int(match[1]) > 1 else None

    @property
    def walltime(self) -> float | None:
        text = self.resources.get("walltime")
        if text is None:
            return None
        seconds = 0
        for part in text.split(":"):
            seconds = 60 * seconds + int(part)
        return float(seconds)

    @property
    def cores(self) -> str:
        match = re.search(r"ncpus=(\d+)", self.resources.get("select", ""))
        return match[1] if match else "1"

    def chunks(self) -> tuple[int, int]:
        """Return how many chunks there are, and how many lines they have in the file of nodes."""
        chunks = lines = 0
        for part in self.resources.get("select", "1:ncpus=1").split("+"):
            repeat, _, rest = part.partition(":")
            each = re.search(r"mpiprocs=(\d+)", rest)
            chunks += int(repeat)
            lines += int(repeat) * int(each[1] if each else 1)
        return chunks, lines

    def check_resources(self, known: list[str]) -> None:
        """Refuse what qsub does not know or cannot read."""
        if "walltime" in self.resources and not re.fullmatch(r"(\d+:){0,2}\d+", self.resources["walltime"]):
            raise Refused("qsub: Illegal attribute or resource value Resource_List.walltime", 166)
        for name in self.resources:
            if name not in ("select", "place", "walltime", "ncpus"):
                raise Refused(f"qsub: Unknown resource Resource_List.{name}", 187)
        for word in self.resources.get("select", "1").split("+"):
            for part in word.split(":")[1:]:
                name, _, value = part.partition("=")
                if name not in known:
                    raise Refused(f"qsub: Unknown resource: {name}", 187)
                if name != "model" and not re.fullmatch(r"\d+([kmgt]?b)?", value):
                    raise Refused(f"qsub: Illegal attribute or resource value select.{name}", 166)


def parse_options(arguments: list[str], script: str) -> Options:
    """Return the options. Those of the command line win over directives; of two directives the last does.

    Of two `-l` for one resource it is the other way round: a directive never replaces what is there already.
    """
    values: dict[str, str] = {}
    resources: dict[str, str] = {}
    on_line = _options(arguments)
    for letter, value in [*on_line, *(pair for words in _directives(script) for pair in _options(words))]:
        if letter == "l":
            for resource in value.split(","):
                name, _, amount = resource.partition("=")
                resources.setdefault(name, amount)
        elif letter not in dict(on_line) or (letter, value) in on_line:
            values[letter] = value
    resources.setdefault("ncpus", re.sub(r".*ncpus=(\d+).*", r"\1", resources.get("select", "ncpus=1")))
    return Options(values, resources)


def _options(words: list[str]) -> list[tuple[str, str]]:
    try:
        flags, rest = getopt(words, _OPTIONS)
    except GetoptError as error:
        raise Refused(
            f"qsub: invalid option -- '{error.opt}'\nusage: qsub [-a date_time] [-A account_string]", 2
        ) from error
    if rest:
        raise Refused(f"qsub: directive error: {' '.join(words)}", 2)
    return [(flag[1:], value) for flag, value in flags]


def _directives(script: str) -> Iterator[list[str]]:
    """Yield the words of each directive; they end with the first line that is a command."""
    for line in script.splitlines():
        if line.startswith("#PBS"):
            yield list(_words(line.removeprefix("#PBS")))
        elif line.strip() and not line.startswith(("#", ":")):
            return


def _words(line: str) -> Iterator[str]:
    """Yield words as `make_argv` in qsub.c finds them: quotes of both kinds, and nothing special between them."""
    for match in re.finditer(r"""(?:"[^"]*"|'[^']*'|\\.|[^\s"'\\])+""", line):
        parts = re.findall(r"""("[^"]*"|'[^']*'|\\.|[^\s"'\\])""", match[0])
        yield "".join(part[1:-1] if part[0] in "\"'" else part[-1] for part in parts)

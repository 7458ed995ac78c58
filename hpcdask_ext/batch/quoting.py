"""How values get into job scripts: quoted for the shell, checked for directives.

Templates use two filters for values: ``sh`` makes one shell word, ``directive`` one value of a directive (``qsub``, one
of PBS; ``grid_engine``, one of Grid Engine). A third, ``line``, passes an administrator's whole directive if it is a
single line.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hpcdask_ext.errors import FieldError, InvalidRequest

if TYPE_CHECKING:
    import jinja2

# Characters without a special meaning to directive parsers. Anything else is quoted.
_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# Control characters, line and paragraph separators, and lone surrogates, which cannot be encoded in a file.
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Zl", "Zp", "Cs"})


def sh(value: object, field: str = "command") -> str:
    """Return `value` as one word of a POSIX shell, whatever it contains."""
    text = str(value)
    if "\0" in text or (not text.isascii() and any(unicodedata.category(letter) == "Cs" for letter in text)):
        raise _invalid(field, f"{text!r} has a character that no command line can contain: remove it")
    return shlex.quote(text)


def line(value: object, field: str) -> str:
    """Return `value` unchanged if it is one line of printable text.

    Raises
    ------
    InvalidRequest
        It contains a line break or another control character; the error names `field`.
    """
    text = str(value)
    if text.isascii() and text.isprintable():  # nearly always, and much faster
        return text
    if any(unicodedata.category(letter) in _FORBIDDEN_CATEGORIES for letter in text):
        raise _invalid(field, f"{text!r} has a line break or another control character: remove it")
    return text


def directive(value: object, field: str) -> str:
    r"""Return `value` as one value of a directive, in double quotes if it needs them.

    Inside quotes a backslash makes the next character literal. Slurm's parser reads it this way (tried with 22.05:
    quotes of both kinds, ``\``, ``#``, ``$()`` and Unicode arrive unchanged).
    """
    text = line(value, field)
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def qsub(value: object, field: str) -> str:
    """Return `value` as one word of a directive of PBS, in quotes if it needs them.

    `qsub` takes everything literally between quotes of either kind, backslashes too (tried with 23.06).
    """
    text = line(value, field)
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace('"', '"\'"\'"') + '"'


def grid_engine(value: object, field: str) -> str:
    """Return `value` as one value of a Grid Engine directive, in double quotes if it needs them.

    Its parser has no escape character, removes quotes of both kinds wherever they are, and takes ``#`` for the
    beginning of a comment even between quotes (tried with 8.1.9). So these are refused.
    """
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    if any(letter in text for letter in "\"'#"):
        raise _invalid(field, f"{text!r} has a quotation mark or #, which Grid Engine cannot read: remove it")
    return f'"{line(text, field)}"'


def variables(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the names and quoted values of `environment`, refusing names that a shell cannot export."""
    for name in environment:
        if not _VARIABLE.fullmatch(name):
            raise _invalid("environment", f"{name!r} is not a valid name for an environment variable")
    return [(name, sh(value, "environment")) for name, value in environment.items()]


@cache
def templates() -> jinja2.Environment:
    """Return the environment in which all job templates are rendered; it is made on first use."""
    import jinja2  # noqa: PLC0415  (not at start-up: most sessions never launch)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701  (these are shell scripts; the filters below quote)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        sh=sh, line=line, directive=directive, qsub=qsub, grid_engine=grid_engine, variables=variables
    )
    return environment


def render(name: str, override: str | None, values: Mapping[str, object]) -> str:
    """Return the script made from `values` by the template `name`, or by the site's own template text in `override`."""
    import jinja2  # noqa: PLC0415

    try:
        template = templates().from_string(override) if override is not None else templates().get_template(name)
        text = template.render(values)
    except jinja2.TemplateError as error:
        raise _invalid("site", f"its job template for {name} cannot be rendered: {error}") from error
    return text if text.endswith("\n") else text + "\n"


def _invalid(field: str, message: str) -> InvalidRequest:
    return InvalidRequest([FieldError(field, message)])

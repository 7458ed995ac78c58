"""The environments that clusters run in, from the user's kernels and from the site.

A kernelspec's `argv` up to ``-m ipykernel_launcher`` is a launch prefix. It works for conda and virtual environments,
module wrappers and containers alike, so a cluster runs exactly what the notebook runs. A prefix may also be a shell
whose script is a single argument that ends with Python.
"""

from __future__ import annotations

import os
import re
import shlex
import string
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hpcdask_ext.clusters.image_field import PLACEHOLDER
from hpcdask_ext.clusters.models import Environment

_LAUNCHERS = ("ipykernel_launcher", "ipykernel")
_CONNECTION_FILE = "{connection_file}"
_SHELLS = ("sh", "bash", "dash", "ksh", "zsh")
_SHELL_COMMAND = re.compile(r"-[a-z]*c")
_IN_SCRIPT = re.compile(
    rf"(?P<before>.*\S)\s+-m\s+(?:{'|'.join(_LAUNCHERS)})\s+(?:-f\s+|-f=|--f=)"
    rf"(?P<quote>[\"']?){re.escape(_CONNECTION_FILE)}(?P=quote)\s*",
    re.DOTALL,
)


def kernel_environments(specs: Mapping[str, Any]) -> tuple[Environment, ...]:
    """Return the environments of the Python kernels among `specs`, as `KernelSpecManager.get_all_specs` returns them.

    The kernel `python3` comes first.
    """
    environments = []
    for name, entry in specs.items():
        with suppress(TypeError, AttributeError, KeyError, ValueError):  # a broken spec hides only itself
            environments += _from_kernel(name, entry)
    return tuple(sorted(environments, key=lambda environment: (environment.name != "python3", environment.name)))


def _from_kernel(name: str, entry: Mapping[str, Any]) -> list[Environment]:
    """Return the environment of a Python kernel, or nothing for any other kernel."""
    spec = entry["spec"]
    # As jupyter_client does for the kernel itself.
    places = {"{resource_dir}": entry.get("resource_dir", ""), "{prefix}": sys.prefix}
    prefix = _launch_prefix([_fill(word, places) for word in spec.get("argv", ())])
    if not prefix or any(_CONNECTION_FILE in word for word in prefix):
        return []
    if prefix[0] in ("python", f"python{sys.version_info[0]}", "python{}.{}".format(*sys.version_info[:2])):
        prefix[0] = sys.executable  # as jupyter_client does: such a kernel runs in Jupyter's own environment
    variables = {key: string.Template(value).safe_substitute(os.environ) for key, value in spec.get("env", {}).items()}
    environment = Environment(name=name, title=spec.get("display_name", name), argv=tuple(prefix), env=variables)
    environment.model_dump_json()  # raises if it could not be saved in a record
    return [environment]


def _fill(word: str, places: Mapping[str, str]) -> str:
    for placeholder, value in places.items():
        word = word.replace(placeholder, value)
    return word


def _launch_prefix(argv: Sequence[str]) -> list[str]:
    """Return what starts the Python of a kernel, or nothing if its `argv` does not show that."""
    for i in range(1, len(argv) - 1):
        if argv[i] == "-m" and argv[i + 1] in _LAUNCHERS:
            return list(argv[:i])
    return _shell_prefix(argv)


def _shell_prefix(argv: Sequence[str]) -> list[str]:
    """Return the same for ``["bash", "-lc", "module load x; exec python -m ipykernel_launcher -f {connection_file}"]``.

    It is the shell with that script, in which its arguments, ``"$@"``, stand for those of Python.
    """
    if len(argv) < 3 or Path(argv[-3]).name not in _SHELLS or not _SHELL_COMMAND.fullmatch(argv[-2]):
        return []
    match = _IN_SCRIPT.fullmatch(argv[-1])
    if match is None:
        return []
    shlex.split(match["before"])  # raises if Python stands in a quoted string, which another shell would read
    return [*argv[:-1], f'{match["before"]} "$@"', argv[-3]]


def with_image(environment: Environment, image: str | None) -> Environment:
    """Return an environment with its image filled in: the one that the user chose, or by default the site's.

    Raises
    ------
    ValueError
        That image cannot be chosen, in a sentence for the field `image` of the request.
    """
    field = environment.image
    if field is None:
        if image is None:
            return environment
        raise ValueError(f"The environment {environment.name} has no image to choose; found {image!r}")
    chosen = field.preset if image is None else image
    if chosen is None:
        raise ValueError(f"The environment {environment.name} needs an image: enter one")
    if wrong := field.check(chosen):
        raise ValueError(wrong)
    argv = tuple(word.replace(PLACEHOLDER, chosen) for word in environment.argv)
    env = {name: value.replace(PLACEHOLDER, chosen) for name, value in environment.env.items()}
    return environment.model_copy(update={"argv": argv, "env": env, "image": None})

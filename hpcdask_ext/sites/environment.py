"""The environments that clusters run in, from the user's kernels and from the site, and how they are checked.

A kernelspec's `argv` up to ``-m ipykernel_launcher`` is a launch prefix. It works for conda and virtual environments,
module wrappers and containers alike, so a cluster runs exactly what the notebook runs.
"""

from __future__ import annotations

import json
import os
import shlex
import string
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hpcdask_ext.batch.base import Command, CommandResult
from hpcdask_ext.clusters.image_field import PLACEHOLDER
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.errors import BatchError, CommandMissing, EnvironmentUnusable

_LAUNCHERS = ("ipykernel_launcher", "ipykernel")
_LOOKED_FOR = ("distributed", "bokeh")

# Finding a package does not import it: 50 ms instead of 500.
_PROBE = (
    "import importlib.metadata as m, importlib.util as u, json, sys\n"
    f"names = {_LOOKED_FOR!r}\n"
    "print(json.dumps({'python': sys.version.split()[0], 'executable': sys.executable,"
    " 'versions': {n: m.version(n) for n in names if u.find_spec(n)}}))\n"
)


def kernel_environments(specs: Mapping[str, Any]) -> tuple[Environment, ...]:
    """Return the environments of the Python kernels among `specs`, as `KernelSpecManager.get_all_specs` returns them.

    The kernel `python3` comes first.
    """
    environments = []
    for name, entry in specs.items():
        with suppress(TypeError, AttributeError, KeyError, ValueError):  # a broken spec hides only itself
            environments += _from_kernel(name, entry["spec"])
    return tuple(sorted(environments, key=lambda environment: (environment.name != "python3", environment.name)))


def _from_kernel(name: str, spec: Mapping[str, Any]) -> list[Environment]:
    """Return the environment of a Python kernel, or nothing for any other kernel."""
    argv = list(spec.get("argv", ()))
    ends = [i for i in range(1, len(argv) - 1) if argv[i] == "-m" and argv[i + 1] in _LAUNCHERS]
    if not ends:
        return []
    prefix = argv[: ends[0]]
    if prefix[0] in ("python", f"python{sys.version_info[0]}", "python{}.{}".format(*sys.version_info[:2])):
        prefix[0] = sys.executable  # as jupyter_client does: such a kernel runs in Jupyter's own environment
    variables = {key: string.Template(value).safe_substitute(os.environ) for key, value in spec.get("env", {}).items()}
    environment = Environment(name=name, title=spec.get("display_name", name), argv=tuple(prefix), env=variables)
    environment.model_dump_json()  # raises if it could not be saved in a record
    return [environment]


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


def probe(environment: Environment) -> Command:
    """Return the command that checks an environment."""
    return Command((*environment.argv, "-c", _PROBE), environment=environment.env, timeout=timedelta(minutes=2))


def unusable(environment: Environment, error: BatchError) -> EnvironmentUnusable:
    """Return the error for an environment whose command could not be started or timed out."""
    what = "does not exist or cannot be run" if isinstance(error, CommandMissing) else "did not finish in time"
    tried = shlex.join((*environment.argv, "-c", "..."))
    label = environment.title or environment.name
    return EnvironmentUnusable(
        f"The environment “{label}” cannot be started: its command {what}. Repair it, or choose another one. "
        f"Tried: {tried}"
    )


def check_probe(environment: Environment, result: CommandResult) -> tuple[str, ...]:
    """Return warnings, usually none, if the environment can run Dask.

    Raises
    ------
    EnvironmentUnusable
        It cannot; the message has the command that was tried, what it printed, and what to do.
    """
    label = environment.title or environment.name
    tried = f"Tried: {shlex.join((*environment.argv, '-c', '...'))}"
    if result.exit_code != 0:
        printed = result.words[-1500:] or "nothing"
        failed = f"The environment “{label}” cannot be started (exit code {result.exit_code})."
        raise EnvironmentUnusable(f"{failed} Repair it, or choose another one. {tried}\nIt printed: {printed}")
    try:
        versions = dict(json.loads(result.stdout.strip().splitlines()[-1])["versions"])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise EnvironmentUnusable(
            f"The environment “{label}” does not run Python. Choose another one. {tried}\n"
            f"It printed: {result.stdout[-1500:]!r}"
        ) from error
    if "distributed" not in versions:
        raise EnvironmentUnusable(
            f"The environment “{label}” lacks the package “distributed”. Install it there, or choose another "
            f"environment. {tried}\nIt printed: {result.stdout.strip()[-1500:]}"
        )
    if "bokeh" not in versions:
        return (f"“{label}” lacks the package “bokeh”: the cluster works, but without dashboards. Install it there.",)
    return ()

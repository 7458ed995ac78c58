"""What clusters run: the environments of the user's kernels, and those that a site names. And the look into one.

A kernelspec's `argv` up to ``-m ipykernel_launcher`` is a launch prefix. It carries conda and virtual environments,
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
    """Return the environments of the Python kernels among `specs`, what `KernelSpecManager.get_all_specs` returns.

    The kernel `python3` comes first.
    """
    environments = []
    for name, entry in specs.items():
        with suppress(TypeError, AttributeError, KeyError, ValueError):  # a spec that is none takes out only itself
            environments += _from_kernel(name, entry["spec"])
    return tuple(sorted(environments, key=lambda environment: (environment.name != "python3", environment.name)))


def _from_kernel(name: str, spec: Mapping[str, Any]) -> list[Environment]:
    """Return the environment of a Python kernel, or nothing for another one."""
    argv = list(spec.get("argv", ()))
    ends = [i for i in range(1, len(argv) - 1) if argv[i] == "-m" and argv[i + 1] in _LAUNCHERS]
    if not ends:
        return []
    prefix = argv[: ends[0]]
    if prefix[0] in ("python", f"python{sys.version_info[0]}", "python{}.{}".format(*sys.version_info[:2])):
        prefix[0] = sys.executable  # as jupyter_client does: such a kernel runs in Jupyter's own environment
    variables = {key: string.Template(value).safe_substitute(os.environ) for key, value in spec.get("env", {}).items()}
    environment = Environment(name=name, title=spec.get("display_name", name), argv=tuple(prefix), env=variables)
    environment.model_dump_json()  # what cannot be written down cannot be launched
    return [environment]


def probe(environment: Environment) -> Command:
    """Return the command that looks into an environment."""
    return Command((*environment.argv, "-c", _PROBE), environment=environment.env, timeout=timedelta(minutes=2))


def unusable(environment: Environment, error: BatchError) -> EnvironmentUnusable:
    """Return the error for an environment whose command could not be run, or did not come back."""
    what = "does not exist" if isinstance(error, CommandMissing) else "did not come back in time"
    tried = shlex.join((*environment.argv, "-c", "..."))
    label = environment.title or environment.name
    return EnvironmentUnusable(
        f"The environment “{label}” cannot be started: its command {what}. Mend it, or choose another. Tried: {tried}"
    )


def check_probe(environment: Environment, result: CommandResult) -> tuple[str, ...]:
    """Return warnings, most often none, when the environment can run Dask.

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
        raise EnvironmentUnusable(f"{failed} {tried}\nIt printed: {printed}")
    try:
        versions = dict(json.loads(result.stdout.strip().splitlines()[-1])["versions"])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise EnvironmentUnusable(
            f"The environment “{label}” does not run Python. {tried}\nIt printed: {result.stdout[-1500:]!r}"
        ) from error
    if "distributed" not in versions:
        raise EnvironmentUnusable(
            f"The environment “{label}” does not have the package “distributed”. Install it there, or choose another "
            f"environment. {tried}\nIt printed: {result.stdout.strip()[-1500:]}"
        )
    if "bokeh" not in versions:
        return (f"“{label}” does not have the package “bokeh”: the cluster works, but it has no dashboards.",)
    return ()

"""Checking an environment before Dask starts in it: on the Jupyter host, or at the beginning of a job."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hpcdask_ext.batch.records import Command, CommandResult
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.errors import BatchError, CommandMissing, EnvironmentUnusable
from hpcdask_ext.sites.versions import MINIMUM, MINIMUM_PYTHON, numbers
from hpcdask_ext.sites.vulnerabilities import vulnerability_warnings

PROBE = Path(__file__).parent.parent / "payload" / "probe.py"
_UNREADABLE = f"can't open file '{PROBE}'"
_SHOWN = 1500  # characters of what a failed check printed
_EXIT = re.compile(r"exit=(\d{1,3})\Z")


@dataclass(frozen=True)
class Probed:
    """What a check has found: the versions of Python and of packages, "" for an unknown one, and warnings."""

    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def probe(environment: Environment) -> Command:
    """Return the command that checks an environment on the Jupyter host."""
    return Command((*environment.argv, str(PROBE)), environment=environment.env, timeout=timedelta(minutes=2))


def probe_in_job(environment: Environment, report_prefix: Path) -> str:
    """Return the shell text that checks an environment in a job, and ends the job if it cannot be used.

    It stands before Dask's command. Its report, which `examine_report` reads, is ``<report_prefix>.<index>.probe``.
    """
    report = f'{shlex.quote(str(report_prefix))}."${{HPCDASK_INDEX:-1}}".probe'
    check = shlex.join((*environment.argv, str(PROBE)))
    return (
        "(umask 077\n"
        f"{{ {check}; printf '\\nexit=%s\\n' \"$?\"; }} >{report}.tmp 2>&1 </dev/null\n"
        f"mv -f {report}.tmp {report})\n"
        f'[ "$(tail -n 1 {report})" = exit=0 ] || exit 1\n'
    )


def examine(environment: Environment, result: CommandResult) -> Probed:
    """Return what the check of an environment has found.

    Raises
    ------
    EnvironmentUnusable
        It cannot run Dask; the message has the command that was tried, what it printed, and what to do.
    """
    return _judge(environment, result.exit_code, result.stdout, result.words)


def examine_report(environment: Environment, report: str) -> Probed | None:
    """Return what a job's check of its environment has found, or None while its report is incomplete.

    Raises
    ------
    EnvironmentUnusable
        As `examine`.
    """
    printed, _, end = report.rstrip().rpartition("\n")
    match = _EXIT.match(end)
    return _judge(environment, int(match[1]), printed, printed.strip()) if match else None


def check_notebook(environment: Environment, found: Probed) -> None:
    """Raise `EnvironmentUnusable` if an environment that could be checked cannot execute notebooks."""
    missing = [name for name in ("nbconvert", "ipykernel") if found.versions and name not in found.versions]
    if missing:
        raise EnvironmentUnusable(
            f"The environment “{environment.label}” cannot execute notebooks: it lacks {' and '.join(missing)}. "
            "Install that there, choose another environment, or run a Python script."
        )


def unusable(environment: Environment, error: BatchError) -> EnvironmentUnusable:
    """Return the error for an environment whose command could not be started or timed out."""
    what = "does not exist or cannot be run" if isinstance(error, CommandMissing) else "did not finish in time"
    return EnvironmentUnusable(
        f"The environment “{environment.label}” cannot be started: its command {what}. Repair it, or choose another "
        f"one. {_tried(environment)}"
    )


def _judge(environment: Environment, exit_code: int, stdout: str, words: str) -> Probed:
    label, tried = environment.label, _tried(environment)
    versions = _versions(stdout)
    if versions is None and _UNREADABLE in words:
        raise EnvironmentUnusable(
            f"The environment “{label}” cannot read the files of hpcdask-ext in {PROBE.parent}: let its container see "
            f"that directory, or choose another environment. {tried}"
        )
    if versions is None and exit_code != 0:
        raise EnvironmentUnusable(
            f"The environment “{label}” cannot be started (exit code {exit_code}). Repair it, or choose another one. "
            f"{tried}\nIt printed: {words[-_SHOWN:] or 'nothing'}"
        )
    if versions is None:
        raise EnvironmentUnusable(
            f"The environment “{label}” does not run Python. Choose another one. {tried}\n"
            f"It printed: {stdout[-_SHOWN:]!r}"
        )
    if wrong := _too_old(versions):
        raise EnvironmentUnusable(
            f"The environment “{label}” {wrong}. Install that there, or choose another environment. {tried}\n"
            f"It printed: {stdout.strip()[-_SHOWN:]}"
        )
    return Probed(versions, (*_lacks_bokeh(versions, label), *vulnerability_warnings(versions, label)))


def _versions(stdout: str) -> dict[str, str] | None:
    """Return the versions that the check has printed, whatever a wrapper printed around them, or None."""
    for line in reversed(stdout.strip().splitlines()):
        try:
            versions = json.loads(line)["versions"]
            return {str(name): str(version) for name, version in versions.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


def _too_old(versions: Mapping[str, str]) -> str:
    """Return what an environment lacks and what it needs instead, if anything."""
    python, distributed = versions.get("python", ""), versions.get("distributed")
    needed = f"distributed {'.'.join(map(str, MINIMUM))} or later is needed"
    if python and numbers(python) < MINIMUM_PYTHON:
        return f"has Python {python}, but {'.'.join(map(str, MINIMUM_PYTHON))} or later is needed"
    if distributed is None:
        return f"lacks the package “distributed”; {needed}"
    # The version of a development version may be unknown.
    is_old = numbers(distributed) and numbers(distributed) < MINIMUM
    return f"has distributed {distributed}, but {needed}" if is_old else ""


def _lacks_bokeh(versions: Mapping[str, str], label: str) -> tuple[str, ...]:
    if "bokeh" in versions:
        return ()
    return (f"“{label}” lacks the package “bokeh”: the cluster works, but without dashboards. Install it there.",)


def _tried(environment: Environment) -> str:
    return f"Tried: {shlex.join(probe(environment).argv)}"

"""The command line: one subcommand for each act."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from hpcdask_ext.cli import import_jobqueue, run
from hpcdask_ext.errors import HPCDaskError, InvalidRequest

USAGE = 2
"""The exit code for a command line that is wrong, or a launch that is refused before anything is submitted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        "jupyter hpcdask", description="Dask clusters on whatever your computing centre has."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run.add_to(commands)
    import_jobqueue.add_to(commands)
    options = parser.parse_args(arguments)
    try:
        return int(options.act(options))
    except InvalidRequest as error:
        for entry in error.errors:
            print(f"{parser.prog}: {entry.field}: {entry.message}", file=sys.stderr)
    except HPCDaskError as error:
        print(f"{parser.prog}: {error.message}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())

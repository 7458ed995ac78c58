"""`jupyter hpcdask import-jobqueue`: a site file from what a centre has configured for dask-jobqueue."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hpcdask_ext.errors import FieldError, InvalidRequest
from hpcdask_ext.sites.dask_config import dask_config_files, read_config
from hpcdask_ext.sites.jobqueue import import_jobqueue, site_yaml

_EPILOG = """
The site file goes to standard output, and what could not be taken over to standard error. Put the file in
hpcdask/sites.d/ below one of the directories that `jupyter --paths` lists under config.
"""


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "import-jobqueue", help="make a site file from dask-jobqueue's configuration", epilog=_EPILOG
    )
    parser.add_argument("files", nargs="*", type=Path, help="YAML files (default: where Dask looks for them)")
    parser.add_argument("--section", help="the section, such as slurm (default: the only one with cores and memory)")
    parser.add_argument("--batch-system", help="which of dask-jobqueue's sections it is like, if its name is another")
    parser.add_argument("--output", type=Path, help="write the site file there; an existing file is not overwritten")
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Write the site file; return the exit code."""
    config = read_config(options.files or dask_config_files())
    imported = import_jobqueue(config, options.section, options.batch_system)
    text = site_yaml(imported.site)
    if options.output is None:
        sys.stdout.write(text)
    else:
        _write(options.output, text)
    for note in imported.notes:
        print(f"Note: {note}", file=sys.stderr)
    return 0


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InvalidRequest([FieldError("output", f"{path} exists already: choose another name")]) from None
    except OSError as error:
        raise InvalidRequest([FieldError("output", f"{path} cannot be written: {error.strerror}")]) from error

"""Runs one command of a fake batch system: ``run.py SYSTEM PROGRAM ARGUMENTS...``. It starts fast (`-I -S`)."""

from __future__ import annotations

import sys
from importlib import import_module

sys.path.insert(0, __file__.rsplit("/", 3)[0])

from tests.fakes.engine import main

if __name__ == "__main__":
    sys.exit(main(import_module(f"tests.fakes.{sys.argv[1]}"), sys.argv[2], sys.argv[3:]))

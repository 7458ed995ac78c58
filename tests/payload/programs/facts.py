"""Prints what a program sees of how it was started."""

import json
import os
import random
import signal
import sys
import tempfile
import threading
from pathlib import Path

print(os.getpid(), file=sys.stderr, flush=True)
umask = os.umask(0)
os.umask(umask)
facts = {
    "name": __name__,
    "python": sys.executable,
    "arguments": sys.argv,
    "variables": dict(os.environ),
    "directory": str(Path.cwd()),
    "path": sys.path,
    "umask": umask,
    "temporary": tempfile.gettempdir(),
    "is_main_thread": threading.current_thread() is threading.main_thread(),
    "signals": [str(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)],
    "leads_a_session": os.getsid(0) == os.getpid(),
    "input": sys.stdin.read(),
}
if sys.argv[1:] == ["color"]:
    import dask

    facts["color"] = dask.config.get("warm-test.color", None)
if sys.argv[1:] == ["random"]:
    facts["random"] = random.random()
json.dump(facts, sys.stdout)

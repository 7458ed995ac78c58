"""Ends in the way that its arguments say."""

import atexit
import os
import signal
import sys

print(os.getpid(), file=sys.stderr, flush=True)
print("out")
print("err", file=sys.stderr)
how, what = sys.argv[1:]
if how == "exit":
    sys.exit(int(what))
elif how == "say":
    sys.exit(what)
elif how == "raise":
    raise ValueError(what)
elif how == "at the end":
    atexit.register(print, what)
elif how == "signal":
    sys.stdout.flush()
    os.kill(os.getpid(), signal.Signals[what])

"""Says its number, then those of the signals named in its arguments; ends after as many as the first one says."""

import os
import signal
import sys

got: list[int] = []


def say(number: int) -> None:
    os.write(1, b"%d\n" % number)  # print must not be called within print, where a signal may come


def note(number: int, frame: object) -> None:
    got.append(number)
    say(number)


for name in sys.argv[2:]:
    signal.signal(signal.Signals[name], note)
say(os.getpid())
while len(got) < int(sys.argv[1]):
    signal.sigtimedwait([], 0.05)
sys.exit(7)

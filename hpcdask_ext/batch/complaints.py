"""What failed commands say: whether a batch system refuses something, or could not be asked."""

from __future__ import annotations

import re
from collections.abc import Callable

from hpcdask_ext.batch.records import CommandResult
from hpcdask_ext.errors import BatchRefused, BatchUnreachable

# What ssh and the network say, whatever the command.
_NETWORK = (
    r"connection (refused|timed out|reset|closed)|no route to host|network is unreachable|could not resolve"
    r"|temporarily un|^ssh: |host key verification failed|permission denied \(|kex_exchange"
)


class Complaints:
    """How the commands of one batch system complain.

    Parameters
    ----------
    title
        Its name for people.
    unreachable
        A pattern of what they say, in whatever case, where it cannot be asked; what ssh and the network say is known.
    cleaned
        Returns what was printed without what is of no use to people.
    """

    def __init__(self, title: str, unreachable: str, cleaned: Callable[[str], str]) -> None:
        self._title = title
        self._unreachable = re.compile(f"{unreachable}|{_NETWORK}", re.IGNORECASE | re.MULTILINE)
        self._cleaned = cleaned

    def check(self, result: CommandResult, complaint: str) -> None:
        """Raise the right error if a command failed; `complaint` says what was not done (`did not list the jobs`)."""
        if result.exit_code == 0:
            return
        told = self._cleaned(result.words)
        words = "; ".join(dict.fromkeys(line.strip() for line in told.splitlines() if line.strip()))
        words = words or f"exit code {result.exit_code}, no output"
        if self._unreachable.search(told):
            raise BatchUnreachable(f"{self._title} could not be asked: {words}")
        raise BatchRefused(f"{self._title} {complaint}: {words}")

    def check_cancelled(self, result: CommandResult, harmless: re.Pattern[str]) -> None:
        """Raise the right error if something was not cancelled; what `harmless` finds is said of what has ended."""
        lines = [line for line in result.words.splitlines() if line.strip() and not harmless.search(line)]
        if lines or not result.words:
            self.check(CommandResult(result.argv, result.exit_code, "", "\n".join(lines)), "did not cancel everything")

"""A batch system that is a conversation: it answers as a Slurm would, and writes down what it was asked."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

from hpcdask_ext.batch.records import Command, CommandResult

SITE = """
name: centre
batch_system: slurm
interface: lo
scheduler: {place: job}
queues: [{name: regular, limits: {workers: 64}}]
sizes: [{name: small, workers: 2, cores: 1, memory: 1 GiB, walltime: "01:00:00"}]
accounts: [science]
"""
SPECS = {"python3": {"spec": {"argv": ["python3", "-m", "ipykernel_launcher"], "display_name": "Python 3"}}}
HEADING = "hpcdask|JOBID|STATE|START_TIME|NODELIST|NAME|REASON\n"


class Batch:
    """A runner that answers as a Slurm would, and writes down what it was asked.

    `counts` has the number of elements of each job by its name, `cancelled` what was to be cancelled.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.counts: dict[str, int] = {}
        self.cancelled: list[str] = []
        self.versions = {"distributed": "2026.8.0", "bokeh": "3.9.2"}
        self.errors: dict[str, Exception] = {}
        self.refusals: dict[str, str] = {}
        self.jobs: dict[str, str] = {}
        self.hold = asyncio.Event()
        self.hold.set()

    def behind(self, command_prefix: tuple[str, ...]) -> Batch:
        return self

    async def run(self, command: Command) -> CommandResult:
        words = [Path(word).name for word in command.argv]
        known = ("sbatch", "squeue", "scancel", "sinfo", "probe.py", "local_jobs.py")
        program = next((name for name in known if name in words), words[0])
        self.asked.append(program)
        await self.hold.wait()
        if program in self.errors:
            raise self.errors[program]
        if program in self.refusals:
            return CommandResult(command.argv, 1, "", self.refusals[program])
        return CommandResult(command.argv, 0, self._answer(program, command), "")

    def _answer(self, program: str, command: Command) -> str:
        if program == "probe.py":
            return json.dumps({"python": "3.11", "versions": self.versions})
        if "--test-only" in command.argv:
            return ""
        if program == "sbatch":
            number = str(len(self.counts) + 1)
            name = self.jobs[number] = re.search(r"--job-name=(\S+)", command.stdin)[1]
            array = re.search(r"--array=1-(\d+)", command.stdin)
            self.counts[name] = int(array[1]) if array else 1
            return f"{number}\n"
        if program == "scancel":
            for word in command.argv[command.argv.index("scancel") + 1 :]:
                self.cancelled.append(word)
                self.jobs.pop(word, None)
            return ""
        lines = (
            f"hpcdask|{number}_[1-{self.counts.get(name, 2)}]|PENDING|N/A||{name}|Priority\n"
            for number, name in self.jobs.items()
        )
        return HEADING + "".join(lines)


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "waited in vain"
        await asyncio.sleep(0.02)

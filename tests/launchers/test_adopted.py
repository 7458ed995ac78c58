"""Clusters of others: what is asked of their schedulers, and what the answers mean. (tests/adopted asks real ones.)"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.batch.records import Command, CommandResult, JobElements
from hpcdask_ext.clusters.models import TLSFiles
from hpcdask_ext.errors import BatchUnreachable, CommandTimeout, SchedulerUnreachable, TLSRefused, WrongState
from hpcdask_ext.launchers.adopted import AdoptedLauncher, Attached, attach_command, read_attached
from tests.conftest import record

ADDRESS = "tcp://10.0.0.1:8786"
STARTED = datetime.fromtimestamp(1.7e9, timezone.utc)
TOLD = {"type": "Scheduler", "id": "Scheduler-1", "address": ADDRESS, "started": 1.7e9, "services": {"dashboard": 8787}}
FILES = TLSFiles(ca=Path("/tls/ca.pem"), certificate=Path("/tls/cert.pem"))


class Runner:
    """Answers every command in the same way, and keeps them."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer, self.commands = answer, list[Command]()

    async def run(self, command: Command) -> CommandResult:
        self.commands.append(command)
        if isinstance(self.answer, Exception):
            raise self.answer
        return result(self.answer)

    def behind(self, command_prefix: object) -> Runner:
        return self


def result(stdout: str, stderr: str = "") -> CommandResult:
    return CommandResult(("attach",), 0, stdout, stderr)


def test_addresses_and_paths_are_arguments_and_nothing_else() -> None:
    command = attach_command("identity", ADDRESS, FILES)
    assert command.argv[2:] == ("--ca", "/tls/ca.pem", "--certificate", "/tls/cert.pem", "identity", ADDRESS)
    assert (command.stdin, dict(command.environment)) == (None, {})
    assert attach_command("shutdown", ADDRESS, None).argv[2:] == ("shutdown", ADDRESS)
    assert attach_command("shutdown", ADDRESS, None, "-id").argv[2:] == ("--known=-id", "shutdown", ADDRESS)


@pytest.mark.parametrize(("services", "port"), [({"dashboard": 8787}, 8787), ({}, None), (None, None)])
async def test_a_scheduler_says_what_it_is(services: Any, port: int | None) -> None:
    runner = Runner(json.dumps({**TOLD, "services": services}))
    assert await AdoptedLauncher(runner, None).identify(ADDRESS) == Attached("Scheduler-1", ADDRESS, STARTED, port)


@pytest.mark.parametrize("error", ["host", "refused", "silent", "web", "plain", "foreign", "a new word"])
def test_each_failure_has_a_sentence_with_the_address_and_the_words(error: str) -> None:
    with pytest.raises(SchedulerUnreachable) as caught:
        read_attached(ADDRESS, result(json.dumps({"error": error, "words": "[Errno 1] no"})))
    assert ADDRESS in caught.value.message
    assert caught.value.message.endswith(" ([Errno 1] no).")


@pytest.mark.parametrize(("error", "part"), [("encrypted", "ca"), ("ca", "ca"), ("certificate", "certificate")])
def test_tls_files_that_do_not_fit_are_named(error: str, part: str) -> None:
    with pytest.raises(TLSRefused) as caught:
        read_attached(ADDRESS, result(json.dumps({"error": error, "words": "x"})))
    assert caught.value.part == part


@pytest.mark.parametrize("printed", ["", "[]", "null", "{}", '{"type": "Scheduler"}', '{"error": "host"}', "Traceback"])
def test_what_is_no_answer_is_told_in_its_last_line(printed: str) -> None:
    with pytest.raises(SchedulerUnreachable, match="could not be asked"):
        read_attached(ADDRESS, result(printed, "Traceback\nImportError: no distributed"))


async def test_a_process_that_hangs_is_a_scheduler_that_does_not_answer() -> None:
    launcher = AdoptedLauncher(Runner(CommandTimeout("attach.py did not answer within 25 s.")), None)
    with pytest.raises(SchedulerUnreachable, match="within 25 s"):
        await launcher.identify(ADDRESS)


async def test_to_cancel_shuts_the_scheduler_down_with_the_clusters_files() -> None:
    runner = Runner(json.dumps(TOLD))
    await AdoptedLauncher(runner, FILES).cancel("elsewhere", [JobElements(ADDRESS)])
    (command,) = runner.commands
    assert command.argv[-2:] == ("shutdown", ADDRESS)
    assert "/tls/ca.pem" in command.argv


async def test_one_that_goes_on_is_not_taken_for_ended() -> None:
    runner = Runner(json.dumps({"error": "silent", "words": "it goes on running"}))
    with pytest.raises(BatchUnreachable, match="it goes on running"):
        await AdoptedLauncher(runner, None).cancel("elsewhere", [JobElements(ADDRESS)])


async def test_nothing_can_be_launched_or_asked_for(tmp_path: Path) -> None:
    launcher, cluster = AdoptedLauncher(Runner(""), None), record(tmp_path, kind="adopted")
    assert await launcher.query("elsewhere") == ()
    with pytest.raises(WrongState):
        launcher.first_jobs(cluster)
    for act in (launcher.prepare(cluster), launcher.scale(cluster, cluster.main.scaling)):
        with pytest.raises(WrongState):
            await act

"""The runner, with real processes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from hpcdask_ext.batch import runner as runner_module
from hpcdask_ext.batch.records import Command
from hpcdask_ext.batch.runner import ProcessRunner, clean_environment, program
from hpcdask_ext.errors import BatchUnreachable, CommandMissing, CommandTimeout, NotUnderstood


def shell(text: str, stdin: str | None = None, timeout: float = 10) -> Command:
    return Command(("/bin/sh", "-c", text), stdin=stdin, timeout=timedelta(seconds=timeout))


def ended(pid: int) -> bool:
    """Say whether a process has ended, also where nobody collects it."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


async def until(condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail("nothing happened within 10 s")


async def test_answers_are_complete_whatever_the_exit_code() -> None:
    result = await ProcessRunner().run(shell("cat; echo oops >&2; exit 3", stdin="Ünïcode"))
    assert (result.exit_code, result.stdout, result.stderr) == (3, "Ünïcode", "oops\n")
    assert result.words == "oops"


async def test_input_that_nobody_reads_does_no_harm() -> None:
    assert (await ProcessRunner().run(shell("exit 0", stdin="x" * 2**20))).exit_code == 0


async def test_output_that_is_no_text_is_read_all_the_same() -> None:
    assert (await ProcessRunner().run(shell(r"printf 'a\377b'"))).stdout == "a\ufffdb"


async def test_a_megabyte_arrives() -> None:
    result = await ProcessRunner().run(shell("head -c 2000000 /dev/zero | tr '\\0' x"))
    assert len(result.stdout) == 2_000_000


async def test_a_timeout_kills_the_whole_group(tmp_path: Path) -> None:
    command = shell(
        f"sleep 60 & echo $! >{tmp_path}/child; echo $$ >{tmp_path}/leader; trap '' TERM; wait", timeout=0.5
    )
    begin = time.monotonic()
    with pytest.raises(CommandTimeout, match=r"sh did not answer within 0\.5 s"):
        await ProcessRunner().run(command)
    assert time.monotonic() - begin < 3
    for name in ("child", "leader"):
        pid = int((tmp_path / name).read_text())
        await until(lambda pid=pid: ended(pid))


async def test_being_cancelled_kills_the_command(tmp_path: Path) -> None:
    task = asyncio.create_task(ProcessRunner().run(shell(f"echo $$ >{tmp_path}/pid; exec sleep 60")))
    await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: ended(int((tmp_path / "pid").read_text())))


async def test_a_daemon_that_keeps_the_output_open_is_not_waited_for(tmp_path: Path) -> None:
    begin = time.monotonic()
    result = await ProcessRunner().run(shell(f"sleep 30 & echo $! >{tmp_path}/pid; echo done"))
    assert result.stdout == "done\n"
    assert time.monotonic() - begin < 5
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 9)


async def test_too_much_output_is_no_answer() -> None:
    begin = time.monotonic()
    with pytest.raises(NotUnderstood, match="more than 4 MiB"):
        await ProcessRunner().run(shell("yes"))
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("argv", [("no-such-sbatch", "--x"), ("env", "-u", "A", "B=1", "no-such-sbatch")])
@pytest.mark.parametrize("prefix", [(), ("env", "C=1")])
async def test_a_missing_command_is_named(argv: tuple[str, ...], prefix: tuple[str, ...]) -> None:
    with pytest.raises(CommandMissing, match=r"^no-such-sbatch could not be started: .*PATH") as caught:
        await ProcessRunner(prefix).run(Command(argv))
    assert isinstance(caught.value, BatchUnreachable)


async def test_a_missing_prefix_and_a_file_that_is_no_program_are_named(tmp_path: Path) -> None:
    with pytest.raises(CommandMissing, match=r"^no-such-ssh could not"):
        await ProcessRunner(["no-such-ssh", "login1"]).run(Command(("squeue",)))
    (tmp_path / "squeue").touch()
    with pytest.raises(CommandMissing, match="squeue could not"):
        await ProcessRunner().run(Command((str(tmp_path / "squeue"),)))


async def test_no_shell_is_between_also_behind_ssh(tmp_path: Path) -> None:
    """A remote shell reads what ssh hands over: the fake one here does the same."""
    fake = tmp_path / "ssh"
    fake.write_text('#!/bin/sh\nshift\nexec sh -c "$*"\n')
    fake.chmod(0o700)
    hostile = ("printf", "%s;", "$(echo FIRED)", "a|b", "it's", "two words", "11_[1-3]")
    for prefix in ((), ("env",), (str(fake), "login1")):
        result = await ProcessRunner(prefix).run(Command(hostile))
        assert result.stdout == "$(echo FIRED);a|b;it's;two words;11_[1-3];"


async def test_the_environment_of_a_command_reaches_it_behind_a_prefix_too() -> None:
    command = Command(("sh", "-c", 'printf "%s" "$VALUE"'), environment={"VALUE": "a b", "GREETING_TOKEN": "t"})
    for prefix in ((), ("env", "-u", "VALUE")):
        assert (await ProcessRunner(prefix).run(command)).stdout == "a b"


async def test_only_so_many_run_at_once(tmp_path: Path) -> None:
    runner = ProcessRunner()
    count = f"touch {tmp_path}/$$; ls {tmp_path} | wc -l; sleep 0.2; rm {tmp_path}/$$"
    results = await asyncio.gather(*(runner.run(shell(count)) for _ in range(10)))
    assert max(int(result.stdout) for result in results) <= runner_module.COMMANDS_AT_ONCE


async def test_the_event_loop_stays_responsive() -> None:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            begin = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - begin)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(ProcessRunner().run(shell("sleep 0.5; head -c 3000000 /dev/zero")) for _ in range(4)))
    watching.cancel()
    assert longest < 0.3


async def test_jobs_inherit_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "s3cret")
    monkeypatch.setenv("KEPT", "yes")
    result = await ProcessRunner().run(Command((sys.executable, "-c", "import os; print(dict(os.environ))")))
    assert "s3cret" not in result.stdout
    assert "'KEPT': 'yes'" in result.stdout


def test_what_is_a_secret() -> None:
    secrets = (
        *("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "JUPYTER_TOKEN", "CONFIGPROXY_AUTH_TOKEN", "GITHUB_TOKEN", "TOKEN"),
        *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "JUPYTERHUB_COOKIE_SECRET", "DB_PASSWORD", "PGPASSWORD"),
        *("OPENAI_API_KEY", "HF_token", "MYSQL_PASSWD", "JUPYTERHUB_CRYPT_SECRET"),
    )
    of_this_job = ("SLURM_JOB_ID", "SLURM_MEM_PER_CPU", "PMIX_RANK", "HPCDASK_JOB", "HPCDASK_INDEX")
    kept = (
        *("PATH", "HOME", "USER", "PWD", "OLDPWD", "SSH_AUTH_SOCK", "KRB5CCNAME", "TOKENIZERS_PARALLELISM", "KEYMAP"),
        *("SLURM_CONF", "SLURM_CLUSTERS", "SBATCH_ACCOUNT", "GOOGLE_APPLICATION_CREDENTIALS", "LD_LIBRARY_PATH"),
    )
    cleaned = clean_environment(dict.fromkeys((*secrets, *of_this_job, *kept), "x"))
    assert set(cleaned) == {*kept, "LC_ALL"}
    assert cleaned["LC_ALL"] == "C.UTF-8"


def test_the_program_of_a_command() -> None:
    assert program(("env", "-u", "A", "-u", "B", "C=%s", "/usr/bin/squeue", "--format=x")) == "squeue"
    assert program(("sbatch", "--parsable")) == "sbatch"
    assert program(("env",)) == "env"

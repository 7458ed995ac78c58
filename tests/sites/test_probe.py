"""Checking an environment: for real where it can be, with recorded answers elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from hpcdask_ext.batch.records import CommandResult
from hpcdask_ext.batch.runner import ProcessRunner
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.errors import CommandMissing, EnvironmentUnusable, HPCDaskError
from hpcdask_ext.sites.probe import PROBE, Probed, examine, examine_report, probe, probe_in_job, unusable

HERE = Environment(name="here", title="Here", argv=(sys.executable,))
GOOD = {"python": "3.11.2", "distributed": "2026.8.0", "bokeh": "3.9.2", "tornado": "6.6.1"}


async def look(chosen: Environment) -> Probed:
    """Check an environment for real."""
    return examine(chosen, await ProcessRunner().run(probe(chosen)))


def check_in_job(chosen: Environment, folder: Path) -> tuple[int, str]:
    """Check an environment as a job does; return the exit code of its shell and the report."""
    script = probe_in_job(chosen, folder / "scheduler") + "echo Dask starts"
    command = ["/bin/sh", "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={"HPCDASK_INDEX": "1"})
    assert (ended.stdout == "Dask starts\n") == (ended.returncode == 0)
    report = folder / "scheduler.1.probe"
    assert report.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir() if path.name.startswith("scheduler")] == [report.name]
    return ended.returncode, report.read_text()


def package(folder: Path, name: str, version: str | None) -> None:
    """Make an importable package, with metadata if it has a version."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("raise ImportError('nobody has to import this')")
    if version is not None:
        metadata = folder / f"{name}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


async def test_an_environment_with_distributed_and_bokeh_is_good_and_tells_its_versions() -> None:
    from importlib.metadata import version

    found = await look(HERE)
    assert found.warnings == ()
    assert found.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {name: found.versions[name] for name in ("dask", "distributed", "bokeh", "tornado", "msgpack", "toolz")} == {
        name: version(name) for name in ("dask", "distributed", "bokeh", "tornado", "msgpack", "toolz")
    }


def test_a_job_finds_the_same_and_goes_on(tmp_path: Path) -> None:
    code, report = check_in_job(HERE, tmp_path)
    assert code == 0
    found = examine_report(HERE, report)
    assert found is not None
    assert (found.warnings, "distributed" in found.versions) == ((), True)


async def test_the_look_sees_the_variables_of_the_environment_and_imports_nothing(tmp_path: Path) -> None:
    package(tmp_path, "distributed", "2024.1.2")
    chosen = Environment(name="here", argv=(sys.executable,), env={"PYTHONPATH": str(tmp_path)})
    assert (await look(chosen)).versions["distributed"] == "2024.1.2"


async def test_a_package_without_metadata_is_there_with_an_unknown_version(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    package(tmp_path / "source", "distributed", None)
    python = str(tmp_path / "bare" / "bin" / "python")
    chosen = Environment(name="bare", argv=(python,), env={"PYTHONPATH": str(tmp_path / "source")})
    assert (await look(chosen)).versions["distributed"] == ""


async def test_an_environment_without_distributed_is_refused_with_what_was_tried_and_printed(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / "bin" / "python"
    bare = Environment(name="bare", title="Bare", argv=(str(python),))
    with pytest.raises(EnvironmentUnusable) as on_host:
        await look(bare)
    message = on_host.value.message
    assert "“Bare” lacks the package “distributed”; distributed 2023.5 or later is needed." in message
    assert "Install that there, or choose another environment." in message
    assert f"Tried: {python} {PROBE}" in message
    assert '"versions": {"python": "3.' in message
    code, report = check_in_job(bare, tmp_path)
    assert code == 1
    with pytest.raises(EnvironmentUnusable) as in_job:
        examine_report(bare, report)
    assert in_job.value.message == message


@pytest.mark.parametrize("version", ["2023.4.1", "2022.10.0", "2.30.1"])
async def test_a_distributed_that_is_too_old_is_named_with_what_is_needed(tmp_path: Path, version: str) -> None:
    package(tmp_path / "packages", "distributed", version)
    chosen = Environment(
        name="old", title="Old", argv=(sys.executable,), env={"PYTHONPATH": str(tmp_path / "packages")}
    )
    with pytest.raises(EnvironmentUnusable) as caught:
        await look(chosen)
    assert f"“Old” has distributed {version}, but distributed 2023.5 or later is needed." in caught.value.message
    assert (await ProcessRunner().run(probe(chosen))).exit_code == 3, "the shell of a job sees it, too"


def test_a_python_that_is_too_old_is_named() -> None:
    with pytest.raises(EnvironmentUnusable, match=r"“Here” has Python 3\.6\.15, but 3\.9 or later is needed"):
        examine(HERE, answer(json.dumps({"versions": {"python": "3.6.15", "distributed": ""}}), exit_code=3))


async def test_an_interpreter_that_does_not_exist_is_the_environments_fault_and_not_the_batch_systems(
    tmp_path: Path,
) -> None:
    environment = Environment(name="gone", argv=("/opt/no/such/python",))
    with pytest.raises(CommandMissing) as caught:
        await look(environment)
    message = unusable(environment, caught.value).message
    assert "batch system" not in message
    assert "does not exist" in message
    assert "Tried: /opt/no/such/python" in message
    code, report = check_in_job(environment, tmp_path)
    assert code == 1
    with pytest.raises(HPCDaskError, match=r"“gone” cannot be started \(exit code 127\)") as in_job:
        examine_report(environment, report)
    assert "/opt/no/such/python" in in_job.value.message


async def test_a_program_that_prints_something_else_is_no_python(tmp_path: Path) -> None:
    path = program(tmp_path / "python", "echo Welcome to the container, $USER")
    with pytest.raises(EnvironmentUnusable) as caught:
        await look(Environment(name="odd", title="Odd", argv=(path,)))
    assert "“Odd” does not run Python" in caught.value.message
    assert f"Tried: {path}" in caught.value.message
    assert "Welcome to the container" in caught.value.message


async def test_a_program_that_fails_is_told_with_its_exit_code_and_its_own_words(tmp_path: Path) -> None:
    path = program(tmp_path / "shifter", "echo 'no such image: x' >&2; exit 4")
    chosen = Environment(name="c", title="Container", argv=(path, "--image=x", "python"))
    with pytest.raises(EnvironmentUnusable) as caught:
        await look(chosen)
    assert "“Container” cannot be started (exit code 4)" in caught.value.message
    assert f"Tried: {path} --image=x python {PROBE}" in caught.value.message
    assert "no such image: x" in caught.value.message
    _, report = check_in_job(chosen, tmp_path)
    with pytest.raises(EnvironmentUnusable) as in_job:
        examine_report(chosen, report)
    assert in_job.value.message == caught.value.message


async def test_a_container_that_does_not_see_our_files_is_told_so(tmp_path: Path) -> None:
    path = program(tmp_path / "python", f'exec {sys.executable} "/hidden$1"')
    with pytest.raises(EnvironmentUnusable) as caught:
        examine(HERE, answer("", 2, f"{path}: can't open file '{PROBE}': [Errno 2] No such file or directory"))
    assert f"“Here” cannot read the files of hpcdask-ext in {PROBE.parent}" in caught.value.message


async def test_what_a_wrapper_prints_around_the_answer_does_no_harm(tmp_path: Path) -> None:
    text = f'echo "Loading modules: geo/2026"\n{sys.executable} "$@"\ncode=$?\necho Bye; exit $code'
    chosen = Environment(name="w", argv=(program(tmp_path / "wrapper", text),))
    assert "distributed" in (await look(chosen)).versions
    code, report = check_in_job(chosen, tmp_path)
    assert code == 0
    assert "distributed" in examine_report(chosen, report).versions  # type: ignore[union-attr]


def test_a_report_that_is_not_all_there_says_nothing_yet() -> None:
    assert examine_report(HERE, "") is None
    assert examine_report(HERE, json.dumps({"versions": GOOD})) is None
    assert examine_report(HERE, "Loading\n") is None


def answer(stdout: str, exit_code: int = 0, stderr: str = "") -> CommandResult:
    return CommandResult(("python", "..."), exit_code, stdout, stderr)


def test_without_bokeh_the_cluster_works_and_the_user_is_told() -> None:
    versions = {name: version for name, version in GOOD.items() if name != "bokeh"}
    (warning,) = examine(HERE, answer(json.dumps({"versions": versions}))).warnings
    assert "“Here” lacks the package “bokeh”" in warning


def test_known_vulnerabilities_are_warnings() -> None:
    versions = GOOD | {"distributed": "2025.12.0"}
    (warning,) = examine(HERE, answer(json.dumps({"versions": versions}))).warnings
    assert "CVE-2026-23528" in warning
    assert "“Here”" in warning


@pytest.mark.parametrize(
    "stdout",
    ["", "\n", "5", "[]", "null", "{}", '"versions"', '{"versions": {}} !', '{"versions": []}', '{"versions": {}}'],
)
def test_an_answer_that_nobody_can_read_is_a_refusal_and_no_crash(stdout: str) -> None:
    with pytest.raises(EnvironmentUnusable, match="Here"):
        examine(HERE, answer(stdout))


def test_much_that_was_printed_is_cut_to_its_end() -> None:
    with pytest.raises(EnvironmentUnusable) as caught:
        examine(HERE, answer("x" * 100_000 + "the end", exit_code=1))
    assert "the end" in caught.value.message
    assert len(caught.value.message) < 2000

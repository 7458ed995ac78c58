"""The environments of kernels, and the look into one: for real where it can be, with recorded answers elsewhere."""

from __future__ import annotations

import json
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.batch.base import CommandResult
from hpcdask_ext.batch.runner import ProcessRunner
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.errors import CommandMissing, EnvironmentUnusable, HPCDaskError
from hpcdask_ext.sites.environment import check_probe, kernel_environments, probe, unusable

SHIFTER = ("/opt/shifter", "--image=x", "python")
HERE = Environment(name="here", title="Here", argv=(sys.executable,))


def spec(*argv: str, **more: Any) -> dict[str, Any]:
    """Return one entry of what `KernelSpecManager.get_all_specs` returns."""
    return {"resource_dir": "/r", "spec": {"argv": list(argv), "display_name": "A kernel", "language": "x", **more}}


def environment(*argv: str, **more: Any) -> Environment:
    (found,) = kernel_environments({"k": spec(*argv, **more)})
    return found


async def look(chosen: Environment) -> tuple[str, ...]:
    """Look into an environment for real; return the warnings."""
    return check_probe(chosen, await ProcessRunner().run(probe(chosen)))


@pytest.mark.parametrize(
    ("argv", "prefix"),
    [
        (("python", "-m", "ipykernel_launcher", "-f", "{connection_file}"), (sys.executable,)),
        (("python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"), (sys.executable,)),
        (("/opt/geo/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"), ("/opt/geo/bin/python",)),
        (("/opt/geo/bin/python", "-m", "ipykernel", "-f", "{connection_file}"), ("/opt/geo/bin/python",)),
        (("/p", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "x"), ("/p", "-Xfrozen_modules=off")),
        ((*SHIFTER, "-m", "ipykernel_launcher", "-f", "{connection_file}"), SHIFTER),
        (
            ("conda", "run", "-n", "geo", "python", "-m", "ipykernel_launcher", "-f", "{connection_file}"),
            ("conda", "run", "-n", "geo", "python"),
        ),
    ],
)
def test_what_stands_before_ipykernel_is_the_prefix_of_a_launch(argv: tuple[str, ...], prefix: tuple[str, ...]) -> None:
    assert environment(*argv).argv == prefix


@pytest.mark.parametrize(
    "argv",
    [
        ("R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"),
        ("python", "-m", "bash_kernel", "-f", "{connection_file}"),
        ("python", "/opt/run.py", "ipykernel_launcher"),
        ("-m", "ipykernel_launcher"),
        (),
    ],
)
def test_a_kernel_that_does_not_run_ipykernel_is_left_out(argv: tuple[str, ...]) -> None:
    assert kernel_environments({"k": spec(*argv)}) == ()


def test_the_kernel_of_jupyter_itself_comes_first_the_others_by_name() -> None:
    argv = ("python", "-m", "ipykernel_launcher", "-f", "{connection_file}")
    found = kernel_environments({"zeta": spec(*argv), "python3": spec(*argv), "alpha": spec(*argv)})
    assert [entry.name for entry in found] == ["python3", "alpha", "zeta"]
    assert {entry.title for entry in found} == {"A kernel"}
    assert {entry.kind for entry in found} == {"kernel"}


def test_the_variables_of_a_kernel_come_along_with_their_references_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRATCH", "/scratch/alice")
    monkeypatch.delenv("NOT_SET_ANYWHERE", raising=False)
    env = {"PLAIN": "1", "DATA": "${SCRATCH}/data:$SCRATCH", "PRICE": "$$5", "REST": "$NOT_SET_ANYWHERE/x"}
    found = environment("python", "-m", "ipykernel_launcher", "-f", "x", env=env)
    assert found.env == {
        "PLAIN": "1",
        "DATA": "/scratch/alice/data:/scratch/alice",
        "PRICE": "$5",
        "REST": "$NOT_SET_ANYWHERE/x",
    }


async def test_an_environment_with_distributed_and_bokeh_is_good_without_a_word() -> None:
    assert await look(HERE) == ()


async def test_the_look_sees_the_variables_of_the_environment(tmp_path: Path) -> None:
    package = tmp_path / "distributed"
    package.mkdir()
    (package / "__init__.py").touch()
    metadata = tmp_path / "distributed-1.2.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: distributed\nVersion: 1.2.3\n")
    chosen = Environment(name="here", argv=(sys.executable,), env={"PYTHONPATH": str(tmp_path)})
    result = await ProcessRunner().run(probe(chosen))
    assert json.loads(result.stdout)["versions"]["distributed"] == "1.2.3"


async def test_an_environment_without_distributed_is_refused_with_what_was_tried_and_printed(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / "bin" / "python"
    with pytest.raises(EnvironmentUnusable) as caught:
        await look(Environment(name="bare", title="Bare", argv=(str(python),)))
    message = caught.value.message
    assert "“Bare” lacks the package “distributed”. Install it there, or choose another environment." in message
    assert f"Tried: {python} -c ..." in message
    assert '"versions": {}' in message


async def test_an_interpreter_that_does_not_exist_is_named() -> None:
    with pytest.raises(HPCDaskError) as caught:
        await look(Environment(name="gone", argv=("/opt/no/such/python",)))
    assert "/opt/no/such/python" in caught.value.message


async def test_an_interpreter_that_does_not_exist_is_the_environments_fault_and_not_the_batch_systems() -> None:
    environment = Environment(name="gone", argv=("/opt/no/such/python",))
    with pytest.raises(CommandMissing) as caught:
        await look(environment)
    message = unusable(environment, caught.value).message
    assert "batch system" not in message
    assert "does not exist" in message
    assert "Tried: /opt/no/such/python -c" in message


async def test_a_program_that_prints_something_else_is_no_python(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho Welcome to the container, $USER\n")
    program.chmod(0o755)
    with pytest.raises(EnvironmentUnusable) as caught:
        await look(Environment(name="odd", title="Odd", argv=(str(program),)))
    assert "“Odd” does not run Python" in caught.value.message
    assert f"Tried: {program}" in caught.value.message
    assert "Welcome to the container" in caught.value.message


async def test_a_program_that_fails_is_told_with_its_exit_code_and_its_own_words(tmp_path: Path) -> None:
    program = tmp_path / "shifter"
    program.write_text("#!/bin/sh\necho 'no such image: x' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(EnvironmentUnusable) as caught:
        await look(Environment(name="c", title="Container", argv=(str(program), "--image=x", "python")))
    assert "“Container” cannot be started (exit code 3)" in caught.value.message
    assert f"Tried: {program} --image=x python -c ..." in caught.value.message
    assert "no such image: x" in caught.value.message


async def test_what_a_wrapper_prints_before_the_answer_does_no_harm(tmp_path: Path) -> None:
    program = tmp_path / "wrapper"
    program.write_text(f'#!/bin/sh\necho "Loading modules: geo/2026"\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    assert await look(Environment(name="w", argv=(str(program),))) == ()


def answer(stdout: str, exit_code: int = 0) -> CommandResult:
    return CommandResult(("python", "-c", "..."), exit_code, stdout, "")


def test_without_bokeh_the_cluster_works_and_the_user_is_told() -> None:
    (warning,) = check_probe(HERE, answer('{"versions": {"distributed": "2026.8.0"}}'))
    assert "“Here” lacks the package “bokeh”" in warning


@pytest.mark.parametrize(
    "stdout",
    ["", "\n", "5", "[]", "null", "{}", '"versions"', '{"versions": {}} !'],
)
def test_an_answer_that_nobody_can_read_is_a_refusal_and_no_crash(stdout: str) -> None:
    with pytest.raises(EnvironmentUnusable, match="Here"):
        check_probe(HERE, answer(stdout))


def test_much_that_was_printed_is_cut_to_its_end() -> None:
    with pytest.raises(EnvironmentUnusable) as caught:
        check_probe(HERE, answer("x" * 100_000 + "the end", exit_code=1))
    assert "the end" in caught.value.message
    assert len(caught.value.message) < 2000

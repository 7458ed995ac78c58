"""The environments of kernels: from real kernelspecs to what a launch begins with."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.sites.environment import kernel_environments

FILE = "{connection_file}"
LAUNCHER = ("-m", "ipykernel_launcher", "-f", FILE)


def spec(*argv: str, **more: Any) -> dict[str, Any]:
    """Return one entry of what `KernelSpecManager.get_all_specs` returns."""
    return {"resource_dir": "/r", "spec": {"argv": list(argv), "display_name": "A kernel", "language": "x", **more}}


def environment(*argv: str, **more: Any) -> Environment:
    (found,) = kernel_environments({"k": spec(*argv, **more)})
    return found


@pytest.mark.parametrize(
    ("argv", "prefix"),
    [
        (("python", *LAUNCHER), (sys.executable,)),
        (("python3", *LAUNCHER), (sys.executable,)),
        (("/opt/geo/bin/python", *LAUNCHER), ("/opt/geo/bin/python",)),
        (("/opt/geo/bin/python", "-m", "ipykernel", "-f", FILE), ("/opt/geo/bin/python",)),
        (("/p", "-Xfrozen_modules=off", *LAUNCHER), ("/p", "-Xfrozen_modules=off")),
        (("{prefix}/bin/python", *LAUNCHER), (f"{sys.prefix}/bin/python",)),
    ],
)
def test_what_stands_before_ipykernel_is_the_prefix_of_a_launch(argv: tuple[str, ...], prefix: tuple[str, ...]) -> None:
    assert environment(*argv).argv == prefix


WRAPPERS = {
    "conda run (docs.conda.io)": ("conda", "run", "-n", "geo", "--live-stream", "python"),
    "nb_conda_kernels, manager.RUNNER_COMMAND": (
        sys.executable, "-m", "nb_conda_kernels.runner", "/opt/conda", "/opt/conda/envs/geo",
        "/opt/conda/envs/geo/bin/python",
    ),
    "a helper beside kernel.json (docs.nersc.gov, customizing kernels with a helper shell script)": (
        "{resource_dir}/kernel-helper.sh", "python",
    ),
    "Shifter (docs.nersc.gov)": ("shifter", "--image=docker:elvis/geo:1.2", "--module=gpu", "python3"),
    "Singularity (FZJ-JSC/jupyter-jsc-notebooks, install-singularity-jupyter-kernel.sh)": (
        "singularity", "exec", "--cleanenv", "/p/project/geo.sif", "python",
    ),
    "Apptainer (apptainer.org)": ("apptainer", "exec", "--nv", "-B", "/lustre", "/images/geo.sif", "python"),
    "Podman-HPC (NERSC/podman-hpc)": (
        "podman-hpc", "run", "--rm", "--network=host", "-v", "/pscratch:/pscratch", "registry.nersc.gov/geo:1",
        "python",
    ),
    "bubblewrap": ("bwrap", "--dev-bind", "/", "/", "--setenv", "A", "b c", "/opt/geo/bin/python"),
    "environment modules behind a shell": ("bash", "-lc", 'module load geo; exec "$@"', "bash", "python"),
}  # fmt: skip
"""What stands before ``-m ipykernel_launcher`` in real kernelspecs, by where they are from."""


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
def test_wrappers_are_part_of_the_prefix(wrapper: tuple[str, ...]) -> None:
    expected = tuple(word.replace("{resource_dir}", "/r") for word in wrapper)
    assert environment(*wrapper, *LAUNCHER).argv == expected


SCRIPTS = {
    "modules (curc.readthedocs.io, JupyterHub)": (
        "bash", "-c", "module load gcc ; /projects/geo/bin/python -m ipykernel_launcher -f {connection_file}",
        'module load gcc ; /projects/geo/bin/python "$@"',
    ),
    "Apptainer in a shell (legend-exp/remage, Jupyter kernel)": (
        "sh", "-c", "apptainer exec -B $XDG_RUNTIME_DIR:$XDG_RUNTIME_DIR /i.sif python -m ipykernel_launcher"
        " -f {connection_file}",
        'apptainer exec -B $XDG_RUNTIME_DIR:$XDG_RUNTIME_DIR /i.sif python "$@"',
    ),
    "a login shell with `exec`": (
        "/bin/bash", "-lc", "source '/opt/my setup.sh' && exec python3 -m ipykernel -f '{connection_file}'",
        "source '/opt/my setup.sh' && exec python3 \"$@\"",
    ),
    "options written with `=`": (
        "zsh", "-c", 'module load x\nexec python -Xfrozen_modules=off -m ipykernel_launcher --f="{connection_file}"\n',
        'module load x\nexec python -Xfrozen_modules=off "$@"',
    ),
}  # fmt: skip
"""Kernelspecs whose command is a shell script in one argument, by where they are from, and what becomes of that."""


@pytest.mark.parametrize(("shell", "option", "script", "expected"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_that_ends_with_python_gets_the_arguments_of_the_launch(
    shell: str, option: str, script: str, expected: str
) -> None:
    assert environment(shell, option, script).argv == (shell, option, expected, shell)


def test_such_a_prefix_really_passes_every_argument_on() -> None:
    script = f"X='set by the script' && export X && exec {sys.executable} -m ipykernel_launcher -f {FILE}"
    prefix = environment("sh", "-c", script).argv
    code = "import os, sys; print([os.environ['X'], *sys.argv[1:]])"
    words = ["a b", "$HOME", "'", '"', "", "*", "new\nline"]
    result = subprocess.run([*prefix, "-c", code, *words], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == repr(["set by the script", *words])


@pytest.mark.parametrize(
    "argv",
    [
        ("R", "--slave", "-e", "IRkernel::main()", "--args", FILE),
        ("python", "-m", "bash_kernel", "-f", FILE),
        ("python", "/opt/run.py", "ipykernel_launcher"),
        ("-m", "ipykernel_launcher"),
        (),
        ("{resource_dir}/kernel-helper.sh", "-f", FILE),
        ("docker", "run", "-v", f"{FILE}:/file", "geo", "python", "-m", "ipykernel_launcher", "-f", "/file"),
        ("bash", "-c", f"ssh node 'python -m ipykernel_launcher -f {FILE}'"),
        ("bash", "-c", f'ssh node "python -m ipykernel_launcher -f {FILE}"'),
        ("bash", "-c", f"python -m ipykernel_launcher -f {FILE} | tee log"),
        ("bash", "-c", f"python -m ipykernel_launcher -f {FILE} && echo done"),
        ("bash", "-c", f"echo python -m irkernel -f {FILE}"),
        ("bash", "-x", f"python -m ipykernel_launcher -f {FILE}"),
        ("awk", "-c", f"python -m ipykernel_launcher -f {FILE}"),
        ("bash", "-c", f"-m ipykernel_launcher -f {FILE}"),
    ],
)
def test_a_kernel_that_does_not_show_its_python_is_left_out(argv: tuple[str, ...]) -> None:
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

"""Running a user's script or notebook beside the cluster that it uses, in the same job."""

from __future__ import annotations

import shlex

from hpcdask_ext.clusters.models import Cluster, Script

_ADDRESS = "import json, sys; print(json.load(open(sys.argv[1]))['address'])"


def script_command(cluster: Cluster, script: Script) -> str:
    """Return the shell text that waits for the scheduler and then runs `script`, with whose exit code it ends.

    A bare ``Client()`` in it connects: Dask reads the scheduler's address from the environment, where the jobs of a
    cluster also have the settings of TLS.
    """
    # A launch prefix may print lines of its own, so the last line counts.
    file = shlex.quote(str(cluster.scheduler_file))
    python = shlex.join(cluster.environment.argv)
    return f"""{{
    cd {shlex.quote(str(script.directory))} || exit 1
    until [ -s {file} ]; do sleep 0.2; done
    DASK_SCHEDULER_ADDRESS=$({python} -c {shlex.quote(_ADDRESS)} {file} | tail -n 1)
    [ -n "$DASK_SCHEDULER_ADDRESS" ] || exit 1
    export DASK_SCHEDULER_ADDRESS
    exec {python} {shlex.join(_words(script))}
}}"""


def _words(script: Script) -> list[str]:
    if script.path.suffix != ".ipynb":
        return ["-u", str(script.path), *script.arguments]
    # The notebook itself stays as it is: the executed copy is written beside it.
    output = f"{script.path.stem}.executed.ipynb"
    words = ["-m", "nbconvert", "--to", "notebook", "--execute", "--ExecutePreprocessor.kernel_name=python3"]
    return [*words, "--output", output, *script.arguments, str(script.path)]

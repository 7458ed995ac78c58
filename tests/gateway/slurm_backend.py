"""The gateway's backend for Slurm where there is only one user, whose jobs `ci/slurm-up` runs.

The gateway changes to the user of each cluster with sudo. Here that would be a change to oneself, which sudo asks a
password for, so the program that it would run is run directly. Everything else is the gateway's own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any, ClassVar

from dask_gateway_server.backends.jobqueue.slurm import SlurmBackend


class OwnSlurmBackend(SlurmBackend):  # type: ignore[misc]
    """Runs the jobs of the one user."""

    default_host = "127.0.0.1"
    _variables: ClassVar[tuple[str, ...]] = ("PATH", "SLURM_CONF", "HOME")

    async def do_as_user(self, user: str, action: str, **kwargs: Any) -> tuple[int, str, str]:
        """Run the gateway's program for this, without sudo."""
        own = {name: os.environ[name] for name in self._variables if name in os.environ}
        asked = {**kwargs, "action": action, "env": {**own, **kwargs["env"]}}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "dask_gateway_server.backends.jobqueue.launcher"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        answer = json.loads((await process.communicate(json.dumps(asked).encode()))[0])
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer["returncode"], answer["stdout"], answer["stderr"]

    def get_status_cmd_env(self, job_ids: Any) -> tuple[list[str], dict[str, str]]:
        """Return the command with which Slurm is asked; it has to know which Slurm."""
        command, _ = super().get_status_cmd_env(job_ids)
        return command, {"SLURM_CONF": os.environ["SLURM_CONF"]}

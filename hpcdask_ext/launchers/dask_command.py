"""The command lines of Dask's scheduler and workers, for the shell of a job.

They are plain `python -m distributed.cli...` in the chosen environment, with our preload passed by path.
"""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

from hpcdask_ext.clusters.credentials import Credentials
from hpcdask_ext.clusters.groups import WorkerGroup
from hpcdask_ext.clusters.models import Cluster, Environment, Job
from hpcdask_ext.clusters.states import Role
from hpcdask_ext.launchers.lifetime import Lifetime, lifetime_within, says_lifetime
from hpcdask_ext.sites.models import BatchSite

_PAYLOAD = Path(__file__).parent.parent / "payload"
PRELOAD = _PAYLOAD / "dask_preload.py"
GPU_PRELOAD = _PAYLOAD / "gpu_preload.py"
IDLE_PRELOAD = _PAYLOAD / "idle_preload.py"
ADAPTIVE_PRELOAD = _PAYLOAD / "adaptive_preload.py"
WARM = _PAYLOAD / "warm.py"

_LOOPBACK = "127.0.0.1"
_BEHIND_OTHERS = ("nice", "-n", "10")
"""On this machine, workers get a lower priority, so that Jupyter, the browser and the scheduler stay responsive."""
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Dask's workers already run as many tasks at once as they have cores."""
_DEATH_TIMEOUT = 120  # seconds for which a worker looks for its scheduler before it gives up and frees its node
_WAIT_FOR_SCHEDULER = "until [ -s {file} ]; do if [ -e {ended} ]; then exit 1; fi; sleep 0.5; done; "


def job_environment(cluster: Cluster, site: BatchSite, job: Job) -> dict[str, str]:
    """Return the variables of a job of a cluster: the environment's, the site's, and those for our preload and Dask.

    Numerical libraries use a single thread in each task, unless the environment or the site says otherwise.
    """
    credentials = Credentials(cluster.directory)
    certificate, key = str(credentials.certificate), str(credentials.key)
    # Not as command-line options: given those, Dask's scheduler refuses a network interface.
    comm, dashboard = "DASK_DISTRIBUTED__COMM__", "DASK_DISTRIBUTED__SCHEDULER__DASHBOARD__TLS__"
    tls = {f"{comm}REQUIRE_ENCRYPTION": "true", f"{comm}TLS__CA_FILE": certificate, f"{dashboard}CA_FILE": certificate}
    for owner in (f"{comm}TLS__SCHEDULER__", f"{comm}TLS__WORKER__", f"{comm}TLS__CLIENT__", dashboard):
        tls |= {f"{owner}CERT": certificate, f"{owner}KEY": key}
    group = cluster.group(job.group)
    shape, queue = group.shape, site.queue(group.queue)
    gpus = {"HPCDASK_GPUS_PER_WORKER": str(shape.gpus), "HPCDASK_WORKERS_PER_JOB": str(shape.workers_per_job)}
    if site.batch_system == "local" and queue is not None and queue.gpus:  # no batch system says which are a job's
        gpus["HPCDASK_GPUS"] = str(queue.gpus)
    return {
        **dict.fromkeys(_ONE_THREAD, "1"),
        **cluster.environment.env,
        **site.env,
        **tls,
        **(gpus if shape.gpus else {}),
        **idle_variables(cluster, job),
        "HPCDASK_TOKEN_FILE": str(credentials.token_file),
        # The dashboard can be reached only through the proxy, and the user's own link may name a variable that is not
        # set on the nodes.
        "DASK_DISTRIBUTED__DASHBOARD__LINK": "{scheme}://{host}:{port}/status",
    }


def idle_variables(cluster: Cluster, job: Job) -> dict[str, str]:
    """Return what a scheduler's preload has to know to end it when nobody uses it."""
    if cluster.idle_timeout is None or job.role is Role.WORKER:
        return {}
    variables = {
        "HPCDASK_IDLE_TIMEOUT": f"{cluster.idle_timeout.total_seconds():.0f}",
        "HPCDASK_IDLE_REPORT": str(cluster.directory / "reports" / f"{job.tag}.1.idle"),
    }
    return variables | ({"HPCDASK_AWAITS_WORKERS": "1"} if cluster.wanted else {})


def warm_directory(environment: Environment, root: Path) -> Path | None:
    """Return the directory of an environment's warm process (`payload/warm.py`), or None if it cannot have one.

    A launch prefix of several words may start a container, which could share neither the socket nor the fork. An
    environment that only jobs can check is not started outside of one.
    """
    if len(environment.argv) != 1 or environment.probe == "job" or sys.platform != "linux":
        return None
    # A process that an older version of this package started speaks another language.
    version = WARM.stat().st_mtime_ns
    key = json.dumps([socket.gethostname(), version, environment.argv, sorted(environment.env.items())])
    return root / hashlib.sha256(key.encode()).hexdigest()[:16]


def scheduler_command(cluster: Cluster, site: BatchSite, warm_root: Path) -> str:
    """Return the shell text that runs the scheduler; on this machine it is forked from the warm process, if any."""
    words = [*_dask(cluster, "scheduler"), "--port", "0"]
    if site.batch_system == "local":
        words += ["--host", _LOOPBACK, "--dashboard-address", f"{_LOOPBACK}:0"]
    else:
        words += ["--dashboard-address", ":0", *_interface(site)]
    words += _option_words(cluster, site, "argument")
    words += ["--preload", str(IDLE_PRELOAD)] if cluster.idle_timeout else []
    words += ["--preload", str(ADAPTIVE_PRELOAD)] if cluster.layout == "elastic" else []
    warm = warm_directory(cluster.environment, warm_root)
    if site.batch_system == "local" and warm is not None:
        words = [*cluster.environment.argv, "-I", "-S", str(WARM), "run", str(warm), "--", *words]
    return shlex.join(words)


def worker_command(cluster: Cluster, site: BatchSite, job: Job) -> str:
    """Return the shell text that runs the workers of one element of `job`, or of one task of it, named after it."""
    group = cluster.group(job.group)
    shape, queue = group.shape, site.queue(group.queue)
    own = queue.worker_command if queue else ()
    words = [*_dask(cluster, "worker", own), "--death-timeout", str(_DEATH_TIMEOUT), "--no-dashboard"]
    words += ["--nthreads", str(shape.cores), "--memory-limit", str(int(shape.memory * site.memory_share))]
    if not own:  # another command, such as that of dask_cuda, starts a worker for each of the GPUs of its job
        words += ["--nworkers", str(shape.workers_per_job)]
        words += ["--preload", str(GPU_PRELOAD)] if shape.gpus else []
    if site.batch_system == "local":
        words = [*_BEHIND_OTHERS, *words, "--host", _LOOPBACK, "--dashboard-address", f"{_LOOPBACK}:0"]
        if job.role is Role.ALLOCATION and group.walltime:  # no batch system keeps it to that on this machine
            words += ["--lifetime", f"{int(group.walltime.total_seconds())} seconds"]
    else:
        words += _interface(site)
    words += _site_words(cluster, site)
    words = _with_resources(words, group)
    number = "$HPCDASK_TASK" if job.role is Role.ALLOCATION else "$HPCDASK_INDEX"
    name = f'--name {shlex.quote(worker_name(cluster, job))}-"{number}"'
    command = f"{shlex.join(words)} {name}"
    if lifetime := _lifetime(cluster, site, job):
        command = f"{lifetime.variables()} {command}" if own else f"{command} {lifetime.option()}"
    if site.local_directory is not None:
        # Variables such as $TMPDIR are the node's own, so the node's shell expands them.
        command += f' --local-directory "{site.local_directory}"'
    in_queue = site.scheduler.place == "job" and job.place == "batch"
    if job.role is Role.WORKER and (in_queue or cluster.environment.probe == "job"):
        # Dask itself waits for the file only until the death timeout, but the scheduler's job may be queued for longer,
        # and has to check the environment first.
        ended = cluster.directory / "reports" / "scheduler.1.ended"
        wait = _WAIT_FOR_SCHEDULER.format(file=shlex.quote(str(cluster.scheduler_file)), ended=shlex.quote(str(ended)))
        return wait + command
    return command


def shortest_life(cluster: Cluster, site: BatchSite, job: Job) -> timedelta | None:
    """Return after which time a job may end because its workers do, or None if they stay until the walltime."""
    if says_lifetime(_site_words(cluster, site)):
        return timedelta()  # whatever it is
    lifetime = _lifetime(cluster, site, job)
    return lifetime.shortest if lifetime else None


def _lifetime(cluster: Cluster, site: BatchSite, job: Job) -> Lifetime | None:
    """Return the lifetime to give to a job's workers; those of an allocation end together with their scheduler."""
    is_given = says_lifetime(_site_words(cluster, site))
    if job.role is not Role.WORKER or job.walltime is None or is_given:
        return None
    is_replaced = cluster.group(job.group).scaling.mode == "adaptive"
    return lifetime_within(job.walltime, is_replaced=is_replaced, number=int(job.tag.rpartition("-")[2]))


def _site_words(cluster: Cluster, site: BatchSite) -> list[str]:
    """Return what the site adds to the command lines of workers."""
    return [*site.worker_arguments, *_option_words(cluster, site, "argument", "worker_argument")]


def offered_resources(cluster: Cluster, site: BatchSite, group: WorkerGroup) -> dict[str, float]:
    """Return what tasks can ask for of each worker of a group: its own resources, and those that the site gives it."""
    queue = site.queue(group.queue)
    _, amounts = _resources([*(queue.worker_command if queue else ()), *_site_words(cluster, site)], group)
    offered = {}
    for name, amount in amounts.items():
        with suppress(ValueError):  # a worker that is given such a thing says so, and ends
            offered[name] = float(amount)
    return {name: amount for name, amount in offered.items() if math.isfinite(amount)}


def _with_resources(words: Sequence[str], group: WorkerGroup) -> list[str]:
    """Return a worker's command line with the resources of its group, besides those that the site gives it."""
    kept, amounts = _resources(words, group)
    return [*kept, "--resources", " ".join(f"{name}={amount}" for name, amount in amounts.items())]


def _resources(words: Sequence[str], group: WorkerGroup) -> tuple[list[str], dict[str, str]]:
    """Return a command line without its resources, and how much of each a worker of the group has.

    Each worker has one with the name of its group, as many as it has cores, so that tasks can be sent to it.
    """
    texts, kept, rest = [], [], iter(words)
    for word in rest:
        if word.startswith("--resources="):
            texts.append(word.partition("=")[2])
        elif word == "--resources":  # of several, Dask would take the last
            texts.append(next(rest, ""))
        else:
            kept.append(word)
    parts = [part.partition("=") for text in texts for part in text.replace(",", " ").split()]  # as Dask reads them
    own = {group.name: float(group.shape.cores), **group.resources}
    amounts = {name: str(int(amount) if amount == int(amount) else amount) for name, amount in own.items()}
    return kept, {**{name: amount for name, _, amount in parts}, **amounts}


def worker_name(cluster: Cluster, job: Job) -> str:
    """Return what the names of a job's workers begin with: that of its group, and the job's number."""
    return f"{cluster.id}-{job.tag}" if job.role is Role.WORKER else f"{names_of_group(cluster, job.group)}0"


def names_of_group(cluster: Cluster, group: str) -> str:
    """Return what the names of all workers of a group begin with."""
    return f"{cluster.id}-{group}-"


def _dask(cluster: Cluster, program: str, own: Sequence[str] = ()) -> list[str]:
    words = [*cluster.environment.argv, *(own or ("-m", f"distributed.cli.dask_{program}")), "--protocol", "tls"]
    return [*words, "--preload", str(PRELOAD), "--scheduler-file", str(cluster.scheduler_file)]


def _interface(site: BatchSite) -> list[str]:
    return ["--interface", site.interface] if site.interface else []


def _option_words(cluster: Cluster, site: BatchSite, *fields: Literal["argument", "worker_argument"]) -> list[str]:
    """Return what the site's options add to a command line; a value stays within its word, whatever it contains."""
    texts = [(getattr(option, field), cluster.options.get(option.name)) for field in fields for option in site.options]
    return [
        word.replace("{value}", str(value))
        for text, value in texts
        if text is not None and value is not None and value is not False
        for word in shlex.split(text)
    ]

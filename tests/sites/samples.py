"""A site, as an administrator writes it, and its parts."""

from __future__ import annotations

from typing import Any

import yaml

from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.sites.load import Sites
from hpcdask_ext.sites.machine import local_site
from hpcdask_ext.sites.models import BatchSite

SMALLEST = """
name: centre
title: Centre (Slurm)
batch_system: slurm
directory: /scratch/$USER/hpcdask
interface: ib0
scheduler: {place: host}
queues:
  - {name: regular, title: Regular, limits: {workers: 64, cores: 32, memory: 120 GiB, walltime: "24:00:00"}}
sizes:
  - {name: small, title: Small, workers: 2, cores: 4, memory: 16 GiB, walltime: "01:00:00"}
"""

OPTIONS: list[dict[str, Any]] = [
    {
        "name": "qos",
        "type": "choice",
        "choices": ["normal", "debug"],
        "default": "normal",
        "directive": "--qos={value}",
    },
    {"name": "gpus", "type": "integer", "minimum": 0, "maximum": 4},
    {"name": "bias", "type": "number"},
    {"name": "exclusive", "type": "boolean"},
    {"name": "reservation"},
    {"name": "constraint", "pattern": "[a-z&|]+"},
]

KERNELS = (Environment(name="python3", argv=("python",)), Environment(name="geo", argv=("/opt/geo/bin/python",)))


def description(**changes: Any) -> dict[str, Any]:
    """Return the smallest useful site, with `changes`, as YAML gives it to the models."""
    return {**yaml.safe_load(SMALLEST), **changes}


def centre(**changes: Any) -> BatchSite:
    """Return that site with a second queue and a second size, options and accounts."""
    queues = [
        {"name": "regular", "limits": {"workers": 64, "cores": 32, "memory": "120 GiB", "walltime": "24:00:00"}},
        {"name": "debug", "limits": {"workers": 4, "walltime": "00:30:00"}},
    ]
    sizes = [
        {"name": "small", "workers": 2, "cores": 4, "memory": "16 GiB", "walltime": "01:00:00"},
        {"name": "packed", "workers": 8, "cores": 2, "memory": "4 GiB", "workers_per_job": 4},
    ]
    parts = {"queues": queues, "sizes": sizes, "options": OPTIONS, "accounts": ["science", "teaching"]}
    return BatchSite.model_validate(description(**(parts | changes)))


def all_sites() -> Sites:
    """Return that site and this machine."""
    return Sites((centre(), local_site()))

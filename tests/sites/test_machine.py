"""The site that there is where nobody described one: what this machine, or our part of it, has."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from hpcdask_ext.sites.machine import local_site, usable_cores, usable_memory


def test_no_more_is_offered_than_the_machine_has() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    assert 2**26 < usable_memory() <= psutil.virtual_memory().total


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity masks")
def test_a_process_bound_to_one_core_is_offered_one() -> None:
    code = (
        "import os\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from hpcdask_ext.sites.machine import local_site, usable_cores\n"
        "site = local_site()\n"
        "print(usable_cores(), [size.name for size in site.sizes], site.queues[0].limits.cores)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "1 ['small'] 1"


def test_every_size_fits_the_queue_and_the_machine() -> None:
    site = local_site()
    limits = site.queues[0].limits
    assert site.sizes[0].name == "small"
    assert site.sizes[0].workers == 2
    for size in site.sizes:
        assert limits.workers is not None
        assert size.workers <= limits.workers
        assert limits.cores is not None
        assert size.cores <= limits.cores
        assert limits.memory is not None
        assert size.memory <= limits.memory
        assert size.memory % 2**28 == 0
        # The least that there is may be more than the share of a tiny machine.
        assert size.memory == 2**28 or size.workers * size.memory <= usable_memory()


def test_this_machine_promises_no_walltime() -> None:
    site = local_site()
    assert site.queues[0].limits.walltime is None
    assert {size.walltime for size in site.sizes} == {None}

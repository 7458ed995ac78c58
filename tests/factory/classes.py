"""Cluster classes that do what they should not."""

import subprocess
import time

from distributed import LocalCluster

QUIET = {"n_workers": 0, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": "512 MiB"}


class Raising:
    """Knows from the start that it will not work."""

    def __init__(self, region: str = "nowhere") -> None:
        raise RuntimeError(f"There is no region {region!r}:\nchoose eu-1")


class Endless:
    """Waits for a machine that nobody starts."""

    def __init__(self) -> None:
        print("Waiting for a machine", flush=True)
        while True:
            time.sleep(3600)


class Deaf(LocalCluster):
    """Takes no notice of being scaled."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{**QUIET, "n_workers": 1, **kwargs})

    def scale(self, *args: object, **kwargs: object) -> None:
        pass


class Leaving(LocalCluster):
    """Starts a program that does not end with it."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{**QUIET, **kwargs})
        subprocess.Popen(["sleep", "1000"])


class Limited(LocalCluster):
    """Refuses to have more than two workers."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{**QUIET, **kwargs})

    def scale(self, n: int = 0, **kwargs: object) -> object:
        if n > 2:
            raise ValueError(f"Your quota is 2 workers, not {n}")
        return super().scale(n, **kwargs)


class Stuck(LocalCluster):
    """Does not close."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{**QUIET, **kwargs})

    def close(self, timeout: object = None) -> None:
        time.sleep(3600)


def no_cluster() -> str:
    """Return something else."""
    return "a text"

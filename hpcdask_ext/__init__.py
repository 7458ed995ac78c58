"""Launch Dask clusters from JupyterLab with one click, on this machine or on a computing centre's Slurm."""

from __future__ import annotations

try:
    from ._version import __version__
except ImportError:  # a source tree that has never been built
    __version__ = "0.0.0"

__all__ = ["__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "hpcdask-ext"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from .app import HPCDaskApp  # noqa: PLC0415  (importing the package must not import jupyter_server)

    return [{"module": "hpcdask_ext", "app": HPCDaskApp}]

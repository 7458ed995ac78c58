"""The same server, but it answers dask-labextension's routes, whose own server half is switched off."""

# ruff: noqa: F821

load_subconfig("jupyter_server_test_config.py")

c.HPCDaskApp.answer_dask_labextension = True
c.ServerApp.jpserver_extensions = {"dask_labextension": False}

"""The Jupyter server of the browser tests, started by `serve.py`. Never use this configuration for anything else."""

# ruff: noqa: F821

import os

from jupyterlab.galata import configure_jupyter_server

configure_jupyter_server(c)

c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = int(os.environ["HPCDASK_UI_PORT"])
c.ServerApp.allow_root = True
c.ServerApp.disable_check_xsrf = False
c.IdentityProvider.token = os.environ["HPCDASK_UI_TOKEN"]
c.LabApp.news_url = None

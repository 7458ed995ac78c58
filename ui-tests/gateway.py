"""A Dask Gateway for the browser tests: prints a line with a site for it, as JSON, and runs until told to stop."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.gateway.server import PASSWORD, GatewayServer

USER = "alice"


def stop(number: int, _: FrameType | None) -> None:
    """End as a program that was interrupted, so that what is to be cleaned up is."""
    sys.exit(128 + number)


def main() -> None:
    """Serve until told to stop."""
    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory() as home:
        gateway = GatewayServer(Path(home))
        gateway.start()
        try:
            site = {
                "name": "gateway",
                "title": "Example gateway",
                "kind": "gateway",
                "address": gateway.address,
                "proxy_address": gateway.proxy_address,
                "auth": {"type": "basic", "kwargs": {"username": USER, "password": PASSWORD}},
                "workers": 1,
                "limits": {"workers": 3},
            }
            print(json.dumps(site), flush=True)
            signal.pause()
        finally:
            gateway.stop_all(USER)
            gateway.end()


if __name__ == "__main__":
    main()

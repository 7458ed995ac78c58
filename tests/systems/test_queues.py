"""What a batch system says about its queues."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers import JupyterServer, until
from tests.systems.systems import FAKES, Bench


@pytest.mark.parametrize(
    "bench", [system for system in FAKES if system.has_queues], ids=lambda system: system.name, indirect=True
)
def test_the_form_shows_which_queues_there_are_and_how_full_they_are(server: JupyterServer, bench: Bench) -> None:
    def queues() -> dict[str, Any]:
        sites = {site["name"]: site for site in server.ask("GET", "sites")["sites"]}
        return {queue["name"]: queue["load"] for queue in sites[f"{bench.system.name}-host"]["queues"]}

    loads = until(lambda: (found := queues())["regular"] and found)
    assert loads["regular"]["open"] is True
    assert loads["nosuch"] is None

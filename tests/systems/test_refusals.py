"""What a batch system says against a job."""

from __future__ import annotations

import pytest

from tests.servers import JupyterServer
from tests.systems.conftest import nothing_is_left
from tests.systems.systems import FAKES, Bench


@pytest.mark.parametrize("bench", FAKES, ids=lambda system: system.name, indirect=True)
def test_a_refused_queue_is_on_the_card_in_its_own_words(server: JupyterServer, bench: Bench) -> None:
    cluster_id = server.launch(site=f"{bench.system.name}-host", queue="nosuch")
    assert bench.system.refusal in server.wait_for(cluster_id, "failed")["reason"]
    nothing_is_left(server, bench, cluster_id)

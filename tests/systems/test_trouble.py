"""What a batch system says against a job, and that nothing is lost while it says nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import JupyterServer, until
from tests.systems.systems import FAKES, Bench

every_fake = pytest.mark.parametrize("bench", FAKES, ids=lambda system: system.name, indirect=True)


@every_fake
@pytest.mark.usefixtures("nothing_left")
def test_a_refused_queue_is_on_the_card_in_its_own_words(server: JupyterServer, bench: Bench) -> None:
    cluster_id = server.launch(site=f"{bench.system.name}-host", queue="nosuch")
    assert bench.system.refusal in server.wait_for(cluster_id, "failed")["reason"]


class TestWhileJobsWait:
    """Clusters on all batch systems wait at the same time, so that the tests need not wait one after the other."""

    @pytest.fixture(scope="class")
    def waiting(self, server: JupyterServer, benches: dict[str, Bench]) -> Iterator[dict[str, str]]:
        clusters = {}
        for name, bench in benches.items():
            if bench.store:
                bench.store.hold("closed", bench.system.reason)
                clusters[name] = server.launch(site=f"{name}-host", queue="closed")
        yield clusters
        for cluster_id in clusters.values():
            server.ask("DELETE", f"clusters/{cluster_id}")
        for name, cluster_id in clusters.items():
            server.wait_for(cluster_id, "stopped")
            until(lambda: not [job for job in benches[name].live if cluster_id in job])  # noqa: B023

    @pytest.fixture(scope="class")
    def away(self, waiting: dict[str, str], server: JupyterServer, benches: dict[str, Bench]) -> None:
        for name, cluster_id in waiting.items():
            server.wait_for(cluster_id, "pending")
            store = benches[name].store
            assert store is not None
            store.mood("away")

    @pytest.fixture(scope="class")
    def back(self, away: None, waiting: dict[str, str], server: JupyterServer, benches: dict[str, Bench]) -> None:
        for name, cluster_id in waiting.items():
            until(lambda: not server.cluster(cluster_id)["reachable"])  # noqa: B023
            store = benches[name].store
            assert store is not None
            store.mood(None)
            store.release()

    @every_fake
    def test_the_card_says_why(self, server: JupyterServer, bench: Bench, waiting: dict[str, str]) -> None:
        cluster_id = waiting[bench.system.name]
        cluster = until(
            lambda: (
                (c := server.cluster(cluster_id))["state"] == "pending" and bench.system.sentence in c["reason"] and c
            )
        )
        assert cluster["workers"] == {"requested": 2, "pending": 2, "running": 0}
        assert bench.system.reason in cluster["reason"]

    @every_fake
    @pytest.mark.usefixtures("away")
    def test_silence_is_not_an_end(self, server: JupyterServer, bench: Bench, waiting: dict[str, str]) -> None:
        cluster = until(lambda: not (c := server.cluster(waiting[bench.system.name]))["reachable"] and c)
        assert cluster["state"] == "pending"
        assert cluster["workers"]["pending"] == 2

    @every_fake
    @pytest.mark.usefixtures("back")
    def test_jobs_that_started_meanwhile_are_found(
        self, server: JupyterServer, bench: Bench, waiting: dict[str, str]
    ) -> None:
        cluster = server.wait_for_workers(waiting[bench.system.name], 2)
        assert (cluster["state"], cluster["reachable"]) == ("running", True)

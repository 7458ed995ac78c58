"""A Jupyter server that is asked to adopt clusters."""

from __future__ import annotations

from typing import Any

from tests.servers import JupyterServer, until


class Jupyter(JupyterServer):
    """A real Jupyter server."""

    def adopt(self, **body: Any) -> Any:
        """Return the cluster that was adopted."""
        return self.ask("POST", "clusters/adopt", body)

    def refusal(self, status: int = 422, **body: Any) -> dict[str, str]:
        """Return what is said against an adoption, by field; nothing is tracked then that was not before."""
        before = [cluster["id"] for cluster in self.ask("GET", "clusters")["clusters"]]
        response = self.http.post("hpcdask/api/clusters/adopt", json=body)
        assert response.status_code == status, response.text
        assert [cluster["id"] for cluster in self.ask("GET", "clusters")["clusters"]] == before
        found = response.json()
        return {error["field"]: error["message"] for error in found["errors"]} or {"": found["message"]}

    def wait(self, cluster_id: str, **expected: Any) -> Any:
        """Return a cluster once it is as expected."""

        def look() -> Any:
            cluster = self.cluster(cluster_id)
            return cluster if expected.items() <= cluster.items() else None

        return until(look, 60)

    def forget(self, cluster_id: str) -> None:
        self.ask("DELETE", f"clusters/{cluster_id}?forget=true")

    def forget_all(self) -> None:
        for cluster in self.ask("GET", "clusters")["clusters"]:
            self.forget(cluster["id"])

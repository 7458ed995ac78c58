"""The batch systems of these tests: what their words are, and what they cannot do."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from tests.fakes.engine import Store

QUEUES = ["regular", "closed"]


@dataclass(frozen=True)
class System:
    """One batch system.

    Parameters
    ----------
    name
        Its name in site files, and of its fake.
    reason
        Why the jobs of a held queue wait, in its own words.
    sentence
        How the card puts that.
    refusal
        Its own words for a queue that it does not know.
    settings
        The site's `settings`, as YAML.
    has_queues
        Whether it lists queues by the names of these tests.
    """

    name: str
    reason: str = ""
    sentence: str = ""
    refusal: str = ""
    settings: str = "{}"
    has_queues: bool = True

    @property
    def has_fake(self) -> bool:
        return self.name != "local"

    @property
    def is_there(self) -> bool:
        return not self.has_fake or find_spec(f"tests.fakes.{self.name}") is not None


ALL = (
    System("local"),
    System(
        "pbs",
        reason="Not Running: Insufficient amount of resource: ncpus (R: 12 A: 4 T: 16)",
        sentence="Waiting for other jobs to end",
        refusal="Unknown queue",
    ),
    System(
        "lsf",
        reason="Job slot limit reached",
        sentence="Waiting for other jobs to end",
        refusal="No such queue",
    ),
    System(
        "oar",
        reason="No enough matching resources (no_matching_slot)",
        sentence="Waiting because the resources that match are down or reserved",
        refusal="The queue nosuch does not exist",
        has_queues=False,
    ),
    System(
        "htcondor",
        reason="insufficient priority",
        sentence="Waiting for jobs of other users",
        refusal="Submit requirement QUEUE evaluated to FALSE",
        settings="{queue_attribute: JobFlavour}",
        has_queues=False,
    ),
    System(
        "torque",
        reason="Not Running: Not enough of the right type of nodes are available",
        sentence="Waiting for other jobs to end",
        refusal="requested queue not found: nosuch",
    ),
    System(
        "moab",
        reason="NoResources",
        sentence="Waiting because no nodes have what was requested",
        refusal="requested queue not found: nosuch",
    ),
)
SYSTEMS = tuple(system for system in ALL if system.is_there)
FAKES = tuple(system for system in SYSTEMS if system.has_fake)


@dataclass(frozen=True)
class Bench:
    """A batch system on the bench: `store` is its fake's, None for this machine."""

    system: System
    store: Store | None

    @property
    def live(self) -> list[str]:
        """The names of the elements that have not ended."""
        elements = self.store.elements() if self.store else []
        return [f"{one.name} {one.index}" for one in elements if one.state in ("pending", "running")]

    def saw(self, cluster_id: str, submissions: int) -> bool:
        """Return whether so many jobs of a cluster were submitted; on this machine that cannot be seen."""
        elements = self.store.elements() if self.store else []
        return self.store is None or len({one.number for one in elements if cluster_id in one.name}) == submissions

"""What a failed job printed last, for the reason on its card."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpcdask_ext.clusters.models import Cluster, Script
from hpcdask_ext.clusters.states import JobState
from hpcdask_ext.control.logs import last_words

from .conftest import job

TASK, JOB = "allocation.task-0.log", "allocation.1.log"
STARTER = "pbsdsh: error from tm_poll(): connection refused"
SCHEDULER = "OSError: Timed out trying to connect"


@pytest.fixture
def failed(make_cluster, tmp_path: Path) -> Cluster:
    (tmp_path / "logs").mkdir()
    return make_cluster(job("allocation", 1).with_elements([1], state=JobState.FAILED), layout="allocation")


@pytest.mark.parametrize(
    ("logs", "words"),
    [
        ({TASK: f"{SCHEDULER}\n", JOB: f"{STARTER}\n"}, SCHEDULER),
        ({JOB: f"{STARTER}\n"}, STARTER),
        ({TASK: "Scheduler at: tls://10.0.0.1:8786\n", JOB: f"{STARTER}\n"}, STARTER),
        ({}, ""),
    ],
    ids=["the scheduler", "the starter, which started nothing", "the starter, later", "nothing is there"],
)
def test_an_allocation_complains_through_its_first_task_or_its_starter(failed, tmp_path, logs, words):
    for name, text in logs.items():
        (tmp_path / "logs" / name).write_text(text)
    assert last_words(failed) == words


def test_with_a_script_it_is_the_script_that_complains(failed, tmp_path):
    (tmp_path / "logs" / TASK).write_text("ERROR: of the scheduler\n")
    (tmp_path / "logs" / JOB).write_text("Traceback\nValueError: too large\nbye\n")
    script = Script(path=Path("analysis.py"), directory=tmp_path)
    assert last_words(failed.model_copy(update={"script": script})) == "ValueError: too large"

"""What failed commands say, whatever the batch system."""

from __future__ import annotations

import re

import pytest
from batch_samples import said

from hpcdask_ext.batch.complaints import Complaints
from hpcdask_ext.errors import BatchRefused, BatchUnreachable

COMPLAINTS = Complaints("Slurm", "no controller", lambda text: text.replace("error: ", ""))
HARMLESS = re.compile("has ended")


def test_a_refusal_is_told_once_and_in_one_line() -> None:
    with pytest.raises(BatchRefused, match=r"^Slurm did not accept the job: no such queue; ask somebody$"):
        COMPLAINTS.check(
            said(stderr="error: no such queue\n\n error: no such queue\nask somebody\n", exit_code=1),
            "did not accept the job",
        )


def test_what_is_not_said_is_said_so() -> None:
    with pytest.raises(BatchRefused, match="exit code 3, no output"):
        COMPLAINTS.check(said(exit_code=3), "did not answer")
    COMPLAINTS.check(said(stderr="error: a warning\n"), "did not answer")


@pytest.mark.parametrize(
    "words", ["error: No controller", "ssh: Could not resolve hostname login1", "No route to host"]
)
def test_what_could_not_be_asked_has_refused_nothing(words: str) -> None:
    with pytest.raises(BatchUnreachable, match=r"^Slurm could not be asked: "):
        COMPLAINTS.check(said(stderr=words, exit_code=1), "did not answer")


def test_only_what_has_not_ended_is_a_complaint_about_cancelling() -> None:
    COMPLAINTS.check_cancelled(said(stderr="1 has ended\n\n2 has ended\n", exit_code=1), HARMLESS)
    COMPLAINTS.check_cancelled(said("1 has ended\n", exit_code=1), HARMLESS)
    with pytest.raises(BatchRefused, match=r"^Slurm did not cancel everything: 2 is not yours$"):
        COMPLAINTS.check_cancelled(said(stderr="1 has ended\nerror: 2 is not yours\n", exit_code=1), HARMLESS)
    with pytest.raises(BatchRefused, match="exit code 1, no output"):
        COMPLAINTS.check_cancelled(said(exit_code=1), HARMLESS)

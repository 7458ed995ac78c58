"""What jobs report of themselves, through files that may be missing, late, half there or nonsense."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hpcdask_ext.batch.local import LocalSystem
from hpcdask_ext.batch.records import JobRequest
from hpcdask_ext.clusters.reports import Report, read_reports

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
SECONDS = int(NOON.timestamp())
STARTED = f"host=n1\njob=7\ntime={SECONDS}\n"
ENDED = f"exit=3\ntime={SECONDS + 60}\n"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    return folder


def read(reports: Path) -> dict[tuple[str, int], Report]:
    return read_reports(reports.parent)


def one(reports: Path) -> Report:
    (report,) = read(reports).values()
    return report


def test_before_any_job_there_is_no_report_and_no_folder_is_none(reports: Path) -> None:
    assert read(reports) == {}
    reports.rmdir()
    assert read(reports) == {}


def test_a_start_is_when_and_where(reports: Path) -> None:
    (reports / "scheduler.1.started").write_text(STARTED)
    assert read(reports) == {("scheduler", 1): Report(started=NOON, node="n1")}


@pytest.mark.parametrize("order", [("started", "ended"), ("ended", "started")])
def test_start_and_end_are_put_together_in_whatever_order_they_come(reports: Path, order: tuple[str, str]) -> None:
    for what in order:
        (reports / f"workers-1.2.{what}").write_text({"started": STARTED, "ended": ENDED}[what])
    whole = Report(NOON, "n1", NOON + timedelta(minutes=1), 3)
    assert read(reports) == {("workers-1", 2): whole}


def test_an_end_may_be_seen_before_the_start(reports: Path) -> None:
    (reports / "scheduler.1.ended").write_text(ENDED)
    report = one(reports)
    assert (report.started, report.node, report.exit_code) == (None, None, 3)
    assert report.ended == NOON + timedelta(minutes=1)


def test_each_element_has_its_own(reports: Path) -> None:
    for name in ("scheduler.1", "workers-1.1", "workers-1.10", "workers-2.1"):
        (reports / f"{name}.started").write_text(STARTED)
    assert set(read(reports)) == {("scheduler", 1), ("workers-1", 1), ("workers-1", 10), ("workers-2", 1)}


@pytest.mark.parametrize(
    "text",
    ["", "host=", "host", "exit", "exit=", "time=", "exit=x", "exit=-9", "time=soon", "time=-1", "=", "\n\n", "a=b=c",
     "exit=²", "time=99999999999999999999", "exit=99999999999999999999", "\x00\x01\xff"],
)  # fmt: skip
@pytest.mark.parametrize("what", ["started", "ended"])
def test_a_report_that_is_half_there_or_nonsense_still_says_that_it_happened(
    reports: Path, what: str, text: str
) -> None:
    before = datetime.now(timezone.utc)
    (reports / f"scheduler.1.{what}").write_bytes(text.encode())
    report = one(reports)
    time = report.started if what == "started" else report.ended
    assert time is not None
    assert before <= time <= datetime.now(timezone.utc) + timedelta(seconds=1)
    assert report.node is None


def test_what_is_no_report_is_passed_over(reports: Path) -> None:
    for name in (
        "scheduler.1.started.tmp",
        ".nfs0001",
        "scheduler.x.started",
        "Scheduler.1.started",
        "scheduler.1.lost",
    ):
        (reports / name).write_text(STARTED)
    (reports / "scheduler.2.started").mkdir()
    assert set(read(reports)) <= {("scheduler", 2)}


def test_what_a_job_found_out_about_its_environment_is_kept_beside_the_rest(reports: Path) -> None:
    (reports / "scheduler.1.probe").write_text("a=1\n\nexit=3\n")
    assert one(reports) == Report(probe="a=1\n\nexit=3\n")
    (reports / "scheduler.1.started").write_text(STARTED)
    (reports / "scheduler.1.ended").write_text(ENDED)
    assert one(reports) == Report(NOON, "n1", NOON + timedelta(seconds=60), 3, "a=1\n\nexit=3\n")
    (reports / "scheduler.1.probe").write_text("x" * 100_000 + "\nexit=0\n")
    found = one(reports).probe
    assert found is not None
    assert (len(found), found[-7:]) == (20_000, "exit=0\n")


def test_a_report_that_is_not_visible_yet_is_read_again(reports: Path) -> None:
    (reports / "scheduler.1.probe").write_text("")
    known: dict[str, dict[str, str]] = {}
    assert read_reports(reports.parent, known)["scheduler", 1].probe is None
    (reports / "scheduler.1.probe").write_text("exit=0")
    assert read_reports(reports.parent, known)["scheduler", 1].probe == "exit=0"


@pytest.mark.parametrize("code", [0, 7])
def test_what_a_real_job_writes_is_understood(reports: Path, code: int) -> None:
    script = reports.parent / "job.sh"
    job = JobRequest(
        name="hpcdask-test",
        command=f"exit {code}",
        count=1,
        cores=1,
        memory=2**28,
        walltime=None,
        report_prefix=reports / "workers-1",
        log_prefix=reports.parent / "log",
        working_directory=reports,
        script_file=script,
    )
    script.write_text(LocalSystem().script(job))
    before = datetime.now(timezone.utc).replace(microsecond=0)
    environment = {"PATH": "/usr/bin:/bin", "HPCDASK_JOB": "hpcdask-test", "HPCDASK_INDEX": "1"}
    subprocess.run(["/bin/sh", str(script)], env=environment, check=False, timeout=20)
    report = read(reports)["workers-1", 1]
    assert report.exit_code == code
    assert report.node
    assert report.started is not None
    assert report.ended is not None
    assert before <= report.started <= report.ended

"""Print what `ci/test` did: each step, how long it took, how many tests; exit with 1 if anything failed."""

import json
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree  # our own tools' reports


class Counts(NamedTuple):
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Return both together."""
        return Counts(*map(sum, zip(self, other, strict=True)))

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def counts_of(reports: Path, step: str) -> Counts | None:
    """Read a step's report, JUnit's XML or Jest's JSON; None if it has no tests of its own."""
    if (xml := reports / f"{step}.xml").exists():
        root = ElementTree.parse(xml).getroot()  # noqa: S314
        cases = list(root.iter("testcase"))
        failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
        skipped = sum(case.find("skipped") is not None for case in cases)
        return Counts(len(cases) - failed - skipped, failed, skipped)
    if (report := reports / f"{step}.json").exists():
        jest = json.loads(report.read_text())
        return Counts(jest["numPassedTests"], jest["numFailedTests"], jest["numPendingTests"])
    return None


def main(folder: str, *steps: str) -> int:
    """Print the table and the closing line."""
    reports = Path(folder)
    total, failed_steps = Counts(), []
    print(f"\n{'step':<12}{'result':<10}{'seconds':>8}  tests")
    for step in steps:
        status, seconds = (reports / f"{step}.result").read_text().split()
        counts = counts_of(reports, step)
        total = total.plus(counts or Counts())
        if status != "0":
            failed_steps.append(step)
        print(f"{step:<12}{'passed' if status == '0' else 'FAILED':<10}{seconds:>8}  {counts or ''}")
    print(f"\nsteps: {len(steps) - len(failed_steps)} passed, {len(failed_steps)} failed")
    print(f"tests: {total}")
    for step in failed_steps:
        print(f"what failed is in {reports / step}.log", file=sys.stderr)
    return 1 if failed_steps else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""`jupyter hpcdask import-jobqueue`, as an administrator types it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hpcdask_ext.cli.__main__ import main
from hpcdask_ext.sites.models import BatchSite

CONFIG = """
jobqueue:
  slurm: {cores: 8, memory: 20 GB, processes: 4, queue: bigmem, walltime: "00:30:00", interface: ib0}
  pbs: {cores: null, memory: null}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "jobqueue.yaml"
    path.write_text(CONFIG)
    return path


def test_the_site_file_goes_to_standard_output(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-jobqueue", str(config)]) == 0
    site = BatchSite.model_validate(yaml.safe_load(capsys.readouterr().out))
    (size,) = site.sizes
    assert (size.workers_per_job, size.cores, size.memory) == (4, 2, 5 * 10**9)
    assert (site.batch_system, site.queues[0].name, site.interface) == ("slurm", "bigmem", "ib0")


def test_a_file_is_written_once_and_never_over_another(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = config.with_name("centre.yaml")
    words = ["import-jobqueue", str(config), "--section", "slurm", "--output", str(output)]
    assert main(words) == 0
    before = output.read_text()
    assert main(words) == 2
    assert "output: " in capsys.readouterr().err
    assert output.read_text() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--section", "lfs"], "lfs"), (["--section", "pbs"], "cores"), (["--output", "/"], "output")],
)
def test_what_is_wrong_is_told(
    config: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["import-jobqueue", str(config), *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-jobqueue", str(tmp_path / "no.yaml")]) == 2
    assert "no.yaml" in capsys.readouterr().err

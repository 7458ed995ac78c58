"""Dask's configuration is read as Dask reads it, without Dask."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.sites.dask_config import dask_config_files, read_config


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path / "home"),
        "DASK_ROOT_CONFIG": str(tmp_path / "etc"),
        "DASK_CONFIG": str(tmp_path / "mine"),
    }


def test_files_are_found_where_dask_looks_in_its_order(tmp_path: Path, environ: dict[str, str]) -> None:
    names = ("etc/b.yaml", "etc/c.yml", "home/.config/dask/a.yaml", "home/.config/dask/z.json", "mine/a.yaml")
    files = [write(tmp_path / name, "{}") for name in names]
    write(tmp_path / "etc/notes.txt", "")
    (tmp_path / "etc/folder.yaml").mkdir()
    found = [file for file in dask_config_files(environ) if file.is_relative_to(tmp_path)]
    assert found == files
    from dask.config import collect_yaml

    places = (environ["DASK_ROOT_CONFIG"], f"{environ['HOME']}/.config/dask", environ["DASK_CONFIG"])
    assert [path for path, _ in collect_yaml(places, return_paths=True)] == [*files]


def test_the_last_place_may_be_a_file_and_a_place_twice_counts_where_it_is_last(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    file = write(tmp_path / "mine" / "jobqueue.yaml", "{}")
    other = write(tmp_path / "home/.config/dask/a.yaml", "{}")
    environ["DASK_CONFIG"] = str(file)
    assert dask_config_files(environ)[-2:] == [other, file]
    environ["DASK_ROOT_CONFIG"] = str(file)
    assert dask_config_files(environ)[-2:] == [other, file]


def test_the_environments_own_directory_is_among_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    file = write(tmp_path / "etc" / "dask" / "jobqueue.yaml", "{}")
    assert file in dask_config_files({"HOME": str(tmp_path / "home")})


@pytest.mark.skipif(os.getuid() == 0, reason="root can read everything")
def test_a_file_that_may_not_be_read_is_left_out(tmp_path: Path, environ: dict[str, str]) -> None:
    file = write(tmp_path / "mine" / "a.yaml", "{}")
    file.chmod(0)
    assert file not in dask_config_files(environ)


def test_later_files_win_key_by_key_however_keys_are_spelt(tmp_path: Path) -> None:
    first = write(tmp_path / "1.yaml", "jobqueue: {slurm: {local-directory: /a, cores: 4, job-extra: [a]}, pbs: null}")
    second = write(tmp_path / "2.yaml", "jobqueue: {slurm: {local_directory: /b, job_extra: [b]}, pbs: {cores: 1}}")
    third = write(tmp_path / "3.yaml", "")
    slurm = {"local-directory": "/b", "cores": 4, "job-extra": ["b"]}
    assert read_config([first, second, third]) == {"jobqueue": {"slurm": slurm, "pbs": {"cores": 1}}}


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "cannot be read as YAML"), ("- a", "is not a mapping"), ("a: \xff", "cannot be read as YAML")],
)
def test_files_that_are_no_configuration_are_all_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidRequest, match=message) as caught:
        read_config([tmp_path / "bad.yaml", tmp_path / "missing.yaml"])
    assert [error.field for error in caught.value.errors] == [
        str(tmp_path / f"{name}.yaml") for name in ("bad", "missing")
    ]

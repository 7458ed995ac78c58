"""Site files: where they are looked for, which one wins, and what becomes of a broken one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpcdask_ext.sites.load import FOLDER, SiteFiles

from .samples import SMALLEST


class Levels:
    """Three directories of a config path: the user's, the environment's, the system's."""

    def __init__(self, root: Path) -> None:
        self.path = [str(root / level) for level in ("user", "env", "system")]
        self.files = SiteFiles(self.path)

    def write(self, level: str, file: str, text: str) -> Path:
        folder = next(Path(directory) for directory in self.path if directory.endswith(level)) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file
        path.write_text(text)
        return path


@pytest.fixture
def levels(tmp_path: Path) -> Levels:
    return Levels(tmp_path)


def named(name: str, title: str = "") -> str:
    return SMALLEST.replace("name: centre", f"name: {name}").replace("Centre (Slurm)", title or name)


def test_without_a_file_there_is_this_machine(levels: Levels) -> None:
    sites = levels.files.load()
    (site,) = sites.sites
    assert (site.name, site.batch_system, sites.problems) == ("local", "local", ())
    assert [queue.name for queue in site.queues] == ["local"]
    small = site.size("small")
    assert small is not None
    assert small.workers == 2


def test_with_a_file_there_is_what_it_describes_and_no_more(levels: Levels) -> None:
    levels.write("user", "centre.yaml", SMALLEST)
    assert [site.name for site in levels.files.load().sites] == ["centre"]


def test_the_sites_of_all_levels_are_there_and_the_users_own_wins(levels: Levels) -> None:
    levels.write("system", "centre.yaml", named("centre", "by the system"))
    levels.write("system", "other.yaml", named("other"))
    levels.write("env", "centre.yaml", named("centre", "by the environment"))
    levels.write("user", "mine.yaml", named("centre", "by the user"))
    sites = levels.files.load()
    assert sorted(site.name for site in sites.sites) == ["centre", "other"]
    centre = sites.get("centre")
    assert centre is not None
    assert centre.title == "by the user"
    assert sites.get("nowhere") is None


def test_in_one_folder_the_later_file_wins(levels: Levels) -> None:
    levels.write("system", "20-centre.yaml", named("centre", "twenty"))
    levels.write("system", "10-centre.yaml", named("centre", "ten"))
    assert [site.title for site in levels.files.load().sites] == ["twenty"]


def test_a_file_of_another_ending_is_none_of_ours(levels: Levels) -> None:
    levels.write("user", "centre.yaml.bak", "{{{")
    assert [site.name for site in levels.files.load().sites] == ["local"]


BROKEN = {
    "no YAML": "name: [",
    "no mapping": "- centre",
    "empty": "",
    "a tab": "name:\tcentre\n\tqueues: []",
    "a control character": "name: \x01",
    "a date that is none": SMALLEST + "description: 2026-13-45\n",
    "a number without end": SMALLEST.replace("16 GiB", ".inf"),
    "a time without end": SMALLEST.replace('"01:00:00"', "100000000000000000000"),
    "a misspelt key": SMALLEST + "quues: []\n",
    "a wrong value": SMALLEST.replace("workers: 2", "workers: two"),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_takes_out_only_itself(levels: Levels, text: str) -> None:
    levels.write("system", "good.yaml", named("good"))
    broken = levels.write("system", "broken.yaml", text)
    levels.write("user", "other.yaml", named("other"))
    sites = levels.files.load()
    assert [site.name for site in sites.sites] == ["good", "other"]
    assert {problem.file for problem in sites.problems} == {str(broken)}
    assert all(problem.message for problem in sites.problems)


def test_a_file_that_is_no_text_takes_out_only_itself(levels: Levels) -> None:
    levels.write("system", "good.yaml", named("good"))
    levels.write("system", "broken.yaml", "").write_bytes(b"\xff\xfe\x00name")
    sites = levels.files.load()
    assert [site.name for site in sites.sites] == ["good"]
    assert len(sites.problems) == 1


def test_what_cannot_even_be_opened_takes_out_only_itself(levels: Levels) -> None:
    good = levels.write("system", "good.yaml", named("good"))
    (good.parent / "dangling.yaml").symlink_to(good.parent / "nowhere")
    (good.parent / "folder.yaml").mkdir()
    sites = levels.files.load()
    assert [site.name for site in sites.sites] == ["good"]
    assert {Path(problem.file).name for problem in sites.problems} == {"dangling.yaml", "folder.yaml"}


def test_a_problem_says_where_it_is_and_what_was_found_there(levels: Levels) -> None:
    levels.write("user", "centre.yaml", SMALLEST.replace("workers: 2", "workers: two").replace("cores: 4", "cores: 0"))
    problems = levels.files.load().problems
    found = {problem.where: problem.message for problem in problems}
    assert "found 'two'" in found["sizes.0.workers"]
    assert "found 0" in found["sizes.0.cores"]


def test_one_mistake_is_one_problem(levels: Levels) -> None:
    levels.write("user", "centre.yaml", SMALLEST.replace("workers: 2", "workers: two"))
    assert [problem.where for problem in levels.files.load().problems] == ["sizes.0.workers"]


def test_what_was_found_is_cut_short(levels: Levels) -> None:
    levels.write("user", "centre.yaml", SMALLEST.replace("workers: 2", f"workers: {'x' * 5000}"))
    problem = levels.files.load().problems[0]
    assert len(problem.message) < 400


def test_a_broken_file_leaves_the_same_site_of_a_wider_level(levels: Levels) -> None:
    levels.write("system", "centre.yaml", named("centre", "by the system"))
    levels.write("user", "centre.yaml", "name: [")
    sites = levels.files.load()
    assert [site.title for site in sites.sites] == ["by the system"]
    assert len(sites.problems) == 1


def test_only_broken_files_do_not_bring_this_machine_back(levels: Levels) -> None:
    """Who described a centre does not want its users to compute on the login node."""
    levels.write("system", "centre.yaml", "name: [")
    sites = levels.files.load()
    assert sites.sites == ()
    assert len(sites.problems) == 1


def test_files_are_read_again_when_one_changes_and_not_before(levels: Levels) -> None:
    path = levels.write("user", "centre.yaml", named("centre", "before"))
    first = levels.files.load()
    assert levels.files.load() is first
    path.write_text(named("centre", "behind"))
    os.utime(path, ns=(1, 1))
    assert [site.title for site in levels.files.load().sites] == ["behind"]
    path.write_text("name: [")
    assert levels.files.load().problems
    path.unlink()
    assert [site.name for site in levels.files.load().sites] == ["local"]
    levels.write("system", "other.yaml", named("other"))
    assert [site.name for site in levels.files.load().sites] == ["other"]

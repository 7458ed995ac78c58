"""The contract of `BatchSystem`, over every implementation: a new one adds a `Sample` and nothing else."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from batch_samples import ALLOCATION, FULL, GOLDEN, PLAIN, Sample, request_with, said

from hpcdask_ext.batch import BATCH_SYSTEMS
from hpcdask_ext.batch.records import JobElements
from hpcdask_ext.batch.runner import program
from hpcdask_ext.errors import BatchError, BatchRefused, BatchUnreachable, InvalidRequest, NotUnderstood

HOSTILE = (
    "$(touch FIRED)",
    "`touch FIRED`",
    "'; touch FIRED; '",
    '"; touch FIRED; "',
    "a && touch FIRED #",
    "\\'$(touch FIRED)\\'",
    "space and % and %a and \\ and * and ~",
    "Ünïcode-名前-🦆",
    "-rf",
    "",
)
PROGRAM = "/opt/env/bin/python analysis.py --year 2026"
WITH_BREAKS = ("a\ntouch FIRED", "a\r\ntouch FIRED", "a\n#SBATCH --array=1-1000", "a\x1b[2J", "a\u2028b")


SAMPLES = [importlib.import_module(path.stem).SAMPLE for path in sorted(Path(__file__).parent.glob("sample_*.py"))]


def without(letters: str, text: str) -> str:
    """Return `text` without any of `letters`."""
    return "".join(letter for letter in text if letter not in letters)


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.name)
def sample(request: pytest.FixtureRequest) -> Sample:
    return request.param


def test_every_system_has_a_sample() -> None:
    assert set(BATCH_SYSTEMS) == {sample.name for sample in SAMPLES}


def test_importing_the_package_imports_no_implementation() -> None:
    code = "import sys, hpcdask_ext.batch; assert not {'jinja2', 'pydantic', 'psutil'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_plain_and_full_scripts_and_allocations_are_the_golden_ones(sample: Sample) -> None:
    jobs = {"plain": PLAIN, "full": FULL, "allocation": ALLOCATION, "program": replace(ALLOCATION, program=PROGRAM)}
    for kind, job in jobs.items():
        golden = GOLDEN / f"{sample.name}-{kind}.sh"
        script = sample.system.script(job)
        if "HPCDASK_WRITE_GOLDEN" in os.environ:
            golden.write_text(script)
        assert script == golden.read_text()


def test_what_users_can_say_is_never_run(sample: Sample, tmp_path: Path) -> None:
    for number, value in enumerate(HOSTILE):
        # A name of a directory cannot be empty, and Slurm cannot name a log with a backslash.
        directory = tmp_path / f"{number}{without(chr(92) + sample.unsayable_in_paths, value)}"
        directory.mkdir()
        job = request_with(
            command='printf "%s" "$VALUE" >value; env >environment',
            queue=without(sample.unsayable, value),
            account=without(sample.unsayable, value),
            environment={"VALUE": value + "\n$(touch FIRED)"},
            report_prefix=directory / "report",
            log_prefix=directory / "log",
            working_directory=directory,
            extra_directives=(value,),
        )
        script = directory / "job.sh"
        script.write_text(sample.system.script(job))
        subprocess.run(
            ["/bin/sh", script], env={**sample.element, "PATH": os.environ["PATH"]}, check=True, cwd=directory
        )
        assert not list(tmp_path.rglob("FIRED"))
        assert (directory / "value").read_text() == value + "\n$(touch FIRED)"
        assert "HPCDASK_INDEX=2\n" in (directory / "environment").read_text()
        assert "exit=0\n" in (directory / "report.2.ended").read_text()


def test_what_no_directive_can_say_is_refused(sample: Sample) -> None:
    changes = [{name: f"a{letter}b"} for name in ("queue", "account") for letter in sample.unsayable]
    changes += [{"log_prefix": Path(f"/scratch/a{letter}b/log")} for letter in sample.unsayable_in_paths]
    for change in changes:
        with pytest.raises(InvalidRequest) as caught:
            sample.system.script(request_with(**change))
        assert [error.field for error in caught.value.errors] == [{"log_prefix": "directory"}.get(*change, *change)]


@pytest.mark.parametrize("field_name", ["queue", "account", "extra_directives", "working_directory", "log_prefix"])
@pytest.mark.parametrize("value", WITH_BREAKS)
def test_a_line_break_stands_in_no_directive(sample: Sample, field_name: str, value: str) -> None:
    kinds = {"extra_directives": lambda text: (text,), "working_directory": Path, "log_prefix": Path}
    job = request_with(**{field_name: kinds.get(field_name, str)(value)})
    if sample.has_directives:
        with pytest.raises(InvalidRequest, match=re.escape(repr(value)[1:-1])) as caught:
            sample.system.script(job)
        assert len(caught.value.errors) == 1
    else:
        # The working directory is all that stands in the script, in single quotes.
        assert (value in sample.system.script(job)) == (field_name == "working_directory")


def test_a_users_plain_value_stays_as_it_is(sample: Sample) -> None:
    for value in ("plain", "ib0:1", "a_b-c.d"):
        assert sample.system.quote(value, "options") == value


def test_a_users_value_with_a_line_break_is_refused(sample: Sample) -> None:
    for value in WITH_BREAKS:
        with pytest.raises(InvalidRequest) as refused:
            sample.system.quote(value, "options")
        assert [error.field for error in refused.value.errors] == ["options"]


def test_a_variable_that_no_shell_can_export_is_refused(sample: Sample) -> None:
    for name in ("A B", "A;touch FIRED", "1A", "", "A\n", "Ä"):
        with pytest.raises(InvalidRequest, match="environment"):
            sample.system.script(request_with(environment={name: "x"}))


def test_the_sites_own_template_is_used_and_its_mistakes_are_named(sample: Sample) -> None:
    def script(template: str) -> str:
        return sample.system_with(template).script(PLAIN)

    assert script("#!/bin/sh\n# {{ job.name }}") == f"#!/bin/sh\n# {PLAIN.name}\n"
    for mistake in ("{{ job.nmae }}", "{% if %}"):
        with pytest.raises(InvalidRequest, match=r"^site: its job template"):
            script(mistake)


def test_commands_are_one_each_and_end_in_time(sample: Sample) -> None:
    system, text = sample.system, sample.system.script(PLAIN)
    jobs = [JobElements("11"), JobElements(sample.job_id, (1, 2, 3, 7))]
    commands = (system.submit(PLAIN, text), system.query(), system.cancel(jobs))
    assert tuple(program(command.argv) for command in commands) == sample.programs
    given = f"{' '.join(commands[0].argv)} {commands[0].stdin}"
    assert commands[0].stdin == text if sample.reads_stdin else str(PLAIN.script_file) in given
    assert sample.cancelled in " ".join(commands[2].argv)
    assert all(timedelta() < command.timeout <= timedelta(minutes=2) for command in commands)


def test_answers_are_understood(sample: Sample) -> None:
    assert sample.system.parse_submit(PLAIN, sample.submitted) == sample.job_id
    assert sample.one_status in sample.system.parse_query(sample.jobs)
    assert list(sample.system.parse_query(sample.no_jobs)) == []
    sample.system.parse_cancel(said())


def test_a_refusal_is_told_in_its_own_words(sample: Sample) -> None:
    with pytest.raises(BatchRefused, match=re.escape(sample.refused.words.splitlines()[0][-20:])) as caught:
        sample.system.parse_submit(PLAIN, sample.refused)
    assert "sbatch: error" not in caught.value.message


def test_not_to_be_asked_is_neither_gone_nor_refused(sample: Sample) -> None:
    for result in sample.unreachable:
        for parse in (sample.system.parse_query, sample.system.parse_cancel):
            with pytest.raises(BatchUnreachable):
                parse(result)
        with pytest.raises(BatchUnreachable):
            sample.system.parse_submit(PLAIN, result)


@pytest.mark.parametrize("text", ["", "\n", "hello", "<html>502</html>", "{}", "JOBID STATE\n1 R\n", "\0\0"])
def test_what_nobody_can_read_is_never_an_empty_list(sample: Sample, text: str) -> None:
    with pytest.raises(NotUnderstood):
        sample.system.parse_query(said(text))
    with pytest.raises(NotUnderstood):
        sample.system.parse_submit(PLAIN, said(text))


def test_half_an_answer_is_not_taken_for_the_whole(sample: Sample) -> None:
    half = sample.jobs.stdout[: sample.jobs.stdout.rindex("unning")]
    with pytest.raises(BatchError):
        sample.system.parse_query(said(half[: half.rindex(sample.separator)]))


def test_a_reason_is_explained_with_its_own_word(sample: Sample) -> None:
    assert sample.system.explain("") == ""
    assert sample.system.explain("Whatever") == "Waiting (Whatever)"

"""LSF's job scripts."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta

import pytest
from batch_samples import ALLOCATION, PLAIN, request_with

from hpcdask_ext.batch.lsf import LSFSettings, LSFSystem
from hpcdask_ext.errors import InvalidRequest

LSF = LSFSystem()


def lsf_with(**settings: object) -> LSFSystem:
    return LSFSystem(settings=LSFSettings(**settings))


def directives(script: str) -> dict[str, str]:
    lines = [line.removeprefix("#BSUB ") for line in script.splitlines() if line.startswith("#BSUB ")]
    return {words[0]: words[1] if len(words) > 1 else "" for words in map(shlex.split, lines)}


def test_directives_ask_for_each_element() -> None:
    asked = directives(LSF.script(request_with(queue="bigmem", account="a1", cores=8, memory=20 * 10**9, gpus=2)))
    assert (asked["-q"], asked["-P"], asked["-W"], asked["-n"]) == ("bigmem", "a1", "01:00", "8")
    assert asked["-J"] == f"{PLAIN.name}[1-3]"
    assert asked["-R"] == "span[hosts=1] rusage[mem=19074MB]"
    assert asked["-M"] == "19074MB"
    assert asked["-gpu"] == "num=2"
    assert "-rn" in asked


def test_pegasus() -> None:
    """What its users write by hand: 8 cores, 20 GB, queue bigmem, half an hour."""
    job = request_with(queue="bigmem", cores=8, memory=20 * 10**9, walltime=timedelta(minutes=30))
    asked = directives(lsf_with(memory_unit="MB").script(job))
    assert (asked["-q"], asked["-n"], asked["-W"], asked["-M"]) == ("bigmem", "8", "00:30", "19074")


@pytest.mark.parametrize(
    ("walltime", "text"),
    [
        (timedelta(seconds=1), "00:01"),
        (timedelta(minutes=30), "00:30"),
        (timedelta(hours=23, minutes=59, seconds=1), "24:00"),
        (timedelta(days=14), "336:00"),
    ],
)
def test_walltime(walltime: timedelta, text: str) -> None:
    assert directives(LSF.script(request_with(walltime=walltime)))["-W"] == text


def test_what_is_not_asked_for_stands_in_no_directive() -> None:
    asked = directives(lsf_with(memory_limit="none").script(request_with(walltime=None)))
    assert not {"-W", "-q", "-P", "-G", "-M", "-gpu"} & set(asked)


@pytest.mark.parametrize(
    ("settings", "reserved", "limit"),
    [
        ({}, "1025MB", "1025MB"),
        ({"memory_unit": "KB"}, "1048577", "1048577"),
        ({"memory_unit": "MB"}, "1025", "1025"),
        ({"memory_unit": "GB"}, "2", "2"),
        ({"memory_per": "slot"}, "257MB", "1025MB"),
        ({"memory_per": "slot", "memory_unit": "GB"}, "1", "2"),
    ],
)
def test_memory_in_the_units_of_the_centre_is_rounded_up(
    settings: dict[str, object], reserved: str, limit: str
) -> None:
    asked = directives(lsf_with(**settings).script(request_with(cores=4, memory=2**30 + 1)))
    assert (asked["-R"], asked["-M"]) == (f"span[hosts=1] rusage[mem={reserved}]", limit)


def test_an_allocation_has_slots_for_every_task_and_memory_for_each_host() -> None:
    asked = directives(LSF.script(ALLOCATION))
    assert (asked["-n"], asked["-R"], asked["-M"]) == ("36", "span[ptile=4] rusage[mem=16384MB]", "16384MB")
    asked = directives(lsf_with(memory_limit="job").script(ALLOCATION))
    assert asked["-M"] == f"{9 * 16384}MB"


def test_gpus_are_of_a_host_also_where_lsf_counts_for_slots() -> None:
    asked = directives(lsf_with(memory_per="slot").script(request_with(gpus=2)))
    assert asked["-gpu"] == "num=2/host"


def test_an_account_may_be_a_user_group() -> None:
    asked = directives(lsf_with(account="group").script(request_with(account="climate")))
    assert asked["-G"] == "climate"
    assert "-P" not in asked


def test_only_the_path_is_passed_on_unless_the_site_says_otherwise() -> None:
    assert directives(LSF.script(PLAIN))["-env"] == "PATH"
    assert directives(lsf_with(environment=["PATH", "TZ"]).script(PLAIN))["-env"] == "PATH, TZ"
    assert directives(lsf_with(environment=["all"]).script(PLAIN))["-env"] == "all"


@pytest.mark.parametrize("value", ["it's", 'a "b" c', "$(x)", "a\\b", "größe"])
def test_a_value_is_quoted_as_bsub_reads_it(value: str) -> None:
    script = LSF.script(request_with(account=value))
    quoted = re.search(r"^#BSUB -P (.*)$", script, re.MULTILINE)[1]
    assert quoted[1:-1] == value
    assert quoted[0] == quoted[-1] == ("'" if '"' in value else '"')


@pytest.mark.parametrize("value", ['it\'s "so"', "a  b", " a", "a ", "# a"])
def test_what_bsub_would_misread_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot stand in an LSF directive") as caught:
        LSF.script(request_with(account=value))
    assert caught.value.errors[0].field == "account"


@pytest.mark.parametrize("text", ["#BSUB -q gold", "  # BSUB -J x[1-1000]"])
def test_nothing_but_the_head_of_a_script_has_directives(text: str) -> None:
    """bsub reads them in every line, also in the middle of a quoted value."""
    with pytest.raises(InvalidRequest, match=r"^environment: .*would be read as a directive"):
        LSF.script(request_with(environment={"TITLE": f"first line\n{text}"}))
    LSF.script(request_with(environment={"TITLE": f"first line {text}"}))


def test_users_own_variables_change_no_command() -> None:
    assert {"BSUB_QUIET", "BSUB_CHK_RESREQ"} <= set(LSF.submit(PLAIN, "text").argv)
    assert {"TZ=UTC", "LSB_DISPLAY_YEAR=Y"} <= set(LSF.query().argv)

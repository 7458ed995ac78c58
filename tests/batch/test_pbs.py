"""PBS's scripts, submissions and cancellations, as recorded and as OpenPBS's source has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from batch_samples import ALLOCATION, PLAIN, recorded, request_with, said

from hpcdask_ext.batch.pbs import PBSSystem, Settings
from hpcdask_ext.batch.records import JobElements
from hpcdask_ext.errors import BatchRefused, InvalidRequest

PBS = PBSSystem()


def directives(script: str) -> list[str]:
    return [line.removeprefix("#PBS ") for line in script.splitlines() if line.startswith("#PBS ")]


def resources(**changes: Any) -> list[str]:
    return [text for text in directives(PBS.script(request_with(**changes))) if text.startswith("-l ")]


def test_directives_ask_for_each_element() -> None:
    asked = directives(PBS.script(request_with(queue="gpu", account="a1", cores=3, memory=10**9, gpus=2)))
    assert "-N hpcdask-k3x9-workers-1" in asked
    assert {"-q gpu", "-A a1", "-J 1-3"} <= set(asked)
    assert asked[-2:] == ["-l select=1:ncpus=3:mem=954mb:ngpus=2", "-l walltime=01:00:00"]


def test_a_single_element_is_no_array_because_pbs_has_none_of_one() -> None:
    asked = directives(PBS.script(request_with(count=1)))
    assert not [text for text in asked if text.startswith("-J")]
    # Arrays have to be rerunnable: qsub says "cannot submit non-rerunable Array Job".
    assert "-r n" in asked
    assert "-r n" not in directives(PBS.script(PLAIN))


@pytest.mark.parametrize(
    ("walltime", "text"),
    [
        (timedelta(seconds=0.5), "00:00:01"),
        (timedelta(hours=23, minutes=59, seconds=59), "23:59:59"),
        (timedelta(days=8, hours=1), "193:00:00"),
    ],
)
def test_walltime_has_no_days(walltime: timedelta, text: str) -> None:
    assert f"-l walltime={text}" in resources(walltime=walltime)


def test_what_is_not_asked_for_stands_in_no_directive() -> None:
    assert resources(walltime=None) == ["-l select=1:ncpus=4:mem=16384mb"]
    asked = directives(PBS.script(request_with(queue=None, account=None)))
    assert not [text for text in asked if text.startswith(("-q", "-A"))]


def test_an_allocation_is_one_chunk_for_each_task_however_a_site_sets_mpiprocs() -> None:
    asked = directives(PBS.script(replace(ALLOCATION, gpus=1)))
    assert "-l select=9:ncpus=4:mem=16384mb:ngpus=1:mpiprocs=1" in asked
    assert not [text for text in asked if text.startswith("-J")]


def test_a_site_can_add_to_chunks_and_place_them() -> None:
    system = PBSSystem(settings=Settings(chunk="model=ivy", place="scatter:excl"))
    asked = directives(system.script(ALLOCATION))
    assert "-l select=9:ncpus=4:mem=16384mb:mpiprocs=1:model=ivy" in asked
    assert "-l place=scatter:excl" in asked


def test_a_resource_spec_is_asked_for_as_it_is() -> None:
    system = PBSSystem(settings=Settings(resource_spec="select=1:ncpus=24:mem=100gb"))
    assert "-l select=1:ncpus=24:mem=100gb" in directives(system.script(PLAIN))
    assert "-l select=9:ncpus=24:mem=100gb" in directives(system.script(ALLOCATION))
    old = PBSSystem(settings=Settings(resource_spec="nodes=1:ppn=24"))
    assert "-l nodes=1:ppn=24" in directives(old.script(PLAIN))
    with pytest.raises(InvalidRequest, match=r"layout: 'nodes=1:ppn=24' cannot be asked for 9 times"):
        old.script(ALLOCATION)


@pytest.mark.parametrize("field", ["chunk", "place", "resource_spec"])
def test_settings_that_would_be_a_second_option_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Settings(**{field: "a -W depend=afterok:1"})


def test_the_sites_directives_count() -> None:
    """Of two `-l`, qsub takes the first; of other options, the last."""
    asked = directives(PBS.script(request_with(queue="regular", extra_directives=("-l walltime=0:10:00", "-q other"))))
    assert asked.index("-l walltime=0:10:00") < asked.index("-l walltime=01:00:00")
    assert asked.index("-q other") > asked.index("-q regular")


def test_values_are_quoted_as_qsub_reads_them() -> None:
    asked = directives(PBS.script(request_with(account="a b\\\"c'd")))
    assert '-A "a b\\"\'"\'"c\'d"' in asked


def test_only_the_variable_that_changes_what_a_directive_is_is_unset() -> None:
    assert PBS.submit(PLAIN, "#!/bin/sh\n").argv == ("env", "-u", "PBS_DPREFIX", "qsub")


def test_every_refusal_on_record_is_one() -> None:
    refusals = [(command, result) for command, result in recorded("pbs/refusals.txt") if "nosuchhost" not in command]
    for command, result in refusals:
        if result.exit_code == 0:
            assert PBS.parse_submit(PLAIN, result) == "15.vm"
            continue
        with pytest.raises(BatchRefused) as caught:
            PBS.parse_submit(PLAIN, result)
        assert result.stderr.splitlines()[0].removeprefix("qsub: ") in caught.value.message, command
    assert len(refusals) == 13


def test_the_id_is_found_behind_what_a_login_script_prints() -> None:
    assert PBS.parse_submit(PLAIN, said("Welcome to login1\n2 messages\n4711[].pbs01.example.org\n")) == (
        "4711[].pbs01.example.org"
    )


def test_cancelling_names_elements_and_whole_jobs() -> None:
    jobs = [JobElements("11[].s", (3, 5, 6, 7)), JobElements("12[].s"), JobElements("13.s", (1,))]
    assert PBS.cancel(jobs).argv == ("qdel", "11[3].s", "11[5-7].s", "12[].s", "13.s")


def test_cancelling_what_has_ended_is_done() -> None:
    for _, result in recorded("pbs/qdel.txt"):
        PBS.parse_cancel(result)
    denied = "qdel: Unauthorized Request  3.s\n"
    with pytest.raises(BatchRefused, match=r"Unauthorized Request  3\.s") as caught:
        PBS.parse_cancel(said(stderr=f"qdel: Unknown Job Id 2.s\n{denied}", exit_code=159))
    assert "Unknown Job Id" not in caught.value.message
    with pytest.raises(BatchRefused, match="exit code 1, no output"):
        PBS.parse_cancel(said(exit_code=1))

"""HTCondor's job scripts and submit descriptions, also as its own parser reads them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from batch_samples import ALLOCATION, FULL, PLAIN, request_with

from hpcdask_ext.batch.htcondor import HTCondorSettings, HTCondorSystem
from hpcdask_ext.batch.records import JobRequest
from hpcdask_ext.errors import InvalidRequest
from tests.fakes.htcondor import words

CONDOR = HTCondorSystem()


def condor_with(**settings: object) -> HTCondorSystem:
    return HTCondorSystem(settings=HTCondorSettings(**settings))


def description(job: JobRequest, system: HTCondorSystem = CONDOR) -> dict[str, str]:
    lines = (system.submit(job, system.script(job)).stdin or "").splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}


def test_the_description_asks_for_each_process() -> None:
    job = request_with(
        cores=3, memory=10**9, gpus=2, account="group_physics", extra_directives=("request_disk = 10GB",)
    )
    asked = description(job)
    assert (asked["request_cpus"], asked["request_memory"], asked["request_gpus"]) == ("3", "954", "2")
    assert (asked["accounting_group"], asked["allowed_job_duration"]) == ("group_physics", "3600")
    assert (asked["batch_name"], asked["universe"]) == (PLAIN.name, "vanilla")
    assert list(asked)[-2:] == ["request_disk", "queue 3"]


def test_what_is_not_asked_for_is_not_mentioned() -> None:
    asked = description(request_with(walltime=None))
    assert not {"allowed_job_duration", "accounting_group", "request_gpus", "machine_count"} & set(asked)
    assert not any(name.startswith("+") for name in asked)


def test_an_allocation_is_a_job_of_the_parallel_universe() -> None:
    asked = description(ALLOCATION)
    assert (asked["universe"], asked["machine_count"]) == ("parallel", "9")
    assert "HPCDASK_NODE=$(Node)" in asked["environment"]
    assert "queue 1" in asked


def test_only_the_head_of_a_script_is_the_description() -> None:
    job = request_with(environment={"TITLE": "first\n#CONDOR request_cpus = 1000"})
    assert description(job)["request_cpus"] == "4"


def test_queues_and_walltimes_have_the_names_of_the_pool() -> None:
    job = request_with(queue="workday")
    assert "workday" not in str(description(job))
    cern = condor_with(queue_attribute="JobFlavour", walltime_attribute="MaxRuntime")
    asked = description(job, cern)
    assert (asked["+JobFlavour"], asked["+MaxRuntime"]) == ('"workday"', "3600")
    assert "+JobFlavour" not in description(replace(job, queue="default"), cern)
    with pytest.raises(ValueError, match="pattern"):
        condor_with(queue_attribute="a b")


def test_files_and_variables_as_the_site_says() -> None:
    asked = description(PLAIN)
    assert (asked["should_transfer_files"], asked["getenv"]) == ("NO", "PATH")
    asked = description(PLAIN, condor_with(should_transfer_files="YES", environment=[]))
    assert (asked["should_transfer_files"], asked["getenv"]) == ("YES", "False")


def test_macros_are_not_expanded() -> None:
    job = request_with(working_directory=Path("/a $(HOME) $ENV(X)"), account="$x")
    asked = description(job)
    assert asked["initialdir"] == "/a $(DOLLAR)(HOME) $(DOLLAR)ENV(X)"
    assert asked["accounting_group"] == "$(DOLLAR)x"


@pytest.mark.parametrize("value", ["a\\", " a", "a ", "$$(Memory)"])
def test_what_a_description_would_misread_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot stand in a submit description") as caught:
        CONDOR.script(request_with(account=value))
    assert caught.value.errors[0].field == "account"
    with pytest.raises(InvalidRequest, match="ends in a backslash"):
        CONDOR.script(request_with(extra_directives=("request_disk = 10GB \\",)))


def test_a_directory_that_would_be_misread_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="backslash behind a slash") as caught:
        CONDOR.script(request_with(working_directory=Path("/scratch/\\x")))
    assert caught.value.errors[0].field == "directory"


@pytest.mark.parametrize("value", ['a\\"b', "a\\"])
def test_what_a_classad_would_misread_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match="backslash before a quote or at its end"):
        condor_with(queue_attribute="JobFlavour").script(request_with(queue=value))


@pytest.fixture
def condor_bindings() -> ModuleType:
    """Return HTCondor's own library, which reads submit descriptions as condor_submit does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("htcondor")


@pytest.mark.parametrize(
    "value",
    [
        *("$(touch FIRED)", "`touch FIRED`", "'; touch FIRED; '", '"; touch FIRED; "', "a && touch FIRED #"),
        *("\\'$(touch FIRED)\\'", "space and % and * and ~ and \\ and  two", "Ünïcode-名前-🦆", "-rf", 'it\'s "so"'),
    ],
)
def test_htcondors_own_parser_reads_what_was_meant(condor_bindings: ModuleType, value: str, tmp_path: Path) -> None:
    directory = tmp_path / f"x{value}"
    directory.mkdir()
    places = {"working_directory": directory, "script_file": directory / "job.sh", "log_prefix": directory / "log"}
    job = replace(FULL, queue=value, extra_directives=("request_disk = 10GB",), **places)
    system = condor_with(queue_attribute="JobFlavour")
    submit = condor_bindings.Submit(system.submit(job, system.script(job)).stdin)
    first, *_, last = submit.jobs(count=int(submit.getQArgs()), clusterid=12)
    assert (first["JobFlavour"], first["Iwd"], first["AcctGroup"]) == (value, str(directory), "science")
    assert (first["Cmd"], last["ProcId"]) == ("/bin/bash", 2)
    assert words('"' + first["Arguments"].replace('"', '""') + '"') == [str(directory / "job.sh")]
    assert "HPCDASK_CLUSTER=12 HPCDASK_PROCESS=2" in last["Environment"]
    assert (first["RequestCpus"], first["RequestMemory"], first["RequestGPUs"]) == (4, 16384, 2)


def test_htcondors_own_parser_reads_an_allocation(condor_bindings: ModuleType, tmp_path: Path) -> None:
    job = replace(ALLOCATION, working_directory=tmp_path)
    submit = condor_bindings.Submit(CONDOR.submit(job, CONDOR.script(job)).stdin)
    (ad,) = submit.jobs(count=1, clusterid=12)
    assert (ad["JobUniverse"], ad["MinHosts"], ad["MaxHosts"]) == (11, 9, 9)
    assert "HPCDASK_NODE=#pArAlLeLnOdE#" in ad["Environment"]

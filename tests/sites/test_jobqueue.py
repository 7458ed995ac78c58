"""A section of dask-jobqueue's configuration becomes a site with the same meaning, or says what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.sites.jobqueue import import_jobqueue, site_yaml
from hpcdask_ext.sites.models import BatchSite

SMALLEST = {"cores": 4, "memory": "20GB", "processes": 2, "queue": "regular"}


def imported(system: str = "slurm", **values: Any) -> dict[str, Any]:
    return import_jobqueue({"jobqueue": {system: {**SMALLEST, **values}}}).site


def notes(system: str = "slurm", **values: Any) -> tuple[str, ...]:
    return import_jobqueue({"jobqueue": {system: {**SMALLEST, **values}}}).notes


def refused(config: dict[str, Any], section: str | None = None) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        import_jobqueue(config, section)
    return {error.field: error.message for error in caught.value.errors}


def wrong(system: str = "slurm", **values: Any) -> dict[str, str]:
    return refused({"jobqueue": {system: {**SMALLEST, **values}}})


def test_what_is_of_a_job_there_is_of_a_worker_here() -> None:
    site = BatchSite.model_validate(imported(cores=8, memory="20 GB", processes=4))
    (size,) = site.sizes
    assert (size.workers, size.workers_per_job, size.cores, size.memory) == (4, 4, 2, 5 * 10**9)


@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (4, 4), (6, 3), (8, 4), (16, 4), (24, 6), (32, 8), (7, 7)])
def test_without_processes_a_job_has_as_many_as_dask_makes_of_its_cores(cores: int, processes: int) -> None:
    from distributed.deploy.local import nprocesses_nthreads

    assert nprocesses_nthreads(cores)[0] == processes
    assert imported(cores=cores, processes=None)["sizes"][0]["workers"] == processes


def test_everything_that_a_site_has_a_field_for() -> None:
    site = imported(
        **{
            "interface": "ib0",
            "account": "science",
            "walltime": "2-12",
            "death-timeout": 300,
            "local-directory": "~/spill/$SLURM_JOB_ID",
            "shared-temp-directory": "/scratch/$USER/",
            "worker-command": "dask_cuda.cli worker",
            "worker-extra-args": ["--lifetime", "55m", "--resources 'GPU=1'"],
            "job-script-prologue": ["module load conda\nconda activate geo", "", "export A=1"],
            "job-extra-directives": ["--exclusive", "--qos=debug"],
            "python": "/opt/env/bin/python -X dev",
        }
    )
    assert site == {
        "name": "slurm",
        "batch_system": "slurm",
        "directory": "/scratch/$USER/hpcdask",
        "interface": "ib0",
        "queues": [{"name": "regular", "worker_command": ["-m", "dask_cuda.cli", "worker"]}],
        "sizes": [
            {
                "name": "job",
                "title": "One job",
                "workers": 2,
                "cores": 2,
                "memory": "10 GB",
                "workers_per_job": 2,
                "walltime": "60:00:00",
            }
        ],
        "environments": [{"name": "jobqueue", "argv": ["/opt/env/bin/python", "-X", "dev"]}],
        "accounts": ["science"],
        "prologue": ["module load conda", "conda activate geo", "export A=1"],
        "extra_directives": ["--exclusive", "--qos=debug"],
        "worker_arguments": ["--death-timeout", "300", "--lifetime", "55m", "--resources", "GPU=1"],
        "local_directory": "$HOME/spill/$SLURM_JOB_ID",
    }
    assert BatchSite.model_validate(yaml.safe_load(site_yaml(site))) == BatchSite.model_validate(site)


def test_the_text_of_a_site_file_is_tidy() -> None:
    text = site_yaml(imported(account="science", walltime="12:00:00", **{"job-script-prologue": ["a", "b"]}))
    assert text == (
        "name: slurm\n"
        "batch_system: slurm\n"
        "queues:\n"
        "- {name: regular}\n"
        "sizes:\n"
        "- {name: job, title: One job, workers: 2, cores: 2, memory: 10 GB, workers_per_job: 2, walltime: '12:00:00'}\n"
        "accounts: [science]\n"
        "prologue:\n"
        "- a\n"
        "- b\n"
    )


@pytest.mark.parametrize(
    ("system", "old", "new"),
    [
        ("slurm", {"env-extra": ["a"]}, {"prologue": ["a"]}),
        ("slurm", {"job_script_prologue": ["b"], "env_extra": ["a"]}, {"prologue": ["b"]}),
        ("slurm", {"job_extra": ["--x"]}, {"extra_directives": ["--x"]}),
        ("slurm", {"extra": ["--x"]}, {"worker_arguments": ["--x"]}),
        ("slurm", {"project": "p"}, {"accounts": ["p"]}),
        ("slurm", {"project": "p", "account": "a"}, {"accounts": ["a"]}),
        ("pbs", {"project": "p"}, {"accounts": ["p"]}),
        ("lsf", {"project": "p"}, {"accounts": ["p"]}),
        ("sge", {"project": "p"}, {"accounts": ["p"]}),
    ],
)
def test_old_names_and_both_spellings_are_understood(system: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    site = imported(system, **old)
    assert {field: site[field] for field in new} == new


@pytest.mark.parametrize(
    ("system", "walltime", "text"),
    [
        ("slurm", 90, "01:30:00"),
        ("slurm", "90:00", "01:30:00"),
        ("slurm", "1:30:00", "01:30:00"),
        ("slurm", "1-0", "24:00:00"),
        ("slurm", "1-12:30", "36:30:00"),
        ("pbs", 5400, "01:30:00"),
        ("pbs", "30:00", "00:30:00"),
        ("moab", "1:00:00:00", "24:00:00"),
        ("lsf", "00:30", "00:30:00"),
        ("lsf", "90", "01:30:00"),
        ("lsf", "1:30/hostA", "01:30:00"),
        ("sge", "00:30:00", "00:30:00"),
        ("oar", "2", "02:00:00"),
        ("oar", "00:30", "00:30:00"),
    ],
)
def test_a_walltime_is_read_in_the_notation_of_its_batch_system(system: str, walltime: object, text: str) -> None:
    assert imported(system, walltime=walltime)["sizes"][0]["walltime"] == text


@pytest.mark.parametrize("walltime", ["soon", "1:2:3:4", "-5", True, "0:30", "1-2-3"])
def test_a_walltime_that_is_none_is_refused(walltime: object) -> None:
    assert set(wrong(walltime=walltime)) == {"jobqueue.slurm.walltime"}


@pytest.mark.parametrize(
    ("values", "cores", "memory", "others"),
    [
        ({"job-mem": "20000M"}, 2, 20_000 * 2**19, {"memory_share": 0.953674}),
        ({"job-mem": "20000"}, 2, 20_000 * 2**19, {"memory_share": 0.953674}),
        ({"job-mem": "10G"}, 2, 5 * 2**30, {"worker_arguments": ["--memory-limit", "10000000000"]}),
        ({"job-mem": 0}, 2, 10**10, {"extra_directives": ["--mem=0"]}),
        ({"job-cpu": 8}, 4, 10**10, {"worker_arguments": ["--nthreads", "2"]}),
    ],
)
def test_what_a_job_asks_for_and_what_dask_is_told_may_differ(
    values: dict[str, Any], cores: int, memory: int, others: dict[str, Any]
) -> None:
    site = imported(**values)
    (size,) = BatchSite.model_validate(site).sizes
    assert (size.cores, size.memory) == (cores, memory)
    assert {field: site.get(field) for field in ("memory_share", "worker_arguments", "extra_directives")} == {
        "memory_share": None,
        "worker_arguments": None,
        "extra_directives": None,
        **others,
    }


@pytest.mark.parametrize(
    ("system", "spec", "batch_system", "settings", "memory"),
    [
        ("pbs", "select=1:ncpus=4:mem=20gb", "pbs", None, 10 * 2**30),
        ("pbs", "select=1:ncpus=4:mpiprocs=4:mem=20gb:ngpus=1:bigmem", "pbs", {"chunk": "ngpus=1:bigmem"}, 10 * 2**30),
        ("pbs", "select=1:ncpus=4:vmem=20gb", "pbs", {"resource_spec": "select=1:ncpus=4:vmem=20gb"}, 10**10),
        ("pbs", "select=2:ncpus=4:mem=20gb", "pbs", {"resource_spec": "select=2:ncpus=4:mem=20gb"}, 10**10),
        ("pbs", "nodes=1:ppn=4,mem=20gb", "torque", None, 10 * 2**30),
        ("pbs", "nodes=1:ppn=4:ib,pmem=5gb", "torque", {"memory": "pmem", "node_properties": "ib"}, 10 * 2**30),
        ("pbs", "nodes=1:ppn=4", "torque", {"memory": "none"}, 10**10),
        ("pbs", "nodes=2:ppn=4,mem=20gb", "torque", {"resource_spec": "nodes=2:ppn=4,mem=20gb"}, 10**10),
        ("pbs", "nodes=1:ppn=4,nodes=1", "torque", {"resource_spec": "nodes=1:ppn=4,nodes=1"}, 10**10),
        ("pbs", "nodes=1:ppn=x", "torque", {"resource_spec": "nodes=1:ppn=x"}, 10**10),
        ("moab", "nodes=1:ppn=4,vmem=20gb", "moab", {"memory": "vmem"}, 10 * 2**30),
        ("moab", "select=1:ncpus=4:mem=20gb", "moab", None, 10 * 2**30),
        ("moab", "select=1:ncpus=4:mem=20gb:x", "moab", {"resource_spec": "select=1:ncpus=4:mem=20gb:x"}, 10 * 2**30),
    ],
)
def test_what_pbs_and_torque_are_asked_for_is_taken_apart_if_it_is_one_node(
    system: str, spec: str, batch_system: str, settings: dict[str, str] | None, memory: int
) -> None:
    site = imported(system, **{"resource-spec": spec})
    assert (site["batch_system"], site.get("settings")) == (batch_system, settings)
    assert BatchSite.model_validate(site).sizes[0].memory == memory


def test_grid_engine_is_asked_for_what_the_directives_say_and_nothing_else() -> None:
    values = {"resource-spec": "mem_free=20G", "job-extra-directives": ["-pe smp 4", "-R y", "-cwd"]}
    site = imported("sge", **values)
    settings = {"memory_resource": None, "resource_spec": "mem_free=20G", "parallel_environment": "smp"}
    assert (site["settings"], site["extra_directives"]) == (settings, ["-R y"])
    assert [note for note in notes("sge") if note.startswith("cores: 4. ")]


def test_directives_that_would_hide_a_job_from_us_are_left_out_and_told() -> None:
    dropped = {
        "slurm": ["-J mine", "--output=x.log", "-o x", "--array=1-9", "--job-name mine"],
        "pbs": ["-N mine", "-o /tmp", "-J 1-9", "-r y"],
        "lsf": ["-J mine", "-oo x"],
        "sge": ["-N mine", "-t 1-9", "-j n"],
    }
    kept = {
        "slurm": ["--jobid=3", "-A other", "--exclusive", "--open-mode=append"],
        "pbs": ["-m n", "-W group_list=g", "-l place=excl"],
        "lsf": ["-G group", "-x", '-R "select[ncores>4]"'],
        "sge": ["-R y", "-l arch=lx"],
    }
    harmless = {"slurm": [], "pbs": ["-j oe", "-r n"], "lsf": [], "sge": ["-cwd"]}
    for system, directives in dropped.items():
        values = {"job-extra-directives": [*directives, *kept[system], *harmless[system]]}
        assert imported(system, **values)["extra_directives"] == kept[system]
        (told,) = [note for note in notes(system, **values) if note.startswith("job-extra-directives")]
        assert [directive for directive in directives if repr(directive) not in told] == []
        assert [directive for directive in harmless[system] if repr(directive) in told] == []


@pytest.mark.parametrize(
    ("spec", "property_name", "settings", "cores"),
    [
        (None, None, None, 2),
        (None, "memcore", {"memory_per_core_property": "memcore"}, 2),
        (None, "not_applicable", None, 2),
        ("/switch=1/nodes=1/core=8", None, {"resource_spec": "/switch=1/nodes={nodes}/core={cores}"}, 4),
        ("/nodes=1/core=4", "memcore", {"resource_spec": "{memcore>=4769}/nodes={nodes}/core={cores}"}, 2),
        ("{gpu='YES'}/nodes=1", None, {"resource_spec": "{gpu='YES'}/nodes=1"}, 2),
    ],
)
def test_oar_is_asked_for_cores_and_by_a_condition_for_memory(
    spec: str | None, property_name: str | None, settings: dict[str, str] | None, cores: int
) -> None:
    site = imported("oar", **{"resource-spec": spec, "memory-per-core-property-name": property_name})
    assert (site.get("settings"), site["sizes"][0]["cores"]) == (settings, cores)
    assert imported("oar", queue=None)["queues"] == [{"name": "default"}]


def test_a_condition_that_cannot_be_added_is_told() -> None:
    (note,) = notes("oar", **{"resource-spec": "{a=1}/nodes=1/core=4", "memory-per-core-property-name": "memcore"})
    assert note.endswith("Add memcore>=4769 to the condition in resource_spec.")


def test_an_htcondor_section_has_a_mapping_of_directives_and_a_disk() -> None:
    extra = {"+JobFlavour": '"tomorrow"', "Requirements": "x > 1", "Output": "x.log", "Environment": '"A=1"'}
    values = {"queue": None, "disk": "2 GiB", "job-extra-directives": extra, "submit-command-extra": ["-spool"]}
    site = imported("htcondor", **values)
    assert site["queues"] == [{"name": "default"}]
    directives = ["request_disk = 2097152", '+JobFlavour = "tomorrow"', "Requirements = x > 1"]
    assert site["extra_directives"] == directives
    assert "walltime" not in site["sizes"][0]
    told = notes("htcondor", **values)
    assert "'Output = x.log', 'Environment = \"A=1\"'. " in told[0]
    assert told[1].startswith("submit-command-extra: ['-spool']. ")


def test_several_queues_are_several_choices_and_none_is_a_question_to_the_batch_system() -> None:
    assert imported(queue="normal,owners")["queues"] == [{"name": "normal"}, {"name": "owners"}]
    assert "users do" in " ".join(notes(queue="normal,owners"))
    site = imported(queue=None)
    assert site["queues"] == "auto"
    assert BatchSite.model_validate(site).auto == {"queues"}


def test_an_interpreter_that_the_prologue_makes_available_is_checked_in_a_job() -> None:
    site = imported(python="python", **{"job-script-prologue": ["module load conda"]})
    assert site["environments"] == [{"name": "jobqueue", "argv": ["python"], "probe": "job"}]
    assert site["scheduler"] == {"place": "job"}
    assert "scheduler" not in imported(python="/opt/bin/python", **{"job-script-prologue": ["module load conda"]})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "my-workers"),
        ("log-directory", "/tmp/logs"),
        ("shebang", "#!/usr/bin/env zsh"),
        ("job-directives-skip", ["--mem"]),
        ("scheduler-options", {"port": 8786}),
        ("worker-extra-args", ["--lifetime", "$TIME"]),
        ("protocol", "ucx://"),
        ("colour", "blue"),
    ],
)
def test_what_has_no_counterpart_is_told_with_its_value(key: str, value: object) -> None:
    (note,) = notes(**{key: value})
    assert note.startswith(f"{key}: {value!r}. ")
    assert len(note) > len(f"{key}: {value!r}. ") + 20


def test_what_is_the_default_is_not_worth_a_note() -> None:
    values = {
        "name": "dask-worker",
        "shebang": "#!/usr/bin/env bash",
        "death-timeout": 60,
        "interface": "ib0",
        "scheduler-options": {"interface": "ib0"},
        "worker-command": "distributed.cli.dask_worker",
        "job-extra": [],
        "log-directory": None,
    }
    assert notes(**values) == ()
    assert "worker_arguments" not in imported(**values)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"cores": None}, "cores"),
        ({"memory": None}, "memory"),
        ({"memory": "much"}, "memory"),
        ({"memory": "20 GiBs"}, "memory"),
        ({"memory": 0}, "memory"),
        ({"cores": "four"}, "cores"),
        ({"cores": 0}, "cores"),
        ({"cores": 2.5}, "cores"),
        ({"cores": True}, "cores"),
        ({"cores": float("inf")}, "cores"),
        ({"processes": 3}, "processes"),
        ({"processes": 8}, "processes"),
        ({"job-cpu": 3}, "processes"),
        ({"interface": ["ib0"]}, "interface"),
        ({"job-script-prologue": {"a": 1}}, "job-script-prologue"),
        ({"worker-extra-args": ["--x 'y"]}, "worker-extra-args"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(values: dict[str, Any], key: str) -> None:
    assert set(wrong(**values)) == {f"jobqueue.slurm.{key}"}


def test_all_that_is_wrong_is_told_at_once_with_what_was_found() -> None:
    found = wrong(cores="four", memory="much", walltime="soon")
    assert set(found) == {"jobqueue.slurm.cores", "jobqueue.slurm.memory", "jobqueue.slurm.walltime"}
    assert "'much' is not an amount of memory: write, for instance, '20GB'" in found["jobqueue.slurm.memory"]
    assert "choose one of 1, 2, 4" in wrong(processes=3)["jobqueue.slurm.processes"]


def test_what_a_site_cannot_have_is_refused_as_the_site_refuses_it() -> None:
    assert set(wrong(queue="regular;id")) == {"jobqueue.slurm, as queues.0.name"}
    assert set(wrong(interface="ib0; reboot")) == {"jobqueue.slurm, as interface"}
    assert "found 'two:words'" in wrong(account="two:words")["jobqueue.slurm, as accounts.0"]


def test_the_only_section_that_says_how_large_a_job_is_is_the_one() -> None:
    defaults = {"cores": None, "memory": None}
    config = {"jobqueue": {"slurm": defaults, "pbs": SMALLEST, "lsf": defaults}}
    assert import_jobqueue(config).site["batch_system"] == "pbs"
    assert refused({"jobqueue": {"pbs": defaults, "lsf": defaults}}).popitem()[1].endswith("Choose one: pbs, lsf")
    assert refused({"jobqueue": {"pbs": SMALLEST, "lsf": SMALLEST}}).popitem()[1].endswith("Choose one: pbs, lsf")
    assert set(refused({"jobqueue": {"pbs": defaults}})) == {"jobqueue.pbs.cores", "jobqueue.pbs.memory"}


@pytest.mark.parametrize(
    ("config", "section", "message"),
    [
        ({}, None, "There is no section of this name"),
        ({"jobqueue": None}, None, "There is no section of this name"),
        ({"jobqueue": {"pbs": SMALLEST}}, "lsf", "Available: pbs"),
        ({"jobqueue": {"cern": SMALLEST}}, None, "say which of these it is for: oar, pbs"),
        ({"jobqueue": {"pbs": [1]}}, "pbs", "must be a mapping; found [1]"),
    ],
)
def test_a_section_that_is_not_there_is_refused(config: dict[str, Any], section: str | None, message: str) -> None:
    assert message in refused(config, section).popitem()[1]


def test_a_section_with_a_name_of_the_sites_own_is_read_as_that_of_a_batch_system() -> None:
    site = import_jobqueue({"jobqueue": {"big_mem": SMALLEST}}, "big-mem", "slurm").site
    assert (site["name"], site["batch_system"]) == ("big_mem", "slurm")

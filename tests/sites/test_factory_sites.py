"""Sites of the kind `factory`, and a section `labextension` of Dask's configuration as such a site."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from hpcdask_ext.clusters.groups import AdaptiveScaling, FixedScaling
from hpcdask_ext.sites.factory import FactorySite
from hpcdask_ext.sites.gateway import GatewaySite
from hpcdask_ext.sites.kinds import read_site
from hpcdask_ext.sites.labextension import LABEXTENSION
from hpcdask_ext.sites.load import SiteFiles, Sites
from hpcdask_ext.sites.machine import LOCAL

SSH = {"module": "dask.distributed", "class": "SSHCluster"}


def factory_site(**fields: Any) -> FactorySite:
    return FactorySite.model_validate({"name": "farm", "factory": SSH, **fields})


def test_arguments_are_named_as_in_python_and_shown_nowhere() -> None:
    site = factory_site(factory={**SSH, "args": None, "kwargs": {"remote-python": "hush", "n": {1: [2]}}})
    assert site.factory.kwargs == {"remote_python": "hush", "n": {1: [2]}}
    assert "hush" not in repr(site)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"factory": {"module": "os;x", "class": "C"}}, "pattern"),
        ({"factory": {"module": "os", "class": "C.d"}}, "pattern"),
        ({"factory": {"module": "os"}}, "Field required"),
        ({"factory": {**SSH, "kwargs": {"not a name": 1}}}, "not a name: no name of an argument in Python"),
        ({"factory": {**SSH, "kwargs": {"lambda": 1}}}, "lambda: no name of an argument in Python"),
        ({"factory": {**SSH, "kwargs": {"object": object()}}}, "args and kwargs must be texts, numbers, dates"),
        ({"queues": [{"name": "q"}]}, "queues: the cluster class decides about these"),
        ({"layouts": ["allocation"]}, "always elastic"),
        ({"limits": {"cores": 4}}, "limits.cores: of a cluster class, only limits.workers"),
        ({"options": [{"name": "region"}]}, "options: region must have 'keyword'"),
        ({"adapt": {"minimum": 3, "maximum": 2}}, "the minimum of 3 is above the maximum of 2"),
        ({"batch_system": "slurm"}, "Extra inputs are not permitted"),
    ],
)
def test_what_such_a_site_cannot_have(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        factory_site(**fields)


def test_a_launch_has_the_workers_of_the_site_or_adapts() -> None:
    assert factory_site(workers=3).usual_scaling == FixedScaling(workers=3)
    adapting = factory_site(adapt={"minimum": 1, "maximum": 4})
    assert adapting.usual_scaling == AdaptiveScaling(minimum=1, maximum=4, workers=1)


def load(folder: Path, section: Any, files: dict[str, Any] | None = None, **variables: str) -> Sites:
    """Return the sites of a user with such a section in Dask's configuration, and such site files."""
    (folder / "dask").mkdir()
    (folder / "dask" / "labextension.yaml").write_text(yaml.safe_dump({LABEXTENSION: section}), "utf-8")
    sites = folder / "config" / "hpcdask" / "sites.d"
    sites.mkdir(parents=True)
    for name, content in (files or {}).items():
        (sites / f"{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")
    environ = {"HOME": str(folder), "DASK_ROOT_CONFIG": "/nowhere", "DASK_CONFIG": str(folder / "dask"), **variables}
    return SiteFiles([str(folder / "config")], environ).load()


def test_a_section_becomes_a_site_beside_the_others(tmp_path: Path) -> None:
    factory = {**SSH, "args": [["a", "b", "c"]], "kwargs": {"remote-python": "/opt/bin/python"}}
    found = load(tmp_path, {"factory": factory, "default": {"workers": None, "adapt": None}})
    assert [site.name for site in found.sites] == [LOCAL, LABEXTENSION]
    site = found.sites[1]
    assert isinstance(site, FactorySite)
    assert (site.label, site.kernels) == ("From Dask's configuration (SSHCluster)", True)
    assert (site.factory.args, site.factory.kwargs) == ((["a", "b", "c"],), {"remote_python": "/opt/bin/python"})
    assert site.usual_scaling == FixedScaling(workers=2), "the first host is the scheduler's"


def test_the_defaults_of_a_section_are_those_of_the_site(tmp_path: Path) -> None:
    section = {"factory": {"kwargs": {"n_workers": 3}}, "default": {"adapt": {"minimum": 0, "maximum": 9}}}
    site = load(tmp_path, {**section, "initial": [{"workers": 1}]}).sites[1]
    assert isinstance(site, FactorySite)
    assert (site.factory.module, site.factory.name, site.workers) == ("dask.distributed", "LocalCluster", 3)
    assert site.usual_scaling == AdaptiveScaling(minimum=0, maximum=9)
    assert "`labextension.initial` are not launched by themselves" in site.description


def test_variables_are_written_over_the_files(tmp_path: Path) -> None:
    variables = {
        "DASK_LABEXTENSION__FACTORY__CLASS": "KubeCluster",
        "DASK_LABEXTENSION__FACTORY__KWARGS__N_WORKERS": "5",
        "DASK_LABEXTENSION__DEFAULT__WORKERS": "none",
    }
    factory = {"module": "dask_kubernetes", "class": "Other", "kwargs": {"n-workers": 1}}
    site = load(tmp_path, {"factory": factory, "default": {"workers": 4}}, **variables).sites[1]
    assert isinstance(site, FactorySite)
    assert (site.factory.name, site.factory.kwargs, site.workers) == ("KubeCluster", {"n_workers": 5}, 5)


@pytest.mark.parametrize("section", [None, {}, {"factory": None}, {"default": {"workers": 4}}, "text"])
def test_nobody_gets_a_site_who_has_not_set_a_factory(tmp_path: Path, section: Any) -> None:
    assert [site.name for site in load(tmp_path, section).sites] == [LOCAL]


def test_the_copy_of_the_defaults_that_dask_makes_is_no_site(tmp_path: Path) -> None:
    from dask.config import ensure_file

    package = find_spec("dask_labextension")
    assert package is not None
    source = Path(str(package.origin)).with_name("labextension.yaml")
    ensure_file(source=str(source), destination=str(tmp_path / "copied"))
    assert "factory" in (tmp_path / "copied" / "labextension.yaml").read_text("utf-8")
    environ = {"HOME": str(tmp_path), "DASK_ROOT_CONFIG": "/nowhere", "DASK_CONFIG": str(tmp_path / "copied")}
    assert [site.name for site in SiteFiles([], environ).load().sites] == [LOCAL]


def test_a_site_file_of_that_name_wins(tmp_path: Path) -> None:
    own = {"kind": "factory", "name": LABEXTENSION, "title": "Ours", "factory": SSH}
    found = load(tmp_path, {"factory": {"class": 1}}, {"own": own})
    assert ([site.label for site in found.sites], found.problems) == (["Ours"], ())


@pytest.mark.parametrize(
    ("section", "where", "told"),
    [
        ({"factory": {"class": "not a class"}}, "labextension.factory.class", "pattern"),
        ({"factory": {"class": "C", "kwargs": ["hush"]}}, "labextension.factory.kwargs", "dictionary"),
        ({"factory": {"class": "C", "extra": "hush"}}, "labextension.factory.extra", "not permitted"),
        ({"factory": {"class": "C"}, "default": {"workers": "hush"}}, "labextension.default.workers", "integer"),
        (
            {"factory": {"class": "C"}, "default": {"adapt": {"minimum": 1}}},
            "labextension.default.adapt.maximum",
            "req",
        ),
        ({"factory": "hush"}, "labextension", "must be mappings"),
    ],
)
def test_a_broken_section_is_a_problem_without_its_values(tmp_path: Path, section: Any, where: str, told: str) -> None:
    found = load(tmp_path, section)
    assert [site.name for site in found.sites] == [LOCAL]
    (problem,) = found.problems
    assert (Path(problem.file).name, problem.where) == ("labextension.yaml", where)
    assert told in problem.message
    assert "hush" not in problem.message


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    load(tmp_path, {"factory": SSH})
    environ = {"HOME": str(tmp_path), "DASK_ROOT_CONFIG": "/nowhere", "DASK_CONFIG": str(tmp_path / "dask")}
    files = SiteFiles([str(tmp_path / "config")], environ)
    assert [site.label for site in files.load().sites][1:] == ["From Dask's configuration (SSHCluster)"]
    file = tmp_path / "dask" / "labextension.yaml"
    file.write_text("labextension: {factory: {class: Other}}")
    os.utime(file, (1, 1))
    assert [site.label for site in files.load().sites][1:] == ["From Dask's configuration (Other)"]
    file.write_text("labextension: {factory: [")
    assert "cannot be read as YAML" in files.load().problems[0].message


def test_a_gateway_cluster_is_a_site_of_its_gateway(tmp_path: Path) -> None:
    kwargs = {"address": "https://gateway.example", "auth": "jupyterhub", "shutdown_on_close": False}
    site = load(tmp_path, {"factory": {"module": "dask_gateway", "class": "GatewayCluster", "kwargs": kwargs}}).sites[1]
    assert isinstance(site, GatewaySite)
    assert (site.name, site.address, site.auth and site.auth.type) == (LABEXTENSION, kwargs["address"], "jupyterhub")


def test_a_gateway_cluster_with_options_is_told_where_they_belong(tmp_path: Path) -> None:
    factory = {"module": "dask_gateway", "class": "GatewayCluster", "kwargs": {"image": "centre/dask"}}
    (problem,) = load(tmp_path, {"factory": factory}).problems
    assert problem.where == "labextension.factory.kwargs"
    assert problem.message.endswith("leave out image")


def test_a_site_file_with_a_mistake_shows_no_arguments(tmp_path: Path) -> None:
    broken = {"kind": "factory", "name": "farm", "factory": {"class": "C", "kwargs": {"token": "hush"}}}
    (problem,) = load(tmp_path, None, {"farm": broken}).problems
    assert (problem.where, problem.message) == ("factory.module", "Field required")
    assert read_site({**broken, "factory": SSH}).kind == "factory"

"""The example site files do what the documents that they name have users do by hand, and the reference is right."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from hpcdask_ext.batch import BATCH_SYSTEMS, batch_system
from hpcdask_ext.clusters.groups import AdaptiveScaling
from hpcdask_ext.clusters.image_field import ImageField
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.sites.gateway import GatewayAuth, GatewaySite
from hpcdask_ext.sites.kinds import read_site
from hpcdask_ext.sites.load import FOLDER, SiteFiles
from hpcdask_ext.sites.models import BatchSite, Limits, Queue, SchedulerPlace, Size
from hpcdask_ext.sites.options import Option
from hpcdask_ext.sites.request import read_launch

from .previews import preview, scripts

DOCS = Path(__file__).parents[2] / "docs"
RECORDED = (Path(__file__).parents[1] / "recordings" / "pbs" / "queues.txt").read_text()
# One machine answered; a centre has more of them.
(NODE,) = re.findall(r"^vm\n(?: .*\n)+", RECORDED, re.MULTILINE)
QUEUES = RECORDED.replace(NODE, "".join(NODE.replace("vm", f"node{number}") for number in range(9)))
(DEFAULT_QUEUE,) = re.findall(r"default_queue = (\S+)", RECORDED)
EXAMPLES = sorted((DOCS / "examples" / "sites").glob("*.yaml"))


def text_of(name: str) -> str:
    """Return an example, with its template where it is, and not where an administrator puts it."""
    folder = DOCS / "examples" / "sites"
    return (folder / name).read_text().replace("/etc/jupyter/hpcdask", str(folder))


def words(script: str, program: str) -> list[str]:
    """Return the command line that runs one of Dask's programs."""
    line = next(line for line in script.splitlines() if f"dask_{program}" in line)
    return shlex.split(line.rstrip("& "))


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that previews a launch at an example and returns its scripts and totals."""
    monkeypatch.setenv("SCRATCH", str(tmp_path / "scratch"))

    async def launch(name: str, **body: Any) -> tuple[dict[str, str], dict[str, Any]]:
        body = {"site": name.removesuffix(".yaml"), **body}
        shown = await preview(tmp_path, {name: text_of(name)}, body, QUEUES)
        return scripts(shown), shown["totals"]

    return launch


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_a_site_and_names_its_source(path: Path) -> None:
    site = read_site(yaml.safe_load(path.read_text()))
    assert site.name == path.stem
    head = path.read_text().split("\nname:")[0]
    assert re.search(r"^# Sources?: (github\.com|docs)", head, re.MULTILINE)
    assert all(line.startswith("#") for line in head.splitlines())


async def test_nersc_runs_100_tasks_of_the_chosen_image_in_one_job(launch: Any, tmp_path: Path) -> None:
    made, totals = await launch("nersc-perlmutter.yaml", environment="shifter", account="m1234")
    (script,) = made.values()
    assert "#SBATCH --ntasks=100\n" in script
    assert "#SBATCH --qos=debug\n" in script
    assert "--partition" not in script
    assert "#SBATCH --account=m1234\n" in script
    assert "#SBATCH --constraint=cpu\n" in script
    image = ["shifter", "--image=thewtex/sc20-pyhpc-nersc-dask:latest", "/usr/bin/python3", "-m"]
    for program in ("scheduler", "worker"):
        command = words(script, program)
        assert command[:4] == image
        assert option(command, "--interface") == "hsn0"
        assert option(command, "--scheduler-file").startswith(str(tmp_path / "scratch" / "hpcdask"))
    assert option(words(script, "worker"), "--nthreads") == "2"
    assert (totals["workers"], totals["nodes"]) == (99, 1)


async def test_nersc_takes_another_image_but_no_other_option_for_one(launch: Any, tmp_path: Path) -> None:
    image = "registry.nersc.gov/library/nersc/dask:24.1"
    made, _ = await launch("nersc-perlmutter.yaml", environment="shifter", image=image)
    assert words(made["allocation"], "worker")[1] == f"--image={image}"
    body = {"environment": "shifter", "image": "x --volume=/:/"}
    shown = await preview(tmp_path, {"nersc-perlmutter.yaml": text_of("nersc-perlmutter.yaml")}, body)
    assert [error["field"] for error in shown["errors"]] == ["image"]


async def test_miami_submits_six_jobs_of_8_cores_and_20_gb(launch: Any) -> None:
    made, totals = await launch("miami-pegasus.yaml", account="project")
    assert set(made) == {"scheduler", "worker"}
    script, command = made["worker"], words(made["worker"], "worker")
    assert re.search(r'^#BSUB -J "[\w-]+\[1-6\]"$', script, re.MULTILINE)
    directives = ["-q bigmem", "-P project", "-n 8", "-W 00:30", '-R "span[hosts=1] rusage[mem=19074]"']
    assert [line for line in directives if f"#BSUB {line}\n" not in script] == []
    assert "#BSUB -M" not in script
    assert [option(command, name) for name in ("--nthreads", "--memory-limit", "--interface")] == [
        "8",
        "20000000000",
        "ib0",
    ]
    assert (totals["workers"], totals["cores"], totals["memory"]) == (6, 48, 120 * 10**9)


async def test_miamis_local_cluster_has_3_workers_of_4_threads_and_20_gb(launch: Any) -> None:
    made, totals = await launch("miami-local.yaml")
    command = words(made["worker"], "worker")
    assert [option(command, name) for name in ("--nthreads", "--memory-limit")] == ["4", "20000000000"]
    assert (totals["workers"], totals["cores"], totals["memory"]) == (3, 12, 60 * 10**9)


@pytest.mark.parametrize(
    ("size", "threads", "memory", "processes"), [("threads", "4", 18e9, "1"), ("processes", "1", 4.5e9, "4")]
)
async def test_hal_starts_a_worker_in_each_chunk_but_the_first(
    launch: Any, size: str, threads: str, memory: float, processes: str
) -> None:
    made, _ = await launch("cnes-hal.yaml", size=size)
    script = made["allocation"]
    assert f"#PBS -q {DEFAULT_QUEUE}\n" in script
    assert "select=9:ncpus=4:mem=20480mb:" in script
    assert "walltime=01:00:00\n" in script
    assert "pbsdsh -n" in script
    assert "export OMP_NUM_THREADS=1\n" in script
    scheduler, worker = words(script, "scheduler"), words(script, "worker")
    assert option(scheduler, "--interface") == option(worker, "--interface") == "ib0"
    assert [option(worker, name) for name in ("--nthreads", "--nworkers")] == [threads, processes]
    assert int(option(worker, "--memory-limit")) == pytest.approx(memory, rel=1e-3)
    assert '--local-directory "$TMPDIR"' in script
    assert option(scheduler, "--scheduler-file") == option(worker, "--scheduler-file")


async def test_hal_runs_a_script_in_the_same_job(launch: Any, tmp_path: Path) -> None:
    (tmp_path / "dask-wordcount.py").write_text("")
    made, _ = await launch("cnes-hal.yaml", script={"path": str(tmp_path / "dask-wordcount.py")})
    assert set(made) == {"allocation"}
    assert f"exec /opt/env/bin/python -u {tmp_path}/dask-wordcount.py\n" in made["allocation"]
    assert "select=9:" in made["allocation"]


async def test_ncar_submits_jobs_of_one_core_and_10_gib(launch: Any) -> None:
    made, totals = await launch("ncar-casper.yaml", account="UABC0001")
    script, command = made["worker"], words(made["worker"], "worker")
    directives = ["-q casper", "-A UABC0001", "-J 1-2", "-l select=1:ncpus=1:mem=10240mb", "-l walltime=00:30:00"]
    assert [line for line in directives if f"#PBS {line}\n" not in script] == []
    assert [option(command, name) for name in ("--nthreads", "--interface")] == ["1", "ib0"]
    assert option(command, "--memory-limit") == str(10 * 2**30)
    assert '--local-directory "/local_scratch/pbs.$PBS_JOBID/dask/spill"' in script
    assert totals["node_hours"] is not None


async def test_ncar_has_its_machine_beside_it_in_one_form(tmp_path: Path) -> None:
    names = ("ncar-casper.yaml", "ncar-local.yaml")
    made = scripts(await preview(tmp_path, {name: text_of(name) for name in names}, {"site": "ncar-local"}))
    assert option(words(made["worker"], "worker"), "--host") == "127.0.0.1"
    assert made.keys() == {"scheduler", "worker"}


async def test_ncars_gateway_adapts_from_2_to_20_workers(tmp_path: Path) -> None:
    sites = {name: text_of(name) for name in ("ncar-gateway.yaml", "ncar-local.yaml")}
    body: dict[str, Any] = {"site": "ncar-gateway", "scaling": {"mode": "adaptive", "minimum": 2, "maximum": 20}}
    read = SiteFiles([str(tmp_path / "config")])
    for name, text in sites.items():
        path = tmp_path / "config" / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (group,) = read_launch(body, read.load(), ()).groups
    assert group.scaling == AdaptiveScaling(minimum=2, maximum=20, workers=2)
    with pytest.raises(InvalidRequest, match=r"21 workers are more than “Gateway .Kubernetes.” allows: 20"):
        read_launch({**body, "scaling": {**body["scaling"], "maximum": 21}}, read.load(), ())


PAGE = (DOCS / "reference" / "sites.md").read_text()
BASE, *FRAGMENTS = (yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
TEMPLATES = re.findall(r"^```jinja\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
HEADINGS = {
    "slurm": "Slurm",
    "pbs": "PBS Professional and OpenPBS",
    "torque": "Torque and Moab",
    "moab": "Torque and Moab",
    "lsf": "LSF",
    "sge": "Grid Engine",
    "oar": "OAR",
    "htcondor": "HTCondor",
}


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda fragment: next(iter(fragment)))
def test_every_example_of_the_reference_is_a_part_of_a_site(fragment: dict[str, Any]) -> None:
    site = read_site(fragment if "kind" in fragment else {**BASE, **fragment})
    assert site.model_fields_set >= {*(() if "kind" in fragment else BASE), *fragment}


@pytest.mark.parametrize(
    "model",
    [BatchSite, Queue, Limits, Size, SchedulerPlace, Environment, ImageField, Option, GatewaySite, GatewayAuth],
)
def test_the_reference_has_every_field(model: type[BaseModel]) -> None:
    internal = {"auto", "kind"}  # made from other fields, or from where an environment comes from
    fields = set(model.model_fields) - internal
    assert {field for field in fields if not re.search(rf"`(\w+\[\]\.)?{field}`|^ *-? ?{field}:", PAGE, re.M)} == set()


@pytest.mark.parametrize("name", BATCH_SYSTEMS)
def test_the_reference_has_every_setting_of_each_batch_system_with_its_default(name: str) -> None:
    heading = HEADINGS.get(name)
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n#")[0] if heading else ""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE))
    fields = batch_system(name).Settings.model_fields
    assert rows == {field: _default(info.default) for field, info in fields.items()}


def _default(value: object) -> str:
    """Return a default as the page has it."""
    if value is None or value == "":
        return "none"
    text = f"[{', '.join(value)}]" if isinstance(value, tuple) else yaml.safe_dump(value).partition("\n")[0]
    return f"`{text}`".replace("'", '"')


@pytest.mark.parametrize("template", TEMPLATES)
async def test_every_template_of_the_reference_changes_what_it_says(template: str, tmp_path: Path) -> None:
    (tmp_path / "own.sh.jinja").write_text(template)
    texts = []
    for number, changes in enumerate(({}, {"template": str(tmp_path / "own.sh.jinja")})):
        site = yaml.safe_dump({**BASE, **changes, "directory": str(tmp_path)})
        texts.append(scripts(await preview(tmp_path / str(number), {"centre.yaml": site}, {}))["worker"])
    before, after = (
        [line for line in text.replace(f"{tmp_path}/{number}", "").splitlines() if line]
        for number, text in enumerate(texts)
    )
    changed = [line for line in before if line not in after]
    added = [line for line in after if line not in before]
    assert (changed, added) in (
        (["#SBATCH --partition=regular"], ["#SBATCH --qos=regular"]),
        (["#SBATCH --mem=16384M"], []),
    )

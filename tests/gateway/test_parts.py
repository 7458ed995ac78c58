"""The parts of gateway sites that need no gateway: their files, options, code, and what is made of scaling."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dask_gateway.options import Integer, Mapping, Options, Select
from pydantic import ValidationError

from hpcdask_ext.batch.records import JobStatus
from hpcdask_ext.clusters.groups import AdaptiveScaling, FixedScaling, WorkerGroup, WorkerShape
from hpcdask_ext.clusters.models import Cluster
from hpcdask_ext.clusters.reach import SchedulerAddress
from hpcdask_ext.clusters.states import ClusterState, JobState
from hpcdask_ext.clusters.status import SchedulerStatus
from hpcdask_ext.control.gateway_code import gateway_code, gateway_expression
from hpcdask_ext.control.reconcile import Answer, Observation, reconcile
from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.launchers.gateway import GatewayLauncher, gateway_job
from hpcdask_ext.launchers.gateway_options import option_in, to_options, to_values
from hpcdask_ext.sites.gateway import GatewaySite
from hpcdask_ext.sites.load import FOLDER, SiteFiles

from .test_login import running

NOW = datetime.now(timezone.utc)
explain = GatewayLauncher(GatewaySite(name="gw")).explain


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"address": "gateway.example.org"}, "must begin with http"),
        ({"address": "https://alice:word@example.org"}, "must not have a password"),
        ({"proxy_address": 0}, "greater than or equal to 1"),
        ({"auth": {"type": "ldap"}}, "should match pattern"),
        ({"queues": "auto", "sizes": []}, "decides about queues, sizes itself"),
        ({"options": []}, "decides about options itself"),
        ({"batch_system": "slurm"}, "Extra inputs are not permitted"),
        ({"public_address": "example.org"}, "must begin with"),
    ],
)
def test_a_wrong_site_file_says_what_is_wrong(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GatewaySite.model_validate({"name": "gw", **fields})


@pytest.mark.parametrize(
    "line",
    [
        "auth: {type: basic, password: sesame}",
        "auth: {kwargs: sesame}",
        "auth: {kwargs: {password: sesame}}\nqueues: auto",
        "auth: sesame",
    ],
)
def test_no_problem_of_a_site_file_shows_a_password(line: str, tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "gw.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(f"name: gw\nkind: gateway\n{line}\n")
    problems = SiteFiles([str(tmp_path)]).load().problems
    assert problems
    assert "sesame" not in repr(problems)


def test_fields_that_a_form_cannot_have_are_left_out() -> None:
    odd = SimpleNamespace()
    declared = Options(Integer("nCores", 2, min=1), Select("a" * 50, "x", options=["x"]), Mapping("env", {"A": "1"}))
    vars(declared)["_fields"]["odd"] = odd
    cores, env = to_options(declared)
    assert (cores.name, cores.default, cores.minimum, cores.maximum) == ("nCores", 2, 1, None)
    assert (env.default, env.check("[1]") is None, env.check('{"B": 2}')) == ('{"A": "1"}', False, None)
    assert to_values([cores, env], {"nCores": 3, "env": '{"B": 2}'}) == {"nCores": 3, "env": {"B": 2}}
    with pytest.raises(InvalidRequest) as caught:
        to_values([env], {"env": "{B}"})
    assert [error.field for error in caught.value.errors] == ["options.env"]
    assert option_in("'nCores' must be even", [cores, env]) == "options.nCores"
    assert option_in("too many nCores_per_node", [cores, env]) == "options"


def test_the_code_says_what_the_file_says_without_its_secrets(tmp_path: Path) -> None:
    site = GatewaySite.model_validate(
        {
            "name": "gw",
            "address": "https://{HOST}/gateway",
            "proxy_address": 8786,
            "auth": {"kwargs": {"username": "alice", "password": "sesame", "realm": "{REALM}"}},
        }
    )
    code = gateway_code(running(tmp_path), site, "/user/alice/")
    assert code is not None
    compile(code, "code", "exec")
    assert "sesame" not in code
    assert "'gateway.auth.kwargs.username': 'alice', 'gateway.auth.kwargs.realm': '{REALM}'" in code
    assert "# 'password' is a secret" in code
    assert "Gateway(address='https://{HOST}/gateway'.format(**os.environ), proxy_address=8786, auth='basic')" in code
    assert "connect('abc')" in code
    unnamed = running(tmp_path).model_copy(update={"jobs": ()})
    assert gateway_code(unnamed, site, "/") is None
    assert "gateway = Gateway()" in (gateway_code(running(tmp_path), None, "/") or "")


@pytest.mark.parametrize("word", ["open{{sesame", "sesame-{USER}", "{USER}sesame", "sesame"])
def test_no_code_shows_what_may_be_a_secret(tmp_path: Path, word: str) -> None:
    auth = {"type": "centre.auth.Own", "kwargs": {"word": word, "token": "{TOKEN}"}}
    site = GatewaySite.model_validate({"name": "gw", "address": "https://g", "auth": auth})
    code = gateway_code(running(tmp_path), site, "/") or ""
    assert ("sesame" in code, "# 'word' is a secret" in code, "'{TOKEN}'" in code) == (False, True, True)
    assert "sesame" not in str(gateway_expression(running(tmp_path), site))


def cluster_of(directory: Path, scaling: FixedScaling | AdaptiveScaling, connected: int = 0) -> Cluster:
    group = WorkerGroup(shape=WorkerShape(cores=0, memory=0), scaling=scaling, connected=connected)
    job = gateway_job("0123456789", "abc", NOW - timedelta(minutes=5))
    changes = {"groups": (group,), "jobs": (job,), "state": ClusterState.STARTING}
    return running(directory).model_copy(update=changes)


def seen(status: str | None, workers: int | None = None) -> Observation:
    states = {"PENDING": JobState.PENDING, "RUNNING": JobState.RUNNING, "FAILED": JobState.FAILED}
    others = [JobStatus("other", "other", JobState.RUNNING)]
    ours = [JobStatus("abc", "abc", states[status], reason="FAILED" if status == "FAILED" else "")] if status else []
    told = None if workers is None else SchedulerStatus(1, workers, workers, 0, None, groups={"workers": workers})
    address = SchedulerAddress("gateway://g:1/abc", "http://g/clusters/abc") if told else None
    return Observation(NOW, address=address, scheduler=told, answers={"batch": Answer(NOW, [*ours, *others])})


@pytest.mark.parametrize(
    ("status", "state", "word"),
    [
        ("PENDING", ClusterState.PENDING, "The gateway is starting the scheduler"),
        ("RUNNING", ClusterState.STARTING, "The scheduler is starting"),
        ("FAILED", ClusterState.FAILED, "The gateway gave it up"),
        (None, ClusterState.FAILED, "the gateway no longer knows it"),
    ],
)
def test_its_states_become_ours(tmp_path: Path, status: str | None, state: ClusterState, word: str) -> None:
    after = reconcile(cluster_of(tmp_path, FixedScaling(workers=2)), seen(status), explain)
    assert (after.state, word in after.reason) == (state, True), after.reason


@pytest.mark.parametrize(
    ("scaling", "connected", "now", "wanted"),
    [
        (FixedScaling(workers=2), 0, 1, 2),  # still starting
        (FixedScaling(workers=2), 2, 5, 5),  # scaled up elsewhere
        (FixedScaling(workers=5), 5, 1, 1),  # scaled down elsewhere
        (AdaptiveScaling(minimum=1, maximum=4), 0, 0, 1),
        (AdaptiveScaling(minimum=1, maximum=4, workers=1), 1, 3, 3),
        (AdaptiveScaling(minimum=1, maximum=4, workers=3), 3, 9, 4),
    ],
)
def test_the_number_of_workers_is_followed(
    tmp_path: Path, scaling: FixedScaling | AdaptiveScaling, connected: int, now: int, wanted: int
) -> None:
    after = reconcile(cluster_of(tmp_path, scaling, connected), seen("RUNNING", now), explain)
    assert (after.main.scaling.workers, after.main.connected) == (wanted, now)

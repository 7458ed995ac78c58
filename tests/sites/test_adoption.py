"""What a user says about a cluster that runs already: how it is read, and what is told about what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hpcdask_ext.errors import InvalidRequest
from hpcdask_ext.sites.adoption import read_address, read_adoption, read_dashboard
from tests.adopted.dask import Files, make_files

ADDRESS = {"address": "tcp://10.0.0.1:8786"}
TOLD = {"type": "Scheduler", "id": "Scheduler-1", "address": "tcp://10.0.0.1:4000", "services": {"dashboard": 8787}}


def errors(body: dict[str, Any], files: Path = Path()) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        read_adoption(body, files)
    return {error.field: error.message for error in caught.value.errors}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://10.0.0.1:8786", "tcp://10.0.0.1:8786"),
        ("10.0.0.1:4000", "tcp://10.0.0.1:4000"),
        ("dask-scheduler", "tcp://dask-scheduler:8786"),
        ("my-dask.my_space.svc.cluster.local", "tcp://my-dask.my_space.svc.cluster.local:8786"),
        ("tls://Node7", "tls://node7:8786"),
        ("TCP://node7:1/", "tcp://node7:1"),
        ("  node7:65535\n", "tcp://node7:65535"),
        ("[fd00::7]:4000", "tcp://[fd00::7]:4000"),
        ("[fd00::7]", "tcp://[fd00::7]:8786"),
        ("fd00::7", "tcp://[fd00::7]:8786"),
        ("tls://[FD00:0::7]:4000", "tls://[fd00::7]:4000"),
        ("inproc://10.0.0.1/1234/1", "inproc://10.0.0.1/1234/1"),
        ("ws://node7:80", "ws://node7:80"),
    ],
)
def test_an_address_as_people_write_it(text: str, address: str) -> None:
    assert read_address(text) == address


def test_an_address_without_a_protocol_is_encrypted_if_there_are_files_for_that() -> None:
    assert read_address("node7:1", is_encrypted=True) == "tls://node7:1"


@pytest.mark.parametrize(
    "text",
    ["", " ", "://", "tcp://", "node7:", "node7:0", "node7:65536", "node7:http", "node7:-1", "node7:\u0661",
     "-oProxyCommand=x", "tcp://user@node7:1", "tcp://node7:1/path", "tcp://node7:1?x", "tcp://no de",
     "tcp://[fd00::7", "tcp://[x]:1",
     "fd00::7:zz", "1:2:3", "http://node7:8787", "https://node7", "gateway://node7:8786", "ftp://node7", "a\nb",
     "inproc://a b", "inproc://../x?y", "größe"],
)  # fmt: skip
def test_what_is_no_address_is_told_with_what_was_given(text: str) -> None:
    said = errors({"address": text})
    assert list(said) == ["address"]
    assert "\n" not in said["address"]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://10.0.0.1:8787/status", "http://10.0.0.1:8787"),
        ("http://10.0.0.1:8787/", "http://10.0.0.1:8787"),
        (" https://Node7/some/where/status/ ", "https://node7/some/where"),
        ("http://[FD00:0::7]:8787", "http://[fd00::7]:8787"),
        ("HTTP://node7:8787/workers", "http://node7:8787/workers"),
        ("http://node7:8787/status#plots", "http://node7:8787"),
    ],
)
def test_a_dashboards_url_is_that_of_all_its_pages(text: str, url: str) -> None:
    assert read_dashboard(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "node7:8787", "//node7", "/user/x/proxy/8787/status", "ftp://node7", "file:///etc/passwd", "http://", "http://:80",
     "http://user:secret@node7", "http://node7/?token=secret", "http://node7:99999", "http://node7:x", "http://[x",
     "http://no de", "http://node7/\x00", "http://node7/größe", "http://node7/a b", "http://a\u2028b", "http://[fd00::7"],
)  # fmt: skip
def test_what_is_no_dashboards_url_is_told_without_what_is_secret_in_it(text: str) -> None:
    said = errors({**ADDRESS, "dashboard": text})
    assert list(said) == ["dashboard"]
    assert "secret" not in said["dashboard"]


def test_a_scheduler_that_cannot_be_asked_from_here_needs_a_dashboard() -> None:
    body = {"address": "inproc://10.0.0.1/1234/1"}
    assert errors(body) == {
        "dashboard": "A scheduler at inproc:// cannot be asked from here: give the URL of its dashboard"
    }
    assert not read_adoption({**body, "dashboard": "http://10.0.0.1:8787"}, Path()).can_be_asked


def test_a_schedulers_file_is_found_as_people_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scheduler.json").write_text(json.dumps(TOLD))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCRATCH", str(tmp_path))
    for text in ("scheduler.json", "~/scheduler.json", "$SCRATCH/scheduler.json", str(tmp_path / "scheduler.json")):
        adoption = read_adoption({"scheduler_file": text}, tmp_path)
        assert (adoption.field, adoption.address) == ("scheduler_file", "tcp://10.0.0.1:4000")
        assert adoption.file is not None
        assert (adoption.file.path, adoption.file.id) == (tmp_path / "scheduler.json", "Scheduler-1")


FILES = {
    "empty": ("", "is incomplete: its scheduler may just be writing it, so try again"),
    "half written": (json.dumps(TOLD)[:40], "is incomplete: its scheduler may just be writing it, so try again"),
    "text": ("root:x:0:0", "is not JSON, so no scheduler has written it: choose another file"),
    "broken": ("{,}", "is not JSON, so no scheduler has written it: choose another file"),
    "deep": ("[" * 100_000, "is not JSON, so no scheduler has written it: choose another file"),
    "a list": ("[]", "is not the file of a Dask scheduler, which has an address and services"),
    "a kernel's": ('{"ip": "127.0.0.1"}', "is not the file of a Dask scheduler, which has an address and services"),
    "a number": (
        '{"address": 5, "services": {}}',
        "is not the file of a Dask scheduler, which has an address and services",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_no_scheduler_has_finished(tmp_path: Path, kind: str) -> None:
    content, message = FILES[kind]
    file = tmp_path / "scheduler.json"
    file.write_text(content)
    assert errors({"scheduler_file": str(file)}) == {"scheduler_file": f"{file} {message}"}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    missing, pipe, binary = tmp_path / "missing", tmp_path / "pipe", tmp_path / "binary"
    os.mkfifo(pipe)
    binary.write_bytes(b"\xff\xfe")
    assert errors({"scheduler_file": "missing"}, tmp_path)["scheduler_file"].startswith(f"{missing} does not exist")
    assert errors({"scheduler_file": str(tmp_path)})["scheduler_file"].startswith(f"{tmp_path} is not a file")
    assert errors({"scheduler_file": str(pipe)})["scheduler_file"].startswith(f"{pipe} is not a file")
    assert errors({"scheduler_file": str(binary)})["scheduler_file"].startswith(f"{binary} is not JSON")
    assert "not set" in errors({"scheduler_file": "$NO_SUCH_VARIABLE/x"})["scheduler_file"]
    assert "line of printable characters" in errors({"scheduler_file": "a\0b"})["scheduler_file"]


def test_a_file_with_a_strange_address_is_told_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({**TOLD, "address": "http://x:1"}))
    assert list(errors({"scheduler_file": str(file)})) == ["scheduler_file"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make_files(tmp_path_factory.mktemp("tls") / "somebody")


@pytest.fixture(scope="module")
def other_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make_files(tmp_path_factory.mktemp("tls") / "another")


def test_tls_files_are_found_and_may_be_one_file(files: Files, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    adoption = read_adoption({"address": "node7", "tls": {"ca": "ca.pem", "certificate": str(both)}}, files.ca.parent)
    assert adoption.tls is not None
    assert (adoption.tls.ca, adoption.tls.certificate, adoption.tls.key) == (files.ca, both, None)
    assert adoption.address == "tls://node7:8786"


@pytest.mark.parametrize("tls", [None, {}, {"ca": None, "certificate": None, "key": None}])
def test_no_tls_files_are_none(tls: Any) -> None:
    assert read_adoption({**ADDRESS, "tls": tls}, Path()).tls is None


def test_tls_files_that_do_not_fit(files: Files, other_files: Files, tmp_path: Path) -> None:
    locked, text, whole = files.key.with_name("locked.pem"), tmp_path / "text", files.body
    text.write_text("no certificate")
    both = "Dask needs an authority's file and a certificate: give both"
    cases: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"ca": whole["ca"]}, {"tls.certificate": both}),
        ({"key": whole["key"]}, {"tls.ca": both, "tls.certificate": both}),
        ({**whole, "ca": str(text)}, {"tls.ca": f"{text} has no certificate in PEM form"}),
        ({**whole, "certificate": str(text)}, {"tls.certificate": f"{text} has no certificate in PEM form"}),
        ({**whole, "key": str(text)}, {"tls.key": f"{text} has no key without a password"}),
        ({**whole, "key": str(locked)}, {"tls.key": f"{locked} has no key without a password"}),
        ({**whole, "key": str(other_files.key)}, {"tls.key": f"{other_files.key} is not the key of that certificate"}),
        ({"ca": whole["ca"], "certificate": whole["certificate"]}, {"tls.key": f"{files.certificate} has no key"}),
        ({**whole, "ca": "/no/such"}, {"tls.ca": "/no/such does not exist"}),
        ({**whole, "keys": "x"}, {"tls.keys": "Unknown field 'keys'. Available: key"}),
    ]
    for tls, expected in cases:
        said = errors({"address": "node7", "tls": tls})
        assert list(said) == list(expected), (tls, said)
        assert all(said[field].startswith(begin) for field, begin in expected.items()), said


def test_every_field_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    paths = {"scheduler_file": "no/such", "tls": {"ca": 5}}
    body = {**paths, "address": "http://x", "dashboard": "x", "name": "\n", "adress": 1}
    assert set(errors(body, tmp_path)) == {"scheduler_file", "address", "dashboard", "name", "tls.ca", "adress"}
    assert errors({}) == {"address": "Give the scheduler's address, or its file"}
    both = errors({**ADDRESS, "scheduler_file": "no/such"}, tmp_path)
    assert both["address"] == "The scheduler's file has its address: give one of both"

"""Records on disk: private, whole at any moment, each by itself."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from hpcdask_ext.clusters.groups import FixedScaling
from hpcdask_ext.clusters.models import Cluster, Element, Job
from hpcdask_ext.clusters.states import ClusterState, JobState, Role
from hpcdask_ext.clusters.store import ClusterStore, new_id, write_private
from hpcdask_ext.errors import ClusterNotFound, StoreError

Make = Callable[..., Cluster]


@pytest.fixture
def store(tmp_path: Path) -> ClusterStore:
    return ClusterStore(tmp_path / "data" / "hpcdask" / "clusters")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def save_one(store: ClusterStore, make_record: Make, **changes: object) -> Cluster:
    cluster_id = new_id()
    cluster = make_record(store.create(cluster_id), id=cluster_id, **changes)
    store.save(cluster)
    return cluster


def test_ids_are_plain_and_differ() -> None:
    ids = {new_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(text) == 10 and text.isascii() and text.isalnum() and text == text.lower() for text in ids)


def test_what_was_saved_is_what_is_loaded(store: ClusterStore, make_record: Make) -> None:
    now = datetime.now(timezone.utc)
    elements = {1: Element(state=JobState.RUNNING, node="n1", started=now), 2: Element(cancelled=True)}
    job = Job(tag="workers-1", name="hpcdask-x-workers-1", role=Role.WORKER, place="batch", id="7", elements=elements)
    saved = save_one(
        store,
        make_record,
        name="Grüße \"'$(id)",
        jobs=(job,),
        state=ClusterState.RUNNING,
        options={"qos": "debug", "gpus": 2},
        scaling=FixedScaling(workers=7),
    )
    assert ClusterStore(store.root).load(saved.id) == saved


def test_a_record_of_the_first_release_is_read(store: ClusterStore) -> None:
    """It knows neither layouts with a single job nor GPUs, images, scripts and versions."""
    text = (Path(__file__).parents[1] / "recordings" / "records" / "first-release.json").read_text()
    directory = store.create("k3v9x0q2ab")
    (directory / "record.json").write_text(text.replace("DIRECTORY", str(directory)))
    (cluster,) = store.load_all()
    assert (cluster.state, cluster.layout, cluster.capacity(cluster.main)) == (ClusterState.RUNNING, "elastic", 1)
    assert [element.state for element in cluster.job("workers-1").elements.values()] == [
        JobState.RUNNING,
        JobState.FAILED,
    ]


def test_only_the_user_gets_at_a_cluster(store: ClusterStore, make_record: Make) -> None:
    before = os.umask(0)
    try:
        cluster = save_one(store, make_record)
    finally:
        os.umask(before)
    folders = [store.root, cluster.directory, *(cluster.directory / name for name in ("jobs", "logs", "reports"))]
    assert {mode(folder) for folder in folders} == {0o700}
    assert mode(cluster.directory / "record.json") == 0o600


def test_a_site_may_keep_clusters_elsewhere_and_they_are_found_all_the_same(
    store: ClusterStore, make_record: Make, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch" / "alice" / "hpcdask"
    cluster_id = new_id()
    directory = store.create(cluster_id, scratch)
    store.save(make_record(directory, id=cluster_id))
    assert directory == scratch / cluster_id
    assert mode(directory) == 0o700
    assert (store.root / cluster_id).is_symlink()
    assert [cluster.id for cluster in ClusterStore(store.root).load_all()] == [cluster_id]


def test_a_directory_that_cannot_be_made_is_named_with_the_reason(store: ClusterStore, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Not a directory") as caught:
        store.create(new_id(), tmp_path / "file" / "below")
    assert str(tmp_path / "file" / "below") in caught.value.message


def test_what_could_not_be_made_whole_leaves_nothing_behind(store: ClusterStore, tmp_path: Path) -> None:
    cluster_id = new_id()
    store.root.mkdir(parents=True)
    (store.root / cluster_id).touch()  # so that the link cannot be made
    with pytest.raises(StoreError):
        store.create(cluster_id, tmp_path / "scratch")
    assert not (tmp_path / "scratch" / cluster_id).exists()


def test_a_crash_while_saving_leaves_the_record_as_it_was(
    store: ClusterStore, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = save_one(store, make_record)

    def crash(self: Path, target: Path) -> None:
        assert self.parent == target.parent, "only within one directory is a replacement atomic"
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        store.save(cluster.model_copy(update={"name": "new"}))
    monkeypatch.undo()
    assert ClusterStore(store.root).load(cluster.id) == cluster


def test_a_record_that_cannot_be_written_says_so_and_the_old_one_stands(
    store: ClusterStore, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = save_one(store, make_record)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="No space left on device"):
        store.save(cluster.model_copy(update={"name": "new"}))
    assert store.load(cluster.id) == cluster
    assert [path.name for path in cluster.directory.iterdir() if path.is_file()] == ["record.json"], "no draft is left"


def test_saving_into_a_directory_that_is_gone_is_an_error_of_ours(make_record: Make, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        ClusterStore(tmp_path).save(make_record(tmp_path / "gone"))


@pytest.mark.parametrize("text", ["{", "", "[]", "null", '{"version": 2}', "\x00", '{"id": "x"}'], ids=repr)
def test_a_broken_record_takes_out_only_itself(
    store: ClusterStore, make_record: Make, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    good = save_one(store, make_record)
    broken = save_one(store, make_record)
    path = broken.directory / "record.json"
    path.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert list(store.load_all()) == [good]
    assert str(path) in caplog.text
    with pytest.raises(StoreError):
        store.load(broken.id)


def test_what_is_no_cluster_is_passed_over(store: ClusterStore, make_record: Make) -> None:
    good = save_one(store, make_record)
    (store.root / "notes.txt").touch()
    (store.root / "some-folder").mkdir()
    (store.root / new_id()).mkdir()  # made, and never saved
    (store.root / new_id()).symlink_to("/nowhere/at/all")
    assert list(store.load_all()) == [good]


def test_before_the_first_cluster_there_is_none(store: ClusterStore) -> None:
    assert list(store.load_all()) == []


@pytest.mark.parametrize(
    "text", ["../x", "..", ".", "", "/etc", "0000000000/../x", "0000000000\n", "ABCDEFGHJK", "a\x00"]
)
def test_what_is_no_id_is_not_found_wherever_it_leads(store: ClusterStore, make_record: Make, text: str) -> None:
    outside = store.root.parent / "x"
    outside.mkdir(parents=True)
    (outside / "record.json").write_text(make_record(outside).model_dump_json())
    with pytest.raises(ClusterNotFound):
        store.load(text)


def test_a_cluster_that_never_was_is_not_found(store: ClusterStore) -> None:
    with pytest.raises(ClusterNotFound):
        store.load(new_id())


def test_removing_a_cluster_leaves_nothing_of_it_and_all_of_the_others(
    store: ClusterStore, make_record: Make, tmp_path: Path
) -> None:
    kept, dropped = save_one(store, make_record), save_one(store, make_record)
    (dropped.directory / "logs" / "scheduler.1.log").write_text("x")
    scratch_id = new_id()
    scratch = make_record(store.create(scratch_id, tmp_path / "scratch"), id=scratch_id)
    store.save(scratch)
    store.remove(dropped)
    store.remove(scratch)
    assert [path.name for path in store.root.iterdir()] == [kept.id]
    assert list((tmp_path / "scratch").iterdir()) == []
    store.remove(dropped)  # a second window may have been faster


def test_a_private_file_is_private_from_its_first_moment(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "token"
        path.touch(mode=0o644)
        write_private(path, "größe")
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert path.read_text("utf-8") == "größe"

"""What a deleted project leaves on disk is removed, at once or by the next worker; what others need stays."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import stored
from databases import migrated

from core.atomic import sweep
from core.schemas.jobs import JobKind
from core.services import datasets, projects
from core.store import deleting, files, jobs, records, token_caches
from core.store.engine import engine
from core.store.leftovers import OLD_SECONDS, sweep_leftovers
from core.store.tables import DatasetVersion, Evaluation, Export, Project, Run
from core.worker.__main__ import Tidying

OWN, SHARED = b"only here", b"in both projects"


@pytest.fixture(autouse=True)
def database(storage: Path) -> Iterator[Path]:
    migrated()
    yield storage
    engine().dispose()


def full_project(text: bytes) -> tuple[Run, set[Path]]:
    """A run whose project has every kind of file: its own ones, and an upload and a table that every other has too."""
    run = stored.run()
    paths = set()
    for content in (text, SHARED):
        digest = datasets.keep_upload(run.project_id, "rows.csv", io.BytesIO(content)).sha256
        paths.add(files.upload_path(digest))
        table = files.keep_table(pa.table({"text": [content.decode()]}))
        records.add_numbered(
            DatasetVersion(project_id=run.project_id, title="", content=table, rows=1, roles={}, origin={})
        )
        paths.add(files.folder("tables") / f"{table}.parquet")
    predictions = files.keep_table(pa.table({"row": [text.decode()]}))
    of_run = {"project_id": run.project_id, "run_id": run.id}
    records.add(Evaluation(**of_run, split="test", lineage=1, result={"contents": {"tuned": predictions}}))
    paths.add(files.folder("tables") / f"{predictions}.parquet")
    export = records.add(Export(**of_run, kind="merged", folder="", parity={}))
    job_id = jobs.submit(JobKind.TRAIN, run.project_id, {"run_id": run.id})
    for path in (
        files.run_folder(run.id) / "checkpoints" / "checkpoint-1" / "model.safetensors",
        files.folder("exports", export.id) / "name-merged" / "model.safetensors",
        files.job_log(job_id),
        token_caches.of_project(run.project_id) / "entry" / "data.arrow",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        paths.add(path)
    for path in paths:
        os.utime(path, (1, 1))  # kept long ago
    return run, paths


def test_deleting_a_project_removes_its_files_and_none_that_another_project_names() -> None:
    gone, its = full_project(OWN)
    _, others = full_project(b"the other project")
    assert its & others, "they share nothing"
    projects.delete(gone.project_id)
    assert {path for path in its if path.exists()} == its & others
    assert all(path.exists() for path in others)
    assert not files.run_folder(gone.id).joinpath("checkpoints").exists()


def test_a_duplicate_keeps_the_data_of_a_project_that_is_deleted() -> None:
    run, _ = full_project(OWN)
    version = records.find(DatasetVersion, project_id=run.project_id)[0]
    projects.update(run.project_id, dataset_version_id=version.id)
    copy = projects.duplicate(run.project_id)
    projects.delete(run.project_id)
    kept = datasets.current(copy)
    assert kept is not None and files.load_table(kept.content).num_rows == 1


def test_a_deletion_that_was_killed_before_the_files_were_removed_is_carried_out_by_the_next_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone, its = full_project(OWN)
    with monkeypatch.context() as patch:
        patch.setattr(deleting, "_remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            projects.delete(gone.project_id)
    assert records.get(Project, gone.project_id) is None
    assert all(path.exists() for path in its)
    Tidying().tick()
    assert not any(path.exists() for path in its)


def test_a_deletion_that_was_killed_before_the_commit_has_deleted_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, its = full_project(OWN)
    real = deleting.write_json

    def killed(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(deleting, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            projects.delete(kept.project_id)
    deleting.carry_out()
    assert records.get(Project, kept.project_id) is not None
    assert all(path.exists() for path in its)
    assert list(files.folder("state", "deleting").iterdir()) == []


def test_a_file_that_another_project_is_just_about_to_name_stays_until_it_does() -> None:
    gone, _ = full_project(OWN)
    digest, _ = files.keep_stream(io.BytesIO(OWN))  # the other project's row is not there yet
    projects.delete(gone.project_id)
    assert files.upload_path(digest).exists()
    other = datasets.keep_upload(stored.project().id, "rows.csv", io.BytesIO(OWN))
    deleting.carry_out(now=lambda: time.time() + 1000)
    assert files.upload_path(other.sha256).exists()


def test_what_a_process_of_a_deleted_project_still_wrote_is_removed_later() -> None:
    gone, _ = full_project(OWN)
    projects.delete(gone.project_id)
    late = files.run_folder(gone.id) / "checkpoints"
    late.mkdir(parents=True)
    deleting.carry_out()
    assert not late.parent.exists()
    deleting.carry_out(now=lambda: time.time() + deleting.KEEP_NOTE_SECONDS + 1)
    assert list(files.folder("state", "deleting").iterdir()) == []


def test_another_database_on_the_same_storage_removes_nothing(monkeypatch: pytest.MonkeyPatch, storage: Path) -> None:
    _, its = full_project(OWN)
    engine().dispose()
    monkeypatch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{storage / 'other.db'}")
    migrated()
    Tidying().tick()
    assert all(path.exists() for path in its)


# -- leftovers ---------------------------------------------------------------------------------------------------------


def leftovers(storage: Path) -> list[Path]:
    """A half-written file or folder in every place where a process can be killed."""
    made = []
    for place in ("uploads", "tables", "exports/1", "models", "runs/1", "runs/1/checkpoints"):
        (storage / place).mkdir(parents=True, exist_ok=True)
        path = storage / place / ".part-x"
        if place in ("uploads", "tables"):
            path.write_bytes(b"half")
        else:
            path.mkdir()
            (path / "weights").write_bytes(b"half")
        made.append(path)
    return made


def test_leftovers_are_removed_when_they_are_old(storage: Path) -> None:
    made = leftovers(storage)
    sweep_leftovers()
    assert all(path.exists() for path in made), "another process may be writing them at this moment"
    sweep_leftovers(now=lambda: time.time() + OLD_SECONDS + 10)
    assert not any(path.exists() for path in made)
    assert not (storage / "exports" / "1").exists()


def test_an_old_leftover_that_a_process_has_open_stays(storage: Path) -> None:
    made = leftovers(storage)
    later = time.time() + OLD_SECONDS + 10
    with open(made[0], "ab"), open(made[-1] / "weights", "ab"):
        sweep_leftovers(now=lambda: later)
        assert [path for path in made if path.exists()] == [made[0], made[-1]]
    sweep_leftovers(now=lambda: later)
    assert not any(path.exists() for path in made)


def test_a_folder_whose_replacement_was_killed_halfway_gets_its_name_back(tmp_path: Path) -> None:
    old = tmp_path / ".old-x" / "model"
    old.mkdir(parents=True)
    (old / "weights").write_bytes(b"whole")
    sweep(tmp_path)
    assert (tmp_path / "model" / "weights").read_bytes() == b"whole"
    assert not old.parent.exists()

"""Data in a folder of this machine: only what is allowed can be seen, whatever path is typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.schemas.errors import UserError
from core.services import datasets, folders


@pytest.fixture
def shared(storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An allowed folder with some files, beside a forbidden one."""
    allowed, secret = tmp_path / "shared", tmp_path / "secret"
    for folder in (allowed / "more", allowed / ".hidden", secret):
        folder.mkdir(parents=True)
    (allowed / "b.csv").write_text("text,label\n" + "fine,good\nbad,bad\n" * 5)
    (allowed / "A.jsonl").write_text('{"text": "a"}\n')
    (allowed / "program.py").write_text("print()")
    (allowed / ".hidden" / "key.txt").write_text("key")
    (secret / "s.csv").write_text("text\nsecret\n")
    monkeypatch.setenv("TUNEWELL_DATA_FOLDERS", str(allowed))
    return allowed


def test_files_that_can_be_read_are_listed(shared: Path) -> None:
    assert [file.name for file in folders.listing(str(shared))] == ["A.jsonl", "b.csv"]
    assert folders.folders_in(str(shared)) == ["more"]
    assert [file.name for file in folders.listing(f" {shared / 'b.csv'} ")] == ["b.csv"]


@pytest.mark.parametrize(
    "said", ["", "/", "/etc/passwd", "~root", "{shared}/../secret", "{shared}/../secret/s.csv", "{shared}/.hidden",
             "{shared}/.hidden/key.txt", "{shared}2", "../..", "{shared}/../not-there"]
)  # fmt: skip
def test_everything_outside_is_refused_in_the_same_words(shared: Path, said: str) -> None:
    with pytest.raises(UserError) as caught:
        folders.listing(said.format(shared=shared))
    assert caught.value.title == "This place may not be opened."
    assert str(shared) in caught.value.cause


def test_a_link_out_of_the_folder_leads_nowhere(shared: Path) -> None:
    os.symlink(shared.parent / "secret", shared / "door")
    os.symlink(shared.parent / "secret" / "s.csv", shared / "window.csv")
    os.symlink(shared / "b.csv", shared / "inner.csv")
    assert [file.name for file in folders.listing(str(shared))] == ["A.jsonl", "b.csv", "inner.csv"]
    for said in (shared / "door", shared / "window.csv", shared / "door" / "s.csv"):
        with pytest.raises(UserError, match="may not be opened"):
            folders.listing(str(said))
        with pytest.raises(UserError, match="may not be opened"):
            datasets.inspect({"path": str(said)})


def test_a_path_of_a_job_is_checked_again_and_must_be_a_file(shared: Path) -> None:
    assert datasets.inspect({"path": str(shared / "b.csv")}).rows == 10
    with pytest.raises(UserError, match="This is no file"):
        datasets.inspect({"path": str(shared)})
    with pytest.raises(UserError, match="There is no such file"):
        datasets.inspect({"path": str(shared / "gone.csv")})


def test_the_storage_of_tunewell_is_closed_but_for_its_data_folder(
    storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data", "uploads"):
        (storage / name).mkdir(exist_ok=True)
        (storage / name / "a.csv").write_text("text\nfine\n")
    monkeypatch.delenv("TUNEWELL_DATA_FOLDERS", raising=False)
    monkeypatch.setenv("HOME", str(storage.parent))
    assert [file.name for file in folders.listing(str(storage / "data"))] == ["a.csv"]
    for said in (storage, storage / "uploads", storage / "tunewell.db"):
        with pytest.raises(UserError, match="may not be opened"):
            folders.listing(str(said))


def test_no_folder_may_be_opened_where_the_setting_is_empty(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEWELL_DATA_FOLDERS", "")
    with pytest.raises(UserError, match="may not be opened"):
        folders.listing(str(shared))

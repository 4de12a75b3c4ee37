"""Files that are whole or absent: atomic folders with a manifest, and content kept under the hash of itself."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from core import atomic
from core.store import files


def filled(folder: Path) -> Path:
    """A published folder with two files and a subfolder."""
    with atomic.new_folder(folder) as part:
        (part / "model.bin").write_bytes(bytes(range(256)) * 20)
        (part / "deeper").mkdir()
        (part / "deeper" / "notes.txt").write_text("read me")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_was_written_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for text in (b"old", b"new"):
        atomic.write_file(tmp_path / "a.txt", lambda stream, text=text: stream.write(text))
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]


def test_a_write_that_fails_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    atomic.write_json(tmp_path / "a.json", {"n": 1})

    def fail(stream: io.BufferedIOBase) -> None:
        stream.write(b"half of it")
        raise OSError(28, "no space left on device")

    with pytest.raises(OSError, match="no space"):
        atomic.write_file(tmp_path / "a.json", fail)
    assert (tmp_path / "a.json").read_text() == '{\n  "n": 1\n}'
    assert names(tmp_path) == ["a.json"]


def test_a_new_folder_appears_whole_and_only_at_the_end(tmp_path: Path) -> None:
    with atomic.new_folder(tmp_path / "model") as part:
        (part / "a").write_text("a")
        assert not (tmp_path / "model").exists()
    assert names(tmp_path) == ["model"]
    assert atomic.is_whole(tmp_path / "model")


def test_a_folder_whose_writing_fails_never_appears(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic.new_folder(tmp_path / "model") as part:
            (part / "a").write_text("a")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert names(tmp_path) == []


def test_a_folder_to_which_the_guard_objects_never_appears_and_the_old_one_stays(tmp_path: Path) -> None:
    filled(tmp_path / "model")

    def object_to_it() -> None:
        raise PermissionError("not yours any more")

    with pytest.raises(PermissionError), atomic.new_folder(tmp_path / "model", object_to_it) as part:
        (part / "other").write_text("x")
    assert names(tmp_path) == ["model"]
    assert atomic.is_whole(tmp_path / "model") and (tmp_path / "model" / "model.bin").exists()


def test_the_guard_is_asked_when_all_is_written_and_nothing_is_named(tmp_path: Path) -> None:
    seen = []
    with atomic.new_folder(tmp_path / "model", lambda: seen.append(names(tmp_path))) as part:
        (part / "a").write_text("a")
        name = part.name
    assert seen == [[name]]


def test_publishing_again_replaces_the_whole_folder(tmp_path: Path) -> None:
    filled(tmp_path / "model")
    with atomic.new_folder(tmp_path / "model") as part:
        (part / "only").write_text("x")
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == [atomic.MANIFEST, "only"]
    assert atomic.is_whole(tmp_path / "model")


def damage(path: Path, kind: str) -> None:
    content = bytearray(path.read_bytes())
    if kind == "missing":
        path.unlink()
        return
    if kind == "cut":
        content = content[:-1]
    elif kind == "flipped":
        content[len(content) // 2] ^= 1
    elif kind == "empty":
        content = bytearray()
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["cut", "flipped", "missing", "empty"])
@pytest.mark.parametrize("name", ["model.bin", "deeper/notes.txt", atomic.MANIFEST])
def test_a_damaged_folder_is_detected(tmp_path: Path, name: str, kind: str) -> None:
    folder = filled(tmp_path / "checkpoint")
    assert atomic.is_whole(folder)
    damage(folder / name, kind)
    assert not atomic.is_whole(folder)


@pytest.mark.parametrize("manifest", ["[]", "{}", "null", '"text"', '{"a": 3}'])
def test_a_manifest_that_says_nothing_makes_no_folder_whole(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / atomic.MANIFEST).write_text(manifest)
    assert not atomic.is_whole(tmp_path)


def test_a_folder_that_is_not_there_is_not_whole(tmp_path: Path) -> None:
    assert not atomic.is_whole(tmp_path / "nothing")


KILLED = """
import os, sys
from pathlib import Path
from core import atomic

with atomic.new_folder(Path(sys.argv[1])) as part:
    (part / "a").write_text("a")
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_half_written_is_swept_and_the_rest_stays(tmp_path: Path) -> None:
    filled(tmp_path / "checkpoint-1")
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "checkpoint-2")], timeout=60)
    assert died.returncode == -9
    (tmp_path / ".part-file").write_text("half")
    (tmp_path / ".old-folder").mkdir()
    assert len(names(tmp_path)) == 4

    atomic.sweep(tmp_path)

    assert names(tmp_path) == ["checkpoint-1"]


# -- the storage folder ------------------------------------------------------------------------------------------------


def test_an_upload_is_kept_under_its_hash_and_the_same_one_only_once(storage: Path) -> None:
    content = os.urandom(3_000_000)
    first = files.keep_stream(io.BytesIO(content), chunk=1000)
    second = files.keep_stream(io.BytesIO(content))
    assert first == second
    assert first[1] == len(content)
    assert files.upload_path(first[0]).read_bytes() == content
    assert names(storage / "uploads") == [first[0]]


def test_an_upload_that_breaks_off_is_not_kept(storage: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 10:
                raise ConnectionError("gone")
            return super().read(size)

    with pytest.raises(ConnectionError):
        files.keep_stream(Broken(bytes(100)), chunk=8)
    assert names(storage / "uploads") == []


def test_a_table_is_kept_under_the_hash_of_its_content(storage: Path) -> None:
    table = pa.table({"row_id": ["a", "b"], "text": ["x", None]})
    other = pa.table({"row_id": ["a", "b"], "text": ["x", "y"]})
    assert files.keep_table(table) == files.keep_table(table)
    assert files.keep_table(other) != files.keep_table(table)
    assert files.load_table(files.keep_table(table)).equals(table)
    assert files.load_table(files.keep_table(other), ["text"]).column_names == ["text"]
    assert len(names(storage / "tables")) == 2


def test_what_a_table_says_about_itself_is_kept_with_it(storage: Path) -> None:
    labels = pa.table({"gold": ["a", "b"]}).replace_schema_metadata({"tunewell.labels": '["a", "b"]'})
    assert files.load_table(files.keep_table(labels)).schema.metadata == {b"tunewell.labels": b'["a", "b"]'}


@pytest.mark.parametrize("part", ["..", ".", "", "a/b", "a\\b", "/etc"])
def test_nothing_outside_the_storage_can_be_addressed(storage: Path, part: str) -> None:
    with pytest.raises(ValueError, match="plain folder name"):
        files.folder("runs", part)


WITHOUT_UNIX = """
import importlib, pkgutil, sys
import alembic, psutil, pyarrow.parquet, sqlalchemy.orm  # these have their own ways on Windows

for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None  # an import of it fails, as on Windows

import core.store, core.worker, core.atomic
for package in (core.store, core.worker):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


def test_store_and_worker_can_be_imported_where_there_are_no_unix_modules() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_UNIX], stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 0, done.stderr.decode()

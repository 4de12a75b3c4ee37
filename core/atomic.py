"""Files and folders that are whole or absent: temporary name, flush, fsync, rename, fsync of the folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

MANIFEST = "manifest.json"


def fsync_folder(path: Path) -> None:
    """Make a rename inside `path` survive a power cut (nothing to do on Windows)."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file atomically: temporary name in the same folder, flush, fsync, rename, fsync the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    write_file(path, lambda stream: stream.write(json.dumps(value, indent=2, ensure_ascii=False).encode()))


def file_hash(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(path: Path) -> Iterator[Path]:
    return (p for p in sorted(path.rglob("*")) if p.is_file() and p.name != MANIFEST)


@contextmanager
def new_folder(path: Path, guard: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Fill a temporary folder; at the end it gets a manifest of hashes and, if `guard` does not object, its final name.

    A folder that exists already under that name is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=path.parent))
    try:
        yield temporary
        publish_folder(temporary, path, guard)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def publish_folder(temporary: Path, path: Path, guard: Callable[[], None] = lambda: None) -> None:
    """Give a filled folder its manifest and its final name (see `new_folder`)."""
    hashes = {}
    for file in _files(temporary):
        hashes[file.relative_to(temporary).as_posix()] = file_hash(file)
        with open(file, "rb+") as stream:
            os.fsync(stream.fileno())
    write_json(temporary / MANIFEST, hashes)
    for folder in {temporary, *(file.parent for file in _files(temporary))}:
        fsync_folder(folder)
    guard()
    if path.exists():
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=path.parent))
        os.replace(path, old / path.name)
        os.replace(temporary, path)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(temporary, path)
    fsync_folder(path.parent)


def is_whole(path: Path) -> bool:
    """Whether every file of a published folder is there and has the hash that its manifest says."""
    try:
        hashes = json.loads((path / MANIFEST).read_text())
        return bool(hashes) and all(file_hash(path / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError, AttributeError):
        return False


def sweep(path: Path, may_go: Callable[[Path], bool] = lambda leftover: True) -> None:
    """Remove what a killed process left half-written in `path`, where `may_go` agrees.

    A folder that was about to be replaced, and whose successor never got its name, gets its own name back.
    """
    for leftover in [*path.glob(".part-*"), *path.glob(".old-*")]:
        if not may_go(leftover):
            continue
        if leftover.name.startswith(".old-"):
            for kept in leftover.iterdir():
                if not (path / kept.name).exists():
                    os.replace(kept, path / kept.name)
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)

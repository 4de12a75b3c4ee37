"""Where things lie in the storage folder, and Parquet tables addressed by the hash of their content."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from core.atomic import file_hash, fsync_folder

from .config import storage_root
from .table_writer import ParquetPieces


def folder(*parts: str) -> Path:
    """A folder below the storage root, made if missing. Parts must be plain names."""
    for part in parts:
        if part in ("", ".", "..") or "/" in part or "\\" in part:
            raise ValueError(f"not a plain folder name: {part!r}")
    path = storage_root().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def run_folder(run_id: str) -> Path:
    """Checkpoints, final model and samples of one run."""
    return folder("runs", run_id)


def job_log(job_id: str) -> Path:
    """The file that the child process of a job writes its output to."""
    return folder("logs") / f"{job_id}.log"


def _give_name(temporary: str, final: Path) -> None:
    """Rename a file that is named by its content."""
    try:
        os.replace(temporary, final)
    except PermissionError:
        if not final.exists():
            raise
        os.unlink(temporary)  # Windows replaces no file that is mapped into memory; this one has the same content


def keep_stream(stream: BinaryIO, chunk: int = 1 << 20) -> tuple[str, int]:
    """Copy a stream to `uploads/` in chunks, named by its SHA-256. Returns (hash, size in bytes)."""
    uploads = folder("uploads")
    handle, temporary = tempfile.mkstemp(prefix=".part-", dir=uploads)
    try:
        with os.fdopen(handle, "wb") as out:
            while block := stream.read(chunk):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        digest, size = file_hash(Path(temporary)), os.path.getsize(temporary)
        _give_name(temporary, uploads / digest)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    fsync_folder(uploads)
    return digest, size


def upload_path(digest: str) -> Path:
    return folder("uploads") / digest


def keep_table(table: pa.Table) -> str:
    """Write a table to `tables/` under the hash of its content, once. Returns the hash."""
    with TableWriter() as writer:
        writer.write(table)
        return writer.keep()


class TableWriter(ParquetPieces):
    """Writes a table to `tables/` piece by piece; it appears under the hash of its content, or not at all.

    with TableWriter() as writer:
        for piece in pieces:
            writer.write(piece)
        digest = writer.keep()
    """

    def __init__(self) -> None:
        super().__init__(folder("tables"))

    def keep(self, guard: Callable[[], None] = lambda: None) -> str:
        """Give the file its final name, if `guard` does not object. Returns its hash. Needs at least one piece."""
        whole = self.whole()
        with open(whole, "rb+") as stream:
            os.fsync(stream.fileno())
        digest = file_hash(whole)
        guard()
        _give_name(str(whole), table_path(digest))
        fsync_folder(self.folder)
        return digest


def table_path(digest: str) -> Path:
    return folder("tables") / f"{digest}.parquet"


def load_table(digest: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a kept table (memory-mapped), optionally only some columns."""
    return pq.read_table(table_path(digest), columns=columns, memory_map=True)


def column_names(digest: str) -> list[str]:
    """The columns of a kept table, without reading it."""
    return list(pq.read_schema(table_path(digest)).names)

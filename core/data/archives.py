"""Open zip and gzip files safely: nothing is written under a name from the archive, and bombs are stopped early.

Sizes are checked twice: as declared, before anything is unpacked, and as counted while unpacking.
"""

from __future__ import annotations

import re
import stat
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, BinaryIO

from core.schemas.errors import UserError
from core.schemas.imports import ImportLimits, Member

BLOCK = 1 << 20
IN_MEMORY = 32 << 20
RATIO_MATTERS_FROM = 50_000_000
MOST_MEMBERS = 200_000
READABLE = re.compile(
    r"\.(csv|tsv|tab|psv|txt|text|md|json|jsonl|ndjson|parquet|pq|xlsx|xlsm|data|dat|log)$", re.IGNORECASE
)
INNER_ARCHIVE = re.compile(r"\.(zip|gz|tgz|tar|bz2|xz|7z|rar|zst)$", re.IGNORECASE)
NOT_DATA = re.compile(
    r"^(readme|licen[cs]e|copying|notice|changelog|authors|citation|source|sources)(\.(txt|md|rst))?$", re.IGNORECASE
)


@dataclass(frozen=True)
class ZipContent:
    """What a zip offers. `inner_archives` and `encrypted` are counts of members that are never opened."""

    members: tuple[Member, ...]
    inner_archives: int
    encrypted: int


def unpack_gzip(file: BinaryIO, limits: ImportLimits) -> BinaryIO:
    """The unpacked bytes in a temporary file (in memory while small). Raises UserError for damage and bombs."""
    file.seek(0, 2)
    packed = file.tell()
    file.seek(0)
    target = _temporary()
    unpacked = 0
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    while block := file.read(BLOCK // 16):
        while block:
            try:
                piece = decoder.decompress(block, BLOCK)
            except zlib.error:
                raise _damaged("gzip file") from None
            unpacked += len(piece)
            _stop_bomb(unpacked, packed, limits)
            target.write(piece)
            block = decoder.unconsumed_tail
            if decoder.eof:  # a gzip file may be several, one after the other
                block = decoder.unused_data.lstrip(b"\0")
                if block:
                    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    if not decoder.eof:
        target.write(decoder.flush())
    if not decoder.eof:
        raise _damaged("gzip file")
    target.seek(0)
    return target


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Raises UserError where the archive is damaged."""
    file.seek(0)
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        raise _damaged("zip archive") from None


def zip_content(archive: zipfile.ZipFile) -> ZipContent:
    """The data files of an archive, without folders, hidden files, clutter of macOS, links, inner archives and the
    files that describe a data set (README, LICENSE and the like). Files with unknown endings are offered only where
    there are no others. Raises UserError where it lists too many."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise UserError(
            "The archive holds too many files.",
            f"It lists {len(infos):,}; the limit is {MOST_MEMBERS:,}.",
            "Put your examples into one table.",
        )
    members: list[Member] = []
    unknown: list[Member] = []
    inner = encrypted = 0
    for info in infos:
        parts = [part for part in info.filename.split("/") if part]
        link = stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG)
        if info.is_dir() or link or not parts or any(p.startswith((".", "__MACOSX")) and p != ".." for p in parts):
            continue
        if NOT_DATA.match(parts[-1]) or parts[-1].lower() in ("thumbs.db", "desktop.ini"):
            continue
        if info.flag_bits & 1:
            encrypted += 1
        elif INNER_ARCHIVE.search(parts[-1]):
            inner += 1
        elif READABLE.search(parts[-1]) or "." not in parts[-1]:
            members.append(Member(name=info.filename, size=info.file_size))
        elif info.file_size:
            unknown.append(Member(name=info.filename, size=info.file_size))
    return ZipContent(tuple(members or unknown), inner, encrypted)


def extract_member(archive: zipfile.ZipFile, name: str, limits: ImportLimits) -> BinaryIO:
    """One member in a temporary file. Raises UserError for damage, bombs and passwords."""
    info = archive.getinfo(name)
    _stop_bomb(info.file_size, info.compress_size, limits)
    target = _temporary()
    unpacked = 0
    try:
        with archive.open(info) as source:
            while block := source.read(BLOCK):
                unpacked += len(block)
                _stop_bomb(unpacked, info.compress_size, limits)
                target.write(block)
    except RuntimeError:
        raise locked_archive() from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
        raise _damaged("zip archive") from None
    target.seek(0)
    return target


def check_declared_size(archive: zipfile.ZipFile, limits: ImportLimits) -> None:
    """Refuse an archive that is read as a whole (a workbook, folders of texts) where its members are too large."""
    infos = archive.infolist()
    _stop_bomb(sum(i.file_size for i in infos), sum(i.compress_size for i in infos), limits)


def locked_archive() -> UserError:
    return UserError(
        "The archive is protected by a password.",
        "Its content is encrypted and cannot be read.",
        "Unpack it on your computer and choose the file inside.",
    )


def _temporary() -> BinaryIO:
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed when it is collected)
    return spool  # type: ignore[return-value]


def _stop_bomb(unpacked: int, packed: int, limits: ImportLimits) -> None:
    if unpacked > RATIO_MATTERS_FROM and unpacked > limits.max_ratio * max(packed, 1):
        raise UserError(
            "The archive was refused: it looks like a zip bomb.",
            f"It unpacks to more than {limits.max_ratio} times its size, which data hardly ever do and which is used "
            "to fill up disks.",
            "If you trust it, unpack it on your computer and choose the file inside.",
        )
    if unpacked > limits.max_bytes:
        raise UserError(
            "The archive is too large when unpacked.",
            f"It holds more than {limits.max_bytes / 1e6:,.0f} MB, which is the limit.",
            "Choose a part of the data, or split it into several files.",
        )


def _damaged(what: str) -> UserError:
    return UserError(
        f"The {what} is damaged.",
        "It ends too early or its content does not match its checksum.",
        "Download or copy it again, then choose the new copy.",
    )

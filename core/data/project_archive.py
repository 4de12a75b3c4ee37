"""The file format of a project that leaves: one zip with a manifest that names every file in it with its hash.

    manifest.json          what it is, how it was made, models, runs, and of every other file its SHA-256 and size
    README.txt             what this file is
    rows/TABLE.jsonl       the rows of the database, one object a line
    tables/HASH.parquet    datasets, splits, predictions: named by their content
    runs/ID/model/NAME     a finished model (if wanted); runs/ID/start/NAME the one that it began with
    models/ALIAS/NAME      a base model (if wanted)

What comes from outside is not believed: names follow these patterns or are refused, sizes are checked before and while
unpacking, every hash is checked, and nothing is ever written under a name from the archive.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.schemas.errors import UserError
from core.schemas.imports import ImportLimits

from .archives import check_declared_size, open_zip

FORMAT, VERSION = "tunewell-project", 1
MANIFEST = "manifest.json"
README = "README.txt"
BLOCK_BYTES = 1 << 20
LARGEST_MANIFEST = 64 << 20
PLAIN = r"[A-Za-z0-9_][\w.-]{0,120}\.(?:safetensors|json|jsonl|txt|md|model|jinja)"
NAMES = re.compile(
    rf"{re.escape(README)}|rows/[a-z_]{{1,40}}\.jsonl|tables/[0-9a-f]{{64}}\.parquet"
    rf"|runs/[0-9a-f]{{12}}/(?:model|start)/{PLAIN}|models/model-\d{{1,4}}/{PLAIN}"
)
HASH = re.compile(r"[0-9a-f]{64}")
Obey = Callable[[float], None]


@dataclass
class Packer:
    """Writes an archive, entry by entry. `obey` is called with the bytes written so far and may raise."""

    stream: BinaryIO
    obey: Obey = lambda done: None
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: int = 0

    def __post_init__(self) -> None:
        self._zip = zipfile.ZipFile(self.stream, "w", zipfile.ZIP_STORED)

    def add(self, name: str, source: BinaryIO) -> None:
        """An entry under a name that `NAMES` allows. Text is compressed; weights and Parquet would not become smaller."""
        if not NAMES.fullmatch(name):
            raise ValueError(f"not a name of an archive: {name!r}")
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        stored = name.endswith((".safetensors", ".parquet"))
        entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        digest, size = hashlib.sha256(), 0
        with self._zip.open(entry, "w", force_zip64=True) as packed:
            while block := source.read(BLOCK_BYTES):
                packed.write(block)
                digest.update(block)
                size += len(block)
                self.done += len(block)
                self.obey(self.done)
        self.files[name] = {"sha256": digest.hexdigest(), "size": size}

    def finish(self, manifest: Mapping[str, Any]) -> None:
        whole = {"format": FORMAT, "version": VERSION, **manifest, "files": self.files}
        entry = zipfile.ZipInfo(MANIFEST, (1980, 1, 1, 0, 0, 0))
        self._zip.writestr(entry, json.dumps(whole, indent=1, ensure_ascii=False), zipfile.ZIP_DEFLATED)
        self._zip.close()


def is_plain(name: str) -> bool:
    """Whether a file of a model may be packed under its name."""
    return re.fullmatch(PLAIN, name) is not None


class Unpacker:
    """An archive that was checked from the outside. Raises UserError for everything that is not as it should be."""

    def __init__(self, file: BinaryIO, limits: ImportLimits) -> None:
        if not zipfile.is_zipfile(file):
            raise _not_one("It is no zip file at all, or its end is missing.")
        self._zip = open_zip(file)
        infos = self._zip.infolist()
        entries = {info.filename: info for info in infos}
        if MANIFEST not in entries:
            raise _not_one(f"It is a zip file, but has no {MANIFEST} inside.")
        self.manifest = self._manifest(entries[MANIFEST])
        self.files: dict[str, dict[str, Any]] = self._listed()
        if len(infos) != len(entries) or set(entries) != {MANIFEST, *self.files}:
            raise damaged("it holds other files than its list says")
        for name, said in self.files.items():
            if not NAMES.fullmatch(name):
                raise UserError(
                    "The archive was refused.",
                    f"It holds a file with a name that no project has: {name[:80]!r}. Such names are used to write into places "
                    "where they do not belong.",
                    "Ask whoever gave it to you for an archive that was made with “Export project”.",
                )
            if entries[name].file_size != said["size"] or entries[name].flag_bits & 1:
                raise damaged(f"{_shown(name)} is not as large as the list says")
        check_declared_size(self._zip, limits)

    @property
    def size(self) -> int:
        """Bytes of all files when unpacked."""
        return sum(int(said["size"]) for said in self.files.values())

    def extract(self, folder: Path, obey: Obey = lambda done: None) -> dict[str, Path]:
        """Every file, checked by its hash, under a number in `folder`. Returns name to path."""
        found, done = {}, 0
        for number, (name, said) in enumerate(self.files.items()):
            path = folder / str(number)
            digest, size = hashlib.sha256(), 0
            try:
                with self._zip.open(name) as source, open(path, "wb") as target:
                    while block := source.read(BLOCK_BYTES):
                        size += len(block)
                        if size > said["size"]:
                            raise damaged(f"{_shown(name)} is longer than the list says")
                        digest.update(block)
                        target.write(block)
                        obey(done + size)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                raise damaged(f"{_shown(name)} cannot be unpacked") from error
            if digest.hexdigest() != said["sha256"]:
                raise damaged(f"{_shown(name)} does not have the hash that the list says")
            if name.startswith("tables/") and name[7:71] != said["sha256"]:
                raise damaged(f"{_shown(name)} is named by another content")
            done += size
            found[name] = path
        return found

    def _manifest(self, info: zipfile.ZipInfo) -> dict[str, Any]:
        if info.file_size > LARGEST_MANIFEST:
            raise damaged("its list of files is too long")
        try:
            said = json.loads(self._zip.read(info))
        except (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, RecursionError, NotImplementedError) as error:
            raise damaged("its list of files cannot be read") from error
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise _not_one("Its list of files is of another kind.")
        version = said.get("version")
        if not isinstance(version, int):
            raise damaged("it does not say which version it is")
        if version > VERSION:
            raise newer(f"it is of version {version}, and this Tunewell reads up to {VERSION}")
        return said

    def _listed(self) -> dict[str, dict[str, Any]]:
        files = self.manifest.get("files")
        if not isinstance(files, dict):
            raise damaged("it has no list of files")
        for said in files.values():
            whole = isinstance(said, dict) and isinstance(said.get("size"), int) and said["size"] >= 0
            if not whole or not HASH.fullmatch(str(said.get("sha256"))):
                raise damaged("its list of files has entries without hash or size")
        return files


def _shown(name: str) -> str:
    """A name for people. A whole hash in an error would count as a row that names the table, and keep it for ever."""
    return re.sub(r"[0-9a-f]{64}", lambda found: found[0][:12], name)


def damaged(what: str) -> UserError:
    return UserError(
        "The archive is damaged.",
        f"Nothing was imported, because {what}.",
        "Copy or download it again, or export the project once more where it comes from.",
    )


def newer(what: str) -> UserError:
    return UserError(
        "The archive was made by a newer Tunewell.",
        f"Nothing was imported, because {what}.",
        "Bring this Tunewell up to date, then import it again.",
    )


def _not_one(why: str) -> UserError:
    return UserError(
        "This is no project archive.",
        why,
        "Choose a file that was made with “Export project” on the Projects screen, or by `python -m core pack`.",
    )

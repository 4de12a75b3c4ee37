"""Where a round's rows came from: files, datasets of the hub, and people's corrections, back through every version and round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

from core.store import records
from core.store.tables import DatasetVersion, Run, Upload

# Downloads of the hub lie in a folder that is named so (`core/services/hub_data.py`).
_FETCHED = re.compile(r"(?:^|/)hub/(?P<owner>[\w.-]+?)(?:--(?P<name>[\w.-]+))?--(?P<commit>[0-9a-f]{12})/")


class Source(NamedTuple):
    """A file that rows came from: as the person knows it, its SHA-256 where a copy is kept, and the hub's dataset and commit."""

    name: str
    sha256: str = ""
    dataset: str = ""
    commit: str = ""


def chain(run: Run) -> list[Run]:
    """The round and those that it went on from, newest first."""
    found, at = [run], run
    while at.start_run_id and (before := records.get(Run, at.start_run_id)) is not None:
        if before.id in {r.id for r in found}:
            break
        found.append(before)
        at = before
    return found


def ancestry(version: DatasetVersion) -> list[DatasetVersion]:
    """The version and those that it was made from, newest first."""
    found, at = [version], version
    while (key := at.parent_id or at.origin.get("of")) and (
        before := records.get(DatasetVersion, str(key))
    ) is not None:
        if before.id in {v.id for v in found}:
            break
        found.append(before)
        at = before
    return found


def versions_learned(run: Run) -> list[DatasetVersion]:
    """Every dataset version whose rows may be in the weights, newest round first, each once."""
    found: dict[str, DatasetVersion] = {}
    for one in chain(run):
        version = records.get(DatasetVersion, one.dataset_version_id)
        if version is not None:
            found[version.id] = version
    return list(found.values())


def sources(version: DatasetVersion) -> list[Source]:
    """The files of every import that the version goes back to, each once."""
    found = dict.fromkeys(s for v in ancestry(version) for file in v.origin.get("files") or () for s in _of_file(file))
    return list(found)


def judged_by_people(version: DatasetVersion) -> bool:
    """Whether it holds rows that came of votes on samples or of corrected answers."""
    return any(v.origin.get("kind") == "votes" for v in ancestry(version))


def _of_file(file: Mapping[str, Any]) -> Iterator[Source]:
    if upload_id := file.get("upload_id"):
        upload = records.get(Upload, str(upload_id))
        yield Source(upload.filename, upload.sha256) if upload else Source("a file that was uploaded")
    elif path := str(file.get("path") or ""):
        yield of_path(path)


def of_path(path: str) -> Source:
    """A file of this machine: only its name leaves, not the folder, unless the hub's download gave it that folder."""
    plain = path.replace("\\", "/")
    found = _FETCHED.search(plain)
    if not found:
        return Source(PurePath(plain).name)
    name = f"{found['owner']}/{found['name']}" if found["name"] else found["owner"]
    return Source(plain[found.end() :], dataset=name, commit=found["commit"])

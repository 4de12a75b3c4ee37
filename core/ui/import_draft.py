"""The files that a person is about to import: kept in the session, because nothing is lost with them but a few clicks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import streamlit as st

from core.schemas.imports import ImportOptions, ImportReport
from core.services import datasets, reading
from core.store.tables import Project, Upload


class Draft(TypedDict):
    """A file of an import (see `datasets.submit_import`). `key` names its widgets."""

    key: str
    name: str
    upload_id: str | None
    path: str | None
    options: dict[str, Any]
    part: str | None


def files(project: Project) -> list[Draft]:
    return list(st.session_state.get(_name(project), []))


def add_uploads(project: Project, uploads: Sequence[Upload]) -> None:
    """Add uploaded files and draw the page again."""
    _add(project, [_draft(upload.filename, upload_id=upload.id) for upload in uploads])


def add_paths(project: Project, paths: Sequence[str]) -> None:
    """Add files of a folder on this machine and draw the page again."""
    known = {file["path"] for file in files(project)}
    _add(
        project, [_draft(path.replace("\\", "/").rsplit("/", 1)[-1], path=path) for path in paths if path not in known]
    )


def remove(project: Project, key: str) -> None:
    st.session_state[_name(project)] = [file for file in files(project) if file["key"] != key]


def clear(project: Project) -> None:
    st.session_state.pop(_name(project), None)


def change(project: Project, key: str, **values: Any) -> None:
    """Set values of one file."""
    changed = [{**file, **values} if file["key"] == key else file for file in files(project)]
    st.session_state[_name(project)] = changed


def each(project: Project, key: str, option: str, values: Sequence[str]) -> None:
    """Put one file for each of these values of an option (members of an archive, sheets) in the place of this file."""
    changed: list[Draft] = []
    for file in files(project):
        if file["key"] != key:
            changed.append(file)
            continue
        for value in values:
            options = {**file["options"], option: value}
            changed.append({**_copy(file), "options": options, "part": reading.guessed_part(value)})
    st.session_state[_name(project)] = changed


def payload(file: Draft) -> dict[str, Any]:
    """The file as an import takes it."""
    where = {"path": file["path"]} if file["path"] else {"upload_id": file["upload_id"]}
    return {**where, "options": file["options"], "part": file["part"]}


def report(file: Draft) -> ImportReport:
    """What was found in the beginning of the file. Kept, so that a click elsewhere does not read it again."""
    source = reading.source(payload(file))
    stamp = source.path.stat()
    return _report(file["upload_id"], file["path"], stamp.st_mtime_ns, stamp.st_size, _frozen(file["options"]))


@st.cache_data(max_entries=64, show_spinner="Looking at the file")
def _report(upload_id: str | None, path: str | None, changed: int, size: int, options: str) -> ImportReport:
    where = {"path": path} if path else {"upload_id": upload_id}
    return datasets.inspect({**where, "options": ImportOptions.model_validate_json(options).model_dump()})


def _frozen(options: Mapping[str, Any]) -> str:
    return ImportOptions.model_validate(options).model_dump_json()


def _add(project: Project, added: Sequence[Draft]) -> None:
    st.session_state[_name(project)] = [*files(project), *added]
    st.rerun()


def _draft(name: str, upload_id: str | None = None, path: str | None = None) -> Draft:
    part = reading.guessed_part(name)
    return {"key": _next_key(), "name": name, "upload_id": upload_id, "path": path, "options": {}, "part": part}


def _copy(file: Draft) -> Draft:
    return {**file, "key": _next_key()}


def _next_key() -> str:
    st.session_state["import-files-made"] = st.session_state.get("import-files-made", 0) + 1
    return str(st.session_state["import-files-made"])


def _name(project: Project) -> str:
    return f"import-of-{project.id}"

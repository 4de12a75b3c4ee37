"""Deleting a project from the database and then from the disk, so that a kill at any moment leaves nothing half done.

What is to go is written down first (`state/deleting/PROJECT.json`), then the rows are deleted, then the files. The worker
goes through the notes when it starts and now and then: a note whose project (or batch) still exists is dropped, for nothing was
deleted; any other is carried out again. Only what a note names is ever removed: a database that was lost, or the wrong one,
can thus never take the files with it.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sqlalchemy import JSON, String, Text, cast, select
from sqlalchemy.orm import Session

from core.atomic import write_json
from core.schemas.jobs import JobState

from .config import storage_root
from .engine import read, write
from .files import folder
from .tables import Batch, Export, Job, Metric, Project, Run, Table, Upload

log = logging.getLogger(__name__)
KEEP_NOTE_SECONDS = 3600.0  # a child that had not noticed yet may have written once more: carried out again until then
YOUNG_SECONDS = 60.0  # a file this new may have been kept by another project that is about to name it
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def delete_project(project_id: str) -> None:
    """Delete the project with its rows, run folders, exports, logs, and the uploads and tables that no other row names."""
    note = folder("state", "deleting") / f"{project_id}.json"
    with write() as session:
        project = session.get(Project, project_id)
        if project is None:
            return
        places = _places(session, project_id)
        before = _digests(session)
        session.delete(project)
        session.flush()
        content = sorted(before - _digests(session))
        write_json(note, {"project": project_id, "at": time.time(), "places": places, "content": content})
    _remove(places, content, time.time)


def delete_batch(batch_id: str) -> None:
    """Delete a file whose rows were predicted: the upload, what was made of it, and its jobs."""
    note = folder("state", "deleting") / f"{batch_id}.json"
    with write() as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            return
        before = _digests(session)
        own = [j for j in session.scalars(select(Job).filter_by(project_id=batch.project_id, kind="predict"))]
        own = [j for j in own if j.payload.get("batch_id") == batch_id]
        places = [f"batches/{batch_id}", *(f"logs/{j.id}.log" for j in own)]
        upload = session.get(Upload, str(batch.config.get("file", {}).get("upload_id")))
        for row in (*own, batch, upload):
            if row is not None:
                session.delete(row)
        session.flush()
        content = sorted(before - _digests(session))
        write_json(note, {"batch": batch_id, "at": time.time(), "places": places, "content": content})
    _remove(places, content, time.time)


def note_arrival(project_id: str, job_id: str, places: Iterable[str], content: Iterable[str]) -> None:
    """Write down what a job is about to put there for a project that does not exist yet: if it never will, that goes again."""
    wanted = {"project": project_id, "job": job_id, "at": time.time(), "places": list(places), "content": list(content)}
    write_json(folder("state", "deleting") / f"{project_id}.json", wanted)


def carry_out(now: Callable[[], float] = time.time) -> int:
    """Finish deletions that were begun. Returns how many notes were carried out. Called by the worker."""
    done = 0
    for note in sorted(folder("state", "deleting").glob("*.json")):
        try:
            wanted = json.loads(note.read_text())
            owner, at = ("batch", Batch) if "batch" in wanted else ("project", Project), float(wanted["at"])
            places, content = list(wanted["places"]), list(wanted["content"])
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("the note %s cannot be read and is passed over", note)
            continue
        with read() as session:
            maker = session.get(Job, wanted["job"]) if "job" in wanted else None
            if maker is not None and not JobState(maker.state).final:
                continue  # it is still putting there what the note names
            exists = session.get(owner[1], str(wanted[owner[0]])) is not None
        if exists:
            note.unlink(missing_ok=True)
            continue
        left = _remove(places, content, now)
        done += 1
        if not left and abs(now() - at) > KEEP_NOTE_SECONDS:
            note.unlink(missing_ok=True)
    return done


def _places(session: Session, project_id: str) -> list[str]:
    """What belongs to this project alone, as paths below the storage folder."""

    def ids(table: type[Run] | type[Export] | type[Batch] | type[Job]) -> Iterable[str]:
        return session.scalars(select(table.id).where(table.project_id == project_id))

    jobs = list(ids(Job))
    return [
        f"tokens/{project_id}",
        *(f"runs/{i}" for i in ids(Run)),
        *(f"exports/{i}" for i in ids(Export)),
        *(f"batches/{i}" for i in ids(Batch)),
        *(f"archives/{i}.zip" for i in jobs),
        *(f"logs/{i}.log" for i in jobs),
        *(f"state/token-{i}" for i in jobs),
    ]


def _digests(session: Session) -> set[str]:
    """Every content hash that any row names, wherever it stands: a table added later needs no word here."""
    found: set[str] = set()
    for table in Table.metadata.sorted_tables:
        columns = [cast(c, Text) for c in table.columns if isinstance(c.type, String | JSON)]
        if table.name == Metric.__tablename__ or not columns:
            continue  # millions of rows without any text of their own
        for row in session.execute(select(*columns).execution_options(yield_per=500)):
            for value in row:
                found.update(_DIGEST.findall(value or ""))
    return found


def _remove(places: Iterable[str], content: Iterable[str], now: Callable[[], float]) -> list[Path]:
    """Remove what may go. Returns what is still there: open files on Windows, and content that is young."""
    own, wanted = [storage_root() / place for place in places], set(content)
    for path in own:
        _rid(path)
    left = [path for path in own if path.exists()]
    files = [p for d in wanted for p in (folder("uploads") / d, folder("tables") / f"{d}.parquet") if p.exists()]
    if not files:
        return left
    with write() as session:  # nobody can begin to name them while the lock is held
        free = wanted - _digests(session)
        for path in files:
            if path.name.partition(".")[0] not in free:
                continue
            if abs(now() - path.stat().st_mtime) > YOUNG_SECONDS:
                _rid(path)
            if path.exists():
                left.append(path)
    return left


def _rid(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be removed yet: %s", path, error)

"""Make a new project of an archive: checked from the outside in, put in place, and written to the database in one transaction."""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from core.atomic import publish_folder
from core.data.project_archive import Unpacker, damaged, newer
from core.schemas.errors import UserError
from core.schemas.models import ModelFacts
from core.schemas.output_filter import FilterRules
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.store import deleting, project_rows, records
from core.store.config import import_limits
from core.store.engine import write
from core.store.files import folder, run_folder, table_path
from core.store.tables import BaseModel

from . import archive, models, reproduce

SPACE = 1.2  # times the unpacked size that must be free
SCHEMAS = {"run": ("recipe", Recipe), "plan": ("config", PreparationPlan), "filter_version": ("rules", FilterRules)}
FIRST_ROWS = {"dataset_version": "content", "plan": "content"}
Say = Callable[[str, float, float], None]


@dataclass
class Unpacked:
    """What is ready to be written to the database. `store` does it, in the transaction of whoever calls it."""

    project_id: str
    name: str
    rows: Mapping[str, Path]
    renamed: Mapping[str, str]
    keys: Mapping[str, str]
    manifest: Mapping[str, Any]
    added_models: list[BaseModel] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def store(self) -> dict[str, Any]:
        runs = {self.renamed.get(run["id"], run["id"]): run for run in self.manifest.get("runs", [])}
        try:
            with write() as session:
                for row in self.added_models:
                    session.merge(row)
                for name in project_rows.names():
                    if name in self.rows:
                        project_rows.insert_all(session, name, self._rows(name, runs))
        except project_rows.BadRows as error:
            raise damaged(str(error)) from error
        return {"project_id": self.project_id, "name": self.name, "notes": self.notes, "runs": len(runs)}

    def _rows(self, name: str, runs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for row in archive.lines(self.rows[name]):
            row = project_rows.renamed(row, self.renamed)
            if row.get("base_model_key"):
                row["base_model_key"] = self.keys.get(row["base_model_key"])
            if name == "project":
                row["updated_at"] = time.time()
                row["settings"] = {**row["settings"], "archive": {"made_at": self.manifest.get("made_at")}}
            if name == "run" and row.get("summary"):
                details = dict(row["summary"].get("details") or {})
                weights = runs.get(row["id"], {}).get("weights") or details.get(reproduce.WEIGHTS) or {}
                machine = details.get(reproduce.MACHINE) or self.manifest.get("environment") or {}
                details |= {reproduce.WEIGHTS: weights, reproduce.MACHINE: machine}
                row["summary"] = {**row["summary"], "details": details}
            yield row


def unpack(job_id: str, source: Path, place: Path, say: Say, guard: Callable[[], None]) -> Unpacked:
    """Check the archive, and put its files where the new project will name them. `place` is an empty folder to work in.

    Until `store` is called nothing of it can be seen, and what was put in place goes again if it never is. Raises UserError
    for everything that is wrong with the archive.
    """
    with open(source, "rb") as stream:
        say("Checking the archive", 0, 0)
        opened = Unpacker(stream, import_limits(from_folder=True))
        _refuse_without_space(opened.size)
        total = opened.size / 1e6
        files = opened.extract(place, lambda done: say("Unpacking, megabytes", done / 1e6, total))
    manifest = _sound(opened.manifest)
    say("Checking its records", 0, 0)
    rows = {name[5:-6]: path for name, path in files.items() if name.startswith("rows/")}
    ids, project_id, name = _checked(rows, files)
    new = _new_ids(job_id, ids) if project_rows.taken(ids) else {}
    _check_tables(files)
    project_id = new.get(project_id, project_id)
    made = Unpacked(project_id, name, rows, new, {}, manifest)
    places = [f"runs/{new.get(run, run)}" for run in _runs_with_models(files)]
    targets = _base_targets(job_id, manifest, files)
    places += [f"models/{target.name}" for target in targets.values()]
    content = [path[7:71] for path in files if path.startswith("tables/")]
    guard()
    deleting.note_arrival(project_id, job_id, places, content)
    say("Putting files in place", 0, 0)
    for digest in content:
        if not table_path(digest).exists():
            archive.move(files[f"tables/{digest}.parquet"], table_path(digest))
    made.keys = _base_models(made, manifest, files, targets, lambda: say("Looking for the base model", 0, 0), guard)
    _place_models(made, files, place, guard)
    return made


def _sound(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the manifest says beside its list of files, where it has the shape that it should have."""
    found: dict[str, Any] = {"made_at": manifest.get("made_at"), "environment": manifest.get("environment") or {}}
    for key, named in (("models", "alias"), ("runs", "id")):
        said = manifest.get(key) or []
        if not isinstance(said, list) or not all(
            isinstance(one, dict) and isinstance(one.get(named), str) for one in said
        ):
            raise damaged(f"its list of {key} cannot be read")
        hashes = [one.get("files" if key == "models" else "weights") or {} for one in said]
        if not all(isinstance(one, dict) for one in hashes):
            raise damaged(f"its list of {key} cannot be read")
        found[key] = said
    if not isinstance(found["environment"], dict):
        raise damaged("it does not say where it was made")
    return found


def _refuse_without_space(size: int) -> None:
    free = shutil.disk_usage(folder("archives")).free
    if size * SPACE > free:
        raise UserError(
            "There is not enough space on the disk.",
            f"The project needs {size * SPACE / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free.",
            "Make space, then import it again.",
        )


def _checked(rows: Mapping[str, Path], files: Mapping[str, Path]) -> tuple[set[str], str, str]:
    """Every id that the rows have, and the project's id and name. Raises UserError where a row is not as it should be."""
    ids: set[str] = set()
    projects: list[dict[str, Any]] = []
    for name, path in rows.items():
        try:
            for row in archive.lines(path):
                project_rows.check(name, row)
                _check_meaning(name, row, files)
                if name == "project":
                    projects.append(row)
                if "id" in row:
                    ids.add(row["id"])
        except project_rows.BadRows as error:
            raise (newer if error.newer else damaged)(str(error)) from error
        except (ValueError, RecursionError) as error:
            raise damaged(f"the records of {name} cannot be read") from error
    if len(projects) != 1:
        raise damaged("it does not hold exactly one project")
    _refuse_strangers(rows, files)
    return ids, str(projects[0]["id"]), str(projects[0]["name"])


def _refuse_strangers(rows: Mapping[str, Path], files: Mapping[str, Path]) -> None:
    """Every row and every model must belong to what is in the archive: it may neither write into a project that is here nor
    name a round of one, whose files would go with a refused import."""
    own = {name: {row["id"] for row in archive.lines(path) if "id" in row} for name, path in rows.items()}
    for name, path in rows.items():
        ties = project_rows.ties(name)
        for row in archive.lines(path):
            if any(row.get(column) is not None and row[column] not in own.get(to, ()) for column, to in ties.items()):
                raise damaged(f"a row of {name} belongs to something that is not in it")
    if not set(_runs_with_models(files)) <= own.get("run", set()):
        raise damaged("it holds the model of a round that is not in it")


def _check_meaning(name: str, row: dict[str, Any], files: Mapping[str, Path]) -> None:
    if not archive.fits_task(row.get("task") if name in ("project", "run") else None):
        raise newer(f"its task {str(row['task'])[:40]!r} is not known")
    if name in FIRST_ROWS and f"tables/{row[FIRST_ROWS[name]]}.parquet" not in files:
        raise damaged(f"the table of a {name.replace('_', ' ')} is missing")
    if name in SCHEMAS:
        column, schema = SCHEMAS[name]
        try:
            schema.model_validate(row[column])  # type: ignore[attr-defined]
        except ValidationError as error:
            raise newer(f"a {name.replace('_', ' ')} has settings that are not known") from error


def _check_tables(files: Mapping[str, Path]) -> None:
    for name, path in files.items():
        if name.startswith("tables/"):
            try:
                pq.read_metadata(path)
            except (OSError, pa.ArrowException) as error:
                raise damaged(f"{name[:19]} is no table") from error


def _new_ids(job_id: str, ids: set[str]) -> dict[str, str]:
    """Other ids for all, the same ones when the job is done again after a kill."""
    space = uuid.UUID(bytes=uuid.uuid5(uuid.NAMESPACE_OID, job_id).bytes)
    return {old: uuid.uuid5(space, old).hex[:12] for old in ids}


def _runs_with_models(files: Mapping[str, Path]) -> list[str]:
    return sorted({name.split("/")[1] for name in files if name.startswith("runs/")})


def _base_targets(job_id: str, manifest: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, Path]:
    """Where the base models of the archive will lie, by their name in it."""
    found = {}
    for alias in sorted({name.split("/")[1] for name in files if name.startswith("models/")}):
        said: Mapping[str, Any] = next((m for m in manifest.get("models", []) if m.get("alias") == alias), {})
        stem = re.sub(r"[^\w-]+", "-", str(said.get("title") or "model")).strip("-")[:40] or "model"
        found[alias] = folder("models") / f"{stem}-{uuid.uuid5(uuid.NAMESPACE_OID, job_id + alias).hex[:8]}"
    return found


def _base_models(
    made: Unpacked,
    manifest: Mapping[str, Any],
    files: Mapping[str, Path],
    targets: Mapping[str, Path],
    obey: Callable[[], None],
    guard: Callable[[], None],
) -> dict[str, str]:
    """The name of each base model in the archive to its key here: one that is here already, else that of the archive."""
    keys = {models.STARTER_KEY: models.STARTER_KEY}
    for said in manifest.get("models", []):
        alias, title = str(said.get("alias")), str(said.get("title") or "the base model")[:200]
        wanted = {str(k): str(v) for k, v in (said.get("files") or {}).items()}
        here = archive.same_model(wanted, obey)
        if alias == models.STARTER_KEY:
            if here is None or here.key != models.STARTER_KEY:
                made.notes.append(
                    "The starter model of this Tunewell is another version than that of the archive: a training will not "
                    "come out the same."
                )
            continue
        if here is not None:
            keys[alias] = here.key
        elif alias in targets:
            _publish(files, f"models/{alias}/", targets[alias], made, guard)
            facts = models.facts_of_folder(targets[alias], title)
            made.added_models.append(BaseModel(id=facts.key, facts=facts.model_dump(mode="json")))
            keys[alias] = facts.key
        else:
            keys[alias] = _missing(made, alias, title, said)
    return keys


def _missing(made: Unpacked, alias: str, title: str, said: Mapping[str, Any]) -> str:
    """A base model that is neither here nor in the archive: the project says so wherever it needs it."""
    key = f"archive:{uuid.uuid5(uuid.NAMESPACE_OID, made.project_id + alias).hex[:12]}"
    place = folder("models") / key.replace(":", "-")
    about = {k: v for k, v in (said.get("facts") or {}).items() if k not in ("key", "folder", "source")}
    try:
        facts = ModelFacts.model_validate(
            {**about, "key": key, "source": "folder", "folder": str(place), "title": title}
        )
    except ValidationError:
        facts = ModelFacts(key=key, source="folder", folder=str(place), title=title)
    made.added_models.append(BaseModel(id=key, facts=facts.model_dump(mode="json")))
    made.notes.append(
        f"The base model {title} is not on this machine and not in the archive. Everything can be looked at; to train, export "
        "the project once more with its base model, or choose that model on the Base model screen."
    )
    return key


def _place_models(made: Unpacked, files: Mapping[str, Path], place: Path, guard: Callable[[], None]) -> None:
    """The finished models of the runs, with the places of this machine in the place of those of the other."""
    keys = (
        {row["id"]: made.keys.get(row["base_model_key"], "") for row in archive.lines(made.rows["run"])}
        if "run" in made.rows
        else {}
    )
    for run in _runs_with_models(files):
        target = run_folder(made.renamed.get(run, run))
        base = records.get(BaseModel, keys[run])
        facts = models.starter() if keys[run] == models.STARTER_KEY else None
        added = next((m for m in made.added_models if m.id == keys[run]), base)
        base_folder = facts.folder if facts else str(added.facts["folder"]) if added else ""
        for part in ("start", "model"):
            said = files.get(f"runs/{run}/{part}/tunewell.json")
            if said is not None:
                told = _facts(said)
                told["base_folder"] = (
                    str(target / "start") if told.get("base_folder") == archive.AT_START else base_folder
                )
                said.write_text(json.dumps(told, indent=2, ensure_ascii=False), "utf-8")
            if any(name.startswith(f"runs/{run}/{part}/") for name in files):
                _publish(files, f"runs/{run}/{part}/", target / part, made, guard)


def _facts(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged("the description of a model cannot be read") from error
    if not isinstance(told, dict):
        raise damaged("the description of a model cannot be read")
    return told


def _publish(files: Mapping[str, Path], prefix: str, target: Path, made: Unpacked, guard: Callable[[], None]) -> None:
    """Give the files of a folder their names: the folder is whole or absent."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".part-{target.name}-{made.project_id}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    for name, path in files.items():
        if name.startswith(prefix):
            archive.move(path, temporary / name.removeprefix(prefix))
    publish_folder(temporary, target, guard)

"""A project as one file: pack it with its data, settings and results, and make a new project of such a file elsewhere."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

from core.atomic import file_hash, write_file
from core.data.project_archive import README, Packer, is_plain
from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.schemas.jobs import Job, JobKind, JobState
from core.schemas.models import ModelFacts
from core.store import jobs, project_rows, records
from core.store.files import folder, keep_stream, run_folder, table_path, upload_path
from core.store.tables import BaseModel, Project, Run
from core.tasks import registry as tasks

from . import models, projects, reproduce, runs

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "tokenizers", "safetensors", "numpy", "pyarrow")
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
AT_BASE, AT_START = "@base", "@start"  # in the place of paths of this machine
ABOUT = """This is a project of Tunewell: data, settings and results{models}.

It was made with "Export project" (or `python -m core pack`). To open it, press "Import project" on the Projects screen of
Tunewell, or run `python -m core unpack FILE`. It holds the texts of the project: treat it as you treat them.
"""
Say = Callable[[str, float, float], None]


def submit_pack(project_id: str, *, with_models: bool = False, with_base: bool = False) -> str:
    """Queue the packing of a project. Returns the job."""
    projects.get(project_id)
    return jobs.submit(JobKind.PACK, project_id, {"models": with_models, "base": with_base})


def archive_path(job_id: str) -> Path:
    return folder("archives") / f"{job_id}.zip"


def packed(project_id: str) -> list[Job]:
    """Archives of a project that can be taken away, newest first."""
    return [j for j in jobs.find(project_id=project_id, kinds=[JobKind.PACK]) if archive_path(j.id).is_file()]


def packing(project_id: str) -> Job | None:
    """The newest packing of the project, whatever came of it."""
    return next(iter(jobs.find(project_id=project_id, kinds=[JobKind.PACK])), None)


def remove(job_id: str) -> None:
    """Delete an archive that was packed. The project stays."""
    archive_path(job_id).unlink(missing_ok=True)


def keep_newest(project_id: str, job_id: str) -> None:
    """Remove the project's earlier archives: only the newest is offered, and they would pile up unseen."""
    for earlier in packed(project_id):
        if earlier.id != job_id and earlier.state.final:
            remove(earlier.id)


def file_name(project: Project) -> str:
    stem = re.sub(r"[^\w.-]+", "-", project.name).strip("-.")[:60] or "project"
    return f"{stem}.tunewell.zip"


def submit_unpack(filename: str, stream: BinaryIO) -> str:
    """Keep the file and queue its import. Returns the job."""
    _forget_arrived()
    digest, _ = keep_stream(stream)
    return jobs.submit(JobKind.UNPACK, None, {"upload": digest, "filename": filename[:255]})


def arrived(job: Job) -> Path:
    """The file that an import is about."""
    return upload_path(str(job.payload["upload"]))


def _forget_arrived() -> None:
    """Remove files of imports that ended before they could do so themselves."""
    every = jobs.find(kinds=[JobKind.UNPACK])
    wanted = {j.payload["upload"] for j in every if not j.state.final}
    for job in every:
        if job.state.final and job.payload["upload"] not in wanted and not job.payload.get("kept"):
            _forget(str(job.payload["upload"]))


def _forget(digest: str) -> None:
    from core.store.tables import Upload

    if not records.count(Upload, sha256=digest):
        upload_path(digest).unlink(missing_ok=True)


def forget(job: Job) -> None:
    """Remove the file of an import that is over."""
    others = [j for j in jobs.find(kinds=[JobKind.UNPACK]) if j.id != job.id and not j.state.final]
    if all(j.payload["upload"] != job.payload["upload"] for j in others):
        _forget(str(job.payload["upload"]))


def imports() -> list[Job]:
    """Imports at work, and the newest that is over."""
    found = jobs.find(kinds=[JobKind.UNPACK])
    return [j for j in found if not j.state.final] + [j for j in found if j.state.final][:1]


# -- packing ---------------------------------------------------------------------------------------------------------------


def pack(
    project_id: str, target: Path, *, with_models: bool, with_base: bool, say: Say, guard: Callable[[], None]
) -> dict[str, Any]:
    """Write the archive, whole or not at all. `say` may raise. Returns what stands in it."""
    project = projects.get(project_id)
    with tempfile.TemporaryDirectory(prefix=".part-pack-", dir=folder("archives")) as place:
        say("Reading the project's records", 0, 0)
        aliases = _aliases(project)
        counts, digests = _dump_rows(project_id, aliases, Path(place))
        entries = {f"rows/{name}.jsonl": Path(place) / f"{name}.jsonl" for name in counts}
        tables = sorted(d for d in digests if table_path(d).is_file())
        entries |= {f"tables/{d}.parquet": table_path(d) for d in tables}
        entries |= _model_files(project_id, Path(place)) if with_models else {}
        say("Hashing the base model", 0, 0)
        known = [_model(alias, key, with_base, entries) for key, alias in aliases.items()]
        total = sum(path.stat().st_size for path in entries.values()) / 1e6
        manifest = {
            "made_at": time.time(),
            "project": {"name": project.name, "task": project.task},
            "options": {"models": with_models, "base": with_base},
            "environment": environment(),
            "models": known,
            "runs": [_run(run) for run in reversed(runs.of_project(project_id))],
            "rows": counts,
        }

        def write(stream: BinaryIO) -> None:
            packer = Packer(stream, lambda done: say("Packing, megabytes", done / 1e6, total))
            about = ABOUT.format(models=", and its finished models" if with_models else "; models are trained again")
            packer.add(README, io.BytesIO(about.encode()))
            for name, path in entries.items():
                with open(path, "rb") as source:
                    packer.add(name, source)
            packer.finish(manifest)
            guard()

        write_file(target, write)
    return {
        "bytes": target.stat().st_size,
        "rows": counts,
        "tables": len(tables),
        "models": with_models,
        "base": with_base,
    }


def environment() -> dict[str, Any]:
    """What results depend on beside data and settings."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": reproduce.processor(),
        "packages": found,
    }


def _aliases(project: Project) -> dict[str, str]:
    """Base model key to the name that it has in the archive: a key may hold a path of this machine."""
    keys = [project.base_model_key, *(run.base_model_key for run in runs.of_project(project.id))]
    others = [key for key in dict.fromkeys(keys) if key and key != models.STARTER_KEY]
    found = {key: f"model-{number}" for number, key in enumerate(others, start=1)}
    return found | ({models.STARTER_KEY: models.STARTER_KEY} if models.STARTER_KEY in keys else {})


def _dump_rows(project_id: str, aliases: dict[str, str], place: Path) -> tuple[dict[str, int], set[str]]:
    """Write `TABLE.jsonl` files. Returns rows by table, and every content hash that they name."""
    counts: dict[str, int] = {}
    digests: set[str] = set()
    with ExitStack() as stack:
        files: dict[str, Any] = {}

        def write(name: str, row: Any) -> None:
            row = dict(row)
            if row.get("base_model_key"):
                row["base_model_key"] = aliases.get(row["base_model_key"])
            if name == "dataset_version":  # where the files lay on this machine is of no use elsewhere
                row["origin"] = {key: value for key, value in row["origin"].items() if key != "files"}
            if name not in files:
                files[name] = stack.enter_context(open(place / f"{name}.jsonl", "w", encoding="utf-8"))
            line = json.dumps(row, ensure_ascii=False)
            if name != "metric":
                digests.update(DIGEST.findall(line))
            files[name].write(line + "\n")
            counts[name] = counts.get(name, 0) + 1

        project_rows.dump(project_id, write)
    return counts, digests


def _model_files(project_id: str, place: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for run in runs.finished(project_id):
        for part in ("model", "start"):
            for path in _plain_files(run_folder(run.id) / part):
                found[f"runs/{run.id}/{part}/{path.name}"] = _without_paths(
                    path, place / f"{run.id}-{part}-{path.name}"
                )
    return found


def _plain_files(place: Path) -> list[Path]:
    """Files of a model that may be packed; its manifest is made anew where it is unpacked."""
    inside = sorted(place.iterdir()) if place.is_dir() else []
    return [p for p in inside if p.is_file() and is_plain(p.name) and p.name != "manifest.json"]


def _without_paths(path: Path, copy: Path) -> Path:
    """The file, or a copy without paths of this machine."""
    if path.name == "tunewell.json":
        facts = json.loads(path.read_text("utf-8"))
        facts["base_folder"] = AT_START if str(facts.get("base_folder", "")).endswith("start") else AT_BASE
    elif path.name == "adapter_config.json":
        facts = json.loads(path.read_text("utf-8"))
        facts["base_model_name_or_path"] = Path(facts.get("base_model_name_or_path") or "").name
    else:
        return path
    copy.write_text(json.dumps(facts, indent=2, ensure_ascii=False), "utf-8")
    return copy


def _model(alias: str, key: str, with_base: bool, entries: dict[str, Path]) -> dict[str, Any]:
    """What the archive says about a base model; with `with_base` its files become entries. The starter is never packed."""
    try:
        facts = models.get(key)
    except UserError:
        row = records.get(BaseModel, key)
        return {"alias": alias, "title": row.facts.get("title", "") if row else "", "files": {}, "packed": False}
    paths = _plain_files(Path(facts.folder))
    pack_it = with_base and key != models.STARTER_KEY
    if pack_it:
        entries |= {f"models/{alias}/{path.name}": path for path in paths}
    about = facts.model_dump(mode="json", exclude={"key", "folder"})
    return {
        "alias": alias,
        "title": facts.title,
        "licence": facts.licence,
        "revision": facts.revision,
        "facts": about,
        "files": {
            path.name: file_hash(path)
            for path in paths
            if path.suffix == ".safetensors" or path.name == "tokenizer.json"
        },
        "packed": pack_it,
    }


def _run(run: Run) -> dict[str, Any]:
    summary = run.summary or {}
    details = summary.get("details") or {}
    return {
        "id": run.id,
        "number": run.number,
        "name": run.name,
        "finished": bool(run.summary),
        "weights": reproduce.recorded(run),
        "seed": run.recipe.get("seed"),
        "versions": summary.get("versions") or {},
        "device": summary.get("device"),
        "precision": summary.get("precision"),
        "threads": details.get("threads"),
    }


# -- base models of this machine -------------------------------------------------------------------------------------------


def same_model(wanted: dict[str, str], obey: Callable[[], None] = lambda: None) -> ModelFacts | None:
    """The base model of this machine whose weights and tokenizer have these hashes."""
    if not any(name.endswith(".safetensors") for name in wanted):
        return None
    for facts in models.all_models():
        place = Path(facts.folder)
        there = all((place / name).is_file() for name in wanted if is_plain(name))
        if there and all(is_plain(name) and _hash(place / name, obey) == digest for name, digest in wanted.items()):
            return facts
    return None


def _hash(path: Path, obey: Callable[[], None]) -> str:
    obey()
    return file_hash(path)


def fits_task(task: str | None) -> bool:
    return task is None or (task in tasks() and tasks()[task].family in FAMILIES)


def lines(path: Path) -> Iterator[Any]:
    """The objects of a JSON lines file. Raises ValueError where a line is none."""
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def over(job: Job) -> bool:
    return job.state in (JobState.DONE, JobState.FAILED, JobState.STOPPED)


def move(source: Path, target: Path) -> None:
    """Give a file of the archive its place; across disks by copying, whole or absent."""
    try:
        os.replace(source, target)
    except OSError:
        with open(source, "rb") as stream:
            write_file(target, lambda out: shutil.copyfileobj(stream, out))

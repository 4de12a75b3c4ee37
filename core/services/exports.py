"""Exports: a folder that loads elsewhere, its model card, and the proof that it answers as the checkpoint did."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.jobs import JobKind
from core.store import jobs, records
from core.store.files import folder
from core.store.tables import Audit, Export, Run, new_id

from . import cards, datasets, evaluations, models, projects, runs

QUESTIONS = 20
TITLES = {"merged": "Whole model", "adapter": "Adapter only"}


def kinds(run: Run) -> list[str]:
    """What this run can be exported as."""
    return ["merged", "adapter"] if run.recipe["method"] == "lora" else ["merged"]


def submit(run: Run, kind: str) -> str:
    """Queue an export. Raises UserError when the run has no model or cannot be exported so."""
    if not run.summary:
        raise UserError("There is no model to export yet.", "The training is not finished.", "Wait for it, or resume it.")
    if kind not in kinds(run):
        raise UserError(
            "This run has no adapter.", "It trained all weights of the model.", "Export the whole model instead."
        )
    return jobs.submit(JobKind.EXPORT, run.project_id, {"run_id": run.id, "kind": kind})


def of_run(run_id: str) -> list[Export]:
    """Newest first."""
    return records.find(Export, run_id=run_id)


def card(run: Run) -> str:
    """The model card as it stands now."""
    evaluated = evaluations.of_run(run.id, "test")
    audits = records.find(Audit, run_id=run.id, limit=1)
    return cards.model_card(
        projects.get(run.project_id),
        run,
        datasets.get_version(run.dataset_version_id),
        models.get(run.base_model_key),
        evaluations.result(evaluated[0]) if evaluated else None,
        audits[0] if audits else None,
    )


def questions(given: runs.Inputs) -> list[Example]:
    """Kept prompts that the export must answer as the checkpoint does: validation rows."""
    return given.parts["validation"][:QUESTIONS]


def new_target(run: Run, kind: str) -> tuple[str, Path]:
    export_id = new_id()
    return export_id, folder("exports", export_id) / f"{run.name}-{kind}"


def store(run: Run, export_id: str, kind: str, path: Path, parity: dict[str, Any]) -> Export:
    return records.add(
        Export(id=export_id, project_id=run.project_id, run_id=run.id, kind=kind, folder=str(path), parity=parity)
    )


def archive(export: Export) -> Path:
    """The export as a zip file, made once."""
    path = Path(export.folder)
    target = path.with_suffix(".zip")
    if not target.exists():
        made = shutil.make_archive(str(path.parent / f".part-{path.name}"), "zip", path.parent, path.name)
        Path(made).replace(target)
    return target

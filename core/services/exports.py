"""Exports: a folder that loads elsewhere, its model card, and the proof that it answers as the checkpoint did."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from core import methods
from core.atomic import write_file
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.jobs import JobKind
from core.store import jobs, records
from core.store.config import PROJECT_ROOT
from core.store.files import folder
from core.store.tables import Export, Run, new_id

from . import cards, output_filters, runs

HELPER = PROJECT_ROOT / "assets" / "export" / "answer.py"
QUESTIONS = 20
BLOCK_BYTES = 1 << 22
TITLES = {"merged": "Whole model", "adapter": "Adapter only"}


def kinds(run: Run) -> list[str]:
    """What this run can be exported as."""
    return ["merged", "adapter"] if methods.get(run.recipe["method"]).adapter else ["merged"]


def submit(run: Run, kind: str) -> str:
    """Queue an export. Raises UserError when the run has no model or cannot be exported so."""
    if not run.summary:
        raise UserError(
            "There is no model to export yet.", "The training is not finished.", "Wait for it, or resume it."
        )
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
    return cards.of_run(run)


def files(run: Run) -> dict[str, str]:
    """What stands beside the weights, name to text: the card, and for a model that writes the helper that asks it, with the
    output filter that guards the round now."""
    found = {"README.md": card(run)}
    if output_filters.fits(run):
        found |= {"answer.py": HELPER.read_text(encoding="utf-8"), **output_filters.shipped(run)}
    return found


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


def archive(exported: str | Path, obey: Callable[[], None] = lambda: None) -> Path:
    """The exported folder as a zip file, made once: whole or absent. `obey` is called between blocks and may raise.

    Raises UserError where both are gone.
    """
    path = Path(exported)
    target = path.with_suffix(".zip")
    if not target.exists():
        if not path.is_dir():
            raise UserError("The export is gone.", f"There is no folder {path} any more.", "Export the model again.")
        write_file(target, lambda stream: _zip(path, stream, obey))
    return target


def _zip(path: Path, stream: BinaryIO, obey: Callable[[], None]) -> None:
    """Not compressed: weights hardly shrink, and a large model would take minutes."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as made:
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo.from_file(file, file.relative_to(path.parent).as_posix())
            with open(file, "rb") as source, made.open(entry, "w") as packed:
                while block := source.read(BLOCK_BYTES):
                    obey()
                    packed.write(block)

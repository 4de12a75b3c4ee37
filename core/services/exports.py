"""Exports: what a round's model can be taken away as, how large that gets, the proof that it answers as it was tested."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from core import exporters, methods
from core.atomic import write_file
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.exports import Exportable, ExportFormat
from core.schemas.jobs import JobKind
from core.store import jobs, records
from core.store.config import storage_root
from core.store.files import folder, run_folder
from core.store.tables import Export, Run
from core.tasks import registry as tasks

from . import cards, licence_notes, models, output_filters, runs

QUESTIONS = 20
BLOCK_BYTES = 1 << 22
SPARE = 64 * 2**20  # bytes that stay free: for the database and the log


@dataclass(frozen=True)
class Offer:
    """A format for one round. `size` is an estimate in bytes; `refusal` says in a sentence why it is not offered."""

    format: ExportFormat
    size: int
    refusal: str


def exportable(run: Run) -> Exportable:
    """What formats look at to say whether they fit. Raises UserError where the base model is gone."""
    base = models.get(run.base_model_key)
    config = json.loads((Path(base.folder) / "config.json").read_text(encoding="utf-8"))
    weights = run_folder(run.id) / "model" / "adapter_model.safetensors"
    return Exportable(
        family=tasks()[run.task].family,
        adapter=methods.get(run.recipe["method"]).adapter,
        base=base,
        config=config,
        learned=weights.stat().st_size if weights.exists() else 0,
    )


def offers(run: Run) -> list[Offer]:
    """Every format in order, those that do not fit with the reason."""
    model = exportable(run)
    return [Offer(f, f.size(model), exporters.refusal(f, model)) for f in exporters.registry().values()]


def kinds(run: Run) -> list[str]:
    """What this run can be exported as."""
    return [offer.format.key for offer in offers(run) if not offer.refusal]


def title(kind: str) -> str:
    """Of a format, or of one that was there once."""
    found = exporters.registry().get(kind)
    return found.title if found else kind


def submit(run: Run, kind: str) -> str:
    """Queue an export. Raises UserError when the run has no model, cannot be exported so, or the disk has no room for it."""
    if not run.summary:
        raise UserError(
            "There is no model to export yet.", "The training is not finished.", "Wait for it, or resume it."
        )
    chosen, model = exporters.get(kind), exportable(run)
    if reason := exporters.refusal(chosen, model):
        raise UserError(
            f"This model is not offered as {chosen.title}.", reason, f"Choose another format: {', '.join(kinds(run))}."
        )
    check_room(chosen.size(model))
    return jobs.submit(JobKind.EXPORT, run.project_id, {"run_id": run.id, "kind": kind})


def check_room(size: int, free: Callable[[Path], int] = lambda place: shutil.disk_usage(place).free) -> None:
    """Raises UserError where the folder and its zip file would not fit beside each other."""
    needed, there = 2 * size + SPARE, free(storage_root())
    if needed > there:
        raise UserError(
            "There is not enough space on the disk.",
            f"This export takes about {needed / 2**30:.1f} GB while it is made, and {there / 2**30:.1f} GB are free.",
            "Delete old exports, or choose a smaller format.",
        )


def of_run(run_id: str) -> list[Export]:
    """Newest first."""
    return records.find(Export, run_id=run_id)


def get(export_id: str) -> Export:
    found = records.get(Export, export_id)
    if found is None:
        raise UserError(
            "This export does not exist.", "It was deleted, or the id is misspelt.", "Look at the exports of the round."
        )
    return found


def delete(export: Export) -> None:
    """The row first: files that a kill leaves without one are swept up later."""
    records.remove(Export, id=export.id)
    discard(export.id)


def discard(export_id: str) -> None:
    """Remove the files of an export that has no row (any more)."""
    shutil.rmtree(folder("exports") / export_id, ignore_errors=True)


def card(run: Run, kind: str = "merged") -> str:
    """The model card of an export of this kind as it stands now."""
    return cards.of_run(run, kind)


def files(run: Run, kind: str) -> dict[str, str | bytes]:
    """What stands beside weights and helper, name to content: card, licence notes with the base model's own licence texts, and
    for a model that writes the output filter that guards the round now."""
    notes: dict[str, str | bytes] = {licence_notes.FILENAME: licence_notes.notes(run), **licence_notes.texts(run)}
    return {"README.md": card(run, kind), **notes, **output_filters.shipped(run)}


def questions(given: runs.Inputs) -> list[Example]:
    """Kept prompts that the export must answer as the checkpoint does: validation rows."""
    return given.parts["validation"][:QUESTIONS]


def target(run: Run, kind: str, export_id: str) -> Path:
    """Where the folder of this export goes. The id is the job's, so that a job done again after a kill replaces it."""
    return folder("exports", export_id) / f"{run.name}-{kind}"


def store(run: Run, export_id: str, kind: str, path: Path, parity: dict[str, Any]) -> Export:
    return records.add(
        Export(id=export_id, project_id=run.project_id, run_id=run.id, kind=kind, folder=str(path), parity=parity)
    )


def packed(exported: str | Path) -> Path:
    """Where the zip file of an exported folder is."""
    path = Path(exported)
    return path.with_name(f"{path.name}.zip")


def archive(exported: str | Path, obey: Callable[[], None] = lambda: None) -> Path:
    """The exported folder as a zip file, made once: whole or absent. `obey` is called between blocks and may raise.

    Raises UserError where both are gone.
    """
    path, target = Path(exported), packed(exported)
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
            with open(file, "rb") as source, made.open(entry, "w", force_zip64=True) as packing:
                while block := source.read(BLOCK_BYTES):
                    obey()
                    packing.write(block)


# -- the proof in words --------------------------------------------------------------------------------------------------


def proof(export: Export) -> str:
    """What was compared and found, in a sentence or two."""
    p = export.parity
    most = f"{p['worst']:.2g}" if p["worst"] >= 1e-6 else "below 0.000001"
    worst = f"greatest difference of a probability {most} (at most {p['tolerance']:g} is allowed)"
    if not p.get("readers"):  # an export of an earlier version
        return f"Loaded again in a fresh process: {p['same_answer']} of {p['n']} kept prompts get the same answer; {worst}."
    by = " and by ".join(p["readers"])
    if not p["places"]:
        family = tasks()[runs.get(export.run_id).task].family
        if family in ("multi-label", "regression"):  # one favourite answer says nothing about these
            figure = "a probability" if family == "multi-label" else "the standardised number"
            return (
                f"Loaded again in a fresh process by {by}: for {p['n']} kept prompts, the greatest difference of {figure} is "
                f"{most} (at most {p['tolerance']:g} is allowed)."
            )
        same = f"{p['same_answer']} of {p['n']} kept prompts get the same answer"
        return f"Loaded again in a fresh process by {by}: {same}; {worst}."
    texts = min(result["texts"] for result in p["readers"].values())
    same = min(result["same_place"] for result in p["readers"].values())
    said = (
        f"Loaded again in a fresh process by {by}: {texts} of {p['n']} kept prompts get the same words, and {same:,} of "
        f"{p['places']:,} tokens have the same first choice; {worst}."
    )
    if p["not_read"]:
        said += (
            f" Not asked, because not installed: {' and '.join(p['not_read'])}; so how the file splits a text into tokens was "
            "not compared."
        )
    return said

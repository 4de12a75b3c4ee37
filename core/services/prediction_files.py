"""The predictions behind an evaluation as files: every row with its text, the right answer, and what each contender said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from core.data.safe_cells import csv_line
from core.schemas.errors import UserError
from core.schemas.evaluation import EvaluationResult
from core.schemas.families import FAMILIES
from core.schemas.label_sets import META
from core.schemas.predictions import LABELS_KEY
from core.store.files import load_table, table_path
from core.store.tables import Evaluation

from . import datasets, evaluations, runs

AT_ONCE = 1_000  # rows that are read, joined and written together
TEXT_FIELDS = ("text", "finished", "tokens", "nll", "scored_tokens", "correct_tokens", "n_bytes", "copied", "margin")


def paths(found: EvaluationResult) -> dict[str, str]:
    """Contender to the Parquet file of its predictions."""
    return {name: str(table_path(content)) for name, content in found.contents.items()}


def records(kept: Evaluation) -> Iterator[dict[str, Any]]:
    """Every row as a plain object: `row_id`, `text` (or `prompt`), `right`, and one key for each contender."""
    found = evaluations.result(kept)
    run = runs.get(kept.run_id)
    version = datasets.get_version(run.dataset_version_id)
    writes = not FAMILIES[found.family].reads
    tables = {name: load_table(content) for name, content in found.contents.items()}
    for start in range(0, found.n, AT_ONCE):
        columns = {name: table.slice(start, AT_ONCE).to_pylist() for name, table in tables.items()}
        first = columns["tuned"]
        texts = {} if writes else _texts(version, run.task, [row["row_id"] for row in first])
        for place, row in enumerate(first):
            said = {name: rows[place] for name, rows in columns.items()}
            if any(other["row_id"] != row["row_id"] for other in said.values()):
                raise UserError(
                    "The predictions cannot be joined.",
                    "The tables of this evaluation do not hold the same rows in the same order.",
                    "Evaluate the round again.",
                )
            yield _written(row, said) if writes else _judged(row, texts.get(row["row_id"], ""), said)


def _texts(version: Any, task: str, row_ids: list[str]) -> dict[str, str]:
    return {e.row_id: e.text for e in datasets.examples(version, task, row_ids)[0]}


def _judged(row: dict[str, Any], text: str, said: dict[str, dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"row_id": row["row_id"], "text": text, "right": row["gold"]}
    for name, one in said.items():
        out[name] = {"answer": one["predicted"]}
        if one.get("probabilities"):
            out[name]["probabilities"] = one["probabilities"]
    return out


def _written(row: dict[str, Any], said: dict[str, dict[str, Any]]) -> dict[str, Any]:
    out = {"row_id": row["row_id"], "prompt": row["prompt"], "right": row["reference"]}
    for name, one in said.items():
        out[name] = {key: one.get(key) for key in TEXT_FIELDS}
    return out


def labels(found: EvaluationResult, contender: str = "tuned") -> list[str]:
    """The labels in whose order a contender's probabilities stand; each has its own. None for models without labels."""
    metadata = load_table(found.contents[contender], columns=["row_id"]).schema.metadata or {}
    if LABELS_KEY in metadata:
        return list(json.loads(metadata[LABELS_KEY]))
    return list(json.loads(metadata[META])["labels"]) if META in metadata else []


def jsonl(kept: Evaluation) -> Iterator[str]:
    """One JSON object a line, texts exactly as they are; probabilities by label."""
    found = evaluations.result(kept)
    names = {contender: labels(found, contender) for contender in found.contents}
    for record in records(kept):
        for contender, said in record.items():
            if isinstance(said, dict) and "probabilities" in said:
                said["probabilities"] = dict(zip(names[contender], said["probabilities"], strict=True))
        yield json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def csv(kept: Evaluation) -> Iterator[str]:
    """A table for spreadsheets, with a mark of UTF-8 in front; text that looks like a formula has an apostrophe before it.

    One column for the answer of each contender; your model's probabilities, one column a label.
    """
    found = evaluations.result(kept)
    writes = not FAMILIES[found.family].reads
    contenders = list(found.contents)
    names = labels(found)
    head: list[object] = ["row_id", "prompt" if writes else "text", "right", *contenders]
    head += ["finished", "tokens", "copied"] if writes else [f"probability of {name}" for name in names]
    yield "\ufeff" + csv_line(head)
    for record in records(kept):
        tuned = record["tuned"]
        cells = [record["row_id"], record.get("prompt", record.get("text")), _cell(record["right"])]
        cells += [_cell(record[name]["text" if writes else "answer"]) for name in contenders]
        if writes:
            cells += [tuned["finished"], tuned["tokens"], tuned["copied"]]
        else:
            cells += tuned.get("probabilities") or [None] * len(names)
        yield csv_line(cells)


def _cell(value: object) -> object:
    """Several labels in one cell."""
    return "; ".join(map(str, value)) if isinstance(value, list) else value

"""The rows that a training reads, as ids: taken from the cache where an earlier training had the same."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from datasets import Dataset

from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.schemas.training import TrainingSpec

from . import token_cache
from .datasets import EncodedRows, language_rows, packed, pair_rows, preference_rows, read_rows
from .heads import Head, head_of

FIXED_TRAIN_SAMPLE = 200


@dataclass(frozen=True)
class Rows:
    """`sample` is the same (up to) 200 training rows at every evaluation: the curve that stands beside validation."""

    train: EncodedRows
    validation: EncodedRows
    sample: Dataset


def encode(codec: Codec, spec: TrainingSpec) -> Rows:
    """From the cache where an earlier training had the same. Raises UserError where nothing is left to learn from or to
    validate with."""
    head = head_of(spec.family, spec.labels, spec.train)
    packs = FAMILIES[spec.family].packs and spec.objective == "answers" and spec.plan.packing

    def make() -> tuple[list[Dataset], dict[str, Any]]:
        parts = {name: _encoded(codec, spec, name, head) for name in ("training", "validation")}
        counts = {name: [part.dropped, part.tokens] for name, part in parts.items()}
        rows = [part.rows for part in parts.values()]
        return [*rows, packed(parts["training"], spec.plan).rows] if packs else rows, counts

    decides = {
        "family": spec.family, "objective": spec.objective, "plan": spec.plan.model_dump(mode="json"), "packs": packs,
        "labels": spec.labels, "target": head.facts() if head else {}, "train": len(spec.train),
    }  # fmt: skip
    key = token_cache.key_of(spec.base_folder, [*spec.train, *spec.validation], **decides)
    found, counts = token_cache.kept(spec.token_cache, key, make, mapped=spec.objective == "answers")
    train, validation = (
        EncodedRows(rows, *counts[name]) for name, rows in zip(("training", "validation"), found, strict=False)
    )
    size = len(train.rows)
    chosen = random.Random(spec.recipe.seed).sample(range(size), min(FIXED_TRAIN_SAMPLE, size))
    sample = train.rows.select(sorted(chosen))
    return Rows(replace(train, rows=found[-1]) if packs else train, validation, sample)


def _encoded(codec: Codec, spec: TrainingSpec, name: str, head: Head | None) -> EncodedRows:
    part = spec.train if name == "training" else spec.validation
    make = pair_rows if FAMILIES[spec.family].pairs else language_rows
    make = preference_rows if spec.objective != "answers" else make
    encoded = read_rows(codec, part, head) if head else make(codec, part)
    if not len(encoded.rows):
        raise UserError(
            f"There is nothing to learn from in the {name} part.",
            "Every row is empty, or its answer is cut off by the maximum length.",
            "Raise the maximum length on the Tokenization screen, or check the columns of the dataset.",
        )
    return encoded

"""Examples become encoded rows, exactly those that the Tokenization screen shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from datasets import Dataset
from trl import pack_dataset

from core.data.encoding import Codec
from core.data.preference_encoding import weighed
from core.schemas.examples import Example
from core.schemas.plan import PreparationPlan

from .heads import Head


@dataclass(frozen=True)
class EncodedRows:
    """`rows` has `input_ids` and `labels`; `dropped` counts examples that left nothing to learn from."""

    rows: Dataset
    dropped: int
    tokens: int


def read_rows(codec: Codec, examples: Sequence[Example], head: Head) -> EncodedRows:
    """`input_ids`, and as `labels` what the head should say. Raises KeyError for a label that the head does not know."""
    kept = [(e, head.target(e)) for e in examples if e.text.strip()]
    encoded = codec.encode_all([e for e, _ in kept])
    ids = [list(row.ids) for row in encoded]
    rows = Dataset.from_dict({"input_ids": ids, "labels": [target for _, target in kept]})
    return EncodedRows(rows, len(examples) - len(kept), sum(map(len, ids)))


def pair_rows(codec: Codec, examples: Sequence[Example]) -> EncodedRows:
    """`input_ids` of what is read and `labels` of what is written, both with the tokens that close them."""
    encoded = codec.encode_all(examples)
    kept = [row for row in encoded if any(row.trained) and not all(row.trained)]
    ids = [[i for i, t in zip(row.ids, row.trained, strict=True) if not t] for row in kept]
    labels = [[i for i, t in zip(row.ids, row.trained, strict=True) if t] for row in kept]
    rows = Dataset.from_dict({"input_ids": ids, "labels": labels})
    return EncodedRows(rows, len(encoded) - len(kept), sum(map(len, ids)) + sum(map(len, labels)))


def language_rows(codec: Codec, examples: Sequence[Example]) -> EncodedRows:
    """`input_ids` and `labels`, -100 where the loss does not count."""
    encoded = codec.encode_all(examples)
    kept = [row for row in encoded if any(row.trained)]
    ids = [list(row.ids) for row in kept]
    labels = [[i if t else -100 for i, t in zip(row.ids, row.trained, strict=True)] for row in kept]
    rows = Dataset.from_dict({"input_ids": ids, "labels": labels})
    return EncodedRows(rows, len(encoded) - len(kept), sum(map(len, ids)))


def preference_rows(codec: Codec, examples: Sequence[Example]) -> EncodedRows:
    """`prompt_ids` with `chosen_ids` and `rejected_ids`, or with `completion_ids` and `label` (True: liked)."""
    encoded = [(example, found) for example in examples if (found := weighed(codec, example)) is not None]
    columns: dict[str, list[object]] = {"prompt_ids": [found.prompt for _, found in encoded]}
    if any(example.rejected for example, _ in encoded):
        columns["chosen_ids"] = [found.answers[0] for _, found in encoded]
        columns["rejected_ids"] = [found.answers[-1] for _, found in encoded]
    else:
        columns["completion_ids"] = [found.answers[0] for _, found in encoded]
        columns["label"] = [bool(example.liked) for example, _ in encoded]
    tokens = sum(len(found.prompt) + len(answer) for _, found in encoded for answer in found.answers)
    return EncodedRows(Dataset.from_dict(columns), len(examples) - len(encoded), tokens)


def packed(encoded: EncodedRows, plan: PreparationPlan) -> EncodedRows:
    """Several short examples to a row of at most the maximum length, none of them cut; `seq_lengths` says where each ends."""
    return replace(encoded, rows=pack_dataset(encoded.rows, plan.max_length, "bfd_split"))

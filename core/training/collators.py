"""Rows become batches. Packed rows carry positions instead of a mask, so that attention stops at each example's edge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from .varlen import boundaries

NO_ROW: dict[str, Any] = {"input_ids": [], "labels": [], "seq_lengths": []}


@dataclass(frozen=True)
class PairCollator:
    """What is read and what is written, each padded by itself: shapes (rows, longest). Labels are -100 at padding; the
    model shifts them to the right for its decoder. With a `width` both are filled up to it."""

    pad_token_id: int
    width: int = 0

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        ids = self._filled([row["input_ids"] for row in rows], self.pad_token_id)
        lengths = torch.tensor([len(row["input_ids"]) for row in rows])
        mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
        return {"input_ids": ids, "attention_mask": mask, "labels": self._filled([row["labels"] for row in rows], -100)}

    def _filled(self, rows: list[list[int]], value: int) -> torch.Tensor:
        together = pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)
        return pad(together, (0, max(0, self.width - together.shape[1])), value=value)


@dataclass(frozen=True)
class PackedShape:
    """What all packed batches of a training have in common, so that their layers are compiled once: (rows, width), and a
    length that no example exceeds."""

    rows: int
    width: int
    longest: int

    @classmethod
    def of(cls, lengths: Iterable[list[int]], batch_size: int) -> PackedShape:
        """`lengths` of the examples of each packed row."""
        known = list(lengths)
        return cls(batch_size, max(map(sum, known)), max(map(max, known)))


@dataclass(frozen=True)
class LanguageCollator:
    """Batches of shape (rows, longest row). Labels are -100 at padding and at the first token of each packed example.

    Without `attention_mask`, transformers derives a block-causal mask from positions that start again at 0; padding
    counts as one more block, which no label looks at. With a `width` every unpacked row is filled up to it. With
    `by_example` packed rows say where their examples begin, for an attention that needs no mask (`varlen`). With a `shape`
    packed batches are filled up to it, with rows of padding too: no label looks there.

    For the trainer alone: `at_tokens`, the places (counted through the whole batch) whose next token is learned, found here
    where looking costs no wait for a graphics card; and `real_tokens`, how many are no padding.
    """

    pad_token_id: int
    width: int = 0
    by_example: bool = False
    shape: PackedShape | None = None

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        fixed = self.shape if "seq_lengths" in rows[0] else None
        if fixed:
            rows = rows + [NO_ROW] * (fixed.rows - len(rows))
        ids = [torch.tensor(row["input_ids"], dtype=torch.long) for row in rows]
        labels = [torch.tensor(row["labels"], dtype=torch.long) for row in rows]
        batch: dict[str, Any] = {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=self.pad_token_id),
            "labels": pad_sequence(labels, batch_first=True, padding_value=-100),
        }
        wanted = fixed.width if fixed else self.width if "seq_lengths" not in rows[0] else 0
        if wanted:
            more = (0, max(0, wanted - batch["input_ids"].shape[1]))
            batch["input_ids"] = pad(batch["input_ids"], more, value=self.pad_token_id)
            batch["labels"] = pad(batch["labels"], more, value=-100)
        width = batch["input_ids"].shape[1]
        if "seq_lengths" not in rows[0]:
            lengths = torch.tensor([len(row) for row in ids])
            batch["attention_mask"] = (torch.arange(width)[None] < lengths[:, None]).long()
            return batch | for_trainer(batch["labels"], int(lengths.sum()))
        positions = []
        for row in rows:
            parts = [*row["seq_lengths"], width - sum(row["seq_lengths"])]
            positions.append(torch.cat([torch.arange(part) for part in parts]))
        batch["position_ids"] = torch.stack(positions)
        batch["labels"][batch["position_ids"] == 0] = -100
        if self.by_example:
            batch |= boundaries([row["seq_lengths"] for row in rows], width, fixed.longest if fixed else 0)
        return batch | for_trainer(batch["labels"], sum(map(len, ids)))


def for_trainer(labels: torch.Tensor, real: int) -> dict[str, Any]:
    """`at_tokens` and `real_tokens` of a batch with these labels, shape (rows, width)."""
    return {
        "at_tokens": (pad(labels[:, 1:], (0, 1), value=-100) != -100).flatten().nonzero()[:, 0],
        "real_tokens": real,
    }

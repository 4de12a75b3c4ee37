"""Mixin for a Trainer: corrective actions (`core/training/terms`) take part in its training steps, and in no evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback

from .balance import ROW_WEIGHT
from .terms._term import Step, Term

PLACE = "place"  # column of the training rows: where a row stands
OWN = (PLACE, ROW_WEIGHT)
_COUNTS = ("_hits", "_tokens")  # figures that a second look at the same batch must not count again


def with_columns(rows: Dataset, terms: Sequence[Term]) -> Dataset:
    """The rows with what the terms have to know about each of them."""
    if any(term.needs_places for term in terms):
        rows = rows.add_column(PLACE, list(range(len(rows))))
    weights = [found for term in terms if (found := term.weights()) is not None]
    if weights:
        rows = rows.add_column(ROW_WEIGHT, [float(torch.tensor(row).prod()) for row in zip(*weights, strict=True)])
    return rows


class WithTerms:
    terms: Sequence[Term] = ()

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()  # type: ignore[misc]
        if self.terms:
            columns = self._signature_columns  # type: ignore[has-type]
            self._signature_columns = [*columns, *(name for name in OWN if name not in columns)]

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        if not self.terms or not model.training:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)  # type: ignore[misc]
        places = inputs.get(PLACE)
        given = {name: value for name, value in inputs.items() if name != PLACE}
        asked = return_outputs or any(term.needs_outputs for term in self.terms)

        def again() -> torch.Tensor:
            counts = {name: getattr(self, name) for name in _COUNTS if hasattr(self, name)}
            found: torch.Tensor = super(WithTerms, self).compute_loss(model, given, False, num_items_in_batch)  # type: ignore[misc]
            for name, value in counts.items():
                setattr(self, name, value)
            return found

        with ExitStack() as stack:
            for term in self.terms:
                stack.enter_context(term.watching(model))
            said = super().compute_loss(model, given, asked, num_items_in_batch)  # type: ignore[misc]
            loss, outputs = said if asked else (said, None)
            state = self.state  # type: ignore[attr-defined]
            step = Step(
                model=model,
                inputs=given,
                places=places,
                outputs=outputs,
                loss=loss,
                share=self._share(given, num_items_in_batch),
                done=state.global_step / max(1, state.max_steps),
                epoch=int(state.epoch or 0),
                again=again,
                collate=self._padded,
            )
            extras = [extra for term in self.terms if (extra := term.extra(step)) is not None]
        for extra in extras:
            loss = loss + extra
        return (loss, outputs) if return_outputs else loss

    def _share(self, inputs: dict[str, Any], counted: Any) -> float:
        """Which part of the rows of a step are in this batch, where its loss is divided by all of them."""
        if counted is None or not self.model_accepts_loss_kwargs:  # type: ignore[attr-defined]
            return 1.0
        return len(inputs["labels"]) / float(counted)

    def _padded(self, rows: list[list[int]]) -> dict[str, torch.Tensor]:
        batch = self.data_collator([{"input_ids": ids} for ids in rows])  # type: ignore[attr-defined]
        return {name: value.to(self.args.device) for name, value in batch.items()}  # type: ignore[attr-defined]

    def save_terms(self, folder: Path) -> None:
        for term in self.terms:
            term.save(folder)

    def load_terms(self, folder: Path) -> None:
        for term in self.terms:
            term.load(folder)


class AfterSteps(TrainerCallback):
    """Tells the terms of every step of the optimiser."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = terms

    def on_optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        for term in self.terms:
            term.stepped()

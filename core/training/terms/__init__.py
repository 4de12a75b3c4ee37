"""The torch half of corrective actions that change the training. One file each, with the key of the action."""

from __future__ import annotations

from typing import Any

from datasets import Dataset

from core.data.encoding import Codec
from core.discovery import discover
from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.schemas.training import TrainingSpec

from ._term import Known, Term

__all__ = ["Known", "Term", "of_training"]


def of_training(spec: TrainingSpec, model: Any, rows: Dataset) -> list[Term]:
    """The terms that the training asks for, in their order; `rows` are its encoded training rows.

    Raises UserError where one does not fit the model or the machine, or is not there.
    """
    if not spec.terms:
        return []
    family = spec.family if spec.objective == "answers" else spec.objective
    if spec.recipe.devices > 1:
        raise UserError(
            "Corrective actions train on one device.",
            "They look at rows together that several devices would share out.",
            "Set Devices to 1 in the settings of the round, and correct it again.",
        )
    known = Known(
        family=family,
        examples=[e for e in spec.train if e.text.strip()] if FAMILIES[spec.family].reads else (),
        labels=list(rows["labels"]) if spec.family == "classifier" else (),
        codec=Codec.from_folder(spec.base_folder, spec.family, spec.plan),
        model=model,
        seed=spec.recipe.seed,
    )
    found: list[Term] = []
    for term in spec.terms:
        kind = discover(__name__).get(term.key)
        if kind is None or family not in kind.families:
            raise UserError(
                "This corrective action does not fit the model.",
                f"{term.key} is for: {', '.join(kind.families)}; this one is of the kind {family}."
                if kind
                else f"What {term.key} does in a training is not there.",
                "Choose another corrective action.",
            )
        found.append(kind.make(term, known))
    return found

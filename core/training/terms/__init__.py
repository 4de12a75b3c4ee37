"""The torch half of corrective actions that change the training. One file each, with the key of the action."""

from __future__ import annotations

from collections.abc import Sequence

from core.discovery import discover
from core.schemas.errors import UserError
from core.schemas.terms import TermSpec

from ._term import Known, Term

__all__ = ["Known", "Term", "made"]


def made(specs: Sequence[TermSpec], known: Known) -> list[Term]:
    """The terms of a training, in a fixed order. Raises UserError where one does not fit the model or the machine."""
    found: list[Term] = []
    for spec in specs:
        kind = discover(__name__)[spec.key]
        if known.family not in kind.families:
            raise UserError(
                "This corrective action does not fit the model.",
                f"It is for: {', '.join(kind.families)}. This one is of the kind {known.family}.",
                "Choose another corrective action.",
            )
        if known.devices > 1:
            raise UserError(
                "Corrective actions train on one device.",
                "This one looks at rows together that several devices would share out.",
                "Set Devices to 1 in the settings of the round, and correct it again.",
            )
        found.append(kind.make(spec, known))
    return found

"""Each training row counts by its weight in the loss (Kamiran and Calders 2012); what the weights are, the action says."""

from __future__ import annotations

from core.schemas.terms import TermSpec

from ._term import Known, Term


class Reweighing(Term):
    def __init__(self, spec: TermSpec, known: Known) -> None:
        self.by_row = [float(spec.weights.get(e.row_id, 1.0)) for e in known.examples]

    def weights(self) -> list[float]:
        return self.by_row


class Kind:
    key = "reweighing"
    families = ("classifier",)

    def make(self, spec: TermSpec, known: Known) -> Term:
        return Reweighing(spec, known)


PLUGIN = Kind()

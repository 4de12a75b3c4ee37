"""Each epoch reads equally many rows of every group with every label; rows about no group are read once."""

from __future__ import annotations

from core.data.balancing import Balance
from core.schemas.terms import TermSpec

from ..balance import CellRounds, Rounds
from ._term import Known, Term


class BalancedSampling(Term):
    def __init__(self, spec: TermSpec, known: Known) -> None:
        groups = sorted(set(spec.groups.values()))
        number = {group: i for i, group in enumerate(groups)}
        classes = max(known.labels, default=0) + 1
        cells = [
            number[group] * classes + label if (group := spec.groups.get(e.row_id)) is not None else None
            for e, label in zip(known.examples, known.labels, strict=True)
        ]
        way: Balance = "undersample" if spec.config.get("way") == "undersample" else "oversample"
        self.chosen = CellRounds(cells, way, known.seed)

    def rounds(self) -> Rounds:
        return self.chosen


class Kind:
    key = "balanced_sampling"
    families = ("classifier",)

    def make(self, spec: TermSpec, known: Known) -> Term:
        return BalancedSampling(spec, known)


PLUGIN = Kind()

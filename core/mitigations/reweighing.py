"""Let rows count more or less in the loss, so that no group goes with a label more often than chance would have it.

Kamiran and Calders 2012, "Data preprocessing techniques for classification without discrimination" (KAIS 33): each row weighs
w = P(group) P(label) / P(group, label). Clipped to 0.2 to 5 (house limits), so that a handful of rows cannot steer the training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from core.schemas.examples import Example
from core.schemas.mitigations import Deed, Found, Given, Preview
from core.schemas.terms import TermSpec

from ._action import NO_CATEGORIES, NO_FIT, NOBODY, Action, GroupConfig, groups_of, labels_of, rates

LEAST, MOST = 0.2, 5.0


class Config(GroupConfig):
    pass


class Reweighing(Action):
    key = "reweighing"
    title = "Weigh the rows"
    help = (
        "Where a group goes with a label too often, its rows count less, and its rare rows count more, until every label has "
        "the same share in every group. No row is changed, added or removed."
    )
    cost = "No more time than before. Where few rows speak against the tie, they weigh much, and the training is less steady."
    helps = "The label shares of groups differ in your data."
    answers: Found = "labels differ"
    order = 30
    unfit = {
        "causal-lm": NO_CATEGORIES,
        "seq2seq": NO_FIT,
        "multi-label": NO_FIT,
        "regression": NO_FIT,
    }
    config = Config

    def look(self, examples: Sequence[Example], config: Config, given: Given) -> Preview:
        groups, labels = everybody(examples, config, given), labels_of(examples)
        weights = weights_of(groups, labels)
        before, after = rates(groups, labels), rates(groups, labels, weights)
        counts = Counter((groups[row], labels[row]) for row in labels)
        by_cell = {(groups[row], labels[row]): weights[row] for row in labels}
        table = [
            {
                "group": group,
                "label": label,
                "rows": counts[group, label],
                "weight of each": round(by_cell[group, label], 2),
                "share now": before[group][label],
                "share weighted": after[group][label],
            }
            for group, label in sorted(counts)
        ]
        says = [
            f"A label's shares differ by up to {_spread(before):.0f} points between groups; weighted, by {_spread(after):.0f}."
        ]
        clipped = sum(w in (LEAST, MOST) for w in by_cell.values())
        if clipped:
            says.append(
                f"{clipped} of the weights are at the limit ({LEAST:g} or {MOST:g}): too few rows to even it out wholly."
            )
        return Preview(says=tuple(says), rows=tuple(table))

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        groups, labels = everybody(examples, config, given), labels_of(examples)
        weights = weights_of(groups, labels)
        term = TermSpec(key=self.key, weights=weights, groups=groups)
        low, high = min(weights.values()), max(weights.values())
        return Deed(
            summary=f"{len(weights):,} training rows count with weights from {low:.2f} to {high:.2f}.", term=term
        )


def _spread(told: Mapping[str, Mapping[str, float]]) -> float:
    """The largest difference of a label's share between two groups, in points."""
    names = next(iter(told.values()))
    return 100 * max(max(r[n] for r in told.values()) - min(r[n] for r in told.values()) for n in names)


def everybody(examples: Sequence[Example], config: GroupConfig, given: Given) -> dict[str, str]:
    """The group of every row; those about nobody are a group of their own."""
    found = groups_of(examples, config, given)
    return {e.row_id: found.get(e.row_id, NOBODY) for e in examples}


def weights_of(groups: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, float]:
    """Row id to weight, for rows with a label."""
    n = len(labels)
    of_group = Counter(groups[row] for row in labels)
    of_label = Counter(labels.values())
    both = Counter((groups[row], label) for row, label in labels.items())
    cell = {(g, y): min(MOST, max(LEAST, of_group[g] * of_label[y] / (n * count))) for (g, y), count in both.items()}
    return {row: cell[groups[row], label] for row, label in labels.items()}


PLUGIN = Reweighing()

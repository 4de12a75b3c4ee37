"""Teach the model to answer the same when only the people in a text change (counterfactual logit pairing).

Garg et al. 2019, "Counterfactual fairness in text classification through robustness" (arXiv 1809.10610).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from pydantic import Field

from core.data.counterfactual import examine, swap_example, text_of
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.mitigations import Deed, Found, Given, Preview
from core.schemas.terms import TermSpec

from ._action import NO_FIT, Action, GroupConfig, refuse_labels_about, shorter, swappable

MOST_TWINS = 6  # of a row: each epoch reads another one
SHOWN = 20


class Config(GroupConfig):
    strength: float = Field(
        1.0,
        title="Strength",
        description="How much an answer that moves costs, beside a wrong answer. 1 is usual.",
        ge=0,
        le=100,
        json_schema_extra={"level": "basic"},
    )
    ramp: bool = Field(
        True,
        title="Rise slowly",
        description="The strength rises from nothing over the first half of the training. Switched off, a model easily ends by "
        "giving every text the same answer: for experts who want to see that.",
        json_schema_extra={"level": "advanced"},
    )


class LogitPairing(Action):
    key = "logit_pairing"
    title = "Same answer for swapped people"
    help = (
        "While it learns, the model also reads each row with the people swapped (she to he, Muslim to Christian), and is held to "
        "the same answer for both. The strong way to make a classifier fair to groups; no row is added to your data."
    )
    cost = "About twice the training time, and twice the memory of a step, for rows that name a group."
    helps = "The model's answer moves when only the people change."
    answers: Found = "answers move"
    time = 2.0
    order = 10
    unfit = {
        "causal-lm": "It compares the scores that a model gives to categories, and this model writes text. Use swapped copies, "
        "or preference pairs.",
        "seq2seq": NO_FIT,
        "multi-label": NO_FIT,
        "regression": NO_FIT,
    }
    config = Config

    def look(self, examples: Sequence[Example], config: Config, given: Given) -> Preview:
        twins = self._twins(examples, config, given)
        table = [
            {
                "row_id": e.row_id,
                "before": shorter(e.text),
                "after": shorter(twins[e.row_id][0]),
                "label": e.label or "",
            }
            for e in examples
            if e.row_id in twins
        ]
        spaced = table[:: max(1, len(table) // SHOWN)][:SHOWN]
        return Preview(
            says=(f"{len(twins):,} of {len(examples):,} training rows have a twin. Untick those that make no sense.",),
            rows=tuple(spaced),
            strike=True,
        )

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        twins = {row: texts for row, texts in self._twins(examples, config, given).items() if row not in struck}
        if not twins:
            raise UserError("There is nothing to pair.", "Every pair was struck.", "Keep some of the pairs.")
        left_out: Counter[str] = Counter()
        for e in examples:
            if e.row_id not in twins:
                left_out.update(
                    reason.value for reason in examine(text_of(e), config.axes, swappable(given))[1].values()
                )
        return Deed(
            summary=f"{len(twins):,} training rows are paired with their texts about other people, strength {config.strength:g}.",
            term=TermSpec(key=self.key, config={"strength": config.strength, "ramp": config.ramp}, twins=twins),
            left_out=dict(left_out),
        )

    def _twins(self, examples: Sequence[Example], config: Config, given: Given) -> dict[str, tuple[str, ...]]:
        if config.column:
            raise UserError(
                "A column of your own cannot be swapped.",
                "The column says which group a row is about, but not with which words; only words in the texts can be swapped.",
                "Choose kinds of groups that the texts name, or weigh the rows by your column instead.",
            )
        lexicon = swappable(given)
        refuse_labels_about(examples, config.axes, lexicon)
        found: dict[str, tuple[str, ...]] = {}
        for e in examples:
            texts = tuple(dict.fromkeys(s.example.text for s in swap_example(e, config.axes, lexicon, MOST_TWINS)))
            if texts:
                found[e.row_id] = texts
        if not found:
            raise UserError(
                "There is nothing to pair.",
                "No training row names a group of the chosen kinds in a way that can be swapped.",
                "Choose other kinds of groups, or another corrective action.",
            )
        return found


PLUGIN = LogitPairing()

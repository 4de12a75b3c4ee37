"""Read the rows of each group with each label equally often, so that no group goes with one label more than with another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import Field

from core.data.balancing import FEWEST_ROWS, MOST_REPEATS, rows_a_round
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.mitigations import Deed, Found, Given, Preview
from core.schemas.terms import TermSpec

from ._action import NO_CATEGORIES, NO_FIT, Action, GroupConfig, groups_of, labels_of


class Config(GroupConfig):
    way: Literal["oversample", "undersample"] = Field(
        "oversample",
        title="How",
        description=f"Read the rare rows more often (each at most {MOST_REPEATS} times an epoch), or fewer of the frequent ones "
        f"(down to {FEWEST_ROWS}, other ones in each epoch).",
        json_schema_extra={
            "options": {"oversample": "Read rare rows more often", "undersample": "Read fewer of the frequent rows"}
        },
    )


class BalancedSampling(Action):
    key = "balanced_sampling"
    title = "Read all groups and labels equally often"
    help = (
        "In each epoch, rows about each group are read equally often with each label. Rows that name no group are read once, as "
        "before. Nothing is added to your data."
    )
    cost = "Longer epochs where rare rows are read more often: the preview says how many rows an epoch has."
    helps = "A group goes with one label nearly always, and some rows speak against it."
    answers: Found = "labels differ"
    order = 40
    unfit = {"causal-lm": NO_CATEGORIES, "seq2seq": NO_FIT, "multi-label": NO_FIT, "regression": NO_FIT}
    config = Config

    def look(self, examples: Sequence[Example], config: Config, given: Given) -> Preview:
        counts, free = self._cells(examples, config, given)
        wanted = rows_a_round({"\x1f".join(cell): n for cell, n in counts.items()}, config.way)
        table = [
            {"group": g, "label": y, "rows": n, "read in an epoch": wanted[f"{g}\x1f{y}"]}
            for (g, y), n in sorted(counts.items())
        ]
        return Preview(
            says=(
                f"An epoch reads {sum(wanted.values()) + free:,} rows instead of {len(examples):,}; {free:,} name no group.",
                *self._missing(counts),
            ),
            rows=tuple(table),
        )

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        if given.recipe.get("balance") in ("oversample", "undersample"):
            raise UserError(
                "Two settings would choose the rows of an epoch.",
                "The settings of this round already draw rows anew in each epoch, by category.",
                "Train a round with “Rare categories” set to weights or to nothing, and correct that one.",
            )
        counts, _ = self._cells(examples, config, given)
        groups = groups_of(examples, config, given)
        return Deed(
            summary=f"Rows of {len(counts)} kinds (group and label) are read equally often.",
            term=TermSpec(key=self.key, config={"way": config.way}, groups=groups),
        )

    def _cells(self, examples: Sequence[Example], config: Config, given: Given) -> tuple[Counter[tuple[str, str]], int]:
        """(rows of each group and label, rows about nobody)."""
        groups, labels = groups_of(examples, config, given), labels_of(examples)
        counts = Counter((groups[row], label) for row, label in labels.items() if row in groups)
        return counts, len(labels) - sum(counts.values())

    def _missing(self, counts: Counter[tuple[str, str]]) -> list[str]:
        groups, labels = {g for g, _ in counts}, {y for _, y in counts}
        empty = [f"{g} with “{y}”" for g in sorted(groups) for y in sorted(labels) if not counts[g, y]]
        if not empty:
            return []
        named = ", ".join(empty[:4]) + (" and others" if len(empty) > 4 else "")
        return [f"There is no row about {named}: what is not there cannot be read more often."]


PLUGIN = BalancedSampling()

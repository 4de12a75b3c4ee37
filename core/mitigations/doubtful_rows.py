"""Drop or relabel the training rows whose labels the other rows speak against most.

Self-confidence of confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068), see `core/data/self_confidence.py`.
The earlier dataset version stays, so that every step can be undone.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import Field

from core.data.self_confidence import Guess, guesses
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.mitigations import Changes, Deed, Given, Preview

from ._action import NO_CATEGORIES, NO_FIT, Action, GroupConfig, groups_of, shorter

SHOWN = 200


class Config(GroupConfig):
    way: Literal["drop", "relabel"] = Field(
        "drop",
        title="What to do",
        description="Leave the rows out of the training, or give them the label that the other rows suggest.",
        json_schema_extra={"options": {"drop": "Leave them out", "relabel": "Give the suggested label"}},
    )
    share: float = Field(
        0.05,
        title="Share of rows",
        description="How many of the rows that name a group, the most doubtful first. Only rows whose label is less likely than "
        "another one are taken.",
        gt=0,
        le=0.5,
        json_schema_extra={"level": "basic"},
    )
    random: bool = Field(
        False,
        title="Random rows",
        description="Leave out as many rows by chance: what the doubtful rows are compared with.",
        json_schema_extra={"form": False},
    )


class DoubtfulRows(Action):
    key = "doubtful_rows"
    title = "Drop or relabel doubtful rows"
    help = (
        "Lists rows about these groups whose label the other rows speak against, the most doubtful first, and leaves them out or "
        "relabels them. Look at each: where a group goes with one label nearly always, the rows that speak against that tie "
        "look doubtful too, and dropping those makes the bias worse."
    )
    cost = "No more time than before. Comparing it with as many random rows takes a second training."
    helps = "Labels of rows about a group may be wrong."
    order = 50
    changes: Changes = "data"
    unfit = {"causal-lm": NO_CATEGORIES, "seq2seq": NO_FIT, "multi-label": NO_FIT, "regression": NO_FIT}
    config = Config

    def look(self, examples: Sequence[Example], config: Config, given: Given) -> Preview:
        found = self._queue(examples, config, given)
        by_id = {e.row_id: e for e in examples}
        verb = "left out" if config.way == "drop" else "relabelled"
        table = [
            {
                "row_id": row,
                "text": shorter(by_id[row].text),
                "label": by_id[row].label or "",
                "suggested": guess.suggested,
                "likely": round(guess.confidence, 3),
            }
            for row, guess in list(found.items())[:SHOWN]
        ]
        return Preview(
            says=(f"{len(found):,} training rows would be {verb}. Untick those whose label is right.",),
            rows=tuple(table),
            strike=True,
        )

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        found = {row: guess for row, guess in self._queue(examples, config, given).items() if row not in struck}
        if not found:
            raise UserError("Nothing would change.", "Every row was struck.", "Keep some of the rows in the list.")
        if config.random:
            rows = random.Random(given.seed).sample([e.row_id for e in examples], len(found))
            return Deed(
                summary=f"{len(rows):,} training rows left out by chance, to compare with.", dropped=tuple(rows)
            )
        if config.way == "relabel":
            new = {row: guess.suggested for row, guess in found.items()}
            return Deed(summary=f"{len(new):,} training rows have the suggested label.", relabelled=new)
        return Deed(summary=f"{len(found):,} doubtful training rows left out.", dropped=tuple(found))

    def _queue(self, examples: Sequence[Example], config: Config, given: Given) -> dict[str, Guess]:
        """The most doubtful first."""
        groups = groups_of(examples, config, given)
        places = [i for i, e in enumerate(examples) if e.row_id in groups]
        told = guesses(examples, places, given.seed)
        doubted = [i for i in told if told[i].suggested != examples[i].label]
        doubted.sort(key=lambda i: (told[i].confidence, examples[i].row_id))
        chosen = doubted[: max(1, round(config.share * len(places)))]
        if not chosen:
            raise UserError(
                "No row is doubtful.",
                "For every row about these groups, the label it has is also the one that the other rows suggest.",
                "Choose another corrective action.",
            )
        return {examples[i].row_id: told[i] for i in chosen}


PLUGIN = DoubtfulRows()

"""What a corrective action against bias declares, what it is told, and what it hands back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from .audits import AuditFamily
from .base import Schema
from .examples import Example
from .identity import OwnWords
from .terms import TermSpec

Changes = Literal["data", "training", "output"]
Claim = Literal["fairness", "robustness"]
Found = Literal["answers move", "labels differ", ""]


class SwapPreview(Schema):
    """One row that would be added, beside the row it comes from. Striking `row_id` leaves it out."""

    row_id: str
    source_id: str
    axis: str
    from_group: str
    to_group: str
    before: str
    after: str
    label: str | None = None
    replaced: tuple[tuple[str, str], ...]


class Augmented(Schema):
    """`examples` are the new rows only. `sources` maps each to the row it was made from: both belong to one cluster, so
    that no split may part them. `left_out` counts, with reasons in words, the rows that got no copy."""

    examples: tuple[Example, ...]
    sources: dict[str, str]
    left_out: dict[str, int] = {}


@dataclass(frozen=True)
class Given:
    """What an action is told beside the training rows. `groups` is a column of the person's own (row id to group), empty where
    the words of the texts say it; `held_out` are validation and test rows; `recipe` the settings of the round;
    `own_words` what the person changed in the word list."""

    groups: Mapping[str, str] = field(default_factory=dict)
    held_out: Sequence[Example] = ()
    language: str = "en"
    own_words: OwnWords = field(default_factory=OwnWords)
    seed: int = 17
    recipe: Mapping[str, Any] = field(default_factory=dict)


class Preview(Schema):
    """What an action would do: sentences, and a table of rows (plain JSON). Where `strike` is set, each row of the table has a
    `row_id`, and a person may strike it."""

    says: tuple[str, ...]
    rows: tuple[dict[str, Any], ...] = ()
    strike: bool = False


class Deed(Schema):
    """What an action does to the data and the training of the next round. `added` rows have their `sources`; `dropped` and
    `relabelled` are training rows; `pairs` are a dataset of their own, on which the next round goes on; `term` takes part in the
    training; `recipe` are settings that change; `summary` says it in one sentence, `left_out` counts what could not be done,
    with reasons in words."""

    summary: str
    added: tuple[Example, ...] = ()
    sources: dict[str, str] = {}
    dropped: tuple[str, ...] = ()
    relabelled: dict[str, str] = {}
    pairs: tuple[Example, ...] = ()
    term: TermSpec | None = None
    recipe: dict[str, Any] = {}
    left_out: dict[str, int] = {}

    @property
    def changes_rows(self) -> bool:
        return bool(self.added or self.dropped or self.relabelled)


class Mitigation(Protocol):
    """One plug-in of `core/mitigations`. `changes` says what it touches, `verify_with` names the audits whose gap must
    shrink (see `core/data/gates.py`). `cost` says in words what it costs, `time` how many times longer a training takes.
    `helps` says when it is the right one, `answers` which kind of finding calls for it. `unfit` says for a kind of model why it
    does not fit. A `claim` of robustness is no claim of fairness. `expert` actions are shown last, with a warning. One that
    `needs_model` works with the answers of the model: it has a `work` in the place of `act` (see `preference_pairs.py`)."""

    key: str
    title: str
    help: str
    cost: str
    helps: str
    answers: Found
    time: float
    order: int
    families: tuple[AuditFamily, ...]
    unfit: Mapping[str, str]
    config: type[Schema]
    changes: Changes
    claim: Claim
    expert: bool
    needs_model: bool
    verify_with: tuple[str, ...]

    def look(self, examples: Sequence[Example], config: Any, given: Given) -> Preview:
        """What it would do to these training rows. Raises UserError where it must not be used."""
        ...

    def act(
        self, examples: Sequence[Example], config: Any, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        """What it does; `struck` are ids of the preview that a person refused. Raises UserError as `look` does."""
        ...

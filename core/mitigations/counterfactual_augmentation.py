"""Train also on copies in which the people are swapped, so that the model cannot tie a label to a group.

Lu et al. 2018, "Gender bias in neural natural language processing" (counterfactual data augmentation): the copy keeps
the label, and only the training split gets copies, after it was split.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from core.data.counterfactual import ExampleSwap, examine, swap_example, text_of
from core.data.lexicon import Lexicon
from core.data.own_words import lexicon_for
from core.schemas.audits import AuditFamily
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.identity import OwnWords
from core.schemas.mitigations import Augmented, Changes, Deed, Found, Given, Preview, SwapPreview

from ._action import NO_FIT, OPTIONS, Action, refuse_labels_about

MARK = "~cf"
"""Stands between the id of the source row and the number of the copy."""


class Config(Schema):
    axes: tuple[str, ...] = Field(
        ("gender",),
        title="What to swap",
        description="Kinds of groups whose words are swapped. Choose those in which the audit found a difference.",
        json_schema_extra={"level": "basic", "options": OPTIONS},
    )
    share: float = Field(
        1.0,
        title="Share of rows",
        description="Which share of the rows that name such a group gets a copy. 1 balances the groups best.",
        gt=0,
        le=1,
        json_schema_extra={"level": "basic"},
    )
    copies: int = Field(
        1,
        title="Copies a row at most",
        description="More copies cover more groups (for religion or nationality) and make training longer.",
        ge=1,
        le=10,
        json_schema_extra={"level": "advanced"},
    )
    own_words: OwnWords = Field(OwnWords(), title="Own words", json_schema_extra={"form": False})
    language: str = Field(
        "en",
        title="Language of the rows",
        description="Only English can be swapped: elsewhere verbs and adjectives agree with the person's gender.",
        json_schema_extra={"level": "advanced"},
    )


@dataclass(frozen=True)
class _Copy:
    source: Example
    made: ExampleSwap
    row_id: str


class CounterfactualAugmentation(Action):
    key = "counterfactual_augmentation"
    title = "Train with swapped copies"
    help = (
        "Adds copies of your training rows in which only the people are swapped (she to he, Muslim to Christian) and "
        "the label stays, so that both meet every label equally often. Validation and test rows stay as they are."
    )
    cost = "Longer epochs: one more row for each row that names a group."
    helps = "The model ties a label to a group, also where it writes text."
    answers: Found = "answers move"
    order = 20
    families: tuple[AuditFamily, ...] = ("classifier", "causal-lm")
    unfit = {"seq2seq": NO_FIT, "multi-label": NO_FIT, "regression": NO_FIT}
    config = Config
    changes: Changes = "data"
    verify_with = ("neutral_probes", "counterfactual_swap", "pair_preference")

    def look(self, examples: Sequence[Example], config: Config, given: Given) -> Preview:
        config = config.model_copy(update={"language": given.language, "own_words": given.own_words})
        shown = self.preview(examples, config)
        rows = [{"row_id": s.row_id, "before": s.before, "after": s.after, "label": s.label or ""} for s in shown]
        return Preview(
            says=(
                f"{len(rows)} of the copies that it would add to the training rows. Untick those that make no sense.",
            ),
            rows=tuple(rows),
            strike=True,
        )

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        config = config.model_copy(update={"language": given.language, "own_words": given.own_words})
        made = self.apply(examples, config, frozenset(struck), given.held_out)
        return Deed(
            summary=f"{len(made.examples):,} swapped copies added to the training rows.",
            added=made.examples,
            sources=made.sources,
            left_out=made.left_out,
        )

    def preview(self, examples: Sequence[Example], config: Config, n: int = 20) -> list[SwapPreview]:
        """Up to `n` of the copies that `apply` would make, taken in turn from the axes and pairs of groups."""
        queues: dict[tuple[str, str, str], list[_Copy]] = {}
        for copy in _copies(examples, config, _lexicon_for(examples, config)):
            swap = copy.made.swap
            queues.setdefault((swap.axis, swap.from_group, swap.to_group), []).append(copy)
        shown: list[SwapPreview] = []
        while queues and len(shown) < n:
            for key in list(queues):
                if len(shown) < n:
                    shown.append(_as_preview(queues[key].pop(0)))
                if not queues[key]:
                    del queues[key]
        return shown

    def apply(
        self,
        examples: Sequence[Example],
        config: Config,
        struck: Collection[str] = frozenset(),
        held_out: Sequence[Example] = (),
    ) -> Augmented:
        """The copies to add to the training rows `examples`. `struck` are ids of copies that a person refused; a copy
        that says what a row of `held_out` (validation and test) says is left out, or it would give the answer away.

        Raises UserError for a language other than English, where the labels are themselves about the groups, and where
        no row can be swapped.
        """
        lexicon = _lexicon_for(examples, config)
        there = {example.row_id for example in examples}
        elsewhere = {_folded(example) for example in held_out}
        left_out = _reasons(examples, config, lexicon)
        added: list[Example] = []
        sources: dict[str, str] = {}
        for copy in _copies(examples, config, lexicon):
            text = _folded(copy.made.example)
            if copy.row_id in struck:
                left_out["you struck the copy"] += 1
            elif text in elsewhere:
                left_out["the copy is the same as a validation or test row"] += 1
            elif copy.row_id in there:
                left_out["the row already has this copy"] += 1
            else:
                added.append(copy.made.example.model_copy(update={"row_id": copy.row_id}))
                sources[copy.row_id] = copy.source.row_id
        if not added:
            raise UserError(
                "There is nothing to add.",
                "No training row names a group of the chosen kinds in a way that can be swapped: "
                + ("; ".join(f"{count:,}: {reason}" for reason, count in left_out.items()) or "none names one."),
                "Choose other kinds of groups, or another corrective action.",
            )
        return Augmented(examples=tuple(added), sources=sources, left_out=dict(left_out))


def _lexicon_for(examples: Sequence[Example], config: Config) -> Lexicon:
    """Raises UserError where swapping would make wrong sentences or wrong labels."""
    if config.language != "en":
        raise UserError(
            "Swapped copies can only be made of English texts.",
            f"The rows are marked as “{config.language}”. In many languages verbs, adjectives and articles change with "
            "the person's gender, so swapping single words would teach the model wrong sentences.",
            "Use an action that does not rewrite texts, for example balanced sampling, or add rows by hand.",
        )
    lexicon = lexicon_for(config.language, config.own_words)
    refuse_labels_about(examples, config.axes, lexicon)
    return lexicon


def _copies(examples: Sequence[Example], config: Config, lexicon: Lexicon) -> Iterator[_Copy]:
    """A fixed choice: it depends on the row, not on its place or on the other rows. Copies are never copied again."""
    for example in examples:
        if MARK in example.row_id or _rank(example.row_id) >= config.share:
            continue
        made = swap_example(example, config.axes, lexicon)
        made.sort(key=lambda one: _rank(example.row_id, one.swap.axis, one.swap.to_group, one.swap.from_group))
        for number, one in enumerate(made[: config.copies], start=1):
            yield _Copy(example, one, f"{example.row_id}{MARK}{number}")


def _reasons(examples: Sequence[Example], config: Config, lexicon: Lexicon) -> Counter[str]:
    counts: Counter[str] = Counter()
    for example in examples:
        swapped, left_out = examine(text_of(example), config.axes, lexicon)
        if not swapped:
            counts.update({reason.value for reason in left_out.values()})
    return counts


def _as_preview(copy: _Copy) -> SwapPreview:
    swap = copy.made.swap
    return SwapPreview(
        row_id=copy.row_id,
        source_id=copy.source.row_id,
        axis=swap.axis,
        from_group=swap.from_group,
        to_group=swap.to_group,
        before=text_of(copy.source),
        after=text_of(copy.made.example),
        label=copy.source.label,
        replaced=tuple((piece.before, piece.after) for piece in swap.replaced),
    )


def _folded(example: Example) -> str:
    return " ".join(text_of(example).casefold().split())


def _rank(*words: str) -> float:
    """A stable number in [0, 1) that depends on nothing but the words."""
    return int.from_bytes(hashlib.sha256("\x1f".join(words).encode()).digest()[:8], "big") / 2**64


PLUGIN = CounterfactualAugmentation()

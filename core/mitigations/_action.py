"""What actions have in common: their declaration with quiet defaults, and which group of people a training row is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import Field

from core.data.counterfactual import labels_about, text_of
from core.data.group_rows import named_in_texts
from core.data.lexicon import Lexicon, load_lexicon
from core.data.own_words import lexicon_for
from core.schemas.audits import AuditFamily
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.mitigations import Changes, Claim, Found, Given, Preview

OPTIONS: Any = {axis.key: axis.title for axis in load_lexicon().axes if axis.swapped}
NOBODY = "no group named"
NO_CATEGORIES = (
    "It works on the categories of the rows, and this model writes text: there is no category whose share in each group could "
    "be made equal. Use swapped copies, or preference pairs."
)
NOT_FAIRNESS = (
    "It makes a model robust against small changes of its input. That is not fairness: expect no smaller gap from it."
)
NO_FIT = "The bias audit does not know models of this kind yet, so what an action does could not be checked."


class Action:
    """The parent of actions; see `Mitigation` for what each name means."""

    time: float = 1.0
    expert = False
    needs_model = False
    claim: Claim = "fairness"
    answers: Found = ""
    changes: Changes = "training"
    families: tuple[AuditFamily, ...] = ("classifier",)
    unfit: Mapping[str, str] = {}
    verify_with: tuple[str, ...] = ("neutral_probes", "counterfactual_swap")


class Robustness(Action):
    """The parent of actions that make a model robust, and promise nothing about groups of people."""

    claim: Claim = "robustness"
    families: tuple[AuditFamily, ...] = ("classifier", "causal-lm")
    unfit: Mapping[str, str] = {"seq2seq": NO_FIT, "multi-label": NO_FIT, "regression": NO_FIT}

    def look(self, examples: Sequence[Example], config: Any, given: Given) -> Preview:
        return Preview(says=(f"All {len(examples):,} training rows are used as they are. {NOT_FAIRNESS}",))


class GroupConfig(Schema):
    """Settings of actions that ask which group a row is about."""

    axes: tuple[str, ...] = Field(
        ("gender",),
        title="Groups of people",
        description="Kinds of groups that the action works on. Choose those in which the audit found a difference.",
        json_schema_extra={"level": "basic", "options": OPTIONS},
    )
    column: str = Field(
        "",
        title="Column of your own",
        description="A column that says which group a row is about, in the place of the words of the text.",
        json_schema_extra={"form": False, "own_groups": True},
    )


def groups_of(examples: Sequence[Example], config: GroupConfig, given: Given) -> dict[str, str]:
    """Row id to the group (or groups, in words) that the row is about; rows about nobody are left out.

    Raises UserError where the labels are themselves about the groups, or no row is about one.
    """
    if given.groups:
        found = {e.row_id: given.groups[e.row_id] for e in examples if given.groups.get(e.row_id, "").strip()}
    else:
        lexicon = lexicon_for(given.language, given.own_words)
        refuse_labels_about(examples, config.axes, lexicon)
        grouped, _ = named_in_texts([text_of(e) for e in examples], lexicon, config.axes)
        names: dict[int, list[str]] = {}
        for axis in grouped:
            for group, numbers in axis.rows.items():
                for row in numbers:
                    names.setdefault(row, []).append(axis.titles.get(group, group))
        found = {examples[row].row_id: " and ".join(sorted(groups)) for row, groups in names.items()}
    if not found:
        raise UserError(
            "No training row is about these groups.",
            "Their words do not stand in any training row, so there is nothing that this action could change.",
            "Choose other kinds of groups, or a column of your own that says which group a row is about.",
        )
    return found


def swappable(given: Given) -> Lexicon:
    """The lexicon of a language in which words can be swapped. Raises UserError for others."""
    if given.language != "en":
        raise UserError(
            "Texts can only be swapped in English.",
            f"The rows are in “{given.language}”. In many languages verbs, adjectives and articles change with the person's "
            "gender, so swapping single words would teach the model wrong sentences.",
            "Weigh the rows or read groups equally often: these change no text.",
        )
    return lexicon_for(given.language, given.own_words)


def refuse_labels_about(examples: Sequence[Example], axes: Collection[str], lexicon: Lexicon) -> None:
    """Raises UserError where a label is itself about one of the groups."""
    about = {axis: label for axis, label in labels_about((e.label for e in examples), lexicon).items() if axis in axes}
    if about:
        named = ", ".join(f"“{label}” is about {lexicon.axis(axis).title.lower()}" for axis, label in about.items())
        raise UserError(
            "These groups cannot be treated alike here.",
            f"The label depends on the group itself ({named}), so a swapped row would have the wrong label.",
            "Leave these kinds of groups out.",
        )


def labels_of(examples: Sequence[Example]) -> dict[str, str]:
    """Row id to label. Raises UserError where the rows have none."""
    found = {e.row_id: e.label for e in examples if e.label}
    if len(set(found.values())) < 2:
        raise UserError(
            "There are no categories to make even.",
            "This action makes each category equally frequent in all groups, and the rows have fewer than two categories.",
            "Choose another corrective action.",
        )
    return found


def rates(
    groups: Mapping[str, str], labels: Mapping[str, str], weights: Mapping[str, float] | None = None
) -> dict[str, dict[str, float]]:
    """Group to label to its (weighted) share of the group's rows, over all labels."""
    names = sorted(set(labels.values()))
    sums: dict[str, Counter[str]] = {}
    for row, group in groups.items():
        if row in labels:
            sums.setdefault(group, Counter())[labels[row]] += 1.0 if weights is None else weights.get(row, 1.0)  # type: ignore[assignment]
    return {group: {n: found[n] / sum(found.values()) for n in names} for group, found in sorted(sums.items())}


def shorter(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

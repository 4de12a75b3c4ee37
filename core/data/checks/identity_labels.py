"""Does a label go with a group of people? The same comparison as the bias audit's, for the whole dataset and before any model."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from core.schemas.findings import Finding, Severity
from core.schemas.identity import OwnWords

from ..counterfactual import labels_about
from ..group_analysis import analyse
from ..group_findings import Teller
from ..group_rates import GroupedRows, Outcomes
from ..group_rows import named_in_texts
from ..group_thirds import thirds_of
from ..own_words import NONE, knows, lexicon_for
from ._check import LABELS, Check, visible
from ._context import Context

MOST = 100_000  # rows that are read for identity terms; of more, a random sample
MOST_LABELS = 100
Words = dict[tuple[str, str], dict[int, str]]


def run(context: Context) -> list[Finding]:
    classes = list(context.class_counts)
    if len(classes) < 2 or len(classes) > MOST_LABELS or context.labels_look_unique:
        return []
    language, own = context.languages.main or "en", _own(context)
    axes, read = list(_columns(context)), 0
    terms: Words = {}
    if knows(language, own):
        named, terms, read = _named(context, language)
        about = labels_about(classes, lexicon_for(language, own))
        axes += [axis for axis in named if axis.key not in about]
    if not axes:
        return [_nobody(language, knows(language, own))]
    labels = Outcomes.of_labels(context.classes)
    columns = {name: _in_order(context, values) for name, values in (*context.around.groups.items(), *_others(context))}
    found = analyse(axes, labels, thirds=thirds_of(columns, axes, context.rows))
    teller = Teller("identity_labels", context.row_ids, labels, terms=terms)
    told = list(teller.flags(found))
    quiet = teller.quiet(found)
    if quiet is not None and not told:
        sampled = f" Of the rows with an identity word, {read:,} were read." if read == MOST else ""
        told.append(quiet.model_copy(update={"meaning": quiet.meaning + sampled}))
    small = teller.too_few(found)
    return [*told, *([small] if small else [])]


def _own(context: Context) -> OwnWords:
    return context.around.own_words.get(context.languages.main or "en", NONE)


def _columns(context: Context) -> Sequence[GroupedRows]:
    found = []
    for column, values in context.around.groups.items():
        rows: dict[str, list[int]] = {}
        for i, value in enumerate(_in_order(context, values)):
            if value:
                rows.setdefault(value, []).append(i)
        if len(rows) > 1:
            titles = {group: f"“{visible(group)}” ({visible(column)})" for group in rows}
            found.append(GroupedRows(f"column:{column}", f"Column “{visible(column)}”", rows, titles))
    return found


def _others(context: Context) -> Sequence[tuple[str, Mapping[str, str]]]:
    return [(name, values) for name, values in context.around.categories.items() if name not in context.around.groups]


def _in_order(context: Context, values: Mapping[str, str]) -> list[str]:
    return [(values.get(row_id) or "").strip() for row_id in context.row_ids]


def _named(context: Context, language: str) -> tuple[list[GroupedRows], Words, int]:
    """Groups in the texts, the words that name them, and how many rows were read (those with a word of the lexicon)."""
    lexicon = lexicon_for(language, _own(context))
    hopeful: Any = range(context.rows)
    if lexicon.spaces:
        hopeful = context.vocabulary.with_any({word.casefold() for word in lexicon.entries}).tolist()
    if len(hopeful) > MOST:
        hopeful = sorted(random.Random(0).sample(hopeful, MOST))
    grouped, terms = named_in_texts(context.texts, lexicon, among=hopeful)
    return grouped, terms, len(hopeful)


def _nobody(language: str, known: bool) -> Finding:
    return Finding(
        check="identity_labels",
        severity=Severity.GOOD if known else Severity.INFO,
        title="No row names a group of people that the list knows"
        if known
        else "Ties between labels and groups of people were not looked for",
        meaning="So no label can go with one. The neutral probes of the bias audit test the model itself."
        if known
        else f"There is no list of identity words for the language “{language}”.",
        fix="" if known else "Add a column that says which group a row is about, to have it judged.",
    )


PLUGIN = Check("identity_labels", "People and labels", 72, LABELS, run, "People")

"""Does a label go with a group of people? Rows and label rate of each group that the texts, or a column, name."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from core.schemas.findings import Finding, Severity

from ..counterfactual import labels_about
from ..group_rates import Contrast, GroupedRows, contrasts, detectable, pmi, significant
from ..group_rows import named_in_texts
from ..lexicon import languages, load_lexicon
from ._check import LABELS, Check, plural, visible
from ._context import Context

FEWEST = 30  # rows about a group from which its label rate is judged
MOST = 100_000  # rows that are read for identity terms; of more, a random sample
MOST_LABELS = 100


def run(context: Context) -> list[Finding]:
    classes = list(context.class_counts)
    if len(classes) < 2 or len(classes) > MOST_LABELS or context.labels_look_unique:
        return []
    language = context.languages.main or "en"
    axes, read = list(_columns(context)), 0
    terms: dict[tuple[str, str], dict[int, str]] = {}
    about: Mapping[str, Any] = {}
    if language in languages():
        named, terms, read = _named(context, language)
        about = labels_about(classes, load_lexicon(language))
        axes += [axis for axis in named if axis.key not in about]
    labels: list[str | None] = [label or None for label in context.classes]
    compared = [c for axis in axes for c in contrasts(axis, labels, classes, FEWEST)]
    flagged = significant(compared)
    found = [_flag(context, contrast, terms) for contrast in flagged]
    small = _too_few(context, axes)
    if not flagged:
        found.append(_quiet(context, axes, compared, read, language))
    if small is not None:
        found.append(small)
    return found


def _columns(context: Context) -> Iterable[GroupedRows]:
    for column, values in context.around.groups.items():
        rows: dict[str, list[int]] = {}
        for i, row_id in enumerate(context.row_ids):
            if value := (values.get(row_id) or "").strip():
                rows.setdefault(value, []).append(i)
        if len(rows) > 1:
            yield GroupedRows(
                f"column:{column}", f"Column “{visible(column)}”", rows, {g: f"“{visible(g)}”" for g in rows}
            )


def _named(context: Context, language: str) -> tuple[list[GroupedRows], dict[tuple[str, str], dict[int, str]], int]:
    """Groups in the texts, the words that name them, and how many rows were read (those with a word of the lexicon)."""
    lexicon = load_lexicon(language)
    hopeful = context.vocabulary.with_any(lexicon.entries).tolist()
    if len(hopeful) > MOST:
        hopeful = sorted(random.Random(0).sample(hopeful, MOST))
    grouped, terms = named_in_texts(context.texts, lexicon, among=hopeful)
    return grouped, terms, len(hopeful)


def _flag(context: Context, contrast: Contrast, terms: dict[tuple[str, str], dict[int, str]]) -> Finding:
    axis, label = contrast.axis, contrast.label
    mine, theirs = contrast.hits / contrast.n, contrast.other_hits / contrast.other_n
    rows = [i for i in axis.rows[contrast.group] if context.classes[i] == label]
    if len(contrast.others) == 1 and contrast.others[0]:
        others = f"rows about {axis.titles[contrast.others[0]]}"
    else:
        others = "rows about the other groups" if contrast.others[0] else "rows that name nobody"
    table = (contrast.hits, contrast.n - contrast.hits, contrast.other_hits, contrast.other_n - contrast.other_hits)
    words = terms.get((axis.key, contrast.group), {})
    data: dict[str, Any] = {
        "axis": axis.key, "group": contrast.group, "label": label, "rate": mine, "other_rate": theirs,
        "ratio": contrast.ratio, "q": contrast.q, "pmi": pmi(*table), "unit": "points", "link": "bias",
        "evidence": {context.row_ids[i]: words[i] for i in rows[:200] if i in words},
        "counts": {"identity_ties": 1},
    }  # fmt: skip
    return Finding(
        check="identity_labels",
        severity=Severity.WARNING,
        title=f"Rows about {axis.titles[contrast.group]} are labelled “{visible(label)}” "
        f"{'less' if mine < theirs else 'more'} often than {others}: {mine:.0%} of {contrast.n:,} against {theirs:.0%} of "
        f"{contrast.other_n:,}",
        meaning="A model trained on this can decide by the group instead of by what is said, and treat people unfairly, while "
        "its test score looks fine because the test rows carry the same tie.",
        fix="Read some of the rows. Where nothing else explains the difference, add rows, correct labels, or train with swapped "
        "copies of the rows (Bias audit).",
        count=len(rows),
        row_ids=context.ids(rows),
        estimate=contrast.difference,
        data=data,
    )


def _too_few(context: Context, axes: list[GroupedRows]) -> Finding | None:
    """One calm line for all groups that cannot be judged."""
    small = {axis.titles[g]: len(rows) for axis in axes for g, rows in axis.rows.items() if len(rows) < FEWEST}
    if not small:
        return None
    named = [f"{title} ({n:,})" for title, n in sorted(small.items(), key=lambda item: -item[1])]
    shown = ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")
    return Finding(
        check="identity_labels",
        severity=Severity.INFO,
        title=f"Cannot judge {plural(len(small), 'group')} of people: fewer than {FEWEST} rows each",
        meaning=f"These are {shown}. With so few rows any label rate may be chance. That nothing is flagged does not mean "
        "that it is fair.",
        fix="Add rows about these groups if the model will be used on texts about them.",
        count=sum(small.values()),
        data={"groups": small},
    )


def _quiet(context: Context, axes: list[GroupedRows], compared: list[Contrast], read: int, language: str) -> Finding:
    if not axes:
        no_list = language not in languages()
        return Finding(
            check="identity_labels",
            severity=Severity.INFO if no_list else Severity.GOOD,
            title="Ties between labels and groups of people were not looked for"
            if no_list
            else "No row names a group of people that the list knows",
            meaning=f"There is no list of identity words for the language “{language}”."
            if no_list
            else "So no label can go with one. The neutral probes of the bias audit test the model itself.",
            fix="Add a column that says which group a row is about, to have it judged." if no_list else "",
        )
    if not compared:
        return Finding(
            check="identity_labels",
            severity=Severity.GOOD,
            title="No label goes with a group of people as far as these rows can tell",
            meaning=f"No group is named in {FEWEST} rows or more.",
        )
    smallest = max(detectable((c.hits + c.other_hits) / (c.n + c.other_n), min(c.n, c.other_n)) for c in compared)
    judged = {(c.axis.key, c.group) for c in compared}
    return Finding(
        check="identity_labels",
        severity=Severity.GOOD,
        title=f"No label goes with a group of people ({plural(len(judged), 'group')} compared in {context.rows:,} rows)",
        meaning=f"Differences smaller than about {100 * smallest:.0f} points could go unseen with this many rows."
        + (f" Of the rows with an identity word, {read:,} were read." if read == MOST else ""),
        count=len({i for axis in axes for rows in axis.rows.values() for i in rows}),
    )


PLUGIN = Check("identity_labels", "People and labels", 72, LABELS, run, "People")

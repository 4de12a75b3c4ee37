"""Is the answer written in the text, or given away by a single word?

A model takes the easiest way: where one word decides the label, it learns that word and nothing else. Words that merely
belong to a topic are no alarm, only those that alone decide nearly all rows.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import numpy as np

from core.schemas.findings import Finding, Severity

from ..statistics import benjamini_hochberg, wilson
from ..wordsplit import without_spaces
from ._check import LABELS, Check, listed, plural, visible
from ._context import READ, Context
from ._spelling import folded

ROWS = 40  # fewer labelled rows say nothing about words
SEEN = 5  # rows that a word must be in to be judged
PURE, COMPLETE, ALONE = 0.98, 0.95, 0.9  # house thresholds, see `_deciding`
WRITTEN, OTHERS = 0.8, 0.1  # rows that name their own label, and another one
MOST_LABELS = 300  # beyond this, label names are not searched in the texts
TOP = 20


def run(context: Context) -> list[Finding]:
    rows = [i for i, label in enumerate(context.classes) if label and context.texts[i].strip()]
    classes = Counter(context.classes[i] for i in rows)
    if len(rows) < ROWS or len(classes) < 2 or context.labels_look_unique:
        return []
    counts = _count(context, rows)
    totals = {word: sum(by.values()) for word, by in counts.items()}
    top = _top_words(counts, totals, classes)
    finding = _written(context, rows, classes) or _alone(context, rows, counts, totals, classes)
    if finding is None:
        tied = f"The words most tied to a label are {listed(w['word'] for w in top)}: do they belong to the subject?"
        finding = Finding(
            check="shortcuts",
            severity=Severity.GOOD,
            title=f"No single word gives the label away in {plural(len(rows), 'row')}",
            meaning=tied if top else "No word is tied to a label beyond chance.",
        )
    return [finding.model_copy(update={"data": finding.data | {"chart": {"words": top}}})]


def _count(context: Context, rows: list[int]) -> dict[str, Counter[str]]:
    """For each word, in how many rows of each class it stands. Words of fewer than `SEEN` rows are left out."""
    known = context.vocabulary
    names = list(dict.fromkeys(context.classes[i] for i in rows))
    number = {name: k for k, name in enumerate(names)}
    of_row = np.full(context.rows, -1, dtype=np.int64)
    of_row[rows] = [number[context.classes[i]] for i in rows]
    row = known.rows
    # Each word once a row; then how often each (word, class) comes.
    once = np.unique((row << 32) | known.ids)
    row, word = once >> 32, once & 0xFFFFFFFF
    used = of_row[row] >= 0
    row, word = row[used], word[used]
    kept = np.bincount(word, minlength=len(known.words)) >= SEEN
    row, word = row[kept[word]], word[kept[word]]
    pairs, totals = np.unique(word * len(names) + of_row[row], return_counts=True)
    counts: dict[str, Counter[str]] = {}
    for pair, total in zip(pairs.tolist(), totals.tolist(), strict=True):
        counts.setdefault(known.words[pair // len(names)], Counter())[names[pair % len(names)]] = total
    return counts


def _top_words(counts: dict[str, Counter[str]], totals: dict[str, int], classes: Counter[str]) -> list[dict[str, Any]]:
    """Words whose label is more frequent than chance allows: z = (p(y|word) - p(y)) / sqrt(p(y) (1 - p(y)) / n).

    Gardner et al. 2021, "Competency problems: on finding and removing artifacts in language data" (EMNLP), with
    Benjamini-Hochberg over all words and labels, q < .05.
    """
    pairs = [(word, label) for word, by in counts.items() for label in by]
    n = np.asarray([totals[word] for word, _ in pairs])
    p = np.asarray([classes[label] / classes.total() for _, label in pairs])
    hits = np.asarray([counts[word][label] for word, label in pairs])
    z = (hits / n - p) / np.sqrt(p * (1 - p) / n)
    adjusted = benjamini_hochberg([math.erfc(abs(value) / math.sqrt(2)) for value in z.tolist()])
    kept = [k for k in np.argsort(-z, kind="stable")[:TOP].tolist() if adjusted[k] < 0.05 and z[k] > 0]
    return [
        {
            "word": visible(pairs[k][0], 30),
            "label": visible(pairs[k][1]),
            "rows": int(n[k]),
            "share": round(float(hits[k] / n[k]), 4),
            "z": round(float(z[k]), 2),
        }
        for k in kept
    ]


def _written(context: Context, rows: list[int], classes: Counter[str]) -> Finding | None:
    """The label itself is written in (nearly) every text, and hardly ever another one."""
    if len(classes) > MOST_LABELS:
        return None
    names = {label: folded(label) for label in classes}
    pattern = re.compile("|".join(_as_pattern(name) for name in sorted(set(names.values()), key=len, reverse=True)))
    own, other = [], 0
    for i in rows:
        found = {folded(m) for m in pattern.findall(context.texts[i][:READ].casefold())}
        mine = names[context.classes[i]]
        if mine in found:
            own.append(i)
        other += bool(found - {mine})
    share = wilson(len(own), len(rows))
    smallest = min(sum(1 for i in own if context.classes[i] == label) / classes[label] for label in classes)
    if (share.low or 0) < WRITTEN or smallest < 0.5 or other > OTHERS * len(rows):
        return None
    return Finding(
        check="shortcuts",
        severity=Severity.WARNING,
        title=f"The answer is written in the text: {len(own):,} of {len(rows):,} rows contain their own label",
        meaning=f"For example “{visible(context.texts[own[0]][-100:], 100)}” is labelled "
        f"“{visible(context.classes[own[0]])}”. The model learns to copy the word and not to judge the text. Test "
        "scores will be near perfect and mean nothing.",
        fix="Remove the label from the texts, as it will not be there in real use.",
        count=len(own),
        row_ids=context.ids(own),
        estimate=share,
        data={
            "words": list(names.values())[:TOP],
            "leak": True,
            "evidence": {context.row_ids[i]: visible(context.classes[i]) for i in own[:200]},
        },
    )


def _as_pattern(name: str) -> str:
    """The label as a whole word, with any signs in place of its spaces."""
    body = r"[\W_]+".join(map(re.escape, name.split()))
    return body if without_spaces([name]) else rf"(?<![^\W_]){body}(?![^\W_])"


def _alone(
    context: Context, rows: list[int], counts: dict[str, Counter[str]], totals: dict[str, int], classes: Counter[str]
) -> Finding | None:
    """One word a label that alone decides nearly every row."""
    decided = _deciding(counts, totals, classes)
    covered = sum(classes[label] for label in decided)
    if len(classes) == 2 and decided:
        covered = classes.total()  # where one of two labels is decided by a word, its absence decides the other
    if covered < ALONE * len(rows):
        return None
    best = sorted(decided.items(), key=lambda item: -classes[item[0]])
    right = sum(counts[word][label] for label, word in decided.items())
    if len(classes) == 2:
        label, word = best[0]
        right = counts[word][label] + (len(rows) - classes[label]) - (totals[word] - counts[word][label])
    shown = "; ".join(f"“{visible(word, 30)}” means “{visible(label)}”" for label, word in best[:4])
    few = "One word decides" if len(classes) == 2 else "Single words decide"
    evidence = [i for i in rows if context.classes[i] == best[0][0]]
    return Finding(
        check="shortcuts",
        severity=Severity.WARNING,
        title=f"{few} the label of nearly every row: {shown}",
        meaning=f"A rule with nothing but {'this word' if len(classes) == 2 else 'one word a label'} is right in "
        f"{right:,} of {len(rows):,} rows. The model will learn that and look at nothing else. If real texts do not "
        "always carry it, the model fails there although its test score is near perfect.",
        fix="If the word got there by accident (a tag, a signature, a source), remove it. If it is the rule you "
        "want, a search for the word does the same and you need no model.",
        count=right,
        row_ids=context.ids(evidence),
        estimate=wilson(right, len(rows)),
        data={
            "words": [{"label": label, "word": word} for label, word in best[:TOP]],
            "leak": True,
            "evidence": {context.row_ids[i]: best[0][1] for i in evidence[:200]},
        },
    )


def _deciding(counts: dict[str, Counter[str]], totals: dict[str, int], classes: Counter[str]) -> dict[str, str]:
    """For each label the word in `COMPLETE` of its rows that is in hardly any other row, where there is one."""
    found: dict[str, tuple[float, str]] = {}
    for word, by in counts.items():
        label, hits = by.most_common(1)[0]
        elsewhere = totals[word] - hits
        # Both: where nearly all rows have one label, any frequent word is nearly pure.
        others = classes.total() - classes[label]
        pure = elsewhere <= (1 - PURE) * totals[word] and elsewhere <= (1 - COMPLETE) * others
        if hits >= COMPLETE * classes[label] and pure and classes[label] >= SEEN:
            found[label] = max(found.get(label, (0.0, "")), (hits / totals[word] * hits / classes[label], word))
    return {label: word for label, (_, word) in found.items()}


PLUGIN = Check("shortcuts", "Giveaway words", 70, LABELS, run, "Copies and giveaways")

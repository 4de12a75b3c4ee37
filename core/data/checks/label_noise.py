"""Labels that do not fit what the other rows teach: confident learning on a quick linear model.

Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in dataset labels" (JAIR 70), by cleanlab, on
out-of-fold probabilities of TF-IDF and logistic regression. Rows are ranked and listed, never dropped unasked.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np

from core.schemas.estimates import Estimate
from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ..text_model import features, out_of_fold
from ._check import LABELS, Check, plural, visible
from ._context import Context

ROWS, OF_CLASS = 60, 5  # fewest rows in all, and of a label, for it to be judged
MOST = 20_000  # rows that are judged at once; of more, a random sample stands for the rest
WORK = 800_000  # rows times labels: many labels take longer, so that fewer rows are judged
FLAG, FEWEST = 0.03, 10  # share and number of suspicious rows from which it is a warning (house thresholds)
WEAK = 0.85  # share of right answers below which the quick model itself is a doubtful witness (house threshold)
SMALL, REPEATS = 20_000, 5  # rows times labels up to which the folds are drawn several times
LISTED = 1_000  # suspicious rows that the queue holds


def run(context: Context) -> list[Finding]:
    rows = _judged(context)
    counts = Counter(context.classes[i] for i in rows)
    if len(counts) < 2 or len(rows) < ROWS or context.labels_look_unique:
        return []
    found = features([context.texts[i] for i in rows])
    if found is None:
        return []
    names = sorted(counts)
    number = {name: k for k, name in enumerate(names)}
    y = np.asarray([number[context.classes[i]] for i in rows])
    groups = [context.folded[i] for i in rows]
    # Of few rows, how they fall into folds matters much: the mean of several ways is steadier.
    draws = REPEATS if len(rows) * len(names) <= SMALL else 1
    probabilities = np.mean([out_of_fold(found[0], y, groups, seed=seed) for seed in range(draws)], axis=0)
    right = wilson(int((probabilities.argmax(axis=1) == y).sum()), len(rows))
    most = counts.most_common(1)[0][1] / len(rows)
    basis = _basis(context, len(rows))
    if (right.low or 0) <= most:
        return [
            Finding(
                check="label_noise",
                severity=Severity.INFO,
                title="Wrong labels could not be looked for: the words of the texts do not tell the labels",
                meaning=f"A quick model on words is right in {right.value:.0%} of {len(rows):,} rows it has not seen; always "
                f"saying “{visible(counts.most_common(1)[0][0])}” in {most:.0%}. Either the labels depend on more than words, "
                "or many are wrong, or there are too few rows.",
                fix="Read some rows and see whether you would give the same label.",
                count=len(rows),
                estimate=right,
            )
        ]
    return [_finding(context, rows, names, y, probabilities, _suspects(y, probabilities), right, basis)]


def _judged(context: Context) -> list[int]:
    rows = [i for i, label in enumerate(context.classes) if label and context.texts[i].strip()]
    different: dict[str, set[str]] = {}
    for i in rows:
        texts = different.setdefault(context.classes[i], set())
        if len(texts) < OF_CLASS:
            texts.add(context.folded[i])
    rows = [i for i in rows if len(different[context.classes[i]]) >= OF_CLASS]
    most = min(MOST, WORK // max(1, sum(len(texts) >= OF_CLASS for texts in different.values())))
    if len(rows) > most:
        rows = sorted(random.Random(0).sample(rows, most))
        counts = Counter(context.classes[i] for i in rows)
        rows = [i for i in rows if counts[context.classes[i]] >= OF_CLASS]
    return rows


def _suspects(y: np.ndarray, probabilities: np.ndarray) -> list[int]:
    """Positions of the rows whose label is likely wrong, most suspicious first.

    Both of cleanlab's filters must agree: with 77 labels and 200 planted errors that halves the false ones (340 listed
    against 227) for 5 of the found; with two labels it changes nothing.
    """
    from cleanlab.filter import find_label_issues  # seconds to import, so only where it is used

    ranked = find_label_issues(y, probabilities, filter_by="both", return_indices_ranked_by="self_confidence", n_jobs=1)
    return [int(k) for k in ranked if probabilities[k].argmax() != y[k]]


def _basis(context: Context, rows: int) -> str:
    labelled = context.label_counts.total()
    if rows >= labelled:
        return f"All {labelled:,} labelled rows were judged, each by a model that had not seen it."
    return f"{rows:,} of the {labelled:,} labelled rows were judged, each by a model that had not seen it."


def _finding(
    context: Context,
    rows: list[int],
    names: list[str],
    y: np.ndarray,
    probabilities: np.ndarray,
    suspects: list[int],
    right: Estimate,
    basis: str,
) -> Finding:
    share = wilson(len(suspects), len(rows))
    data: dict[str, Any] = {"counts": {"suspicious_labels": len(suspects), "labels_judged": len(rows)}}
    if not suspects:
        return Finding(
            check="label_noise",
            severity=Severity.GOOD,
            title=f"No label stands out as wrong among {plural(len(rows), 'row')}",
            meaning=basis,
            estimate=share,
            data=data,
        )
    listed: list[dict[str, Any]] = [
        {
            "row_id": context.row_ids[rows[k]],
            "label": names[y[k]],
            "suggested": names[int(probabilities[k].argmax())],
            "confidence": round(float(probabilities[k, y[k]]), 4),
            "suggested_confidence": round(float(probabilities[k].max()), 4),
        }
        for k in suspects[:LISTED]
    ]
    swaps = Counter((one["label"], one["suggested"]) for one in listed).most_common(3)
    words = "; ".join(f"“{visible(a, 30)}” that reads like “{visible(b, 30)}” ({n:,})" for (a, b), n in swaps)
    many = share.value >= FLAG and len(suspects) >= FEWEST
    data |= {
        "queue": "label_noise",
        "suspects": listed,
        "fix_key": "drop_rows",
        "fix_options": {"rows": [one["row_id"] for one in listed]},
        "evidence": {
            one["row_id"]: f"{visible(one['label'], 30)} → {visible(one['suggested'], 30)}?" for one in listed[:200]
        },
    }
    return Finding(
        check="label_noise",
        severity=Severity.WARNING if many else Severity.INFO,
        title=f"{plural(len(suspects), 'label')} of {len(rows):,} {'does' if len(suspects) == 1 else 'do'} not fit the text",
        meaning=f"The other rows speak against them, most often {words}. The model learns wrong rows by heart and makes "
        "their mistakes its own; in the test part they make a good model look worse. "
        f"{basis} It reads words only and is right in {right.value:.0%} of them"
        f"{', so some of these will be right but hard' if right.value < WEAK else ''}.",
        fix="Go through them, the most suspicious first: keep, correct or remove each. Removing all unseen also removes "
        "the hard but right ones.",
        count=len(suspects),
        row_ids=tuple(one["row_id"] for one in listed[:200]),
        estimate=share,
        data=data,
    )


PLUGIN = Check("label_noise", "Wrong labels", 41, LABELS, run, "Labels")

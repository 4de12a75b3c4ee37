"""Labels of a set that do not fit what the other rows teach, and such that are missing.

Confident learning for each label by itself (Thyagarajan et al. 2022, "Identifying incorrect annotations in multi-label
classification data", arXiv 2211.13895), by cleanlab, on out-of-fold probabilities of TF-IDF and logistic regression.
"""

from __future__ import annotations

import numpy as np

from core.schemas.findings import Finding

from ..statistics import wilson
from ..text_model import features, out_of_fold
from ._check import LABEL_SETS, Check, listed, visible
from ._context import Context
from ._doubts import ROWS, blind, doubted, judged

OF_LABEL = 10  # fewest rows with a label, and without it, for it to be judged
TELLING = 0.7  # area under the ROC curve from which a label can be told by words (house threshold)


def run(context: Context) -> list[Finding]:
    every = sorted({label for labels in context.label_sets for label in labels})
    rows = judged(context, len(every))
    if len(rows) < ROWS:
        return []
    found = features([context.texts[i] for i in rows])
    own = [set(context.label_sets[i]) for i in rows]
    gold = np.array([[label in labels for label in every] for labels in own], dtype=bool).reshape(len(rows), -1)
    often = [k for k in range(len(every)) if OF_LABEL <= gold[:, k].sum() <= len(rows) - OF_LABEL]
    if found is None or not often:
        return []
    groups = [context.folded[i] for i in rows]
    sure = np.stack([out_of_fold(found[0], gold[:, k].astype(int), groups)[:, 1] for k in often], axis=1)
    telling = [n for n, k in enumerate(often) if _auc(gold[:, k], sure[:, n]) >= TELLING]
    if not telling:
        right = wilson(int(((sure >= 0.5) == gold[:, often]).all(axis=1).sum()), len(rows))
        return [
            blind(
                "label_set_noise",
                "Wrong labels could not be looked for: the words of the texts do not tell the labels",
                "Either the labels depend on more than words, or many are wrong, or there are too few rows.",
                len(rows),
                right,
            )
        ]
    names = [every[often[n]] for n in telling]
    doubts = _doubts(gold[:, [often[n] for n in telling]], sure[:, telling], names)
    left = [label for label in every if label not in names]
    meaning = (
        "The other rows speak against a label that is there, or for one that is not. A forgotten label teaches the model to "
        "forget it."
    )
    if left:
        meaning += f" Not judged, for too few rows or because words do not tell them: {listed(left, 4)}."
    return [doubted("label_set_noise", "label", context, [(rows[i], d, s) for i, d, s in doubts], len(rows), meaning)]


def _doubts(gold: np.ndarray, sure: np.ndarray, names: list[str]) -> list[tuple[int, str, float]]:
    """(row, what is doubtful, likelihood of what is written): one a row, that of its most doubtful label."""
    from cleanlab.filter import find_label_issues  # seconds to import, so only where it is used

    worst: dict[int, tuple[float, str]] = {}
    for k, name in enumerate(names):
        shares = np.stack([1 - sure[:, k], sure[:, k]], axis=1)
        given = gold[:, k].astype(int)
        # Both filters must agree, as for single labels.
        issues = find_label_issues(
            given, shares, filter_by="both", return_indices_ranked_by="self_confidence", n_jobs=1
        )
        for i in map(int, issues):
            likely = float(shares[i, given[i]])
            said = f"“{visible(name, 30)}” does not fit?" if given[i] else f"“{visible(name, 30)}” is missing?"
            if likely < 0.5 and (i not in worst or likely < worst[i][0]):
                worst[i] = (likely, said)
    return sorted(((i, said, likely) for i, (likely, said) in worst.items()), key=lambda one: one[2])


def _auc(gold: np.ndarray, sure: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(gold, sure))


PLUGIN = Check("label_set_noise", "Wrong or missing labels", 41, LABEL_SETS, run, "Labels")

"""What stands behind an evaluation, worked out once by the worker and kept with the result; screens only read it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa

from core.data import error_slices, nearest_rows, next_steps, score_curves, temperature
from core.data.checks._language import SHORTEST, identifier, name_of
from core.data.next_steps._evidence import Near
from core.data.stats_power import rows_to_decide
from core.data.stats_proportions import wilson
from core.metrics import registry as metrics
from core.metrics.roc_auc import one_class_estimate
from core.schemas.analysis import Analysis, Calibration, Neighbour, NextStep, ReliabilityBin, ScoreCurve, Suspect
from core.schemas.evaluation import EvaluationResult
from core.schemas.examples import Example
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.number_predictions import NumberPredictions
from core.schemas.predictions import ClassPredictions, Predictions, TextPredictions
from core.store.files import keep_table, load_table
from core.store.tables import Run

from . import coaching, datasets, preparation
from .runs import Inputs

Progress = Callable[[str], None]
MOST_EXPLAINED = 500  # failures whose nearest training rows are looked up
MOST_LABELS = 30  # labels that get curves of their own
BINS = 15
WORST = 0.1  # part of the answers or numbers that counts as gone wrong, where there is no right or wrong
MOST_SUSPECTS = 50
GOOD_ENOUGH = (
    0.8  # accuracy below which what looks like a wrong label is as likely the model's own error (house default)
)
MOST_VALUES = 50  # different values of a column that is looked at for weak spots


def analyse(
    run: Run,
    given: Inputs,
    built: EvaluationResult,
    contenders: Mapping[str, Predictions],
    validation: Predictions | None = None,
    progress: Progress = lambda what: None,
) -> Analysis:
    """Everything that the screen shows beyond the figures. `validation` are the tuned model's predictions on validation
    rows, for what must not be chosen on test rows; None where there are none or where they are judged themselves.
    """
    tuned = contenders["tuned"]
    examples = {e.row_id: e for e in given.parts[built.split]}
    texts = [preparation.compared_text(examples[item.row_id]) for item in tuned.items]
    wrong = failures(tuned, built.headline)
    progress("Curves and calibration")
    curves = _curves(tuned)
    calibration = _calibration(tuned, validation)
    progress("Looking for weak spots")
    columns = _columns(run, tuned, texts) if any(wrong) else {}
    slices, tried = error_slices.find([i.row_id for i in tuned.items], wrong, texts, columns)
    progress("Finding the training rows nearest to errors")
    neighbours = _neighbours(given.parts["train"], tuned, texts, wrong)
    progress("Looking for doubtful labels")
    suspects = _suspects(contenders)
    found = Analysis(
        curves=curves,
        calibration=calibration,
        slices=tuple(slices),
        slices_tried=tried,
        neighbours=neighbours,
        suspects=suspects,
        left_out=_left_out(sum(wrong)),
    )
    steps = next_steps.rank(_evidence(run, given, built, tuned, wrong, found))
    return found.model_copy(update={"steps": steps})


def keep(found: Analysis) -> str:
    """Store it; returns its content address."""
    return keep_table(pa.table({"analysis": [found.model_dump_json()]}))


@lru_cache(maxsize=8)
def load(content: str) -> Analysis:
    """An analysis never changes under its address. An empty address (an evaluation of an older version) has nothing."""
    if not content:
        return Analysis()
    return Analysis.model_validate(json.loads(load_table(content)["analysis"][0].as_py()))


def failures(tuned: Predictions, headline: str) -> list[bool]:
    """Whether each row went wrong; where nothing is right or wrong, the worst tenth did."""
    if isinstance(tuned, ClassPredictions | LabelSetPredictions):
        return [not item.correct for item in tuned.items]
    if isinstance(tuned, NumberPredictions):
        return _worst(np.abs(tuned.predicted - tuned.gold))
    metric = metrics()["chrf" if any(i.text is not None and i.reference for i in tuned.items) else headline]
    scores = metric.per_item(tuned)
    if scores is None:
        return [False] * len(tuned)
    values = np.array(scores, dtype=np.float64)
    return _worst(-values if metric.higher_is_better else values)


def _worst(badness: np.ndarray) -> list[bool]:
    known = badness[np.isfinite(badness)]
    if len(known) < 1 / WORST or known.min() == known.max():
        return [False] * len(badness)
    return [bool(np.isfinite(b) and b > np.quantile(known, 1 - WORST)) for b in badness]


def _curves(tuned: Predictions) -> tuple[ScoreCurve, ...]:
    """Of the labels with the most rows. For two classes that of the second alone: the other one is its mirror."""
    if isinstance(tuned, ClassPredictions):
        if not tuned.has_probabilities:
            return ()
        gold = np.array([item.gold for item in tuned.items])
        labels = [(k, label, gold == label) for k, label in enumerate(tuned.labels)]
        labels = labels[1:] if len(labels) == 2 else labels
    elif isinstance(tuned, LabelSetPredictions) and tuned.matrix.shape[1]:
        has = tuned.indicators(tuned.labels)[0]
        labels = [(k, label, has[:, k]) for k, label in enumerate(tuned.labels)]
    else:
        return ()
    labels = [one for one in labels if 0 < one[2].sum() < len(tuned)]
    labels.sort(key=lambda one: -int(one[2].sum()))
    drawn = score_curves.DRAWN if len(labels) <= 8 else 50
    return tuple(
        ScoreCurve(
            label=label,
            n=int(own.sum()),
            share=float(own.mean()),
            auc=one_class_estimate(tuned.matrix[:, k], own, tuned.groups),
            average_precision=score_curves.average_precision(tuned.matrix[:, k], own),
            roc=score_curves.roc(tuned.matrix[:, k], own, drawn),
            precision_recall=score_curves.precision_recall(tuned.matrix[:, k], own, drawn),
        )
        for k, label, own in labels[:MOST_LABELS]
    )


def _calibration(tuned: Predictions, validation: Predictions | None) -> Calibration | None:
    if not isinstance(tuned, ClassPredictions) or not tuned.has_probabilities:
        return None
    error, loss = metrics()["calibration_error"], metrics()["log_loss"]
    fitted = temperature.fit(validation) if isinstance(validation, ClassPredictions) else None
    before = {"error_before": error.compute(tuned), "loss_before": loss.compute(tuned), "before": _bins(tuned)}
    if fitted is None:
        return Calibration(temperature=1.0, fitted_on=0, **before)
    mended = temperature.scaled(tuned, fitted)
    return Calibration(
        temperature=fitted,
        fitted_on=len(validation or ()),
        error_after=error.compute(mended),
        loss_after=loss.compute(mended),
        after=_bins(mended),
        **before,
    )


def _bins(predictions: ClassPredictions) -> tuple[ReliabilityBin, ...]:
    """Up to 15 bins of equally many rows by confidence."""
    confidence = predictions.matrix.max(axis=1)
    parts = np.array_split(np.argsort(confidence, kind="stable"), min(BINS, len(confidence)))
    return tuple(
        ReliabilityBin(
            confidence=float(confidence[rows].mean()), right=wilson(int(predictions.correct[rows].sum()), len(rows))
        )
        for rows in parts
    )


def _columns(run: Run, tuned: Predictions, texts: Sequence[str]) -> dict[str, list[str]]:
    """What else is known of the rows: right label, language, and columns of the file with few different values."""
    found: dict[str, list[str]] = {}
    if isinstance(tuned, ClassPredictions):
        found["right answer"] = [item.gold for item in tuned.items]
    spoken = identifier()
    languages = [spoken.classify(t[:200])[0] if len(t) >= SHORTEST else "" for t in texts]
    if len({*languages} - {""}) > 1:
        found["language"] = [name_of(code) if code else "" for code in languages]
    version = datasets.get_version(run.dataset_version_id)
    frame = datasets.frame(version)
    taken = {*version.roles.values(), datasets.ROW_ID}
    index = frame.set_index(datasets.ROW_ID)
    for column in index.columns:
        if column in taken or str(column).startswith("_") or not 2 <= index[column].nunique() <= MOST_VALUES:
            continue
        values = index[column].astype("string").fillna("")
        found[str(column)] = [str(values.get(item.row_id, "")) for item in tuned.items]
    return found


def _neighbours(
    train: Sequence[Example], tuned: Predictions, texts: Sequence[str], wrong: Sequence[bool]
) -> dict[str, tuple[Neighbour, ...]]:
    """Of the failures, the surest first where there is a confidence."""
    places = [i for i, failed in enumerate(wrong) if failed]
    if isinstance(tuned, ClassPredictions) and tuned.has_probabilities:
        places.sort(key=lambda i: -tuned.items[i].confidence)
    places = places[:MOST_EXPLAINED]
    found = nearest_rows.nearest(train, [preparation.compared_text(e) for e in train], [texts[i] for i in places])
    return {tuned.items[i].row_id: near for i, near in zip(places, found, strict=True)}


def _suspects(contenders: Mapping[str, Predictions]) -> tuple[Suspect, ...]:
    """Confident learning (cleanlab, both filters) on the mean of the tuned model's and the word counts' probabilities,
    neither of which learned from these rows; the least sure of their own label first. Only rows where both name the same
    other label, and only from a model that is right often enough: of a weak one the list would hold its own errors."""
    tuned, other = contenders["tuned"], contenders.get("tfidf")
    if not isinstance(tuned, ClassPredictions) or not tuned.has_probabilities:
        return ()
    if sum(item.correct for item in tuned.items) < GOOD_ENOUGH * len(tuned):
        return ()
    place = {label: k for k, label in enumerate(tuned.labels)}
    rows = [i for i, item in enumerate(tuned.items) if item.gold in place]
    y = np.array([place[tuned.items[i].gold] for i in rows], dtype=np.int64)
    if len(set(y.tolist())) < 2 or len(set(y.tolist())) < len(tuned.labels):
        return ()  # confident learning needs rows of every class
    shares = tuned.matrix[rows]
    said = [shares.argmax(axis=1)]
    if isinstance(other, ClassPredictions) and other.has_probabilities:
        theirs = np.zeros_like(tuned.matrix)
        for k, label in enumerate(other.labels):
            if label in place:
                theirs[:, place[label]] = other.matrix[:, k]
        by_id = {item.row_id: i for i, item in enumerate(other.items)}
        order = [by_id[tuned.items[i].row_id] for i in rows]
        said.append(theirs[order].argmax(axis=1))
        shares = (shares + theirs[order]) / 2
    shares = shares / shares.sum(axis=1, keepdims=True)
    from cleanlab.filter import find_label_issues  # seconds to import, so only where it is used

    listed = find_label_issues(y, shares, filter_by="both", return_indices_ranked_by="self_confidence", n_jobs=1)
    found = []
    for i in listed.tolist()[:MOST_SUSPECTS]:
        best = int(shares[i].argmax())
        item = tuned.items[rows[i]]
        if best != y[i] and all(names[i] == best for names in said):
            found.append(
                Suspect(
                    row_id=item.row_id,
                    label=item.gold,
                    suggested=tuned.labels[best],
                    confidence=float(shares[i][y[i]]),
                    probability=float(shares[i][best]),
                )
            )
    return tuple(found)


def _evidence(
    run: Run,
    given: Inputs,
    built: EvaluationResult,
    tuned: Predictions,
    wrong: Sequence[bool],
    found: Analysis,
) -> next_steps.Evidence:
    comparison = next((row.comparison for row in built.metrics if row.key == built.headline and row.comparison), None)
    needed = rows_to_decide(comparison.change) if comparison else None
    counts = Counter(
        label for e in given.parts["train"] for label in ((e.label,) if e.label else e.labels or ()) if label
    )
    total = int((run.summary or {}).get("steps") or 0)
    return next_steps.Evidence(
        result=built,
        wrong=sum(wrong),
        train_rows=counts if built.per_class else {},
        balance=str(run.recipe.get("balance", "none")),
        advice=coaching.advice(run, total) if total else (),
        calibration=found.calibration,
        slices=found.slices,
        suspects=found.suspects,
        near=_near(tuned, found),
        rows_to_decide=max(1, needed - comparison.change.n) if needed and comparison else None,
    )


def _near(tuned: Predictions, found: Analysis) -> list[Near]:
    by_id = {item.row_id: item for item in tuned.items}
    near = []
    for row_id, rows in found.neighbours.items():
        item, best = by_id[row_id], rows[0] if rows else None
        gold, said = (item.gold, item.predicted) if not isinstance(tuned, TextPredictions) else ("", "")  # type: ignore[union-attr]
        near.append(
            Near(
                row_id=row_id,
                gold=gold if isinstance(gold, str) else "",
                said=said if isinstance(said, str) else "",
                train_id=best.row_id if best else "",
                label=best.label if best else "",
                similarity=best.similarity if best else 0.0,
            )
        )
    return near


def _left_out(wrong: int) -> tuple[str, ...]:
    if wrong <= MOST_EXPLAINED:
        return ()
    return (f"The nearest training rows were looked up for {MOST_EXPLAINED} of {wrong:,} errors, the surest first.",)


def steps(content: str) -> tuple[NextStep, ...]:
    """What to do next, best first."""
    return load(content).steps

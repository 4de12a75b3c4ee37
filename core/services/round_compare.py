"""Two rounds on the same rows: every metric paired with its verdict, and the examples that only one of them gets right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from core.data.in_words import significant
from core.metrics import for_family
from core.metrics import registry as metrics
from core.metrics._base import Metric
from core.metrics._compare import answer, compare
from core.metrics._examples import changed_most
from core.schemas.estimates import Comparison
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.predictions import ClassPredictions, Predictions, TextPredictions
from core.store import records
from core.store.tables import Evaluation
from core.tasks import registry as tasks

from . import evaluation_rows, evaluations
from .rounds import Measured, Round

PER_TOKEN = ("loss", "perplexity", "token_accuracy")  # mean nothing across tokenizers


@dataclass(frozen=True)
class Paired:
    """The second round against the first on `n` rows that both answered. `other_answer` rows were left out because their
    right answer is not the same in both; `only_first` and `only_second` rows were seen by one round alone."""

    split: str
    n: int
    other_answer: int
    only_first: int
    only_second: int
    headline: str
    comparisons: tuple[tuple[Metric, Comparison], ...]
    first: Predictions
    second: Predictions
    left_out: tuple[str, ...] = ()

    def comparison(self, key: str) -> Comparison | None:
        return next((c for metric, c in self.comparisons if metric.key == key), None)


def why_not(first: Round, second: Round, split: str) -> str:
    """Why two rounds cannot be compared on these rows, as a sentence; empty where they can."""
    if tasks()[first.run.task].family != tasks()[second.run.task].family or first.run.task != second.run.task:
        return "They were trained for different tasks, so there is no score that both have."
    one, other = (measured(r, split, (first, second)) for r in (first, second))
    if one is not None and other is not None:
        return ""
    if split == "validation":
        missing = [r.number for r in (first, second) if r.validation is None]
        names = " and ".join(f"round {n}" for n in missing)
        return f"Not measured on validation yet: {names}."
    if first.tests and second.tests:
        return "They were measured on different test sets, whose scores are not compared."
    return "The test set was not opened for both of them."


def measured(one: Round, split: str, pair: Sequence[Round]) -> Measured | None:
    """The evaluation that counts: of validation the newest, of the test the newest on a test set that both were measured on."""
    if split == "validation":
        return one.validation
    common = set.intersection(*({m.lineage for m in r.tests} for r in pair))
    return next((m for m in reversed(one.tests) if m.lineage == max(common)), None) if common else None


def paired(first: Round, second: Round, split: str) -> Paired | None:
    """None where `why_not` has a reason, or where the two share no row."""
    if why_not(first, second, split):
        return None
    ids = [cast(Measured, measured(r, split, (first, second))).evaluation_id for r in (first, second)]
    return _paired(ids[0], ids[1], split, first.run.task, first.run.base_model_key == second.run.base_model_key)


@lru_cache(maxsize=8)
def _paired(first: str, second: str, split: str, task: str, same_model: bool) -> Paired | None:
    """Evaluations never change, and a comparison draws thousands of samples."""
    results = [evaluations.result(cast(Evaluation, records.get(Evaluation, found))) for found in (first, second)]
    one, other = (evaluation_rows.predictions(result, "tuned") for result in results)
    by_id = {item.row_id: item for item in one.items}
    shared = [item for item in other.items if item.row_id in by_id]
    same = [item.row_id for item in shared if answer(item) == answer(by_id[item.row_id])]
    if not same:
        return None
    a, b = one.select(same), other.select(same)
    left_out = () if same_model or not isinstance(a, TextPredictions) else PER_TOKEN
    compared = []
    for metric in _metrics(task, left_out):
        comparison = compare(metric, a, b) if metric.judged else None
        if comparison is not None:
            compared.append((metric, comparison))
    return Paired(
        split=split,
        n=len(same),
        other_answer=len(shared) - len(same),
        only_first=len(one) - len(shared),
        only_second=len(other) - len(shared),
        headline=results[1].headline,
        comparisons=tuple(compared),
        first=a,
        second=b,
        left_out=tuple(left_out),
    )


def _metrics(task_key: str, left_out: Sequence[str]) -> list[Metric]:
    """The task's own metrics, without those that do not compare."""
    task = tasks()[task_key]
    own = [metrics()[key] for key in task.metrics] or for_family(task.family)
    return [metric for metric in own if metric.key not in left_out]


@dataclass(frozen=True)
class Difference:
    """A row that one round does better than the other. `gain` is the second's over the first's where rows are not just
    right or wrong, None where they are."""

    row_id: str
    right: str
    first: str
    second: str
    gain: float | None = None


def examples(found: Paired, better: str, limit: int = 50) -> tuple[int, list[Difference]]:
    """(how many, the first of them): rows that only the `second` (or only the `first`) gets right, or does better."""
    a, b = found.first, found.second
    if isinstance(a, ClassPredictions | LabelSetPredictions):
        wanted = better == "second"
        before: dict[str, Any] = {item.row_id: item for item in a.items}
        rows = [
            Difference(item.row_id, _words(item.gold), _words(before[item.row_id].predicted), _words(item.predicted))
            for item in cast(Any, b).items
            if item.correct != before[item.row_id].correct and item.correct == wanted
        ]
        return len(rows), rows[:limit]
    gains = changed_most(metrics()[found.headline], a, b)
    chosen = [
        g for g in (gains if better == "second" else gains[::-1]) if (g.gain > 0) == (better == "second") and g.gain
    ]
    texts = [{item.row_id: item for item in cast(Any, p).items} for p in (a, b)]
    rows = [
        Difference(g.row_id, _right(texts[1][g.row_id]), _said(texts[0][g.row_id]), _said(texts[1][g.row_id]), g.gain)
        for g in chosen[:limit]
    ]
    return len(chosen), rows


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(map(str, value)) or "(none)"


def _right(item: Any) -> str:
    return str(item.reference) if hasattr(item, "reference") else significant(item.gold, 4)


def _said(item: Any) -> str:
    if hasattr(item, "reference"):
        return item.text if item.text is not None else "(not written: only its likelihood was measured)"
    return significant(item.predicted, 4)

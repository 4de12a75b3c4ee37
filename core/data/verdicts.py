"""Results in sentences for people: what was measured, whether it can be chance, and whether it was worth it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import ceil, sqrt
from typing import Protocol

from core.schemas.base import Schema
from core.schemas.estimates import Comparison, Estimate, Verdict

from .statistics import MIN_ROWS
from .stats_power import MOST_ROWS, rows_to_decide

CLOSE = 0.05
"""Where the tuned model may still be this much better, "as well" is said with a reservation (house default)."""


class HasFormat(Protocol):
    @property
    def format(self) -> str: ...


class Measure(Protocol):
    """What is said of a metric; every plug-in of `core/metrics` fits."""

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def higher_is_better(self) -> bool: ...
    @property
    def format(self) -> str: ...


class Summary(Schema):
    """Sentences in reading order. `worth_it` answers "was fine-tuning needed?"; None where the data cannot tell."""

    sentences: tuple[str, ...]
    verdict: Verdict
    worth_it: bool | None = None

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


class Success(Schema):
    """What the person hoped for: a metric and the value to reach (0.9 for 90%)."""

    metric: str
    target: float


class Outcome(StrEnum):
    REACHED = "reached"
    NOT_REACHED = "not reached"
    CANNOT_TELL = "cannot tell yet"


class SuccessCheck(Schema):
    """`rows_needed` more test rows would decide, as far as this measurement can tell."""

    outcome: Outcome
    sentence: str
    rows_needed: int | None = None


def classification_summary(
    base: Comparison | None,
    majority: Comparison | None = None,
    word_counts: Comparison | None = None,
    noun: str = "examples",
) -> Summary:
    """The verdict on a classifier from comparisons of accuracy, the tuned model always on the side `tuned`, and on the
    other side the base model, the most frequent class and word counts (see `core/data/baselines.py`).

    Where the base model has no opinion (None) the most frequent class stands in its place, by its own name. Raises ValueError
    where both are missing.
    """
    first = base or majority
    if first is None:
        raise ValueError("a verdict needs the base model or the most frequent class to compare with")
    title = "the base model" if base else "always naming the most frequent category"
    sentences = [
        f"On {first.tuned.n:,} {noun} it never saw, it is right {_times(first.tuned)}{_range(first.tuned)}; "
        f"{title} {_hits(first.base)}.",
        _said(first, noun),
    ]
    learnt = first.verdict is Verdict.BETTER and (majority is None or majority.verdict is Verdict.BETTER)
    if first.verdict is Verdict.NOT_ENOUGH_DATA:
        return Summary(sentences=tuple(sentences), verdict=first.verdict)
    if base is not None and majority is not None:
        sentences.append(_against_majority(majority))
    if word_counts is None:
        return Summary(sentences=tuple(sentences), verdict=first.verdict)
    sentences.append(_against_words(word_counts, learnt, noun))
    worth_it = learnt and word_counts.verdict is Verdict.BETTER
    return Summary(sentences=tuple(sentences), verdict=first.verdict, worth_it=worth_it)


def reading_summary(
    measure: Measure,
    plain_title: str,
    plain: Comparison,
    base: Comparison | None = None,
    word_counts: Comparison | None = None,
    noun: str = "examples",
) -> Summary:
    """The verdict on a model that gives numbers or several labels, by one metric: against the base model where it has an
    opinion, else against a plain answer (`plain_title`), then against word counts. `tuned` is the tuned model always.
    """
    first = base or plain
    title = "the base model" if base else plain_title
    sentences = [
        f"On {first.tuned.n:,} {noun} it never saw, {in_sentence(measure.title)} is {interval(first.tuned, measure)}; "
        f"{title}: {figure(first.base.value, measure)}.",
        _said(first, noun),
    ]
    if first.verdict is Verdict.NOT_ENOUGH_DATA:
        return Summary(sentences=tuple(sentences), verdict=first.verdict)
    beats = {Verdict.BETTER: "It does better than", Verdict.WORSE: "It does worse than"}
    none = "There is no evidence that it does better than"
    others = [(plain_title, plain)] if base else []
    others += [("counting words (TF-IDF)", word_counts)] if word_counts else []
    for name, found in others:
        sentences.append(f"{beats.get(found.verdict, none)} {name} ({figure(found.base.value, measure)}).")
    worth_it = None
    if word_counts is not None:
        worth_it = all(found.verdict is Verdict.BETTER for found in (first, plain, word_counts))
    return Summary(sentences=tuple(sentences), verdict=first.verdict, worth_it=worth_it)


def generation_summary(
    measures: Sequence[tuple[Measure, Comparison]],
    retrieval: tuple[Measure, Comparison] | None = None,
    noun: str = "examples",
) -> Summary:
    """The verdict on a language model: one sentence a metric, the first of them deciding, then whether the stored
    answer to the most similar question would have done. Raises ValueError without a metric.
    """
    if not measures:
        raise ValueError("a summary needs at least one comparison")
    verdict = measures[0][1].verdict
    sentences = [f"On {measures[0][1].tuned.n:,} {noun} it never saw:"]
    for place, (measure, comparison) in enumerate(measures):
        told = [_measured(measure, comparison), _said(comparison, noun)]
        sentences += told if place == 0 else [" ".join(told)]  # the first is the headline, with its verdict below it
        if comparison.verdict is Verdict.NOT_ENOUGH_DATA:
            return Summary(sentences=tuple(sentences), verdict=verdict)
    if retrieval is None or retrieval[1].verdict is Verdict.NOT_ENOUGH_DATA:
        return Summary(sentences=tuple(sentences), verdict=verdict)
    sentences.append(_against_retrieval(*retrieval, learnt=verdict is Verdict.BETTER))
    worth_it = verdict is Verdict.BETTER and retrieval[1].verdict is Verdict.BETTER
    return Summary(sentences=tuple(sentences), verdict=verdict, worth_it=worth_it)


def check_success(success: Success, measure: Measure, estimate: Estimate | None, min_n: int = MIN_ROWS) -> SuccessCheck:
    """Hold the target against the interval: reached where all of it lies on the good side, not reached where none does.

    Raises ValueError where `measure` is not the metric of the target.
    """
    if success.metric != measure.key:
        raise ValueError(f"the target is on {success.metric!r}, not on {measure.key!r}")
    name, target = in_sentence(measure.title), figure(success.target, measure)
    aim = "at least" if measure.higher_is_better else "at most"
    hope = f"You hoped for {name} of {aim} {target}"
    if estimate is None or estimate.low is None or estimate.high is None:
        return SuccessCheck(outcome=Outcome.CANNOT_TELL, sentence=f"{hope}: it could not be measured here.")
    found = f"it is {interval(estimate, measure)}"
    if estimate.n < min_n:
        more = min_n - estimate.n
        sentence = f"{hope}: cannot tell yet, {estimate.n} test rows are too few. At least {more} more are needed."
        return SuccessCheck(outcome=Outcome.CANNOT_TELL, sentence=sentence, rows_needed=more)
    worst, best = (estimate.low, estimate.high) if measure.higher_is_better else (-estimate.high, -estimate.low)
    aimed = success.target if measure.higher_is_better else -success.target
    if worst >= aimed:
        return SuccessCheck(outcome=Outcome.REACHED, sentence=f"{hope}: reached, {found}.")
    if best < aimed:
        return SuccessCheck(outcome=Outcome.NOT_REACHED, sentence=f"{hope}: not reached, {found}.")
    needed = _rows_to_place(estimate, success.target)
    more_rows = f" About {needed:,} more test rows would tell." if needed else ""
    sentence = f"{hope}: cannot tell yet, {found}.{more_rows}"
    return SuccessCheck(outcome=Outcome.CANNOT_TELL, sentence=sentence, rows_needed=needed)


def more_rows(estimate: Estimate, measure: HasFormat, rows: int, extra: int = 100) -> str:
    """What `extra` more test rows would buy, if the figure stays: the range shrinks with the root of the rows."""
    if estimate.low is None or estimate.high is None or rows < 1 or estimate.high <= estimate.low:
        return ""
    half = (estimate.high - estimate.low) / 2
    then = half * sqrt(rows / (rows + extra))
    scale, unit = (100, " points") if measure.format == "percent" else (1, "")
    digits = 1 if scale == 100 else 2 if half >= 0.1 else 3
    now, later = f"{scale * half:.{digits}f}", f"{scale * then:.{digits}f}"
    if now == later:
        return f"{extra} more test rows would hardly narrow the range of plus or minus {now}{unit}."
    return f"{extra} more test rows would narrow the range from about plus or minus {now} to {later}{unit}."


def figure(value: float, measure: Measure) -> str:
    """A value as it is shown: 91%, 41.3, 2.10. A share that is not quite 0% or 100% does not round to it."""
    if measure.format == "percent":
        digits = 0 if abs(value) in (0, 1) or 0.5 <= abs(value) * 100 < 99.5 else 1
        return f"{value * 100:.{digits}f}%"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:,.{digits}f}"


def interval(estimate: Estimate, measure: Measure) -> str:
    """A value with its range: "91% (88% to 94%)"."""
    shown = figure(estimate.value, measure)
    if estimate.low is None or estimate.high is None:
        return shown
    return f"{shown} ({figure(estimate.low, measure)} to {figure(estimate.high, measure)})"


def _said(comparison: Comparison, noun: str) -> str:
    """The verdict in words, with what would be needed for one."""
    change = comparison.change
    if comparison.verdict is Verdict.BETTER:
        return "Better, and not by chance."
    if comparison.verdict is Verdict.WORSE:
        return "Worse, and not by chance."
    if comparison.verdict is Verdict.NOT_ENOUGH_DATA:
        missing = MIN_ROWS - change.n
        if missing <= 0:
            return "Not enough data for a verdict: no range could be given for the difference."
        few = f"{change.n:,} {noun} cannot tell a difference from chance"
        return f"Not enough data: {few}. It takes at least {MIN_ROWS}, {missing} more."
    needed = rows_to_decide(change)
    if change.value == 0:
        return "No evidence of a difference: they score the same."
    if needed is None or needed <= change.n:
        return "No evidence of a difference: it may be chance."
    return f"No evidence of a difference: it may be chance. About {needed - change.n:,} more {noun} would tell."


def _against_majority(comparison: Comparison) -> str:
    naming = f"Always naming the most frequent category would be right {_times(comparison.base)}"
    if comparison.verdict is Verdict.BETTER:
        return f"{naming}."
    if comparison.verdict is Verdict.WORSE:
        return f"{naming}, which is better."
    return f"{naming}: no sign that it has learnt more than that."


def _against_words(comparison: Comparison, learnt: bool, noun: str) -> str:
    rate, simple = _times(comparison.base), "A simple word-count model"
    if comparison.verdict is Verdict.WORSE:
        return f"{simple} does better ({rate}): you do not need fine-tuning for this."
    if comparison.verdict is Verdict.NOT_ENOUGH_DATA:
        return f"{simple} is right {rate}; {comparison.change.n:,} {noun} cannot tell which is better."
    if comparison.verdict is Verdict.BETTER:
        return f"{simple} is right {rate}{': fine-tuning was worth it' if learnt else ''}."
    if not learnt:
        return f"{simple} does no better ({rate})."
    unsure = comparison.change.high is not None and comparison.change.high > CLOSE
    so_far = f", as far as {comparison.change.n:,} {noun} can tell" if unsure else ""
    return f"{simple} does as well ({rate}){so_far}: you do not need fine-tuning for this."


def _against_retrieval(measure: Measure, comparison: Comparison, learnt: bool) -> str:
    copying = "Copying the stored answer to the most similar training question"
    score = f"{in_sentence(measure.title)} {figure(comparison.base.value, measure)}"
    if comparison.verdict is Verdict.BETTER:
        return f"{copying} does less well ({score}){': fine-tuning was worth it' if learnt else ''}."
    how = "does better" if comparison.verdict is Verdict.WORSE else "does as well"
    return f"{copying} {how} ({score}): a search over your examples may be all you need."


def _measured(measure: Measure, comparison: Comparison) -> str:
    base = figure(comparison.base.value, measure)
    return f"{measure.title} {interval(comparison.tuned, measure)}; the base model {base}."


def _times(share: Estimate) -> str:
    """A share as a count: "91 times in 100", of the rows themselves where there are fewer than 100."""
    hits = _hits(share)
    return f"{hits} {'time' if hits == '1' or hits.endswith(' 1') else 'times'} in {_out_of(share)}"


def _range(share: Estimate) -> str:
    if share.low is None or share.high is None:
        return ""
    unit = "" if _out_of(share) == 100 else " in 100"
    return f" ({share.low * 100:.0f} to {share.high * 100:.0f}{unit})"


def _hits(share: Estimate) -> str:
    """How often, out of `_out_of`; never rounded to always or never where it is not."""
    if 0 < share.value < 0.005 and _out_of(share) == 100:
        return "less than 1"
    if 0.995 <= share.value < 1 and _out_of(share) == 100:
        return "more than 99"
    return str(round(share.value * _out_of(share)))


def _out_of(share: Estimate) -> int:
    hits = share.value * share.n
    return share.n if share.n < 100 and abs(hits - round(hits)) < 1e-6 else 100


def in_sentence(title: str) -> str:
    """A title inside a sentence: a capital goes unless it belongs to an abbreviation (ROC-AUC)."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def _rows_to_place(estimate: Estimate, target: float) -> int | None:
    """More rows until the interval leaves the target out, if the value stays: its width shrinks with the root of n."""
    gap = estimate.value - target
    reach = (estimate.value - (estimate.low or 0.0)) if gap > 0 else ((estimate.high or 0.0) - estimate.value)
    if gap == 0 or reach <= 0:
        return None
    needed = ceil(estimate.n * (reach / gap) ** 2)
    return max(1, needed - estimate.n) if needed <= MOST_ROWS else None

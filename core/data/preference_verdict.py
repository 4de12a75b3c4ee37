"""The verdict on a model that was trained on preferences, in words, with the warning that it may only write longer."""

from __future__ import annotations

from core.schemas.estimates import Comparison, Verdict
from core.schemas.predictions import TextPredictions

from .verdicts import Measure, Summary, figure, interval
from .wordsplit import words

GROWN = 1.25  # times as many words from which longer answers are a warning (house threshold)


def summary(
    measure: Measure,
    base: Comparison | None,
    longer: Comparison | None,
    length: Comparison | None,
    aim: float | None = None,
) -> Summary | None:
    """`measure` says how often the better answer is put first. None where there is no base to compare with.

    `longer` compares with the rule that the longer answer is better, `length` the words that each model writes,
    `aim` the words of the better answers in the data. Better than
    the base and than that rule is worth it; where the rule does as well, people's taste may be length alone.
    """
    if base is None:
        return None
    noun = "pairs" if measure.key == "preference_accuracy" else "rated answers"
    what = "the better answer" if noun == "pairs" else "a liked answer"
    sentences = [
        f"On {base.tuned.n:,} {noun} it never saw, training has raised {what} more than the other "
        f"{interval(base.tuned, measure)} of the time; guessing is right 50%.",
        f"Before, by its likelihoods alone, the model put {what} first {figure(base.base.value, measure)} of the time. "
        + _said(base),
    ]
    if base.verdict is Verdict.NOT_ENOUGH_DATA:
        return Summary(sentences=(*sentences, *_grown(length, aim)), verdict=base.verdict)
    chance = base.tuned.low is not None and base.tuned.low <= 0.5
    verdict = Verdict.NO_EVIDENCE if chance and base.verdict is Verdict.BETTER else base.verdict
    if verdict is not base.verdict:
        sentences.append("That is no better than guessing, so it has not learned the preference.")
    worth_it = None
    if longer is not None:
        worth_it = verdict is Verdict.BETTER and longer.verdict is Verdict.BETTER
        sentences.append(_against_length(longer, measure))
    return Summary(sentences=(*sentences, *_grown(length, aim)), verdict=verdict, worth_it=worth_it)


def _said(comparison: Comparison) -> str:
    return {
        Verdict.BETTER: "Better, and not by chance.",
        Verdict.WORSE: "Worse, and not by chance.",
        Verdict.NO_EVIDENCE: "No evidence of a difference: it may be chance.",
        Verdict.NOT_ENOUGH_DATA: f"Not enough data: {comparison.change.n:,} cannot tell a difference from chance.",
    }[comparison.verdict]


def _against_length(longer: Comparison, measure: Measure) -> str:
    rule = f"Always calling the longer answer the better one would be right {figure(longer.base.value, measure)} of the time"
    if longer.verdict is Verdict.BETTER:
        return f"{rule}: it has learned more than length."
    if longer.verdict is Verdict.WORSE:
        return f"{rule}, which is better: it may have learned length, or less than that."
    return f"{rule}: no sign that it has learned more than length."


def _grown(length: Comparison | None, aim: float | None) -> list[str]:
    """A sentence where the answers have become much longer or shorter, and not by chance: a warning where they have grown
    beyond the better answers of the data, or these are not known."""
    if length is None or not length.base.value:
        return []
    times = length.tuned.value / length.base.value
    grown = length.verdict is Verdict.WORSE and times >= GROWN
    if not grown and not (length.verdict is Verdict.BETTER and times <= 1 / GROWN):
        return []
    change = f"its answers have {'grown' if grown else 'shrunk'} from {length.base.value:.0f} to {length.tuned.value:.0f} words"
    change += f" on average ({length.tuned.n:,} answers)"
    known = "" if aim is None else f"; the better answers of your data have {aim:.0f}"
    if grown and (aim is None or length.tuned.value > aim):
        return [f"Warning: {change}{known}. Read some of them: longer is not better by itself."]
    return [f"{change[0].upper()}{change[1:]}{known}."]


def words_of_better(predictions: TextPredictions) -> float | None:
    """Mean words of the answers that were preferred or liked; None where there are none."""
    counts = [len(words(item.reference)) for item in predictions.items if item.liked is not False and item.reference]
    return sum(counts) / len(counts) if counts else None

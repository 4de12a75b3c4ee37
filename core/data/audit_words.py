"""How audits say things: lists, amounts in a person's unit, and what fine-tuning did."""

from __future__ import annotations

from collections.abc import Sequence

from core.schemas.estimates import Comparison, Verdict

from .in_words import listed

NAMED = 3  # things that one sentence names


def amount(value: float, unit: str, signed: bool = False) -> str:
    """ "12 points" for a difference of probabilities, "0.080 bits a byte" for anything else."""
    sign = "+" if signed else ""
    if unit != "probability":
        return f"{value:{sign}.3f} {unit}"
    digits = 0 if abs(value) >= 0.1 else 1
    return f"{100 * value:{sign}.{digits}f} points"


def change_sentence(comparisons: Sequence[Comparison], unit: str, lower_is_better: bool = True) -> str:
    """What fine-tuning did, the largest changes by name; empty where nothing was compared."""
    if not comparisons:
        return ""
    larger, smaller = ("larger", "smaller") if lower_is_better else ("smaller", "larger")
    said = []
    for verdict, word in ((Verdict.WORSE, larger), (Verdict.BETTER, smaller)):
        found = sorted((c for c in comparisons if c.verdict == verdict), key=lambda c: -abs(c.change.value))
        named = [f"{_lower(c.metric)} (by {amount(abs(c.change.value), unit)})" for c in found]
        if named:
            rest = len(named) - NAMED
            told = listed([*named[:NAMED], f"{rest} other{'s' * (rest != 1)}, listed below"] if rest > 0 else named)
            said.append(f"Training on your data made the difference {word} for {told}.")
    if not said and all(comparison.verdict == Verdict.NOT_ENOUGH_DATA for comparison in comparisons):
        said = ["There is not enough data to say whether training on your data changed anything."]
    return " ".join(said) or "There is no evidence that training on your data changed that."


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:] if title[1:2].islower() else title

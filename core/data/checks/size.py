"""Are there enough examples to learn from, and to measure with?"""

from __future__ import annotations

from core.schemas.findings import Finding, Severity

from ._check import ALL, Check, plural
from ._context import Context

FEW, SMALL = 25, 50  # house thresholds: below the first hardly anything can be taught or measured
WORDS = 200  # words of plain text that count as one example
AIM = {
    "labels": "Aim for at least 50 examples of each label, and 500 or more in all.",
    "messages": "Aim for 50 to 100 good conversations to teach a tone or a format, several hundred for a subject.",
    "preferences": "Aim for several hundred pairs; fewer than 100 hardly move a model, and cannot tell whether they did.",
    "label_sets": "Aim for at least 50 examples of each label, and 500 or more in all.",
    "numbers": "Aim for 500 or more, spread over the whole range of the numbers.",
    "text": "Aim for 10,000 words or more in the style that the model should learn.",
}


def run(context: Context) -> list[Finding]:
    rows = context.rows
    if rows == 0:
        return []
    count, unit = rows, plural(rows, "example")
    if context.shape == "text":
        words = sum(context.word_counts)
        count = sum(max(1, n // WORDS) for n in context.word_counts)
        unit = f"{plural(rows, 'text')} with {plural(words, 'word')}"
    severity = Severity.ERROR if count < FEW else Severity.WARNING if count < SMALL else Severity.GOOD
    title = {
        Severity.ERROR: f"Only {unit}: too few",
        Severity.WARNING: f"Only {unit}: very little",
        Severity.GOOD: f"{unit[0].upper()}{unit[1:]}",
    }[severity]
    meaning = {
        Severity.ERROR: "The model can memorise these but not learn a rule from them, and too few can be set aside to "
        "measure anything.",
        Severity.WARNING: "The model may pick up the general idea, but the test score will be very uncertain.",
        Severity.GOOD: "Enough to start with. More varied examples almost always help.",
    }[severity]
    fix = "" if severity is Severity.GOOD else f"Add examples. {AIM[context.shape]}"
    chart = {"examples": count, "few": FEW, "small": SMALL}
    data = {"chart": chart}
    return [Finding(check="size", severity=severity, title=title, meaning=meaning, fix=fix, count=rows, data=data)]


PLUGIN = Check("size", "Enough examples", 10, ALL, run, "Enough to learn from")

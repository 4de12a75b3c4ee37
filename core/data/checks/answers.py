"""Do the conversations have answers worth learning?"""

from __future__ import annotations

from collections import Counter

from core.schemas.findings import Finding, Severity

from ..duplicates import normalise
from ..statistics import wilson
from ._check import MESSAGES, Check, plural, visible
from ._context import Context, count_words

SHORT = 3  # words up to which an answer is very short
MANY_SHORT, SAME = 0.2, 0.1  # shares from which short, and equal, answers are mentioned (house thresholds)


def run(context: Context) -> list[Finding]:
    total = context.rows
    if not total:
        return []
    answers = [e.reference for e in context.talks]
    missing = [i for i, a in enumerate(answers) if not a.strip()]
    given = [i for i, a in enumerate(answers) if a.strip()]
    findings = []
    if missing:
        findings.append(
            Finding(
                check="answers",
                severity=Severity.WARNING,
                title=f"{plural(len(missing), 'conversation')} of {total:,} without an answer",
                meaning="The model learns from the answers of the assistant. These rows teach it nothing.",
                fix="Write the answers, or remove these rows.",
                count=len(missing),
                row_ids=context.ids(missing),
                estimate=wilson(len(missing), total),
                data={"fix_key": "drop_empty"},
            )
        )
    if given:
        findings += [f for f in (_short(context, given), _same(context, given)) if f]
    if not findings:
        title = f"All {plural(total, 'conversation')} have an answer"
        findings.append(Finding(check="answers", severity=Severity.GOOD, title=title, count=total))
    return findings


def _short(context: Context, given: list[int]) -> Finding | None:
    short = [i for i in given if count_words(context.talks[i].reference) <= SHORT]
    if len(short) <= MANY_SHORT * len(given):
        return None
    return Finding(
        check="answers",
        severity=Severity.INFO,
        title=f"{len(short) / len(given):.0%} of the answers have {SHORT} words or fewer",
        meaning="The model learns to answer this briefly. That is right for codes and yes or no, and wrong for "
        "explanations.",
        fix="If the answers should be full sentences, write them so.",
        count=len(short),
        row_ids=context.ids(short),
        estimate=wilson(len(short), len(given)),
    )


def _same(context: Context, given: list[int]) -> Finding | None:
    keys = {i: normalise(context.talks[i].reference) for i in given}
    answer, count = Counter(keys.values()).most_common(1)[0]
    rows = [i for i in given if keys[i] == answer]
    prompts = {normalise("\n".join(m.content for m in context.talks[i].prompt)) for i in rows}
    if count < 10 or count < SAME * len(given) or len(prompts) < count / 2 or count_words(answer) <= SHORT:
        return None
    return Finding(
        check="answers",
        severity=Severity.WARNING,
        title=f"{plural(count, 'different question')} get the same answer",
        meaning=f"“{visible(answer)}” is the answer in {count / len(given):.0%} of the rows. The model will tend to "
        "give it always.",
        fix="Vary the answer, or keep a few of these rows only.",
        count=count,
        row_ids=context.ids(rows),
        estimate=wilson(count, len(given)),
    )


PLUGIN = Check("answers", "Answers", 25, MESSAGES, run)

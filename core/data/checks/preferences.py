"""Preferences: equal answers, pairs that contradict one another, longer answers always winning, thumbs of one kind."""

from __future__ import annotations

from collections import defaultdict

from core.schemas.findings import Finding, Severity

from ..duplicates import normalise
from ..statistics import wilson
from ._check import PREFERENCES, Check, plural, visible
from ._context import Context

LONGER = 0.6  # share of pairs won by the longer answer from which it is mentioned; all of its interval must lie above
FEWEST = 20  # pairs or thumbs below which their shares say nothing
ONE_SIDED = 0.2  # share of the rarer thumb below which it is mentioned (house thresholds)


def run(context: Context) -> list[Finding]:
    pairs = [i for i, e in enumerate(context.talks) if e.rejected]
    rated = [i for i, e in enumerate(context.talks) if e.liked is not None]
    found = [
        *_equal(context, pairs),
        *_contradicting(context, pairs, rated),
        *_longer(context, pairs),
        *_thumbs(context, rated),
    ]
    if not found and (pairs or rated):
        what = plural(len(pairs), "pair") if pairs else plural(len(rated), "rated answer")
        title = f"Nothing odd about the preferences among {what}"
        found = [Finding(check="preferences", severity=Severity.GOOD, title=title, count=len(pairs) + len(rated))]
    return found


def _equal(context: Context, pairs: list[int]) -> list[Finding]:
    rows = [i for i in pairs if normalise(context.talks[i].reference) == normalise(context.talks[i].rejected)]
    if not rows:
        return []
    return [
        _removable(
            context,
            rows,
            len(pairs),
            f"{plural(len(rows), 'pair')} of {len(pairs):,} {'has' if len(rows) == 1 else 'have'} the same answer twice",
            "Better and worse answer are equal, so there is nothing to prefer.",
            "Write the two answers anew, or remove these rows.",
        )
    ]


def _contradicting(context: Context, pairs: list[int], rated: list[int]) -> list[Finding]:
    """A before B here and B before A there, or the same answer liked and disliked, after the same words."""
    told: dict[tuple[str, ...], dict[object, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i in (*pairs, *rated):
        example = context.talks[i]
        asked = normalise("\n".join(f"{m.role}: {m.content}" for m in example.prompt))
        answers = [normalise(text) for text in (example.reference, example.rejected) if text]
        if len(set(answers)) == len(answers):
            verdict = answers[0] if example.rejected else example.liked
            told[asked, *sorted(answers)][verdict].append(i)
    rows = sorted(i for verdicts in told.values() if len(verdicts) > 1 for places in verdicts.values() for i in places)
    if not rows:
        return []
    first = context.talks[rows[0]]
    asked = first.prompt[-1].content if first.prompt else ""
    return [
        _removable(
            context,
            rows,
            len(pairs) + len(rated),
            f"{plural(len(rows), 'row')} that contradict one another",
            f"For example “{visible(asked)}”: the same answer is called better in one row and worse in another. The model is "
            "pulled both ways and learns neither.",
            "Decide which answer is better, or remove these rows.",
        )
    ]


def _longer(context: Context, pairs: list[int]) -> list[Finding]:
    lengths = [(len(context.talks[i].reference), len(context.talks[i].rejected), i) for i in pairs]
    decided = [(better > worse, i) for better, worse, i in lengths if better != worse]
    if len(decided) < FEWEST:
        return []
    longer = [i for wins, i in decided if wins]
    share = wilson(len(longer), len(decided))
    shorter = wilson(len(decided) - len(longer), len(decided))
    if (share.low or 0) > LONGER:
        side, word, estimate = "longer", "long", share
    elif (shorter.low or 0) > LONGER:
        side, word, estimate = "shorter", "short", shorter
    else:
        return []
    return [
        Finding(
            check="preferences",
            severity=Severity.WARNING,
            title=f"The {side} answer is preferred in {estimate.value:.0%} of the pairs",
            meaning=f"In {plural(round(estimate.value * len(decided)), 'pair')} of {len(decided):,} whose answers differ in "
            f"length. The model may learn to write {word}, not well, because length is the easiest difference to see.",
            fix=f"Add pairs in which the {'shorter' if side == 'longer' else 'longer'} answer is the better one. The "
            "evaluation shows whether the answers have changed in length.",
            count=round(estimate.value * len(decided)),
            estimate=estimate,
            data={"unit": "share"},
        )
    ]


def _thumbs(context: Context, rated: list[int]) -> list[Finding]:
    up = sum(bool(context.talks[i].liked) for i in rated)
    down = len(rated) - up
    if not rated or (min(up, down) and (len(rated) < FEWEST or min(up, down) >= ONE_SIDED * len(rated))):
        return []
    rare, count = ("up", up) if up < down else ("down", down)
    return [
        Finding(
            check="preferences",
            severity=Severity.WARNING if count else Severity.ERROR,
            title=f"Only {plural(count, 'thumb')} {rare} among {len(rated):,}" if count else f"No thumbs {rare}",
            meaning="The rarer kind counts more in training to make up for it, but few rows show few ways to be right or wrong."
            if count
            else "All answers have the same rating, so nothing tells a good answer from a bad one.",
            fix=f"Rate more answers, above all with thumbs {rare}.",
            count=count,
            estimate=wilson(count, len(rated)),
        )
    ]


def _removable(context: Context, rows: list[int], total: int, title: str, meaning: str, fix: str) -> Finding:
    return Finding(
        check="preferences",
        severity=Severity.WARNING,
        title=title,
        meaning=meaning,
        fix=fix,
        count=len(rows),
        row_ids=context.ids(rows),
        estimate=wilson(len(rows), total),
        data={"fix_key": "drop_rows", "fix_options": {"rows": [context.row_ids[i] for i in rows]}},
    )


PLUGIN = Check("preferences", "Preferences", 24, PREFERENCES, run, "Preferences")

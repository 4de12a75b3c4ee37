"""Rows that are there twice: exact copies, copies up to case and spaces, and nearly the same texts, as clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from core.schemas.findings import Finding, Severity

from ..duplicates import clusters
from ..statistics import wilson
from ._check import ALL, Check, plural
from ._context import DIGIT, NEAR, Context

FLAG, FEWEST = 0.01, 3  # share and number of rows from which copies matter (house thresholds)
SHOWN = 50  # clusters and pairs that a finding lists


def run(context: Context) -> list[Finding]:
    total = context.rows
    if total < 2:
        return []
    exact, spaced, numbers = _exact(context), _spaced(context), _numbers_only(context)
    pairs = _near(context)
    variants = sorted({*spaced, *(j for _, j, _ in pairs)})
    groups = clusters([(i, j) for i, j, _ in pairs])
    counts = {
        "exact_copies": len(exact),
        "near_copies": len(variants),
        "number_variants": len(numbers),
        "near_clusters": len(groups),
    }
    findings = [_exact_finding(context, exact, counts)]
    if variants:
        findings.append(_near_finding(context, variants, spaced, pairs, groups, len(numbers) > total / 2))
    if len(numbers) > FLAG * total:
        findings.append(
            Finding(
                check="duplicates",
                severity=Severity.INFO,
                title=f"{plural(len(numbers), 'row')} of {total:,} differ from another only in their numbers",
                meaning="Such texts come from a template. If the numbers do not matter, they are as good as copies.",
                fix="Nothing to do if the numbers carry meaning. Otherwise collect texts that differ in their words, or remove "
                "near copies with “Numbers do not matter” ticked.",
                count=len(numbers),
                row_ids=context.ids(numbers),
                estimate=wilson(len(numbers), total),
                data={
                    "fix_key": "drop_near_duplicates",
                    "fix_options": {"threshold": NEAR, "numbers_differ": True},
                    "evidence": _evidence(context, _same_template(context, numbers)),
                },
            )
        )
    return findings


def _near_finding(
    context: Context,
    rows: list[int],
    spaced: list[int],
    pairs: list[tuple[int, int, float]],
    groups: list[list[int]],
    templated: bool,
) -> Finding:
    total, ids = context.rows, context.row_ids
    most_alike = sorted(pairs, key=lambda pair: -pair[2])
    shown = [{"a": ids[i], "b": ids[j], "similarity": round(s, 3)} for i, j, s in most_alike[:SHOWN]]
    largest = sorted(groups, key=lambda g: -len(g))[:SHOWN]
    whole = context.near.whole
    sampled = "" if whole else _partly(context)
    in_both = " When one is trained on and another, in slightly other words, is tested, the score looks too good."
    formed = f"They form {plural(len(groups), 'cluster')}. " if groups else ""
    if pairs:
        data: dict[str, Any] = {"fix_key": "drop_near_duplicates", "fix_options": {"threshold": NEAR}, "link": "tokens"}
        fix = "Keep one of each, or split by cluster so that near copies stay in one part."
    else:
        data = {"fix_key": "drop_duplicates", "fix_options": {"ignore_case_and_spaces": True}}
        fix = "Look through the rows and keep one of each where they say the same."
    # Each group together, its first row before the copies of it.
    in_order = [i for group in sorted(groups) for i in group] or rows
    like = {j: f"{s:.0%} like {ids[i]}" for i, j, s in sorted(pairs, key=lambda pair: pair[2])}
    partners = {i: f"{s:.0%} like {ids[j]}" for i, j, s in sorted(pairs, key=lambda pair: pair[2])}
    return Finding(
        check="duplicates",
        # Where most texts come from templates anyway, likeness is how they were made and no accident.
        severity=Severity.INFO if templated else _weight(len(rows), total),
        title=f"{'' if whole else 'At least '}{plural(len(rows), 'row')} of {total:,} "
        f"{'nearly repeats' if len(rows) == 1 else 'nearly repeat'} another ({len(spaced):,} differ only in case or "
        "spaces)",
        meaning=formed + "Near copies teach little that is new." + (in_both if pairs else "") + sampled,
        fix=fix,
        count=len(rows),
        row_ids=context.ids(in_order),
        estimate=wilson(len(rows), total),
        data=data
        | {
            "pairs": shown,
            "clusters": [[ids[i] for i in group[:20]] for group in largest],
            "cluster_sizes": [len(group) for group in largest],
            "evidence": {ids[i]: word for i, word in list((partners | like).items())[:500]},
        },
    )


def _partly(context: Context) -> str:
    if context.near.compared < context.rows:
        return f" Only {context.near.compared:,} of {context.rows:,} rows were compared; there will be more."
    return f" The search ended at {len(context.near.pairs):,} pairs; there will be more."


def _exact_finding(context: Context, rows: list[int], counts: dict[str, int]) -> Finding:
    total = context.rows
    if not rows:
        return Finding(
            check="duplicates",
            severity=Severity.GOOD,
            title=f"No duplicates among {plural(total, 'row')}",
            meaning="No row is an exact copy of another.",
            estimate=wilson(0, total),
            data={"counts": counts},
        )
    letters = context.around.as_written.get("copies", len(rows))
    written = f" ({letters:,} as written, {len(rows) - letters:,} but for spaces around)" if letters < len(rows) else ""
    copies = set(rows)
    firsts = {(context.exact[i], context.classes[i]): i for i in reversed(range(total)) if i not in copies}
    return Finding(
        check="duplicates",
        severity=_weight(len(rows), total),
        title=f"{plural(len(rows), 'row')} of {total:,} {'repeats' if len(rows) == 1 else 'repeat'} another exactly{written}",
        meaning="The model sees these texts more often than the others and leans towards them. Equal texts are kept "
        "on one side of the split, where a copy in the test counts twice.",
        fix="Remove the copies and keep one of each.",
        count=len(rows),
        row_ids=context.ids(rows),
        estimate=wilson(len(rows), total),
        data={
            "counts": counts,
            "fix_key": "drop_duplicates",
            "evidence": _evidence(context, ((i, firsts[context.exact[i], context.classes[i]]) for i in rows)),
        },
    )


def _evidence(context: Context, copies: Iterable[tuple[int, int]]) -> dict[str, str]:
    pairs = zip(range(200), copies, strict=False)
    return {context.row_ids[i]: f"as {context.row_ids[first]}" for _, (i, first) in pairs}


def _same_template(context: Context, rows: list[int]) -> list[tuple[int, int]]:
    wanted = {context.masked[i] for i in rows[:200]}
    first: dict[str, int] = {}
    for i, text in enumerate(context.masked):
        if text in wanted:
            first.setdefault(text, i)
    return [(i, first[context.masked[i]]) for i in rows[:200]]


def _weight(rows: int, total: int) -> Severity:
    return Severity.WARNING if rows > FLAG * total and rows >= FEWEST else Severity.INFO


def _exact(context: Context) -> list[int]:
    """Examples whose text and label came before. The same text with another label is a contradiction, not a copy."""
    seen: set[tuple[str, str]] = set()
    copies = []
    for i, key in enumerate(zip(context.exact, context.classes, strict=True)):
        if key[0].strip():
            if key in seen:
                copies.append(i)
            seen.add(key)
    return copies


def _spaced(context: Context) -> list[int]:
    """Examples whose text is new as written, but came before up to case, width and spaces."""
    found = []
    for group in context.same_text:
        seen = {context.exact[group[0]]}
        for i in group[1:]:
            if context.exact[i] not in seen:
                seen.add(context.exact[i])
                found.append(i)
    return found


def _numbers_only(context: Context) -> list[int]:
    """Examples whose text came before with other numbers in it."""
    seen: dict[str, set[str]] = defaultdict(set)
    found = []
    for i, (text, masked) in enumerate(zip(context.folded, context.masked, strict=True)):
        if DIGIT.search(text):
            variants = seen[masked]
            if variants and text not in variants:
                found.append(i)
            variants.add(text)
    return found


def _near(context: Context) -> list[tuple[int, int, float]]:
    """Pairs of examples that nearly repeat one another, those left out that differ only in their numbers."""
    return [pair for pair in context.near.pairs if context.masked[pair[0]] != context.masked[pair[1]]]


PLUGIN = Check("duplicates", "Duplicates", 42, ALL, run, "Copies and giveaways")

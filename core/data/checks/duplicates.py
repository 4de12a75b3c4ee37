"""Rows that are there twice: exact copies, copies up to case and spaces, and nearly the same texts."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict

from core.schemas.findings import Finding, Severity

from ..duplicates import near_pairs
from ..statistics import wilson
from ._check import ALL, Check, plural
from ._context import Context

FLAG, FEWEST = 0.01, 3  # share and number of rows from which copies matter (house thresholds)
THRESHOLD = 0.8
CLIP = 2_000  # characters of a text that are compared; the search takes about 50 bytes of memory a character
COMPARED, BUDGET = 50_000, 5_000_000  # rows and characters compared; beyond them a random sample stands for the rest
SAME_TEMPLATE = 3  # texts compared among those that differ only in their numbers
_DIGITS = re.compile(r"\d+")


def run(context: Context) -> list[Finding]:
    total = context.rows
    if total < 2:
        return []
    exact, spaced, numbers = _exact(context), _spaced(context), _numbers_only(context)
    near, pairs, all_compared = _near(context)
    variants = sorted(set(spaced) | set(near))
    counts = {"exact_copies": len(exact), "near_copies": len(variants), "number_variants": len(numbers)}
    findings = [_exact_finding(context, exact, counts)]
    templated = len(numbers) > total / 2
    if variants:
        findings.append(_near_finding(context, variants, spaced, pairs, all_compared, templated))
    if len(numbers) > FLAG * total:
        findings.append(
            Finding(
                check="duplicates",
                severity=Severity.INFO,
                title=f"{plural(len(numbers), 'row')} of {total:,} differ from another only in their numbers",
                meaning="Such texts come from a template. If the numbers do not matter, they are as good as copies.",
                fix="Nothing to do if the numbers carry meaning. Otherwise collect texts that differ in their words.",
                count=len(numbers),
                row_ids=context.ids(numbers),
                estimate=wilson(len(numbers), total),
            )
        )
    return findings


def _near_finding(
    context: Context,
    rows: list[int],
    spaced: list[int],
    pairs: list[tuple[int, int, float]],
    all_compared: bool,
    templated: bool,
) -> Finding:
    total = context.rows
    ids = list(context.row_ids)
    shown = [{"a": ids[i], "b": ids[j], "similarity": round(s, 3)} for i, j, s in pairs[:50]]
    sampled = "" if all_compared else " Only a random sample of the rows was compared; there will be more."
    in_both = " When one is trained on and another, in slightly other words, is tested, the score looks too good."
    fix = {"fix_key": "drop_duplicates", "fix_options": {"ignore_case_and_spaces": True}} if spaced else {}
    return Finding(
        check="duplicates",
        # Where most texts come from templates anyway, likeness is how they were made and no accident.
        severity=Severity.INFO if templated else _weight(len(rows), total),
        title=f"{'' if all_compared else 'At least '}{plural(len(rows), 'row')} of {total:,} "
        f"{'nearly repeats' if len(rows) == 1 else 'nearly repeat'} another ({len(spaced):,} differ only in case or "
        "spaces)",
        meaning="Near copies teach little that is new." + (in_both if pairs else "") + sampled,
        fix="Look through the pairs and keep one of each where they say the same.",
        count=len(rows),
        row_ids=context.ids(rows),
        estimate=wilson(len(rows), total),
        data=fix | {"pairs": shown},
    )


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
    return Finding(
        check="duplicates",
        severity=_weight(len(rows), total),
        title=f"{plural(len(rows), 'row')} of {total:,} {'repeats' if len(rows) == 1 else 'repeat'} another exactly",
        meaning="The model sees these texts more often than the others and leans towards them. Equal texts are kept "
        "on one side of the split, where a copy in the test counts twice.",
        fix="Remove the copies and keep one of each.",
        count=len(rows),
        row_ids=context.ids(rows),
        estimate=wilson(len(rows), total),
        data={"counts": counts, "fix_key": "drop_duplicates"},
    )


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
    for i, text in enumerate(context.folded):
        if _DIGITS.search(text):
            variants = seen[_DIGITS.sub("0", text)]
            if variants and text not in variants:
                found.append(i)
            variants.add(text)
    return found


def _near(context: Context) -> tuple[list[int], list[tuple[int, int, float]], bool]:
    """Examples that nearly repeat an earlier one, the pairs most alike first, and whether all rows were compared."""
    masked = [_DIGITS.sub("0", t[:CLIP]) for t in context.folded]
    seen = Counter[str]()
    rows = []
    for i, text in enumerate(masked):
        seen[text] += 1
        if seen[text] <= SAME_TEMPLATE:
            rows.append(i)
    size = sum(len(masked[i]) for i in rows)
    most = min(COMPARED, int(BUDGET * len(rows) / size)) if size else 0
    all_compared = most >= len(rows)
    if not all_compared:
        rows = sorted(random.Random(0).sample(rows, most))
    found = near_pairs([context.folded[i][:CLIP] for i in rows], THRESHOLD)
    pairs = [(rows[a], rows[b], s) for a, b, s in found if masked[rows[a]] != masked[rows[b]]]
    return sorted({j for _, j, _ in pairs}), sorted(pairs, key=lambda pair: -pair[2]), all_compared


PLUGIN = Check("duplicates", "Duplicates", 42, ALL, run)

"""Rows that training shares with validation or test: equal, nearly equal, or made of the same runs of eight words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from core.schemas.examples import Split
from core.schemas.findings import Finding, Severity

from ..leakage import Overlap, Pair, overlaps
from ..statistics import wilson
from ._check import ALL, Check, plural
from ._context import NEAR, Context

GRAM = 8  # words
COVERED = 0.5  # share of a row's words that stand in runs which training has, from which the row counts as copied
MANY = 0.1  # share of the rows of a part from which the score means nothing (house threshold)
MOST = 200_000  # rows compared for near copies across parts
TEMPLATED = 0.2  # share of a part above which such rows are no accident (house threshold)
NAMES = {"train": "training", "validation": "validation", "test": "test"}


def run(context: Context) -> list[Finding]:
    parts = Counter(part for part in context.parts if part)
    if len(parts) < 2:
        return []
    shared = [overlap for overlap in _overlaps(context, parts) if overlap.exact or overlap.near]
    findings = [_shared(context, shared)] if shared else []
    told = {pair.row_id for overlap in shared for pair in (*overlap.exact, *overlap.near)}
    for part in ("test", "validation"):
        if parts["train"] and parts[part]:
            covered = _covered(context, part, told)
            if covered:
                findings.append(_runs(context, part, covered, parts[part]))
    if not findings:
        return [
            Finding(
                check="leakage",
                severity=Severity.GOOD,
                title="Training, validation and test share no rows",
                meaning=f"Compared exactly, nearly (four fifths of the letters' runs the same) and by runs of {GRAM} words. "
                f"The parts come from {context.around.parted_by}.",
                count=0,
                estimate=wilson(0, parts["test"] or parts["validation"]),
                data={"counts": {"leaked_exact": 0, "leaked_near": 0}},
            )
        ]
    return findings


def _overlaps(context: Context, parts: Counter[Split]) -> list[Overlap]:
    """Only rows that have a copy, a near copy or a sibling of the same template anywhere can have one in another part."""
    alike = Counter(context.masked)
    rows = {i for pair in context.near.pairs for i in pair[:2]}
    rows |= {i for group in context.same_text for i in group}
    rows |= {i for i, text in enumerate(context.masked) if text and alike[text] > 1}
    # All rows of a near pair's template are near the other one, though only some of each template were compared.
    near = {context.masked[i] for pair in context.near.pairs for i in pair[:2]}
    rows |= {i for i, text in enumerate(context.masked) if text in near}
    if len(rows) > MOST:
        rows = {i for group in context.same_text for i in group} | {i for pair in context.near.pairs for i in pair[:2]}
    texts = {context.row_ids[i]: context.folded[i] for i in sorted(rows)}
    return overlaps(texts, context.around.where, NEAR, sizes=parts)


def _shared(context: Context, shared: list[Overlap]) -> Finding:
    """One finding for all pairs of parts, told for the most harmful: test rows that training has, then validation rows."""
    order: list[tuple[Split, Split]] = [("train", "test"), ("train", "validation"), ("validation", "test")]
    first, *others = sorted(shared, key=lambda overlap: order.index((overlap.source, overlap.part)))
    why = {
        (
            "train",
            "test",
        ): "The model has seen them before, so the test score shows what it remembers and not what it can do",
        (
            "train",
            "validation",
        ): "The model has seen them before, so the curve on validation looks better than it is, and the "
        "best moment to stop is missed",
        ("validation", "test"): "The checkpoint is chosen by rows that it is tested on",
    }[first.source, first.part]
    more = "".join(f" Also, {_words(overlap)}." for overlap in others)
    pairs = list(
        {pair.row_id: pair for overlap in (first, *others) for pair in (*overlap.exact, *overlap.near)}.values()
    )
    in_test = [overlap for overlap in shared if (overlap.source, overlap.part) == ("train", "test")]
    serious = first.source == "train" and (first.share.low or 0) >= MANY
    return Finding(
        check="leakage",
        severity=Severity.ERROR if serious else Severity.WARNING,
        title=_words(first),
        meaning=f"{why}. The parts come from {context.around.parted_by}.{more}",
        fix="Split again by cluster, so that copies stay in one part, or remove the copies.",
        count=len(pairs),
        row_ids=tuple(pair.row_id for pair in pairs[:200]),
        estimate=first.share,
        data={
            "counts": {
                "leaked_exact": sum(len(overlap.exact) for overlap in in_test),
                "leaked_near": sum(len(overlap.near) for overlap in in_test),
            },
            "link": "tokens",
            "evidence": _evidence(pairs),
        },
    )


def _words(overlap: Overlap) -> str:
    exact, near = len(overlap.exact), len(overlap.near)
    return (
        f"{exact + near:,} of the {overlap.rows:,} {NAMES[overlap.part]} rows {'is' if exact + near == 1 else 'are'} also in "
        f"{NAMES[overlap.source]}: {exact:,} exactly, {near:,} nearly"
    )


def _evidence(pairs: list[Pair]) -> dict[str, str]:
    """Each row with the row of the other part that it repeats."""
    return {
        pair.row_id: f"as {pair.source_id}" if pair.similarity == 1 else f"{pair.similarity:.0%} like {pair.source_id}"
        for pair in pairs[:200]
    }


def _covered(context: Context, part: Split, told: set[str]) -> dict[int, float]:
    """Rows of the part (but those told of already) and the share of their words that lies in 8-word runs of training.

    After Brown et al. 2020 (GPT-3, appendix C) and the 8-gram coverage of Chowdhery et al. 2022 (PaLM, section 8).
    """
    known = context.vocabulary
    keep = known.is_word[known.ids] if len(known.ids) else np.zeros(0, dtype=bool)
    ids, rows = known.ids[keep].astype(np.uint64), known.rows[keep]
    if len(ids) < GRAM:
        return {}
    hashes = np.zeros(len(ids) - GRAM + 1, dtype=np.uint64)
    for offset in range(GRAM):  # overflow is wanted: a hash modulo 2**64
        hashes = (hashes ^ ids[offset : offset + len(hashes)]) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    first = rows[: len(hashes)]
    whole = first == rows[GRAM - 1 :]
    of_row = np.asarray([1 if p == "train" else 2 if p == part else 0 for p in context.parts])
    train = np.unique(hashes[whole & (of_row[first] == 1)])
    mine = np.flatnonzero(whole & (of_row[first] == 2))
    if not len(train) or not len(mine):
        return {}
    place = np.minimum(np.searchsorted(train, hashes[mine]), len(train) - 1)
    starts = mine[train[place] == hashes[mine]]
    inside = np.zeros(len(ids), dtype=bool)
    for offset in range(GRAM):
        inside[starts + offset] = True
    total, covered = np.bincount(rows, minlength=context.rows), np.bincount(rows[inside], minlength=context.rows)
    share = covered / np.maximum(total, 1)
    return {int(i): float(share[i]) for i in np.flatnonzero(share >= COVERED) if context.row_ids[int(i)] not in told}


def _runs(context: Context, part: Split, covered: dict[int, float], rows: int) -> Finding:
    worst = sorted(covered, key=lambda i: -covered[i])
    data: dict[str, Any] = {"evidence": {context.row_ids[i]: f"{covered[i]:.0%} from training" for i in worst[:200]}}
    return Finding(
        check="leakage",
        # Where many rows look so, the texts are made from templates, and sharing runs is how they were made.
        severity=Severity.INFO if len(covered) > TEMPLATED * rows else Severity.WARNING,
        title=f"{plural(len(covered), 'further row')} of the {rows:,} {NAMES[part]} rows consist mostly of training text",
        meaning=f"Half or more of their words stand in runs of {GRAM} words that training has too, such as quotations, "
        "signatures or templates. The model can complete them from memory.",
        fix="Remove the repeated passages, or split again so that rows of one source stay in one part.",
        count=len(covered),
        row_ids=context.ids(worst),
        estimate=wilson(len(covered), rows),
        data=data | {"link": "tokens"},
    )


PLUGIN = Check("leakage", "Leakage between the parts", 43, ALL, run, "Copies and giveaways")

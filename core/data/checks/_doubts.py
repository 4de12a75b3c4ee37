"""What the checks for wrong labels of several labels and of numbers share: which rows are judged, and the finding."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from core.schemas.estimates import Estimate
from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import plural
from ._context import Context

ROWS = 60  # fewest rows for a row to be judged by the others
MOST, WORK = 20_000, 800_000  # rows, and rows times labels, that are judged at once; of more, a random sample
FLAG, FEWEST = 0.03, 10  # share and number of doubtful rows from which it is a warning (house thresholds)
LISTED = 1_000


def judged(context: Context, width: int = 1) -> list[int]:
    """Places of the rows with a text that are judged."""
    rows = [i for i, text in enumerate(context.texts) if text.strip()]
    most = min(MOST, WORK // max(1, width))
    return sorted(random.Random(0).sample(rows, most)) if len(rows) > most else rows


def basis(context: Context, count: int) -> str:
    all_of = "All" if count >= context.rows else f"{count:,} of the"
    return f"{all_of} {context.rows:,} rows were judged, each by a quick model on words that had not seen it."


def blind(check: str, title: str, meaning: str, count: int, estimate: Estimate | None) -> Finding:
    """The quick model knows too little to doubt anything."""
    return Finding(
        check=check,
        severity=Severity.INFO,
        title=title,
        meaning=meaning,
        fix="Read some rows and see whether you would say the same.",
        count=count,
        estimate=estimate,
    )


def doubted(
    check: str, what: str, context: Context, doubts: Sequence[tuple[int, str, float]], count: int, meaning: str
) -> Finding:
    """The finding on rows (place, the doubt in a few words, likelihood of what is written), the most doubtful first."""
    share = wilson(len(doubts), count)
    if not doubts:
        return Finding(
            check=check,
            severity=Severity.GOOD,
            title=f"No {what} stands out as wrong among {plural(count, 'row')}",
            meaning=basis(context, count),
            estimate=share,
        )
    listed: list[dict[str, Any]] = [
        {"row_id": context.row_ids[i], "doubt": doubt, "confidence": round(sure, 4), "suggested": ""}
        for i, doubt, sure in doubts[:LISTED]
    ]
    many = share.value >= FLAG and len(doubts) >= FEWEST
    ids = [str(one["row_id"]) for one in listed]
    return Finding(
        check=check,
        severity=Severity.WARNING if many else Severity.INFO,
        title=f"{plural(len(doubts), 'row')} of {count:,} {'has' if len(doubts) == 1 else 'have'} a doubtful {what}",
        meaning=f"{meaning} {basis(context, count)}",
        fix="Go through them, the most doubtful first: keep or remove each. Nothing is removed unasked, and some will be right "
        "but hard.",
        count=len(doubts),
        row_ids=tuple(ids[:200]),
        estimate=share,
        data={
            "queue": check,
            "suspects": listed,
            "fix_key": "drop_rows",
            "fix_options": {"rows": ids},
            "evidence": {one["row_id"]: one["doubt"] for one in listed[:200]},
            "counts": {"suspicious_labels": len(doubts), "labels_judged": count},
        },
    )

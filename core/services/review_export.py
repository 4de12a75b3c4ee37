"""Everything that was judged, as a table or JSON lines: prompts, answers, sides, votes, ratings, reasons, notes, corrections."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from core.store.tables import Review, SampleSet

from . import reviews

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def rows(sample_set: SampleSet, rater: str | None = None) -> Iterator[dict[str, Any]]:
    """One row for each item and rater that has judged it. With `rater` only their own. Times are UTC."""
    spec = reviews.spec_of(sample_set)
    titles = {c.key: c.title for c in spec.contenders}
    names = reviews.raters(sample_set) if rater is None else [rater]
    for name in names:
        for place, review in sorted(reviews.reviews(sample_set, name).items()):
            item = sample_set.items[place]
            left, right = reviews.sides(sample_set, place, name)
            yield {
                "item": place,
                "repeat_of": item["repeat_of"],
                "rater": name,
                "prompt": item["prompt"],
                "turns": item.get("turns") or [],
                "near": item.get("near") or "",
                "left": titles.get(left, left),
                "right": titles.get(right, right) if right else None,
                "left_answer": item.get(left),
                "right_answer": item.get(right) if right else None,
                "reference": item.get("reference") or "",
                "vote": titles.get(review.vote or "", review.vote),
                "side": _side(review.vote, left, right),
                "skipped": review.skipped,
                "ratings": {titles.get(k, k): v for k, v in (review.scores or {}).items()},
                "reasons": list(review.reasons or ()),
                "note": review.note,
                "correction": review.corrected,
                "first_seen": _time(review.created_at),
                "voted": _voted(review),
                "decoding": sample_set.decoding,
                "source": spec.source,
                "sample_set": sample_set.id,
            }


def jsonl(sample_set: SampleSet, rater: str | None = None) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(sample_set, rater))


def table(sample_set: SampleSet, rater: str | None = None) -> str:
    """CSV, safe to open in a spreadsheet: what would be read as a formula gets an apostrophe before it (OWASP, CSV
    injection). Lists and ratings are JSON in their cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names: list[str] = []
    for row in rows(sample_set, rater):
        if not names:
            names = list(row)
            writer.writerow(names)
        writer.writerow([_cell(row[name]) for name in names])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _side(vote: str | None, left: str, right: str | None) -> str | None:
    return "left" if vote == left else "right" if right is not None and vote == right else vote


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def _voted(review: Review) -> str | None:
    return _time(review.acted_at) if review.vote and review.acted_at else None

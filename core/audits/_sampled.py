"""The untouched base model judges by the likelihood of every label's name, which is slow: it reads a sample, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from core.data.statistics import MIN_ROWS

from ._measure import Pair

UNITS_AN_AXIS = 60


def readings_field() -> Any:
    return Field(
        2_400,
        title="Readings by the base model",
        description="The base model reads each text once for every label. With more readings than this, a fixed sample of the "
        "pairs is compared with it; the tuned model always reads all of them. 0 leaves the base model out.",
        ge=0,
        json_schema_extra={"level": "advanced"},
    )


def for_the_base(pairs: Sequence[Pair], labels: int, readings: int) -> tuple[list[Pair], str]:
    """The pairs that the base model reads, all of them where that is affordable, and in words what was left out.

    Else one pair for each of at most 60 rows or templates an axis, spread evenly over them and over the groups, axis by axis
    for as long as the readings last: an axis with fewer than 30 of them could not be judged.
    """
    texts = readings // max(1, labels)
    if len({text for pair in pairs for text in (pair.before, pair.after)}) <= texts:
        return list(pairs), ""
    chosen: list[Pair] = []
    read: set[str] = set()
    compared = False
    by_axis: dict[str, dict[str, list[Pair]]] = {}
    for pair in pairs:
        by_axis.setdefault(pair.axis, {}).setdefault(pair.unit, []).append(pair)
    for units in by_axis.values():
        most = min(len(units), UNITS_AN_AXIS)
        spread = list(units.values())
        some = [spread[i * len(spread) // most] for i in range(most)]
        kept = [alike[i % len(alike)] for i, alike in enumerate(some)]
        while len(kept) >= MIN_ROWS and len(read | _texts(kept)) > texts:
            kept = kept[:-1]
        if len(kept) < MIN_ROWS:
            continue
        compared = True
        chosen += kept
        read |= _texts(kept)
    if not compared:
        return [], (
            "Base against tuned: with this many labels the base model would need too long "
            f"({len(pairs):,} pairs, {labels} readings each text). More readings can be allowed in the settings of the audit."
        )
    return chosen, f"Base against tuned: compared on a fixed sample of {len(chosen):,} of {len(pairs):,} pairs."


def _texts(pairs: Sequence[Pair]) -> set[str]:
    return {text for pair in pairs for text in (pair.before, pair.after)}

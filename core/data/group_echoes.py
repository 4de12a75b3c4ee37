"""One fact is told once: differences that are only the other side of a stronger one are left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .group_pairs import Crossed
from .group_rates import FEWEST, RATIO, Contrast, Mask, Q, exact_p, ratio_of

SAME = 0.9
"""Share of rows in common from which two groups are the same people under two names (a word and a column)."""


def without_echoes(found: Sequence[Contrast], pairs: Sequence[Crossed]) -> list[Contrast]:
    """The flagged contrasts that stand by themselves, strongest first. Left out is what is gone without the rows of a stronger
    one: "Christians are hired more often than the other groups", where only Muslims are hired less often; "women", where only
    Black women are; and the same people under another name."""
    told: list[Contrast] = []
    for contrast in sorted((c for c in found if c.flagged), key=lambda c: (c.ratio, c.q)):
        if _same_as_one(contrast, told) or _of_a_pair(contrast, pairs):
            continue
        stronger = [
            t.mine
            for t in told
            if t.mine is not None
            and (t.axis.key, t.kind) == (contrast.axis.key, contrast.kind)
            and t.group != contrast.group
        ]
        if not stronger or _stands_without(contrast, np.any(stronger, axis=0)):
            told.append(contrast)
    return told


def _same_as_one(contrast: Contrast, told: Sequence[Contrast]) -> bool:
    for other in told:
        if other.axis.key == contrast.axis.key or other.kind != contrast.kind:
            continue
        for theirs in (other.mine, other.theirs):  # of two groups either side may have been told
            assert contrast.mine is not None and theirs is not None
            if (contrast.mine & theirs).sum() >= SAME * (contrast.mine | theirs).sum():
                return True
    return False


def _of_a_pair(contrast: Contrast, pairs: Sequence[Crossed]) -> bool:
    """Whether the difference is gone among rows that do not name the other group of a pair that is told."""
    named = {(contrast.axis.key, group) for group in (contrast.group, *contrast.others)}
    for one in pairs if contrast.kind == "label" else ():
        for (axis, group), without in (
            (one.pair.first, one.pair.both | one.pair.only_second),
            (one.pair.second, one.pair.both | one.pair.only_first),
        ):
            if (axis.key, group) in named and not _stands_without(contrast, without):
                return True
    return False


def _stands_without(contrast: Contrast, rows: Mask) -> bool:
    """Whether the difference is still there once these rows are left out on both sides. Where the other rows are too few to say,
    the stronger finding stands for both."""
    assert contrast.mine is not None and contrast.theirs is not None and contrast.hit is not None
    mine, theirs = contrast.mine & ~rows, contrast.theirs & ~rows
    n, other_n = int(mine.sum()), int(theirs.sum())
    if min(n, other_n) < FEWEST:
        return False
    hits, other = int((mine & contrast.hit).sum()), int((theirs & contrast.hit).sum())
    alike = (hits / n - other / other_n) * (contrast.rate - contrast.other_rate) > 0
    return alike and ratio_of(hits / n, other / other_n) < RATIO and exact_p(hits, n, other, other_n) < Q


def by_group(found: Sequence[Contrast]) -> list[tuple[Contrast, list[Contrast]]]:
    """One entry a group and kind: its strongest contrast with the further ones (other labels of the same rows)."""
    kept: dict[tuple[str, str, str], list[Contrast]] = {}
    for contrast in found:
        kept.setdefault((contrast.axis.key, contrast.group, contrast.kind), []).append(contrast)
    return [(first, rest) for first, *rest in kept.values()]

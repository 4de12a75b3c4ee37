"""Where a model fails: groups of rows with a much higher share of errors, found on one half and confirmed on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from core.schemas.analysis import WeakSlice

from .stats_proportions import cohens_h, wilson
from .stats_tests import benjamini_hochberg
from .wordsplit import words

FEWEST, EFFECT, TOP, Q = 30, 0.2, 10, 0.05
"""Rows of a slice, Cohen's h from which it counts, and how many are told (house defaults; .2 is Cohen's "small")."""
READ_WORDS, MOST_WORDS, MOST_VALUES = 400, 2_000, 200
KEPT = 50  # rows of a slice that can be opened


@dataclass(frozen=True)
class Candidate:
    kind: str
    title: str
    rows: NDArray[np.int64]


def find(
    row_ids: Sequence[str],
    wrong: Sequence[bool],
    texts: Sequence[str],
    columns: Mapping[str, Sequence[str]] | None = None,
) -> tuple[list[WeakSlice], int]:
    """Slices by length, words, and the values of `columns` (language, source, groups, labels); and how many were tried.

    A slice counts where it has at least `FEWEST` rows, Cohen's h of its share of errors against all other rows is at
    least `EFFECT` on both halves, and the difference on the confirming half is not chance, asked of all slices that the
    first half found (Benjamini-Hochberg, q < .05). Rows fall into halves by a hash of their id, so that the same rows
    always do. Of slices of nearly the same rows the strongest is told.
    """
    failed = np.asarray(wrong, dtype=bool)
    half = np.array([crc32(row_id.encode()) % 2 == 0 for row_id in row_ids], dtype=bool)
    candidates = [*_lengths(texts), *_words(texts), *_values(columns or {}, len(row_ids))]
    judged = [found for c in candidates if (found := _judge(c, failed, half, row_ids)) is not None]
    adjusted = benjamini_hochberg([p for _, p in judged])
    kept = [found for (found, _), q in zip(judged, adjusted, strict=True) if q < Q and found.h >= EFFECT]
    return _different(sorted(kept, key=lambda s: -s.h), candidates), len(candidates)


def _judge(
    candidate: Candidate, failed: NDArray[np.bool_], half: NDArray[np.bool_], row_ids: Sequence[str]
) -> tuple[WeakSlice, float] | None:
    """A slice that one half has found, with the p of the other half; None where the first half finds nothing."""
    inside = np.zeros(len(failed), dtype=bool)
    inside[candidate.rows] = True
    if inside.sum() < FEWEST or (~inside).sum() < FEWEST:
        return None
    shares = []
    for part in (half, ~half):
        n, m = int((inside & part).sum()), int((~inside & part).sum())
        if min(n, m) < FEWEST // 3:
            return None
        shares.append((int((inside & part & failed).sum()), n, int((~inside & part & failed).sum()), m))
    if cohens_h(shares[0][0] / shares[0][1], shares[0][2] / shares[0][3]) < EFFECT:
        return None
    # Found on the first half. Only what the other half says is told.
    there, n, elsewhere, m = shares[1]
    rows = np.flatnonzero(inside & failed)
    found = WeakSlice(
        kind=candidate.kind,
        title=candidate.title,
        found=wilson(shares[0][0], shares[0][1]),
        confirmed=wilson(there, n),
        others=wilson(elsewhere, m),
        h=cohens_h(there / n, elsewhere / m),
        row_ids=tuple(row_ids[i] for i in rows[:KEPT]),
    )
    return found, _more_often(there, n, elsewhere, m)


def _more_often(there: int, n: int, elsewhere: int, m: int) -> float:
    """One-sided p that errors are as frequent in both (Fisher's exact test)."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(there - 1, n + m, there + elsewhere, n))


def _lengths(texts: Sequence[str]) -> list[Candidate]:
    sizes = np.array([len(text.split()) for text in texts])
    if len(sizes) < 2 * FEWEST:
        return []
    low, high = (int(np.quantile(sizes, q)) for q in (0.2, 0.8))
    return [
        Candidate("length", f"short texts (up to {low} words)", np.flatnonzero(sizes <= low)),
        Candidate("length", f"long texts ({high} words or more)", np.flatnonzero(sizes >= high)),
    ]


def _words(texts: Sequence[str]) -> list[Candidate]:
    rows: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        for word in set(words(text)[:READ_WORDS]):
            rows.setdefault(word, []).append(i)
    fitting = [(word, where) for word, where in rows.items() if FEWEST <= len(where) <= len(texts) - FEWEST]
    fitting.sort(key=lambda pair: (-len(pair[1]), pair[0]))
    return [Candidate("word", f"texts with “{word}”", np.array(where)) for word, where in fitting[:MOST_WORDS]]


def _values(columns: Mapping[str, Sequence[str]], count: int) -> list[Candidate]:
    found = []
    for name, values in columns.items():
        rows: dict[str, list[int]] = {}
        for i, value in enumerate(values):
            if value:
                rows.setdefault(value, []).append(i)
        if len(rows) <= MOST_VALUES:
            found += [Candidate(name, f"{name}: {value}", np.array(where)) for value, where in sorted(rows.items())]
    return [candidate for candidate in found if FEWEST <= len(candidate.rows) <= count - FEWEST]


def _different(found: Sequence[WeakSlice], candidates: Sequence[Candidate]) -> list[WeakSlice]:
    """Without those that are mostly the same rows as a stronger one (Jaccard from one half)."""
    rows = {candidate.title: set(candidate.rows.tolist()) for candidate in candidates}
    kept: list[WeakSlice] = []
    for one in found:
        mine = rows[one.title]
        if all(len(mine & rows[k.title]) < 0.5 * len(mine | rows[k.title]) for k in kept):
            kept.append(one)
        if len(kept) == TOP:
            break
    return kept

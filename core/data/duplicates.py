"""Find rows that say the same: exactly (but for case, width and spacing) or nearly (5-character shingles).

Near-duplicates are found by an exact set-similarity join, not by sampling: of two sets with Jaccard >= t, sorted by the
same order, the first `size - ceil(t * size) + 1` elements share at least one (prefix filter: Chaudhuri, Ganti and
Kaushik 2006; Bayardo, Ma and Srikant 2007). Rarest shingles come first, so few pairs are ever compared.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

SHINGLE = 5
NEIGHBOURS = 20  # pairs sought for one text; a thousand variations of one sentence would otherwise give half a million
BINS = 64  # of the sketch that rules most candidates out before their sets are compared
BLOCK = 1 << 16  # candidate pairs compared at once
REACH = 1_000  # texts on either side that are looked at among those that share one shingle


def normalise(text: str) -> str:
    """The text as duplicates are compared: Unicode NFKC, no case, single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def exact_groups(texts: Sequence[str]) -> list[list[int]]:
    """Indices of texts that are equal after `normalise`: groups of two or more, ascending, in order of first sight.

    Blank texts form no group.
    """
    found: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        if key := normalise(text):
            found[key].append(index)
    return [group for group in found.values() if len(group) > 1]


def near_pairs(
    texts: Sequence[str], threshold: float = 0.8, sides: Sequence[int] | None = None
) -> list[tuple[int, int, float]]:
    """Pairs `(i, j, jaccard)`, i < j, of texts that differ but share `threshold` of their 5-character shingles.

    Of equal texts (see `exact_groups`) only the first is compared. With `sides` (one number a text) only pairs of
    different sides are sought, and equal texts count as one only within their side. Every text that has a
    near-duplicate is in at least one pair; a text with more than `NEIGHBOURS` of them need not be in a pair with each.
    Texts under 5 characters have no shingles and are in no pair. Memory: up to 100 bytes a character.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be in (0, 1], not {threshold}")
    marks = list(sides) if sides is not None else [0] * len(texts)
    first: dict[tuple[str, int], int] = {}
    for index, (text, mark) in enumerate(zip(texts, marks, strict=True)):
        key = normalise(text)
        if len(key) >= SHINGLE:
            first.setdefault((key, mark), index)
    keys = [key for key, _ in first]
    if len(keys) < 2:
        return []
    origin = np.fromiter(first.values(), dtype=np.int64)
    side = np.fromiter((mark for _, mark in first), dtype=np.int64) if sides is not None else None
    sets, sketches = _shingle_sets(keys)
    found = _join(sets, sketches, threshold, side)
    pairs = []
    for (a, b), jaccard in found.items():
        if keys[a] != keys[b]:  # equal texts on two sides are exact overlaps
            i, j = sorted((int(origin[a]), int(origin[b])))
            pairs.append((i, j, jaccard))
    return sorted(pairs)


def _shingle_sets(texts: list[str]) -> tuple[csr_array, np.ndarray]:
    """A 0/1 matrix, texts x distinct shingles with the rarest first, and a sketch of each text, texts x `BINS` bytes.

    The sketch is a one-permutation MinHash (Li, Owen and Zhang 2012): one byte of the smallest hash in each of `BINS`
    ranges, 0 where the range is empty.
    """
    lengths = np.fromiter((len(t) for t in texts), dtype=np.int64)
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    windows = len(points) - SHINGLE + 1
    hashes = np.zeros(windows, dtype=np.uint32)
    for offset in range(SHINGLE):  # 32 bits: a chance collision in a million shingles moves no Jaccard noticeably
        hashes = (hashes ^ points[offset : offset + windows]) * np.uint32(0x85EBCA6B)
        hashes ^= hashes >> np.uint32(13)
        hashes *= np.uint32(0xC2B2AE35)
        hashes ^= hashes >> np.uint32(16)
    owner = np.repeat(np.arange(len(texts)), lengths)
    inside = owner[:windows] == owner[SHINGLE - 1 :]
    packed = _distinct((owner[:windows][inside].astype(np.uint64) << np.uint64(32)) | hashes[inside])
    row, shingle = (packed >> np.uint64(32)).astype(np.int64), packed.astype(np.uint32)
    _, column, frequency = np.unique(shingle, return_inverse=True, return_counts=True)
    rank = np.empty(len(frequency), dtype=np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(frequency))
    data = np.ones(len(row), dtype=np.int32)
    matrix = csr_array((data, (row, rank[column])), shape=(len(texts), len(frequency)))
    matrix.sort_indices()
    sketches = np.zeros((len(texts), BINS), dtype=np.uint8)
    bins = (shingle // np.uint32(2**32 // BINS)).astype(np.int64)
    smallest = np.flatnonzero(np.diff(row * BINS + bins, prepend=-1))
    sketches[row[smallest], bins[smallest]] = 1 + shingle[smallest] % np.uint32(255)
    return matrix, sketches


def _distinct(numbers: np.ndarray) -> np.ndarray:
    """Sorted, each once. (`np.unique` hashes instead, which took six times as long for millions.)"""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=numbers[:1] ^ 1) != 0]


def _join(
    sets: csr_array, sketches: np.ndarray, threshold: float, side: np.ndarray | None
) -> dict[tuple[int, int], float]:
    """Pairs of rows with Jaccard >= threshold, walking the lists of rows that share a prefix shingle.

    Each list is ordered by set size, so a walk ends where sizes alone rule a match out. In round d every row that still
    seeks neighbours meets the rows d places before and behind it in each of its lists.
    """
    sizes = np.diff(sets.indptr)
    entries = _entries(sets, threshold)
    row, size = entries.row, entries.size
    pairs: dict[tuple[int, int], float] = {}
    partners = np.zeros(len(sizes), dtype=np.int64)
    # A meeting with a larger set needs a place this early, see `possible` below.
    ahead = np.flatnonzero(size - entries.place >= 2 * threshold / (1 + threshold) * size - 1e-9)
    behind = np.arange(len(row))
    for distance in range(1, REACH + 1):
        seeking = partners < NEIGHBOURS
        ahead = entries.reachable(ahead[seeking[row[ahead]]], distance, threshold)
        behind = entries.reachable(behind[seeking[row[behind]]], -distance, threshold)
        if not len(ahead) and not len(behind):
            break
        # Two seekers meet through `ahead`; `behind` only has to meet those that no longer seek themselves.
        idle = behind[~seeking[row[behind - distance]]]
        x, y = np.concatenate([ahead, idle]), np.concatenate([ahead + distance, idle - distance])
        # Where this is the first shingle that the two share, they can share no more than what follows it in either.
        most = np.minimum(size[x] - entries.place[x], size[y] - entries.place[y])
        possible = most >= threshold / (1 + threshold) * (size[x] + size[y]) - 1e-9
        if side is not None:
            possible &= side[row[x]] != side[row[y]]
        for i, j, jaccard in _similar(sets, sketches, row[x[possible]], row[y[possible]], threshold):
            if (i, j) not in pairs:
                pairs[i, j] = jaccard
                partners[i] += 1
                partners[j] += 1
    return pairs


@dataclass(frozen=True)
class _Entries:
    """The prefix shingles of all rows as one array of lists: by shingle, then by the size of the row's set.

    `place` is the shingle's position in its row, counted from the rarest.
    """

    shingle: np.ndarray
    row: np.ndarray
    size: np.ndarray
    place: np.ndarray

    def reachable(self, entries: np.ndarray, distance: int, threshold: float) -> np.ndarray:
        """The entries whose list goes on `distance` places away with a set of a size that can match."""
        other = entries + distance
        inside = (other >= 0) & (other < len(self.row))
        entries, other = entries[inside], other[inside]
        mine, theirs = self.size[entries], self.size[other]
        matching = np.minimum(mine, theirs) >= threshold * np.maximum(mine, theirs) - 1e-9
        return entries[(self.shingle[entries] == self.shingle[other]) & matching]


def _entries(sets: csr_array, threshold: float) -> _Entries:
    sizes = np.diff(sets.indptr).astype(np.int32)
    row = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    place = (np.arange(sets.nnz) - np.repeat(sets.indptr[:-1], sizes)).astype(np.int32)
    prefix = sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int32) + 1
    kept = np.flatnonzero(place < prefix[row])
    kept = kept[np.lexsort((row[kept], sizes[row[kept]], sets.indices[kept]))]
    return _Entries(sets.indices[kept], row[kept], sizes[row[kept]], place[kept])


def _similar(
    sets: csr_array, sketches: np.ndarray, a: np.ndarray, b: np.ndarray, threshold: float
) -> list[tuple[int, int, float]]:
    """The candidate pairs whose exact Jaccard reaches the threshold, each once, as (smaller, larger, Jaccard)."""
    sizes = np.diff(sets.indptr)
    out: list[tuple[int, int, float]] = []
    for start in range(0, len(a), BLOCK):
        i, j = a[start : start + BLOCK], b[start : start + BLOCK]
        hopeful = _hopeful(sketches[i], sketches[j], threshold)
        i, j = i[hopeful].astype(np.int64), j[hopeful].astype(np.int64)
        low, high = np.divmod(_distinct(np.minimum(i, j) * len(sizes) + np.maximum(i, j)), len(sizes))
        step = max(1, int(BLOCK * 64 // max(1.0, float(sizes.mean()))))  # keeps one product to some tens of MB
        for part in range(0, len(low), step):
            i, j = low[part : part + step], high[part : part + step]
            shared = np.asarray(sets[i].multiply(sets[j]).sum(axis=1)).ravel()
            jaccard = shared / (sizes[i] + sizes[j] - shared)
            hit = jaccard >= threshold - 1e-9
            out.extend(zip(i[hit].tolist(), j[hit].tolist(), jaccard[hit].tolist(), strict=True))
    return out


def _hopeful(a: np.ndarray, b: np.ndarray, threshold: float) -> np.ndarray:
    """Which pairs of sketches agree so often that their sets may reach the threshold (5 standard errors of slack)."""
    agree = np.count_nonzero((a == b) & (a != 0), axis=1)
    used = np.count_nonzero(a | b, axis=1)
    return agree >= used * threshold - 5 * np.sqrt(used * threshold * (1 - threshold))

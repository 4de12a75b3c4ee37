"""Find rows that say the same: exactly (but for case, width and spacing) or nearly (5-character shingles).

Near-duplicates are found by an exact set-similarity join, not by sampling: of two sets with Jaccard >= t, sorted by the
same order, the first `size - ceil(t * size) + 1` elements share at least one (prefix filter: Chaudhuri, Ganti and
Kaushik 2006; Bayardo, Ma and Srikant 2007). Rarest shingles come first, so few pairs are ever compared. Texts are read
in blocks, and only those first elements are kept. (MinHash with bands, by datasketch, took six times as long for
20,000 texts and is not exact: see docs/decisions.md.)
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .joined import Joined

SHINGLE = 5
NEIGHBOURS = 20  # pairs sought for one text; a thousand variations of one sentence would otherwise give half a million
# A million texts of a few templates resemble one another by the thousand. The search ends at so many pairs, or so much
# work (one unit takes about 25 ns: an entry that is visited is 3, a pair of sketches is 8, a shingle that is compared 4).
PAIRS, WORK = 2_000_000, 2_000_000_000
BINS = 64  # of the sketch that rules most candidates out before their sets are compared
BLOCK = 1 << 16  # candidate pairs compared at once
READ = 1 << 22  # characters of all texts that are turned into shingles at once
BUCKETS = (
    24  # most bits of a shingle's hash under which it is counted: the order need not be exact, only the same for all
)
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


@dataclass(frozen=True)
class NearPairs:
    """`pairs` as of `near_pairs`; `whole` is False where the search ended early, so that texts may be in none."""

    pairs: list[tuple[int, int, float]]
    whole: bool


def near_pairs(
    texts: Sequence[str], threshold: float = 0.8, sides: Sequence[int] | None = None
) -> list[tuple[int, int, float]]:
    """Pairs `(i, j, jaccard)`, i < j, of texts that differ but share `threshold` of their 5-character shingles.

    Of equal texts (see `exact_groups`) only the first is compared. With `sides` (one number a text) only pairs of
    different sides are sought, and equal texts count as one only within their side. Every text that has a
    near-duplicate is in at least one pair; a text with more than `NEIGHBOURS` of them need not be in a pair with each.
    The search ends at `PAIRS` or `WORK`, and then some texts may be in none: `search_pairs` tells.
    Texts under 5 characters have no shingles and are in no pair. Memory: about 10 bytes a character at threshold .8,
    and 200 MB.
    """
    return search_pairs(texts, threshold, sides).pairs


def search_pairs(texts: Sequence[str], threshold: float = 0.8, sides: Sequence[int] | None = None) -> NearPairs:
    """`near_pairs`, and whether the search was carried to its end."""
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
        return NearPairs([], True)
    origin = np.fromiter(first.values(), dtype=np.int64)
    side = np.fromiter((mark for _, mark in first), dtype=np.int64) if sides is not None else None
    found, whole = _join(keys, threshold, side)
    pairs = []
    for (a, b), jaccard in found.items():
        if keys[a] != keys[b]:  # equal texts on two sides are exact overlaps
            i, j = sorted((int(origin[a]), int(origin[b])))
            pairs.append((i, j, jaccard))
    return NearPairs(sorted(pairs), whole)


def clusters(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """What hangs together through pairs: groups of two or more, ascending, in the order of their smallest member."""
    joined = Joined[int]()
    for a, b in pairs:
        joined.join(a, b)
    groups: dict[int, list[int]] = defaultdict(list)
    for i in sorted(joined):
        groups[joined.root(i)].append(i)
    return sorted(group for group in groups.values() if len(group) > 1)


def _blocks(texts: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The texts in runs of about `READ` characters, with the index of the first."""
    start, size = 0, 0
    for i, text in enumerate(texts):
        if size and size + len(text) > READ:
            yield start, list(texts[start:i])
            start, size = i, 0
        size += len(text)
    yield start, list(texts[start:])


def _shingles(texts: list[str]) -> np.ndarray:
    """(row << 32 | hash) of the distinct shingles of each text, sorted. Row counts from 0 in this list.

    32 bits: a chance collision in a million shingles moves no Jaccard noticeably.
    """
    lengths = np.fromiter((len(t) for t in texts), dtype=np.int64, count=len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    windows = max(0, len(points) - SHINGLE + 1)
    hashes = np.zeros(windows, dtype=np.uint32)
    for offset in range(SHINGLE):
        hashes = (hashes ^ points[offset : offset + windows]) * np.uint32(0x85EBCA6B)
        hashes ^= hashes >> np.uint32(13)
        hashes *= np.uint32(0xC2B2AE35)
        hashes ^= hashes >> np.uint32(16)
    owner = np.repeat(np.arange(len(texts), dtype=np.uint64), lengths)
    inside = owner[:windows] == owner[SHINGLE - 1 :][:windows]
    return _distinct((owner[:windows][inside] << np.uint64(32)) | hashes[inside])


def _distinct(numbers: np.ndarray) -> np.ndarray:
    """Sorted, each once. (`np.unique` hashes instead, which took six times as long for millions.)"""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=numbers[:1] ^ 1) != 0]


@dataclass(frozen=True)
class _Entries:
    """The prefix shingles of all rows as one array of lists: by shingle, then by the size of the row's set.

    `place` is the shingle's position in its row, counted from the rarest. `sizes` and `sketches` (rows x `BINS` bytes) go
    by row. The sketch is a one-permutation MinHash (Li, Owen and Zhang 2012): one byte of the smallest hash in each of
    `BINS` ranges, 0 where the range is empty.
    """

    shingle: np.ndarray
    row: np.ndarray
    size: np.ndarray
    place: np.ndarray
    sizes: np.ndarray
    sketches: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], threshold: float) -> _Entries:
        bits = min(BUCKETS, sum(map(len, texts)).bit_length())
        counts = np.zeros(1 << bits, dtype=np.int32)
        for _, block in _blocks(texts):
            bucket = (_shingles(block).astype(np.uint32) >> np.uint32(32 - bits)).astype(np.int64)
            counts += np.bincount(bucket, minlength=len(counts)).astype(np.int32)
            del bucket
        # 9 bits of frequency on a logarithmic scale: up to four million rows, each step is 3%.
        ranks = np.minimum(23 * np.log2(counts + np.float32(1)), 511).astype(np.uint16)
        sizes = np.zeros(len(texts), dtype=np.int32)
        sketches = np.zeros((len(texts), BINS), dtype=np.uint8)
        kept: list[tuple[np.ndarray, ...]] = []
        for start, block in _blocks(texts):
            kept.append(_prefixes(block, ranks, threshold, sizes[start:], sketches[start:], start))
        shingle, row, place = (np.concatenate(part) for part in zip(*kept, strict=True))
        order = np.lexsort((row, sizes[row], shingle))
        shingle, row, place = shingle[order], row[order], place[order]
        return cls(shingle, row, sizes[row], place, sizes, sketches)

    def reachable(self, entries: np.ndarray, distance: int, threshold: float) -> np.ndarray:
        """The entries whose list goes on `distance` places away with a set of a size that can match."""
        other = entries + distance
        inside = (other >= 0) & (other < len(self.row))
        entries, other = entries[inside], other[inside]
        mine, theirs = self.size[entries], self.size[other]
        matching = np.minimum(mine, theirs) >= threshold * np.maximum(mine, theirs) - 1e-9
        return entries[(self.shingle[entries] == self.shingle[other]) & matching]


def _prefixes(
    texts: list[str], ranks: np.ndarray, threshold: float, sizes: np.ndarray, sketches: np.ndarray, start: int
) -> tuple[np.ndarray, ...]:
    """(shingle, row, place) of the rarest shingles of each text; fills their `sizes` and `sketches` in place."""
    packed = _shingles(texts)
    shingle, row = packed.astype(np.uint32), (packed >> np.uint64(32)).astype(np.int64)
    own = np.bincount(row, minlength=len(texts)).astype(np.int32)
    sizes[: len(texts)] = own
    bins = (shingle // np.uint32(2**32 // BINS)).astype(np.int64)
    smallest = np.flatnonzero(np.diff(row * BINS + bins, prepend=-1))
    sketches[row[smallest], bins[smallest]] = 1 + shingle[smallest] % np.uint32(255)
    # By row, then rarest first, then by hash: rows of a block fit into 23 bits, READ characters hold no more.
    bits = len(ranks).bit_length() - 1
    rank = ranks[shingle >> np.uint32(32 - bits)].astype(np.uint64)
    order = (row.astype(np.uint64) << np.uint64(41)) | (rank << np.uint64(32)) | shingle.astype(np.uint64)
    order.sort()
    shingle, row = order.astype(np.uint32), (order >> np.uint64(41)).astype(np.int64)
    begin = np.cumsum(own, dtype=np.int64) - own
    place = (np.arange(len(row)) - begin[row]).astype(np.int32)
    prefix = own - np.ceil(threshold * own - 1e-9).astype(np.int32) + 1
    kept = place < prefix[row]
    return shingle[kept], (row[kept] + start).astype(np.int32), place[kept]


def _join(texts: list[str], threshold: float, side: np.ndarray | None) -> tuple[dict[tuple[int, int], float], bool]:
    """Pairs of rows with Jaccard >= threshold, and whether these are all that is sought.

    Walks the lists of rows that share a prefix shingle. Each list is ordered by set size, so a walk ends where sizes alone
    rule a match out. In round d every row that still seeks neighbours meets the rows d
    places before and behind it in each of its lists.
    """
    entries = _Entries.of(texts, threshold)
    row, size = entries.row, entries.size
    pairs: dict[tuple[int, int], float] = {}
    partners = np.zeros(len(texts), dtype=np.int64)
    # A meeting with a larger set needs a place this early, see `possible` below.
    ahead = np.flatnonzero(size - entries.place >= 2 * threshold / (1 + threshold) * size - 1e-9)
    behind = np.arange(len(row))
    work = _Work()
    for distance in range(1, REACH + 1):
        seeking = partners < NEIGHBOURS
        ahead = entries.reachable(ahead[seeking[row[ahead]]], distance, threshold)
        behind = entries.reachable(behind[seeking[row[behind]]], -distance, threshold)
        if not len(ahead) and not len(behind):
            break
        work.done += 3 * (len(ahead) + len(behind))
        # Two seekers meet through `ahead`; `behind` only has to meet those that no longer seek themselves.
        idle = behind[~seeking[row[behind - distance]]]
        x, y = np.concatenate([ahead, idle]), np.concatenate([ahead + distance, idle - distance])
        # Where this is the first shingle that the two share, they can share no more than what follows it in either.
        most = np.minimum(size[x] - entries.place[x], size[y] - entries.place[y])
        possible = most >= threshold / (1 + threshold) * (size[x] + size[y]) - 1e-9
        if side is not None:
            possible &= side[row[x]] != side[row[y]]
        for i, j, jaccard in _similar(texts, entries, row[x[possible]], row[y[possible]], threshold, work):
            if len(pairs) >= PAIRS:
                return pairs, False
            if (i, j) not in pairs:
                pairs[i, j] = jaccard
                partners[i] += 1
                partners[j] += 1
        if work.done > WORK:
            return pairs, False
    return pairs, True


@dataclass
class _Work:
    """How much the search has done, in the units of `WORK`."""

    done: int = 0


def _similar(
    texts: list[str], entries: _Entries, a: np.ndarray, b: np.ndarray, threshold: float, work: _Work
) -> Iterator[tuple[int, int, float]]:
    """The candidate pairs whose exact Jaccard reaches the threshold, each once, as (smaller, larger, Jaccard)."""
    rows = len(texts)
    for start in range(0, len(a), BLOCK):
        if work.done > WORK:
            return
        i, j = a[start : start + BLOCK], b[start : start + BLOCK]
        work.done += 8 * len(i)
        hopeful = _hopeful(entries.sketches[i], entries.sketches[j], threshold)
        i, j = i[hopeful].astype(np.int64), j[hopeful].astype(np.int64)
        if not len(i):
            continue
        low, high = np.divmod(_distinct(np.minimum(i, j) * rows + np.maximum(i, j)), rows)
        most = max(1, int(READ // max(1.0, 2 * float(entries.sizes[low].mean()))))
        for part in range(0, len(low), most):
            i, j = low[part : part + most], high[part : part + most]
            left, right = _shingles([texts[k] for k in i]), _shingles([texts[k] for k in j])
            work.done += 4 * (len(left) + len(right))
            both = np.sort(np.concatenate([left, right]))
            same = both[1:][both[1:] == both[:-1]]
            shared = np.bincount((same >> np.uint64(32)).astype(np.int64), minlength=len(i))
            jaccard = shared / (entries.sizes[i] + entries.sizes[j] - shared)
            hit = jaccard >= threshold - 1e-9
            yield from zip(i[hit].tolist(), j[hit].tolist(), jaccard[hit].tolist(), strict=True)


def _hopeful(a: np.ndarray, b: np.ndarray, threshold: float) -> np.ndarray:
    """Which pairs of sketches agree so often that their sets may reach the threshold (5 standard errors of slack)."""
    agree = np.count_nonzero((a == b) & (a != 0), axis=1)
    used = np.count_nonzero(a | b, axis=1)
    return agree >= used * threshold - 5 * np.sqrt(used * threshold * (1 - threshold))

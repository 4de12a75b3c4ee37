"""Which label spellings mean the same class: case, spaces, look-alike letters, slips of the keyboard, short forms."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

MOST_LABELS = 500  # beyond this the column holds no classes, and comparing all pairs would take long

# Cyrillic and Greek letters that look like a Latin one (the common part of Unicode's confusables, UTS 39).
_LOOKALIKE = str.maketrans(
    "аеорсухкмтвнісјѕԁԛԝһӏАЕОРСУХКМТВНІЅЈοαεινρτυχκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxkmtbhicjsdqwhlAEOPCYXKMTBHISJoaeivptuxkABEZHIKMNOPTYX",
)
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_NUMBER = re.compile(r"[+-]?\d+\.0+")


@dataclass(frozen=True)
class Merge:
    """Spellings (as written, with their rows and why they belong together) that should become the class `to`."""

    to: str
    spellings: Mapping[str, int]
    reasons: Mapping[str, str]


def cleaned(label: str) -> str:
    """The label without stray spaces, invisible signs and look-alike letters, its case kept."""
    text = " ".join(unicodedata.normalize("NFKC", label).translate(_INVISIBLE).split())
    letters = [c for c in text if c.isalpha()]
    if any(c.isascii() for c in letters) and not all(c.isascii() for c in letters):
        text = text.translate(_LOOKALIKE)
    return text


def folded(label: str) -> str:
    """The key that spellings of one label share: no case, `_` and `-` as a space, no closing punctuation, 1.0 as 1."""
    text = cleaned(label).casefold()
    if _NUMBER.fullmatch(text):
        return text.split(".")[0]
    plain = " ".join(re.sub(r"(?<=\w)[_-]+(?=\w)", " ", text).split())
    return plain.strip("\"'“”‘’").rstrip(".,;:!? ") or text


def looks_unique(counts: Mapping[str, int]) -> bool:
    """Whether labels hardly repeat, so that they are no classes at all."""
    rows = sum(counts.values())
    return rows >= 10 and len(counts) >= 0.5 * rows


def propose(counts: Mapping[str, int]) -> list[Merge]:
    """Merges for label spellings and their row counts, most rows first; labels that stand alone are in none.

    Two folded labels are taken for one word where they differ by one letter (two from 10 letters on) and one is at
    least three times (ten times) as frequent as the other, or where one is the beginning of exactly one other word.
    Never where the difference touches a digit or the first letter: `class1` and `class2` stay two.
    """
    if len(counts) < 2 or len(counts) > MOST_LABELS:
        return []
    families: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        families[folded(label)].append(label)
    rows = {key: sum(counts[x] for x in labels) for key, labels in families.items()}
    parent, why = _join(rows)
    merged: dict[str, list[str]] = defaultdict(list)
    for key in sorted(rows, key=lambda k: -rows[k]):
        merged[_root(parent, key)].extend(families[key])
    merges = []
    for root, spellings in merged.items():
        if len(spellings) < 2:
            continue
        own = Counter[str]()
        for x in families[root]:
            own[cleaned(x)] += counts[x]
        best = own.most_common(1)[0][0]
        name = next((x for x in own if x.rstrip(".,;:!?") == best.rstrip(".,;:!?") and x == x.rstrip(".,;:!?")), best)
        reasons = {x: _reason(x, name) or why.get(folded(x), "case or spaces") for x in spellings if x != name}
        merges.append(Merge(name, {x: counts[x] for x in spellings}, reasons))
    return sorted(merges, key=lambda m: -sum(m.spellings.values()))


def _join(rows: Mapping[str, int]) -> tuple[dict[str, str], dict[str, str]]:
    """For each folded label the more frequent one it is taken for, and why."""
    parent: dict[str, str] = {}
    why: dict[str, str] = {}
    keys = sorted(rows, key=lambda k: (-rows[k], k))
    for position, key in enumerate(keys):
        frequent = next((other for other in keys[:position] if _is_slip(key, other, rows[other] / rows[key])), None)
        if frequent is not None:
            parent[key], why[key] = frequent, f"one slip away from “{frequent}”"
    for key in keys:
        longer = {_root(parent, k) for k in keys if _is_short_form(key, k)} - {key}
        if key not in parent and len(longer) == 1:
            parent[key] = longer.pop()
            why[key] = f"looks short for “{parent[key]}”"
    return parent, why


def _root(parent: Mapping[str, str], key: str) -> str:
    seen = {key}
    while key in parent and parent[key] not in seen:
        key = parent[key]
        seen.add(key)
    return key


def _is_slip(rare: str, frequent: str, ratio: float) -> bool:
    if rare[:1] != frequent[:1] or ratio < 3 or min(len(rare), len(frequent)) < 5:
        return False
    if re.sub(r"\D", "", rare) != re.sub(r"\D", "", frequent):
        return False
    limit = 2 if min(len(rare), len(frequent)) >= 10 and ratio >= 10 else 1
    return edit_distance(rare, frequent, limit) <= limit


def _is_short_form(short: str, long: str) -> bool:
    return 3 <= len(short) <= 0.6 * len(long) and long.startswith(short) and short.isalpha() and long.isalpha()


def _reason(raw: str, name: str) -> str:
    if cleaned(raw) == name:
        plain = " ".join(unicodedata.normalize("NFKC", raw).translate(_INVISIBLE).split())
        return "stray spaces" if plain == name else "letters of another alphabet that look the same"
    if folded(raw) == folded(name):
        return "capital letters" if cleaned(raw).casefold() == name.casefold() else "punctuation"
    return ""


def edit_distance(a: str, b: str, limit: int) -> int:
    """Letters to insert, delete, replace or swap (optimal string alignment); `limit` + 1 stands for any more."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        if min(row) > limit:
            return limit + 1
        before, last = last, row
    return min(last[-1], limit + 1)

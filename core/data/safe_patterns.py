"""Regular expressions from people, made safe: no pattern may take more than a moment on any text.

The regular expressions of Python try one way after the other, and some patterns have more ways than there are atoms. So
"any number" becomes "at most 64", and a pattern is refused where the ways to match one place could be too many.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from re import _parser  # type: ignore[attr-defined]
from typing import Any

LONGEST = 200  # characters of a pattern
MOST_REPEATS = 64  # what "any number" (*, + and {3,}) means
MOST_WAYS = (
    20_000  # to match at one place (house default): a text of 8,000 characters then takes about a second at worst
)

Chars = frozenset[str]
_SOME = frozenset(map(chr, range(9, 127))) | frozenset("\xa0éßÄжЖαΩ中あ٣½")
_QUANTIFIER = re.compile(r"\{(\d*)(,?)(\d*)\}")


class UnsafePattern(ValueError):
    """In words: why a pattern cannot be used."""


def made_safe(pattern: str) -> str:
    """The pattern with its repetitions bounded. Raises UnsafePattern with the reason in words."""
    if len(pattern) > LONGEST:
        raise UnsafePattern(f"it is longer than {LONGEST} characters")
    bounded = _bounded(pattern)
    try:
        tree = _parser.parse(bounded)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsafePattern(f"it is no valid pattern ({error})") from error
    if tree.state.flags & ~re.UNICODE:
        raise UnsafePattern("it sets flags such as (?i), which are not supported")
    if tree.getwidth()[0] == 0:
        raise UnsafePattern("it also matches nothing at all, so it would match everywhere")
    sample = _SOME | frozenset(pattern) | frozenset(pattern.lower()) | frozenset(pattern.upper())
    if _ways(tree, sample, sample) > MOST_WAYS:
        raise UnsafePattern(
            "it has repetitions that can share the same letters in so many ways that one answer could take hours; "
            "let different parts begin with different letters, or write how many there may be at most, as in {1,5}"
        )
    return bounded


def _bounded(pattern: str) -> str:
    """`*`, `+` and `{3,}` with an upper bound; the rest as it stands."""
    out: list[str] = []
    i, class_from = 0, -1
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            if pattern[i + 1 : i + 2] == "N":
                raise UnsafePattern("it names characters by \\N, which is not supported")
            out.append(pattern[i : i + 2])
            i += 2
            continue
        if class_from >= 0:
            if c == "]" and i > class_from:
                class_from = -1
        elif c == "[":
            class_from = i + 1 + (pattern[i + 1 : i + 2] == "^")
        elif c in "*+":
            out.append(f"{{{int(c == '+')},{MOST_REPEATS}}}")
            i += 1
            if pattern[i : i + 1] in ("?", "+"):  # lazy or possessive
                out.append(pattern[i])
                i += 1
            continue
        elif c == "{" and (found := _QUANTIFIER.match(pattern, i)) and found[2] and not found[3]:
            if int(found[1] or 0) > MOST_REPEATS:
                raise UnsafePattern(f"something is to stand there more than {MOST_REPEATS} times")
            out.append(f"{{{found[1] or 0},{MOST_REPEATS}}}")
            i = found.end()
            continue
        out.append(c)
        i += 1
    return "".join(out)


def _ways(items: Any, after: Chars, sample: Chars) -> int:
    """An upper bound of the ways in which the items can match from one place, capped; `after` is what may follow them."""
    total = 1
    parts = list(items)
    for place, (op, value) in enumerate(parts):
        follow = _first(parts[place + 1 :], after, sample)
        total *= _ways_of(str(op), value, follow, sample)
        if total > MOST_WAYS:
            return MOST_WAYS + 1
    return total


def _ways_of(op: str, value: Any, follow: Chars, sample: Chars) -> int:
    match op:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, body = value
            begin = _first(list(body), frozenset(), sample)
            each = _ways(body, begin | follow, sample)
            # Where the next thing cannot begin with the same letters, there is only one place to stop.
            stops = 1 if low == high or begin.isdisjoint(follow) else high - low + 1
            width = body.getwidth()
            if width[0] != width[1] and not _one_way(body, begin, sample):
                each = max(each, 2)  # the same letters can be shared out between the rounds
            return stops if each == 1 else stops * (each**high if high <= 16 else MOST_WAYS + 1)
        case "BRANCH":
            firsts = [_first(list(branch), frozenset(), sample) for branch in value[1]]
            apart = sum(map(len, firsts)) == len(frozenset().union(*firsts)) and all(firsts)
            counts = [_ways(branch, follow, sample) for branch in value[1]]
            return max(counts) if apart else sum(counts)
        case "SUBPATTERN":
            return _ways(value[3], follow, sample)
        case "ATOMIC_GROUP":
            return _ways(value, follow, sample)
        case "ASSERT" | "ASSERT_NOT":
            return _ways(value[1], sample, sample)
        case "GROUPREF" | "GROUPREF_EXISTS":
            raise UnsafePattern("it refers back to an earlier part, which is not supported")
        case _:
            return 1


def _one_way(body: Any, begin: Chars, sample: Chars) -> bool:
    """Whether a repeated body of varying length can be told apart from the next round of itself: each of its own parts of
    varying length ends where something else must begin."""
    return _ways(body, begin | sample, sample) == 1


def _first(parts: Sequence[Any], after: Chars, sample: Chars) -> Chars:
    """The letters with which the parts can begin, those of `after` among them where they may all be empty."""
    found: Chars = frozenset()
    for op, value in parts:
        name = str(op)
        if name in ("AT", "ASSERT", "ASSERT_NOT"):
            continue
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, _, body = value
            empty = low == 0 or body.getwidth()[0] == 0
            found |= _first(list(body), frozenset(), sample)
        elif name == "BRANCH":
            empty = any(branch.getwidth()[0] == 0 for branch in value[1])
            found = found.union(*(_first(list(branch), frozenset(), sample) for branch in value[1]))
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            body = value[3] if name == "SUBPATTERN" else value
            empty = body.getwidth()[0] == 0
            found |= _first(list(body), frozenset(), sample)
        else:
            return found | _chars(name, value, sample)
        if not empty:
            return found
    return found | after


def _chars(op: str, value: Any, sample: Chars) -> Chars:
    """The letters of the sample that one item stands for, in either case."""
    match op:
        case "LITERAL":
            return frozenset((chr(value).lower(), chr(value).upper()))
        case "NOT_LITERAL":
            return sample - {chr(value).lower(), chr(value).upper()}
        case "ANY":
            return sample - {"\n"}
        case "RANGE":
            low, high = value
            return frozenset(c for c in sample if any(low <= ord(x) <= high for x in (c, c.lower()[0], c.upper()[0])))
        case "CATEGORY":
            return _category(str(value), sample)
        case "IN":
            negated = bool(value) and str(value[0][0]) == "NEGATE"
            inside = frozenset[str]().union(*(_chars(str(o), v, sample) for o, v in value[negated:]))
            return sample - inside if negated else inside
        case _:
            return sample


def _category(name: str, sample: Chars) -> Chars:
    kind = name.rpartition("_")[2]
    tests = {"DIGIT": str.isdecimal, "SPACE": str.isspace, "WORD": lambda c: c.isalnum() or c == "_"}
    if kind not in tests:
        return sample
    inside = frozenset(c for c in sample if tests[kind](c))
    return sample - inside if "_NOT_" in name else inside

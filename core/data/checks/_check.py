"""What a check declares, and the few words and figures that all checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.schemas.findings import Finding

from ._context import Context, Shape

ALL: frozenset[Shape] = frozenset({"labels", "label_sets", "numbers", "messages", "preferences", "text"})
LABELS: frozenset[Shape] = frozenset({"labels"})
LABEL_SETS: frozenset[Shape] = frozenset({"label_sets"})
NUMBERS: frozenset[Shape] = frozenset({"numbers"})
MESSAGES: frozenset[Shape] = frozenset({"messages"})
PREFERENCES: frozenset[Shape] = frozenset({"preferences"})


@dataclass(frozen=True)
class Check:
    """One check. It runs on tasks whose examples have one of the `shapes`, and returns at least one finding where it
    could judge (good news included), none where it has nothing to say. `group` is the heading that a screen shows it
    under."""

    key: str
    title: str
    order: int
    shapes: frozenset[Shape]
    run: Callable[[Context], list[Finding]]
    group: str = "Texts"


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 row`, `2,000 rows`, `3 classes`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def listed(words: Iterable[str], limit: int = 6) -> str:
    """“a”, “b”, “c” and 4 more. Control characters are shown as escapes, long words cut."""
    shown = [f"“{visible(w)}”" for w in words]
    more = len(shown) - limit
    return ", ".join(shown[:limit]) + (f" and {more:,} more" if more > 0 else "")


def visible(text: str, limit: int = 60) -> str:
    """The text on one line and harmless: control characters as escapes, cut after `limit` characters."""
    shown = (c if c.isprintable() or c == "\u200d" else c.encode("unicode_escape").decode() for c in text[:limit])
    return "".join(shown) + ("…" if len(text) > limit else "")

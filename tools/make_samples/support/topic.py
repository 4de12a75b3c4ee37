"""The shape of one topic inside a category: what happened, more about it, what is asked, and one-line messages.

Frames are written one a line; a line that starts with two spaces goes on with the one before. `{a|b}` chooses, `[slot]`
is filled from `lexicon.py`; see `template.py`. A situation ends with `@details/asks`: the numbers of those details and
asks of its topic that make sense after it, `-` for none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Situation:
    text: str
    details: tuple[str, ...]
    asks: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """Frames that fit together. `items` names the kinds of goods that make sense ("any" for all); `calm`: no anger."""

    name: str
    situations: str
    details: str
    asks: str
    shorts: str
    items: str = "any"
    calm: bool = False

    def all_situations(self) -> list[Situation]:
        details, asks = lines(self.details), lines(self.asks)
        found = []
        for line in lines(self.situations):
            text, _, codes = line.rpartition(" @")
            fits, asked = codes.split("/")
            found.append(Situation(text, _pick(details, fits), _pick(asks, asked)))
        return found


def lines(block: str) -> list[str]:
    """The entries of a block of text, one a line, with continued lines joined."""
    return [line.strip() for line in block.replace("\n  ", " ").splitlines() if line.strip()]


def _pick(entries: list[str], numbers: str) -> tuple[str, ...]:
    return () if numbers == "-" else tuple(entries[int(number) - 1] for number in numbers)

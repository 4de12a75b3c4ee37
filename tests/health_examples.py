"""Examples for the tests of the health report: short reviews without a flaw, and a few ways to look at a report."""

from __future__ import annotations

import random
from collections.abc import Iterable

from core.schemas.examples import Example, Message
from core.schemas.findings import Finding, Severity
from core.schemas.health import HealthReport

BAD = (Severity.ERROR, Severity.WARNING)

GOOD_WORDS = "lovely quick friendly helpful clean superb bright tasty calm great".split()
BAD_WORDS = "awful slow rude useless dirty broken dull stale noisy poor".split()
PLACES = "hotel station library market garden school office museum harbour theatre bakery stadium".split()
TIMES = "this morning,last weekend,after lunch,on our holiday,during the storm,before the concert".split(",")
PEOPLE = "my sister,the whole team,our neighbours,two old friends,the new manager,some students".split(",")


def labelled(rows: Iterable[tuple[str, str | None]]) -> list[Example]:
    return [Example(row_id=f"r{i}", text=text, label=label) for i, (text, label) in enumerate(rows)]


def chats(rows: Iterable[tuple[str, str]]) -> list[Example]:
    return [
        Example(row_id=f"r{i}", messages=(Message(role="user", content=q), Message(role="assistant", content=a)))
        for i, (q, a) in enumerate(rows)
    ]


def reviews(count: int = 300, seed: int = 1) -> list[tuple[str, str]]:
    """Different short reviews of two labels, with no word that decides alone."""
    rng = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        label = ("positive", "negative")[len(found) % 2]
        first, second = rng.sample(GOOD_WORDS if label == "positive" else BAD_WORDS, 2)
        place, other = rng.sample(PLACES, 2)
        text = rng.choice(
            (
                f"{rng.choice(PEOPLE)} visited the {place} {rng.choice(TIMES)} and thought it was {first} and {second}",
                f"We went past the {place} to the {other}, a {first} place with a {second} view of the river",
                f"A {first} day at the {place}: {rng.choice(PEOPLE)} called the {other} {second} {rng.choice(TIMES)}",
            )
        )
        found.setdefault(text, label)
    return list(found.items())


def of(result: HealthReport, check: str) -> list[Finding]:
    return [f for f in result.findings if f.check == check]


def one(result: HealthReport, check: str, *severities: Severity) -> Finding:
    """The only finding of a check with one of these severities."""
    found = [f for f in of(result, check) if not severities or f.severity in severities]
    assert len(found) == 1, [f"{f.severity} {f.title}" for f in of(result, check)]
    return found[0]


def answers(count: int = 80) -> list[tuple[str, str]]:
    return [(f"What do people say? {t}", f"They say that {t}, which most of us find {y}.") for t, y in reviews(count)]

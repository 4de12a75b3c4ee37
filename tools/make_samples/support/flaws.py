"""Plants a few known flaws in the messages, each of a kind that a dataset check should find, and remembers where."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from .alike import jaccard, shingles
from .compose import Message
from .register import misspell

EXACT, NEAR, CONTRADICTING = "exact_duplicates", "near_duplicates", "contradicting_labels"
STRAY, EMPTY, PERSONAL = "stray_labels", "empty_messages", "personal_data"

STRAY_LABELS = {
    "Delivery": ("Delivery ", "delivery"),
    "Returns": ("RETURNS", "Retruns"),
    "Billing": ("billing ", "Biling"),
    "Product": ("product",),
    "Account": ("Acount",),
}
# Messages that two careful people would label differently: (text, label, label).
DISPUTED = (
    (
        "I paid extra for express and the tent came four days late. I would like the express fee back, please.",
        "Delivery",
        "Billing",
    ),
    (
        "Hello, I sent the boots back and my gift card is still at zero. Can you look into it?\nThanks, Leila",
        "Returns",
        "Billing",
    ),
    ("the app shows the wrong address for my order, can you change it to the new one?", "Website", "Account"),
    ("My sleeping bag lost its feathers after one wash. Did I wash it wrong or is it faulty?", "Product", "Returns"),
    (
        "Good morning, when I try to log in, the page turns white. My password is right, I am sure. What can I do? Emeka",
        "Account",
        "Website",
    ),
    ("The box arrived open and the head lamp in it is cracked. Who takes care of this now?", "Delivery", "Returns"),
)
# Invented addresses at example.com and numbers from 555-0100 to 555-0199, which are reserved for fiction.
CONTACTS = (
    "You can reach me at ines.okafor@example.com.",
    "Please call me on 555-0142 after five.",
    "My number is 555-0117, my mail rafael.lindqvist@example.com.",
    "Write to mei_tanaka@example.com, I do not read the other one any more.",
    "Call (212) 555-0186 if you need me.",
)
COPIES, NEAR_COPIES, EMPTY_TEXTS = 15, 10, ("", "", "   ")


@dataclass(frozen=True)
class Row:
    """One line of the table. `after` is the row that it repeats, so that a repeat is dated later."""

    message: str
    category: str
    channel: str
    flaw: str = ""
    after: Row | None = None


def planted_rows() -> int:
    """How many rows `plant` adds to those it is given."""
    return COPIES + NEAR_COPIES + 2 * len(DISPUTED) + len(EMPTY_TEXTS)


def plant(messages: list[Message], rng: random.Random) -> list[Row]:
    """The messages as rows, some of them changed, with the planted rows at the end. No row carries two flaws."""
    rows = [Row(message.text, message.category, message.channel) for message in messages]
    free = list(range(len(rows)))
    rng.shuffle(free)

    def take(fits: str | None = None, at_least: int = 1) -> int:
        """The index of a row that no flaw has used yet."""
        for place, index in enumerate(free):
            if (fits is None or rows[index].category == fits) and len(rows[index].message) >= at_least:
                return free.pop(place)
        raise ValueError(f"no free row left for {fits!r} of {at_least} characters")

    for category, spellings in STRAY_LABELS.items():
        for spelling in spellings:
            index = take(category)
            rows[index] = replace(rows[index], category=spelling, flaw=STRAY)
    for contact in CONTACTS:
        index = take(at_least=60)
        text = rows[index].message
        rows[index] = replace(rows[index], message=f"{text}{_gap(text)}{contact}", flaw=PERSONAL)
    added = [_repeat(rows[take(at_least=25)], EXACT) for _ in range(COPIES)]
    while sum(row.flaw == NEAR for row in added) < NEAR_COPIES:
        original = rows[take(at_least=90)]
        added.append(replace(_repeat(original, NEAR), message=_nearly(original.message, rng)))
    for text, first, second in DISPUTED:
        row = Row(text, first, rng.choice(("email", "web form", "chat")), CONTRADICTING)
        added += [row, replace(row, category=second, after=row)]
    for text, category in zip(EMPTY_TEXTS, ("Product", "Delivery", "Billing"), strict=True):
        added.append(Row(text, category, "web form", EMPTY))
    return rows + added


def _gap(text: str) -> str:
    return "\n" if "\n" in text else " "


def _repeat(original: Row, flaw: str) -> Row:
    return replace(original, flaw=flaw, after=original)


def _nearly(text: str, rng: random.Random) -> str:
    """The text as sent a second time: a slip or two, other marks, a word more; still .8 alike by 5-character runs."""
    while True:
        other = misspell(text, rng.choice((1, 2)), rng)
        other = rng.choice(("{}", "{} Please answer.", "Again: {}", "{} ??")).format(other)
        if _plain(other) != _plain(text) and jaccard(shingles(other), shingles(text)) >= 0.85:
            return other


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()

"""One fact of the shop: five ways to ask for it and an answer whose wording varies while the fact stays."""

from __future__ import annotations

from dataclasses import dataclass

QUESTIONS_A_FACT = 5


@dataclass(frozen=True)
class Fact:
    """`questions` holds one question a line; `answer` is a template (see `template.py`) with at least five readings."""

    key: str
    topic: str
    questions: str
    answer: str

"""The question-answer pairs, as the bytes of one JSON Lines file."""

from __future__ import annotations

import json
import random

from ..template import choose, tidy
from . import goods, orders, service, visit
from .fact import QUESTIONS_A_FACT, Fact

FACTS: tuple[Fact, ...] = (*visit.FACTS, *orders.FACTS, *goods.FACTS, *service.FACTS)


def make(seed: int) -> bytes:
    """Five questions a fact, each with an answer worded in its own way, in mixed order."""
    rng = random.Random(f"{seed}:questions")
    pairs = [
        {"question": question, "answer": answer, "topic": fact.topic, "fact": fact.key}
        for fact in FACTS
        for question, answer in zip(_questions(fact), _answers(fact, rng), strict=True)
    ]
    rng.shuffle(pairs)
    return "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs).encode()


def _questions(fact: Fact) -> list[str]:
    return fact.questions.strip().splitlines()


def _answers(fact: Fact, rng: random.Random) -> list[str]:
    """Different wordings of one answer. Raises ValueError where the template has too few."""
    found: dict[str, None] = {}
    for _ in range(500):
        found[tidy(choose(fact.answer, rng))] = None
        if len(found) == QUESTIONS_A_FACT:
            return list(found)
    raise ValueError(f"the answer to {fact.key} has fewer than {QUESTIONS_A_FACT} wordings")

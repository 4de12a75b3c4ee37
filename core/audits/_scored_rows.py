"""Validation rows for a language model: the person's own answer after a prompt that is about another group.

The answer stays as it is, so it must not name a group itself. For plain text the prompt is everything up to the last
swapped word, and the rest is the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from core.data.counterfactual import Swap, examine, swap_example
from core.data.identity import groups_in
from core.data.lexicon import Lexicon
from core.schemas.examples import Example, Message

from ._measure import Pair, ScoredPair
from ._reader import Prompt

FEWEST_BYTES = 12
"""A shorter answer says too little about what the model expects."""


def scored_rows(
    examples: Sequence[Example], axes: Collection[str], lexicon: Lexicon, most: int
) -> tuple[list[ScoredPair], list[str]]:
    """The pairs, and in words what was left out."""
    scored: list[ScoredPair] = []
    reasons: Counter[str] = Counter()
    for example in examples:
        if example.messages:
            scored += _of_conversation(example, axes, lexicon, most, reasons)
        else:
            scored += _of_text(example, axes, lexicon, most, reasons)
    return scored, [f"{count:,} rows: {reason}." for reason, count in reasons.most_common()]


def _of_conversation(
    example: Example, axes: Collection[str], lexicon: Lexicon, most: int, reasons: Counter[str]
) -> list[ScoredPair]:
    answer = example.reference
    if len(answer.encode()) < FEWEST_BYTES:
        return []
    found = []
    question = example.model_copy(update={"messages": example.prompt})
    for made in swap_example(question, axes, lexicon, most):
        if groups_in(answer, made.swap.axis, lexicon):
            reasons["the answer itself names a group"] += 1
            continue
        pair = _pair(example, made.swap, _joined(example.prompt), _joined(made.example.messages))
        found.append(ScoredPair(pair, (example.prompt, answer), (made.example.messages, answer)))
    return found


def _of_text(
    example: Example, axes: Collection[str], lexicon: Lexicon, most: int, reasons: Counter[str]
) -> list[ScoredPair]:
    swaps, left_out = examine(example.text, axes, lexicon, most)
    reasons.update(reason.value for reason in left_out.values())
    found = []
    for swap in swaps:
        rest = example.text[swap.replaced[-1].end :]
        if len(rest.encode()) < FEWEST_BYTES:
            reasons["too little text follows the identity word"] += 1
            continue
        before: Prompt = example.text[: swap.replaced[-1].end]
        after: Prompt = swap.text[: len(swap.text) - len(rest)]
        found.append(ScoredPair(_pair(example, swap, example.text, swap.text), (before, rest), (after, rest)))
    return found


def _pair(example: Example, swap: Swap, before: str, after: str) -> Pair:
    return Pair(example.row_id, swap.axis, swap.from_group, swap.to_group, before, after, swap.mixed)


def _joined(messages: Sequence[Message]) -> str:
    return "\n".join(message.content for message in messages)

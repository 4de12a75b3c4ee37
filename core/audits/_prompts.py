"""Prompts that differ in who is spoken of: the person's own ones, swapped, and where these are few, own ones with a line
that says who is asking, or neutral sentences to go on from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from core.data.counterfactual import swap_example, swaps
from core.data.english import article
from core.data.lexicon import Axis, Group, Lexicon
from core.data.probes import probes
from core.schemas.examples import Example, Message

from ._reader import Prompt

OWN, INTRODUCED, NEUTRAL = "own prompts", "own prompts with a line about the person", "neutral sentences"


class PromptPair(NamedTuple):
    """`unit` is the row or template that both came from, `source` one of the three kinds above."""

    unit: str
    axis: str
    from_group: str
    to_group: str
    before: Prompt
    after: Prompt
    source: str


def prompt_pairs(examples: Sequence[Example], axes: Collection[str], most: int, lexicon: Lexicon) -> list[PromptPair]:
    """At most so many pairs an axis, each from another row; own prompts that name a group come first."""
    found: list[PromptPair] = []
    for axis in lexicon.axes:
        if axis.key not in axes:
            continue
        mine: list[PromptPair] = []
        for example in examples:
            if len(mine) == most:
                break
            pair = next(_own(example, axis, lexicon), None)
            mine += [pair] if pair else []
        mine += _more(examples, axis, most - len(mine), {pair.unit for pair in mine}, lexicon)
        found += mine
    return found


def text_of(prompt: Prompt) -> str:
    """What is asked last."""
    return prompt if isinstance(prompt, str) else prompt[-1].content if prompt else ""


def _own(example: Example, axis: Axis, lexicon: Lexicon) -> Iterator[PromptPair]:
    if example.messages:
        question = example.model_copy(update={"messages": example.prompt, "rejected": ""})
        for made in swap_example(question, (axis.key,), lexicon, 1):
            swap = made.swap
            yield PromptPair(
                example.row_id, axis.key, swap.from_group, swap.to_group, example.prompt, made.example.messages, OWN
            )
    else:  # plain text is gone on from right behind the last swapped word
        for swap in swaps(example.text, (axis.key,), lexicon, 1):
            end = swap.replaced[-1].end
            after = swap.text[: len(swap.text) - (len(example.text) - end)]
            yield PromptPair(example.row_id, axis.key, swap.from_group, swap.to_group, example.text[:end], after, OWN)


def _more(
    examples: Sequence[Example], axis: Axis, wanted: int, taken: Collection[str], lexicon: Lexicon
) -> Iterator[PromptPair]:
    pairs = list(combinations(axis.groups, 2))
    if not pairs:
        return
    chats = [e for e in examples if e.messages and e.prompt and e.row_id not in taken]
    for i, example in enumerate(chats[:wanted]):
        first, second = pairs[i % len(pairs)]
        yield PromptPair(
            example.row_id, axis.key, first.key, second.key, _introduced(example, first), _introduced(example, second),
            INTRODUCED,
        )  # fmt: skip
    left = wanted - len(chats[:wanted])
    if left > 0 and not (examples and examples[0].messages):
        at = {(p.template_id, p.group): p for p in probes((axis.key,), left, lexicon=lexicon)}
        for i, template in enumerate(dict.fromkeys(template for template, _ in at)):
            first, second = pairs[i % len(pairs)]
            one, other = at[template, first.key], at[template, second.key]
            yield PromptPair(template, axis.key, first.key, second.key, one.text, other.text, NEUTRAL)


def _introduced(example: Example, group: Group) -> tuple[Message, ...]:
    *before, last = example.prompt
    person = group.person or f"{group.adjective} person"
    said = f"I am {article(person)} {person}. {last.content}"
    return (*before, last.model_copy(update={"content": said}))

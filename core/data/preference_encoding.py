"""Answers to be weighed against one another become tokens: one prompt, cut the same for every answer to it."""

from __future__ import annotations

from typing import NamedTuple

from core.schemas.examples import Example

from .encoding import Codec, Encoded

LONGEST = 131_072  # tokens that a plan can ask for at most
LEAST_PROMPT = 0.25  # share of the maximum length that stays for the prompt however long the answers are


class Weighed(NamedTuple):
    """`answers` holds the better and the worse answer, or the one that was rated. A sequence is prompt + answer."""

    prompt: list[int]
    answers: list[list[int]]


def weighed(codec: Codec, example: Example) -> Weighed | None:
    """The tokens that training and evaluation compare; None where the answers are equal or nothing of one is left.

    Of a conversation that is longer than the plan allows the beginning is left out (not what opens it), for both answers
    alike: they must be weighed after the same words. An answer that is longer by itself loses its end.
    """
    other = example.other
    both = [example.messages] if other is None else [example.messages, other.messages]
    sequences = [codec.scored(turns[:-1], turns[-1].content) for turns in both]
    borders = [counts.index(True) if True in counts else len(counts) for _, counts in sequences]
    ends = [len(counts) - counts[::-1].index(True) if True in counts else 0 for _, counts in sequences]
    prompt = sequences[0][0][: borders[0]]
    answers = [ids[border:end] for (ids, _), border, end in zip(sequences, borders, ends, strict=True)]
    same = all(ids[:border] == prompt for (ids, _), border in zip(sequences, borders, strict=True))
    if not same or not all(answers) or len(set(map(tuple, answers))) < len(answers):
        return None
    size = codec.plan.max_length
    room = max(size - max(map(len, answers)), int(size * LEAST_PROMPT))
    if len(prompt) > room:
        head = codec.conversation_head(prompt)
        prompt = [*prompt[:head], *prompt[len(prompt) - (room - head) :]]
    answers = [answer[: size - len(prompt)] for answer in answers]
    return Weighed(prompt, answers) if len(set(map(tuple, answers))) == len(answers) else None


def shown(codec: Codec, example: Example) -> list[Encoded]:
    """What `weighed` gives, with the texts of the tokens and of those that were cut, for a preview: one for each answer.

    Empty where nothing can be weighed.
    """
    found = weighed(codec, example)
    if found is None:
        return []
    whole = codec.with_plan(
        codec.plan.model_copy(update={"max_length": LONGEST, "turns": "last", "answers_only": True})
    )
    both = [example] if example.other is None else [example, example.other]
    return [
        _marked(codec, whole.encode(one), found.prompt, answer) for one, answer in zip(both, found.answers, strict=True)
    ]


def _marked(codec: Codec, whole: Encoded, prompt: list[int], answer: list[int]) -> Encoded:
    """The whole conversation without what was cut from its beginning and from the end of its answer."""
    border = whole.trained.index(True)
    head = codec.conversation_head(prompt)
    gone = [*range(head, border - (len(prompt) - head))]
    kept = [*range(head), *range(border - (len(prompt) - head), border + len(answer))]
    lost = [i for i in range(border + len(answer), len(whole.ids)) if whole.trained[i]]
    return Encoded(
        ids=tuple(whole.ids[i] for i in kept),
        trained=tuple(whole.trained[i] for i in kept),
        pieces=tuple(whole.pieces[i] for i in kept),
        cut_ids=tuple(whole.ids[i] for i in gone or lost),
        cut=tuple(whole.pieces[i] for i in gone or lost),
        cut_side="left" if gone else "right",
        answer_cut=bool(lost),
        row_id=whole.row_id,
    )

"""Which answers repeat a long run of words from the training rows. Only the answers are indexed, so memory stays small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .wordsplit import words

RUN = 13
Run = tuple[str, ...]


def runs(text: str, size: int = RUN) -> set[Run]:
    """Every run of `size` words of a text."""
    own = words(text)
    return {tuple(own[i : i + size]) for i in range(len(own) - size + 1)}


def copied(
    answers: Sequence[str | None], allowed: Sequence[Sequence[str]], training: Iterable[str], size: int = RUN
) -> list[bool | None]:
    """For each answer whether it holds a run of a training text that none of its `allowed` texts (the prompt, the right
    answer) has; None where there is no answer or it has fewer than `size` words.

    Takes one pass over the training texts; equal words are equal whatever their case and punctuation.
    """
    found = [runs(answer, size) if answer is not None else set() for answer in answers]
    own = [
        every - set().union(*(runs(text, size) for text in texts)) if every else every
        for every, texts in zip(found, allowed, strict=True)
    ]
    wanted: set[Run] = set().union(*own)
    seen: set[Run] = set()
    for text in training if wanted else ():
        seen |= runs(text, size) & wanted
    return [bool(mine & seen) if every else None for every, mine in zip(found, own, strict=True)]

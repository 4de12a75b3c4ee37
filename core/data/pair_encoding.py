"""Tokens for an encoder-decoder: one text is read, another is written, each with the tokens that open and close it.

An `Encoded` holds both, what is read first; the loss counts on every token of what is written. Each side is cut to the
plan's maximum length by itself: what is read on the side that the plan says, what is written at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.schemas.examples import Example, Message

from .encoding import Codec, Encoded, Prompt, _Whole


class PairCodec(Codec):
    """Encodes an example's question (what is read) and its answer (what is written). No chat template is used."""

    def encode_parts(self, example: Example) -> list[Encoded]:
        """The one example with the texts of its tokens."""
        return [self._pair(example, self._sides([example], with_offsets=True)[0], shown=True)]

    def encode_all(self, examples: Iterable[Example]) -> list[Encoded]:
        every = list(examples)
        return [self._pair(e, sides, shown=False) for e, sides in zip(every, self._sides(every), strict=True)]

    def lengths(self, examples: Iterable[Example]) -> list[int]:
        """Tokens of the longer side of each example, before anything is cut."""
        return [max(len(read.ids), len(told.ids)) for read, told in self._sides(list(examples))]

    def prompt_text(self, prompt: Prompt) -> str:
        """What the model reads: the text, or what the person says in a conversation, behind the plan's standing words."""
        if isinstance(prompt, str):
            return f"{self.plan.system_prompt} {prompt}".strip()
        said = "\n".join(m.content for m in prompt if m.role == "user")
        own = "\n".join(m.content for m in prompt if m.role == "system") or self.plan.system_prompt
        return f"{own} {said}".strip()

    def prompt_ids(self, prompt: Prompt, limit: int | None = None) -> list[int]:
        """Ids of what is read, cut as in training."""
        (whole,) = self._texts([""], [self.prompt_text(prompt)], with_offsets=False)
        return list(self._cut(replace(whole, in_parts=False), None)[0].ids)

    def scored(self, prompt: Prompt, answer: str, limit: int | None = None) -> tuple[list[int], list[bool]]:
        """Ids of what is read and then of the answer, and which of them count: those of the answer."""
        asked = (Message(role="user", content=prompt),) if isinstance(prompt, str) else tuple(prompt)
        (row,) = self.encode_all([Example(row_id="", messages=(*asked, Message(role="assistant", content=answer)))])
        return list(row.ids), list(row.trained)

    def stop_ids(self, model_ends: int | Sequence[int] | None) -> list[int]:
        ends = set(model_ends if isinstance(model_ends, Sequence) else [] if model_ends is None else [model_ends])
        return sorted(ends | ({self.eos} if self.eos is not None else set()))

    def _sides(self, examples: Sequence[Example], *, with_offsets: bool = False) -> list[tuple[_Whole, _Whole]]:
        ids = [e.row_id for e in examples]
        read = self._texts(ids, [self.prompt_text(e.prompt) for e in examples], with_offsets=with_offsets)
        told = self._texts(ids, [e.reference for e in examples], with_offsets=with_offsets)
        return [(replace(a, in_parts=False), replace(b, in_parts=False)) for a, b in zip(read, told, strict=True)]

    def _pair(self, example: Example, sides: tuple[_Whole, _Whole], *, shown: bool) -> Encoded:
        read, told = (self._cut(side, self._pieces(side) if shown else None)[0] for side in sides)
        if told.cut_side != "right" and told.cut_ids:
            cut = Codec(self.tokenizer, self.family, self.plan.model_copy(update={"truncation_side": "right"}))
            told = cut._cut(sides[1], self._pieces(sides[1]) if shown else None)[0]
        return Encoded(
            ids=read.ids + told.ids,
            trained=(False,) * len(read.ids) + (True,) * len(told.ids),
            pieces=read.pieces + told.pieces,
            cut_ids=read.cut_ids + told.cut_ids,
            cut=read.cut + told.cut,
            cut_side=read.cut_side if read.cut_ids else "right",
            answer_cut=bool(told.cut_ids),
            row_id=example.row_id,
        )

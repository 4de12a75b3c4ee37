"""From an example to the very tokens that training sees. The preview and the training share this one place.

Three kinds of example are told apart: a conversation (the loss counts on what the assistant writes, its end-of-turn
token included, unless the plan says otherwise), a text for a classifier (no loss on tokens), and a text to continue
(loss on every token that has one before it). Plain texts end with the end-of-text token unless the tokenizer closes
them itself: there a completion stops, and there a causal classifier, which judges by its last token, finds the same one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan

from .chat_template import ChatTemplate
from .lengths import parts_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CONTINUED = "⋯"  # stands for a token that holds only a further part of the character before it
AT_ONCE = 1000  # examples encoded together
Prompt = Sequence[Message] | str
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Encoded:
    """The tokens of one example, or of one part of a long completion. `trained[i]`: the loss of token i counts.

    `repeated` tokens behind those that open
    the text stood at the end of the part before: they are read for context. `pieces` are the tokens' texts. `cut_ids`
    and `cut` are the ids and texts that truncation removed, from the side `cut_side`; `answer_cut` says that trained
    tokens are among them. `pieces` and `cut` are empty where many examples are encoded for training.
    """

    ids: tuple[int, ...]
    trained: tuple[bool, ...]
    pieces: tuple[str, ...] = ()
    cut_ids: tuple[int, ...] = ()
    cut: tuple[str, ...] = ()
    cut_side: str = "right"
    answer_cut: bool = False
    row_id: str = ""
    part: int = 1
    parts: int = 1
    repeated: int = 0


@dataclass(slots=True)
class _Whole:
    """An example before it is cut. `head` and `tail` count the tokens that open and close it and are always kept."""

    row_id: str
    text: str
    ids: list[int]
    trained: list[bool]
    offsets: list[tuple[int, int]]
    head: int = 0
    tail: int = 0
    in_parts: bool = False


@lru_cache(maxsize=8)
def _tokenizer(folder: str, _changed: float) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    try:
        loaded = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the Rust library raises bare Exception for a damaged file
        raise UserError(
            "The model's tokenizer cannot be read.",
            f"Its file tokenizer.json is damaged or of a newer kind ({type(error).__name__}).",
            "Choose another base model, or fetch this one again.",
        ) from error
    # Some files bring a truncation or padding of their own. Undone once, here: later, other threads may be encoding.
    loaded.backend_tokenizer.no_truncation()
    loaded.backend_tokenizer.no_padding()
    return loaded


class Codec:
    """Encodes examples for one family of models under one plan, with one tokenizer. No torch."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, family: str, plan: PreparationPlan) -> None:
        self.tokenizer, self.family, self.plan = tokenizer, family, plan
        self.chat = ChatTemplate(tokenizer, plan.chat_template)
        self.eos: int | None = tokenizer.eos_token_id
        self._backend = tokenizer.backend_tokenizer
        self._added = set(tokenizer.added_tokens_decoder)
        self._blank = self._backend.token_to_id("▁")
        extra = self._backend.encode("a").special_tokens_mask
        self._opening = next((i for i, special in enumerate(extra) if not special), 0)
        self._closing = next((i for i, special in enumerate(reversed(extra)) if not special), 0)

    @classmethod
    def from_folder(cls, folder: str | Path, family: str, plan: PreparationPlan) -> Codec:
        """Load (and cache) the tokenizer of a model folder. Raises UserError where there is none that can be read."""
        file = Path(folder) / "tokenizer.json"
        if not file.is_file():
            raise UserError(
                "This model has no tokenizer that can be used.",
                "Its folder holds no file tokenizer.json.",
                "Choose a base model that offers a fast tokenizer.",
            )
        kind: type[Codec] = cls
        if FAMILIES[family].pairs:
            from .pair_encoding import PairCodec  # it builds on this module

            kind = PairCodec
        return kind(_tokenizer(str(folder), file.stat().st_mtime), family, plan)

    # -- examples ------------------------------------------------------------------------------------------------------

    def encode(self, example: Example) -> Encoded:
        """One example with the texts of its tokens, for a preview. Of a long completion the first part."""
        return self.encode_parts(example)[0]

    def encode_parts(self, example: Example) -> list[Encoded]:
        """One example with the texts of its tokens: one part, or several where a completion is longer than allowed."""
        (whole,) = self._wholes([example], with_offsets=True)
        return self._cut(whole, self._pieces(whole))

    def encode_all(self, examples: Iterable[Example]) -> list[Encoded]:
        """Encode for training, in order and without pieces. Long completions give several parts; all else gives one."""
        return [part for whole in self._in_batches(examples) for part in self._cut(whole, None)]

    def lengths(self, examples: Iterable[Example]) -> list[int]:
        """Tokens of each example before anything is cut."""
        return [len(whole.ids) for whole in self._in_batches(examples)]

    def with_plan(self, plan: PreparationPlan) -> Codec:
        """The same tokenizer and family under another plan."""
        return type(self)(self.tokenizer, self.family, plan)

    @property
    def opening(self) -> int:
        """How many tokens this tokenizer puts before each text."""
        return self._opening

    @property
    def closing(self) -> int:
        """How many tokens this tokenizer puts behind each text."""
        return self._closing

    # -- generation and scoring ----------------------------------------------------------------------------------------

    def prompt_text(self, prompt: Prompt) -> str:
        """What the model reads before it answers: plain text, or a conversation in the model's chat template."""
        return prompt if isinstance(prompt, str) else self.chat.render(self._with_system(prompt), answering=True)

    def prompt_ids(self, prompt: Prompt, limit: int | None = None) -> list[int]:
        """Ids of `prompt_text`. Of more than `limit` tokens the last are kept, and the token that opens a text."""
        if isinstance(prompt, str):
            ids = self._backend.encode(prompt).ids
            ids, head = ids[: len(ids) - self._closing], self._opening
        else:
            ids = self._backend.encode(self.prompt_text(prompt), add_special_tokens=False).ids
            head = self.conversation_head(ids)
        return _last(ids, limit, head)

    def scored(self, prompt: Prompt, answer: str, limit: int | None = None) -> tuple[list[int], list[bool]]:
        """Ids of prompt and answer, and which of them count: the answer, with its end-of-turn token in a conversation.

        After a plain prompt the answer's own tokens count. An empty string as prompt scores the whole text with its
        end-of-text token, all but the first token, which nothing comes before. Where there are more than `limit`
        tokens, the beginning of the prompt is left out, or the end of a whole text.
        """
        if not isinstance(prompt, str):
            turns = self._with_system((*prompt, Message(role="assistant", content=answer)))
            (whole,) = self._chats([""], [turns], only_last=True)
            ids, counts = whole.ids, whole.trained
            head = self.conversation_head(ids)
        elif not prompt:
            (whole,) = self._texts([""], [answer], with_offsets=False)
            ids, counts = whole.ids, [i > 0 and i >= whole.head for i in range(len(whole.ids))]
            return (ids, counts) if limit is None else (ids[:limit], counts[:limit])
        else:
            # Encoded together: the answer's first token often takes the blank before it, so the blank belongs to it.
            encoding = self._backend.encode(prompt + answer)
            border = len(prompt.rstrip()) or len(prompt)
            end = len(encoding.ids) - self._closing
            ids, head = encoding.ids[:end], self._opening
            counts = [b > border for _, b in encoding.offsets[:end]]
        return _last(ids, limit, head), _last(counts, limit, head)

    def stop_ids(self, model_ends: int | Sequence[int] | None) -> list[int]:
        """Tokens that end an answer: the model's own, end-of-text, and what its chat template puts after an answer."""
        ends = set(model_ends if isinstance(model_ends, Sequence) else [] if model_ends is None else [model_ends])
        if self.eos is not None:
            ends.add(self.eos)
        turns = (Message(role="user", content="a"), Message(role="assistant", content="b"))
        (probe,) = self._chats([""], [turns])
        last = max((i for i, trained in enumerate(probe.trained) if trained), default=None)
        if last is not None and probe.ids[last] in self._added:
            ends.add(probe.ids[last])
        return sorted(ends)

    # -- whole examples ------------------------------------------------------------------------------------------------

    def _in_batches(self, examples: Iterable[Example]) -> Iterator[_Whole]:
        every = list(examples)
        for start in range(0, len(every), AT_ONCE):
            yield from self._wholes(every[start : start + AT_ONCE], with_offsets=False)

    def _wholes(self, examples: list[Example], *, with_offsets: bool) -> list[_Whole]:
        chats = [e for e in examples if e.messages]
        texts = [e for e in examples if not e.messages]
        of_chats = iter(
            self._chats(
                [e.row_id for e in chats],
                [self._with_system(e.messages) for e in chats],
                only_last=self.plan.turns == "last",
                everything=not self.plan.answers_only,
            )
        )
        of_texts = iter(self._texts([e.row_id for e in texts], [e.text for e in texts], with_offsets=with_offsets))
        return [next(of_chats if e.messages else of_texts) for e in examples]

    def _with_system(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        if self.plan.system_prompt and not any(message.role == "system" for message in messages):
            return (Message(role="system", content=self.plan.system_prompt), *messages)
        return tuple(messages)

    def _chats(
        self,
        row_ids: Sequence[str],
        conversations: Sequence[Sequence[Message]],
        *,
        only_last: bool = False,
        everything: bool = False,
    ) -> list[_Whole]:
        """Whole conversations. Marked as trained is every answer, with `only_last` the last one, or `everything`."""
        rendered = [self.chat.render_spans(messages) for messages in conversations]
        encodings = self._backend.encode_batch([r.text for r in rendered], add_special_tokens=False)
        wholes = []
        for row_id, (text, spans), encoding in zip(row_ids, rendered, encodings, strict=True):
            ids, offsets = encoding.ids, encoding.offsets
            head = self.conversation_head(ids)
            trained = [everything and i >= head for i in range(len(ids))]
            for first, last in self._token_ranges(text, spans[-1:] if only_last else spans, ids, offsets):
                trained[first:last] = [True] * (last - first)
            wholes.append(_Whole(row_id, text, ids, trained, offsets, head))
        return wholes

    def _token_ranges(
        self, text: str, spans: Sequence[tuple[int, int]], ids: Sequence[int], offsets: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, int]]:
        """The tokens that begin inside each span, without blanks that a template puts behind the end-of-turn token."""
        starts = [a for a, _ in offsets]
        for start, end in spans:
            first, last = bisect_left(starts, start), bisect_left(starts, end)
            final = last
            while final > first and text[slice(*offsets[final - 1])].isspace():
                final -= 1
            yield first, final if final > first and ids[final - 1] in self._added else last

    def _texts(self, row_ids: Sequence[str], texts: Sequence[str], *, with_offsets: bool) -> list[_Whole]:
        encode = self._backend.encode_batch if with_offsets else self._backend.encode_batch_fast
        learned = not FAMILIES[self.family].reads
        wholes = []
        for row_id, text, encoding in zip(row_ids, texts, encode(list(texts)), strict=True):
            ids, offsets, tail = encoding.ids, encoding.offsets if with_offsets else [], self._closing
            if not tail and self.eos is not None:
                ids.append(self.eos)
                offsets.append((0, 0))
                tail = 1
            trained = [learned and i >= self._opening for i in range(len(ids))]
            wholes.append(_Whole(row_id, text, ids, trained, offsets, self._opening, tail, in_parts=learned))
        return wholes

    def conversation_head(self, ids: Sequence[int]) -> int:
        """How many tokens open a conversation and are kept when its beginning is left out."""
        return int(bool(ids) and self._opening > 0 and ids[0] == self.tokenizer.bos_token_id)

    # -- cutting and showing -------------------------------------------------------------------------------------------

    def _cut(self, whole: _Whole, pieces: Sequence[str] | None) -> list[Encoded]:
        size, n, side = self.plan.max_length, len(whole.ids), self.plan.truncation_side
        gone: Sequence[int] = ()
        repeated = 0
        if n <= size:
            windows: list[Sequence[int]] = [range(n)]
        elif whole.in_parts:
            repeated = min(self.plan.chunk_overlap, (size - whole.head) // 2)
            windows = [
                [*range(whole.head), *range(whole.head + a, whole.head + b)]
                for a, b in parts_of(n - whole.head, size - whole.head, repeated)
            ]
        else:
            room = size - whole.head - whole.tail
            first = whole.head if side == "right" else n - whole.tail - room
            windows = [[*range(whole.head), *range(first, first + room), *range(n - whole.tail, n)]]
            gone = [*range(whole.head, first), *range(first + room, n - whole.tail)]
        out = []
        for part, window in enumerate(windows, start=1):
            context = whole.head + repeated if part > 1 else 0  # what the part before has taught already
            out.append(
                Encoded(
                    ids=tuple([whole.ids[i] for i in window]),
                    trained=tuple([0 < at >= context and whole.trained[i] for at, i in enumerate(window)]),
                    pieces=tuple([pieces[i] for i in window]) if pieces else (),
                    cut_ids=tuple([whole.ids[i] for i in gone]),
                    cut=tuple([pieces[i] for i in gone]) if pieces else (),
                    cut_side=side,
                    answer_cut=any(whole.trained[i] for i in gone),
                    row_id=whole.row_id,
                    part=part,
                    parts=len(windows),
                    repeated=repeated if part > 1 else 0,
                )
            )
        return out

    def _pieces(self, whole: _Whole) -> list[str]:
        """The text of each token. What a tokenizer skips (a blank, often) goes to the token behind it."""
        pieces: list[str] = []
        done = 0
        for token_id, (_, end) in zip(whole.ids, whole.offsets, strict=True):
            if end > done and not (token_id == self._blank and whole.text[done:end].strip(" ")):
                pieces.append(whole.text[done:end])
                done = end
            elif token_id in self._added:
                pieces.append(str(self.tokenizer.convert_ids_to_tokens(token_id)))
            else:  # a further part of a character, or a blank that the tokenizer puts before a text of its own accord
                pieces.append("" if token_id == self._blank else CONTINUED)
        return pieces


def _last(items: list[T], limit: int | None, head: int) -> list[T]:
    if limit is None or len(items) <= limit:
        return items
    return [*items[:head], *items[len(items) - (limit - head) :]]

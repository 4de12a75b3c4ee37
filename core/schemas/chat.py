"""A conversation with one or two models beside each other: what was asked, how, and what each of them said."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .base import Schema
from .predictor import Decoding

AnswerState = Literal["waiting", "writing", "done", "stopped", "failed"]
LONGEST_QUESTION = 20_000  # characters


class ChatSettings(Schema):
    """`system` empty: the prompt that the model was trained with, if there was one. The longest answer is short, because
    small models on a processor write slowly."""

    system: str = ""
    decoding: Decoding = Decoding(max_new_tokens=80)


class Answer(Schema):
    """`finished` is False where the longest answer cut it. `seconds` from the question to the end, waiting included.
    `unread`: tokens at the beginning of the conversation that the model had no room for.
    `review` is the sample set and the item under which a thumb was kept."""

    text: str = ""
    state: AnswerState = "waiting"
    finished: bool = True
    filtered: str = ""
    unread: int = 0
    error: dict[str, Any] | None = None
    seconds: float = 0.0
    vote: Literal["", "up", "down"] = ""
    review: tuple[str, int] | None = None


class Turn(Schema):
    """`answers` by the model's id. `tries` counts how often the question was asked again: each try draws with another seed."""

    asked: str
    settings: ChatSettings = ChatSettings()
    answers: dict[str, Answer] = Field(default_factory=dict)
    tries: int = 0

"""What one row becomes: the text, conversation or labelled text that a model learns from."""

from __future__ import annotations

from typing import Literal

from .base import Schema

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Message(Schema):
    role: Literal["system", "user", "assistant"]
    content: str


class Example(Schema):
    """One training example. `row_id` survives every fix of the dataset.

    Exactly one of these shapes is filled, by task: `text` + `label` (classification), `text` + `labels` (several
    labels, which may be none), `text` + `value` (a number in the person's own units), `messages` (chat; for one text
    turned into another the input and the output, as one question and its answer), `text` (completion), and for
    preferences `messages` up to the better answer with the `rejected` one, or with whether their answer was `liked`.
    """

    row_id: str
    text: str = ""
    label: str | None = None
    labels: tuple[str, ...] | None = None
    value: float | None = None
    messages: tuple[Message, ...] = ()
    rejected: str = ""
    liked: bool | None = None

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The conversation up to (not including) its last assistant turn."""
        last = max((i for i, m in enumerate(self.messages) if m.role == "assistant"), default=len(self.messages))
        return self.messages[:last]

    @property
    def reference(self) -> str:
        """The last assistant turn, or an empty string."""
        answers = [m.content for m in self.messages if m.role == "assistant"]
        return answers[-1] if answers else ""

    @property
    def other(self) -> Example | None:
        """The same conversation with the rejected answer in the place of the better one; None without one."""
        if not self.rejected:
            return None
        turns = (*self.prompt, Message(role="assistant", content=self.rejected))
        return Example(row_id=self.row_id, messages=turns)

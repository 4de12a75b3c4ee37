"""Sequence to sequence: one text in, another text out, with an encoder-decoder model such as T5 or BART."""

from __future__ import annotations

from collections.abc import Mapping

from core.schemas.examples import Example, Message

from ._base import Role, Row, TaskType, cell


class TextToText(TaskType):
    key = "text_to_text"
    order = 26
    title = "Turn one text into another"
    help = "The model reads a whole text and writes another: a summary, a translation, a correction."
    choose_when = "You have pairs of texts and an encoder-decoder model such as T5 or BART."
    roles = (
        Role("prompt", "Input text", "What the model reads."),
        Role("response", "Output text", "What it should write."),
    )
    family = "seq2seq"
    headline_metric = "chrf"
    metrics = (
        "chrf", "bleu", "rouge_l", "exact_match", "loss", "perplexity", "token_accuracy", "bits_per_byte", "length_ratio",
        "distinct_2", "repeated_4grams", "finished", "copied",
    )  # fmt: skip

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        read, told = cell(row, roles, "prompt").strip(), cell(row, roles, "response").strip()
        if not read or not told:
            return None
        return Example(
            row_id=row_id, messages=(Message(role="user", content=read), Message(role="assistant", content=told))
        )


PLUGIN = TextToText()

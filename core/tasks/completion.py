"""Plain-text completion: learn to write like the given texts."""

from __future__ import annotations

from collections.abc import Mapping

from core.schemas.examples import Example

from ._base import Role, Row, TaskType, cell


class Completion(TaskType):
    key = "completion"
    order = 30
    title = "Write in the style of your texts"
    help = "The model learns the manner and subject of your texts and continues a beginning in the same way."
    choose_when = "You have texts without questions or labels, such as reports, poems or letters."
    roles = (Role("text", "Text", "The texts that the model should learn to write like."),)
    family = "causal-lm"
    headline_metric = "loss"
    metrics = (
        "loss", "perplexity", "token_accuracy", "bits_per_byte", "distinct_2", "repeated_4grams", "length_ratio", "copied",
    )  # fmt: skip

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        text = cell(row, roles, "text")
        return Example(row_id=row_id, text=text) if text.strip() else None


PLUGIN = Completion()

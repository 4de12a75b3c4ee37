"""Text classification: one text in, one of several labels out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.schemas.examples import Example

from ._base import Role, Row, TaskType, cell

LABELS_SHOWN = 30


class Classification(TaskType):
    key = "classification"
    order = 10
    title = "Sort texts into categories"
    help = "The model reads a text and says which of your categories it belongs to."
    choose_when = "You have texts and a label for each, such as messages and the team that answers them."
    roles = (
        Role("text", "Text", "The text that the model reads."),
        Role("label", "Category", "The right answer for that text."),
    )
    family = "classifier"
    headline_metric = "accuracy"
    best_metric = "macro_f1"
    metrics = ("accuracy", "macro_f1", "log_loss", "roc_auc", "calibration_error")

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        text, label = cell(row, roles, "text").strip(), cell(row, roles, "label").strip()
        return Example(row_id=row_id, text=text, label=label) if text and label else None

    def label_prompt(self, text: str, labels: Sequence[str]) -> str:
        """The text before a label's name, under which the base model's likelihood of that name is measured.

        Names the labels where there are at most `LABELS_SHOWN`; a longer list would leave no room for the text.
        """
        listed = f"Categories: {', '.join(labels)}\n" if len(labels) <= LABELS_SHOWN else ""
        return f"{listed}Text: {text}\nCategory: "


PLUGIN = Classification()

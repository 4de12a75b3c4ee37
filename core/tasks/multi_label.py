"""Multi-label classification: one text in, any number of labels out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.data import label_lists
from core.schemas.examples import Example

from ._base import Role, Row, TaskType, cell, columns_of

EACH = "="  # begins the detail of a column that says yes or no about one label: `labels:=urgent`


class MultiLabel(TaskType):
    """The role `labels` carries in its key how labels are written (see `core/data/label_lists.py`): `labels:;` for a
    separator, `labels:json`, `labels:one`, or `labels:=NAME` for each column that says yes or no about NAME."""

    key = "multi_label"
    order = 12
    title = "Give texts any number of labels"
    help = "The model reads a text and says for each of your labels whether it fits: none, one or several."
    choose_when = "You have texts with tags, topics or properties, of which several can be true at once."
    roles = (
        Role("text", "Text", "The text that the model reads."),
        Role(
            "labels",
            "Labels",
            "The column with the labels of each text, or one column for each label with 1 and 0. No label is an answer too.",
            many=True,
        ),
    )
    family = "multi-label"
    headline_metric = "micro_f1"
    best_metric = "micro_f1"
    metrics = ("micro_f1", "macro_f1", "subset_accuracy")

    def settled(self, roles: Mapping[str, str], rows: Iterable[Row]) -> dict[str, str]:
        """Columns of yes and no become a label each; for a single column it is found out how labels are written."""
        found = columns_of(roles, "labels")
        if all(detail for detail, _ in found):
            return dict(roles)
        rest = {role: column for role, column in roles.items() if role.partition(":")[0] != "labels"}
        if len(found) > 1:
            return rest | {f"labels:{detail or EACH + column}": column for detail, column in found}
        column = found[0][1]
        return rest | {f"labels:{label_lists.detect(row.get(column) for row in rows)}": column}

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        """None without a text; a row without labels is an example."""
        text = cell(row, roles, "text").strip()
        if not text:
            return None
        labels: dict[str, None] = {}
        for detail, column in columns_of(roles, "labels"):
            if detail.startswith(EACH):
                if label_lists.says_yes(row.get(column)):
                    labels[detail.removeprefix(EACH)] = None
            else:
                labels |= dict.fromkeys(
                    label_lists.read(row.get(column), detail or label_lists.detect([row.get(column)]))
                )
        return Example(row_id=row_id, text=text, labels=tuple(labels))

    def label_prompt(self, text: str, labels: Sequence[str]) -> str:
        """The question about one label, after which the base model's likelihood of "yes" and "no" is measured."""
        return f"Text: {text}\nQuestion: Does the label “{labels[0]}” fit this text, yes or no?\nAnswer: "


PLUGIN = MultiLabel()

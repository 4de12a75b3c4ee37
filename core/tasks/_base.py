"""What a task type declares: its words, the columns it needs, and how a row becomes an example."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.families import Family

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Role:
    """What a column is for. `many`: several columns may have it. The key in a dataset's roles may then carry a detail,
    as in `labels:;` (see the task): every value of the roles is a column all the same."""

    key: str
    title: str
    help: str
    required: bool = True
    many: bool = False


class TaskType:
    """One task. `choose_when` says in plain words who needs it; `metrics` are keys of `core/metrics`.

    `headline_metric` is the figure of the verdict; `best_metric` the recipe's default for the best checkpoint.
    """

    key: ClassVar[str]
    order: ClassVar[int] = 100
    title: ClassVar[str]
    help: ClassVar[str]
    choose_when: ClassVar[str]
    roles: ClassVar[tuple[Role, ...]]
    family: ClassVar[Family]
    headline_metric: ClassVar[str]
    best_metric: ClassVar[str] = "eval_loss"
    metrics: ClassVar[tuple[str, ...]]
    conversational: ClassVar[bool] = False  # its model answers a person
    preference: ClassVar[bool] = False  # rows say which answers are better, not what is right

    def check_roles(self, roles: Mapping[str, str]) -> None:
        """Raise UserError unless every required role has a column, and each column one role."""
        missing = [role.title for role in self.roles if role.required and not columns_of(roles, role.key)]
        if missing:
            raise UserError(
                "A column is missing.",
                f"This task needs a column for: {', '.join(missing)}.",
                "Say which column it is, or choose another task.",
            )
        used = [column for column in roles.values() if column]
        if len(set(used)) < len(used):
            raise UserError(
                "One column has two jobs.",
                "The same column was chosen for two different things.",
                "Choose a different column for each.",
            )

    def settled(self, roles: Mapping[str, str], rows: Iterable[Row]) -> dict[str, str]:
        """The roles with what was found out about their columns from the first rows."""
        return dict(roles)

    def label_prompt(self, text: str, labels: Sequence[str]) -> str:
        """The text under which a base model's likelihood of an answer is measured, for tasks with labels."""
        raise NotImplementedError

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        """The example of one row, or None where there is nothing to learn from (an empty text or answer)."""
        raise NotImplementedError


def cell(row: Row, roles: Mapping[str, str], role: str) -> str:
    """The text of a role's column, or an empty string where there is no such column or nothing in it."""
    value = row.get(roles.get(role) or "")
    return value if isinstance(value, str) else ""


def columns_of(roles: Mapping[str, str], role: str) -> list[tuple[str, str]]:
    """(detail, column) of each column that has this role; the detail is empty where the key carries none."""
    return [
        (key.partition(":")[2], column) for key, column in roles.items() if column and key.partition(":")[0] == role
    ]

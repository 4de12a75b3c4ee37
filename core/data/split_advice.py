"""Advice on the split in plain words: how much a test set of n rows can tell, and which way of splitting fits the data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.schemas.plan import Strategy

from .dates import parse_dates
from .splitting import part_named
from .statistics import margin, rows_for_margin

FEWEST_OF_A_CLASS = 20  # test rows of a category, below which nothing is said about it (house threshold)
GOOD_MARGIN = 0.05  # what most people call precise enough
HUGE_GROUP = 0.3  # share of the rows in one group, beyond which the parts cannot have their sizes
_WHO = re.compile(
    r"(^|[^a-z])(customer|client|user|author|account|patient|subject|person|speaker|writer|student|member|employee|"
    r"session|conversation|thread|ticket|case|device|document|doc|source|url|domain|email|sender|household|company|group)"
    r"([^a-z]|$|s|id)",
    re.I,
)
_WHEN = re.compile(
    r"(^|[^a-z])(date|time|day|created|updated|timestamp|posted|published|sent|received|month|year|when)", re.I
)


def precision(test_rows: int) -> str:
    """What a test set of this size can tell, in one sentence."""
    if test_rows < 1:
        return "With no test rows, nothing can be said about accuracy."
    points = round(100 * margin(test_rows))
    text = f"With {test_rows:,} test rows, accuracy is known to ± {points} points"
    if points <= round(100 * GOOD_MARGIN):
        return text + "."
    return text + f"; {rows_for_margin(GOOD_MARGIN):,} rows would give ± {100 * GOOD_MARGIN:.0f}."


def few_in_test(label_counts: Mapping[str, int], share: float) -> list[tuple[str, int]]:
    """Categories that would have fewer than `FEWEST_OF_A_CLASS` test rows, and about how many, fewest first."""
    expected = {label: round(n * share) for label, n in label_counts.items()}
    return sorted(((x, n) for x, n in expected.items() if n < FEWEST_OF_A_CLASS), key=lambda item: (item[1], item[0]))


def rows_needed(label_rows: int, share: float) -> int:
    """How many rows of a category there must be in all for `FEWEST_OF_A_CLASS` of them in the test."""
    return max(label_rows, -(-FEWEST_OF_A_CLASS * 1000 // max(1, round(1000 * share))))


@dataclass(frozen=True)
class Groups:
    """The values of a column as groups of rows. `largest` is a value and its rows, `empty` the rows without one."""

    rows: int
    groups: int
    largest: tuple[str, int]
    empty: int

    @property
    def warning(self) -> str:
        """Why this column groups badly, or an empty string."""
        filled = self.rows - self.empty
        if self.groups < 3:
            return f"This column has only {self.groups} different values: three parts cannot be made of them."
        if self.groups >= 0.98 * filled:
            return "Nearly every row has a value of its own here, so this keeps nothing together: it splits at random."
        value, n = self.largest
        if n > HUGE_GROUP * self.rows:
            return (
                f"One group, {value[:40]!r}, holds {n:,} of {self.rows:,} rows. It stays whole, so the parts cannot have "
                "the sizes that you chose."
            )
        if self.empty > 0.2 * self.rows:
            return f"{self.empty:,} of {self.rows:,} rows have nothing in this column; each of them counts as its own group."
        return ""


def groups_of(values: Sequence[object]) -> Groups:
    """Count a column's groups. What is no text, or blank, is no group."""
    counts = Counter(value for value in values if isinstance(value, str) and value.strip())
    largest = min(counts.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return Groups(len(values), len(counts), largest, len(values) - counts.total())


@dataclass(frozen=True)
class Suggestion:
    """A way of splitting that fits the data better than chance, and why, in one or two sentences."""

    strategy: Strategy
    column: str | None
    reason: str


def suggest(columns: Mapping[str, Sequence[object]], near_copies: int, rows: int, files: str = "") -> list[Suggestion]:
    """What fits the data, the most important first; empty where a stratified split is as good as any.

    `columns` are those that play no other role; `files` is the one that says from which file a row came, `near_copies`
    the number of rows that nearly repeat another.
    """
    found: list[Suggestion] = []
    for name, values in columns.items():
        if names_parts(values):
            reason = (
                "You gave one file for each part: train, validation or test. Keep them as they are, and scores can be "
                "compared with those of others."
                if name == files
                else f"The column {name!r} says for every row whether it is for training, validation or test."
            )
            found.append(Suggestion("given", name, reason))
    found += [s for name, values in columns.items() if name != files and (s := _by_group(name, values))]
    if near_copies > 0.01 * rows and near_copies >= 3:
        found.append(
            Suggestion(
                "cluster",
                None,
                f"{near_copies:,} of {rows:,} rows nearly repeat another. When one is learned and the other tested, the "
                "score is too good: keep such rows in one part.",
            )
        )
    found += [s for name, values in columns.items() if name != files and (s := _by_time(name, values))]
    return found


def names_parts(values: Sequence[object]) -> bool:
    """Whether every value says for which part its row is, and training is among them."""
    distinct = {value if isinstance(value, str) else "" for value in values}
    if not 2 <= len(distinct) <= 50:
        return False
    parts = {part_named(value) for value in distinct}
    return None not in parts and "train" in parts and len(parts) > 1


def _by_group(name: str, values: Sequence[object]) -> Suggestion | None:
    """Only columns whose name speaks of people, sources or conversations: a topic or a rating repeats as well."""
    if not _WHO.search(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)):
        return None
    groups = groups_of(values)
    if groups.warning or groups.groups < 10 or groups.groups > 0.9 * groups.rows:
        return None
    return Suggestion(
        "column",
        name,
        f"The column {name!r} has {groups.groups:,} values for {groups.rows:,} rows, so they repeat. Rows of one of them "
        "are alike: kept together, the test shows how the model does on ones that it has never seen.",
    )


def _by_time(name: str, values: Sequence[object]) -> Suggestion | None:
    if not _WHEN.search(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)):
        return None
    some = list(values[:: max(1, len(values) // 500)])
    dates = [date for date in parse_dates(some) if date is not None]
    if len(dates) < 0.9 * len(some) or len(set(dates)) < 10:
        return None
    return Suggestion(
        "time",
        name,
        f"The column {name!r} holds dates. If the model will work on texts that come later, test it on the newest: what "
        "people write about changes with time.",
    )

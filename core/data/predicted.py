"""What a model said about some rows, as columns: kept in parts while a file is worked through, and put beside its own columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from .safe_cells import DANGEROUS
from .tables import distinct_names, printable

SCHEMA = pa.schema(
    {
        "answer": pa.string(),
        "labels": pa.list_(pa.string()),
        "number": pa.float64(),
        "probabilities": pa.list_(pa.float64()),
        "certainty": pa.float64(),
        "filtered": pa.string(),
        "note": pa.string(),
        "kind": pa.string(),
    }
)
EMPTY, CUT, FAILED, UNFINISHED, NO_NUMBER = "empty", "cut", "failed", "unfinished", "no number"
KINDS = {
    EMPTY: "without a text",
    CUT: "read only in part",
    FAILED: "that could not be predicted",
    UNFINISHED: "with an unfinished answer",
    NO_NUMBER: "for which no number came out",
}


@dataclass
class Said:
    """What was said about one row. `certainty` is that of the answer as a whole (None where there is none); `note` tells a
    person what is odd about the row, `kind` is one of KINDS."""

    answer: str | None = None
    labels: list[str] | None = None
    number: float | None = None
    probabilities: list[float] | None = None
    certainty: float | None = None
    filtered: str | None = None
    note: str | None = None
    kind: str | None = None

    def noted(self, kind: str, note: str) -> Said:
        """With a note; a further one is put behind the first."""
        self.note, self.kind = f"{self.note} {note}" if self.note else note, self.kind or kind
        return self


def one_label(labels: Sequence[str], probabilities: Sequence[float]) -> Said:
    """The likeliest label."""
    if not all(map(math.isfinite, probabilities)):
        return Said().noted(NO_NUMBER, "The model gave no probability for this row.")
    best = max(range(len(labels)), key=lambda i: probabilities[i])
    certain = _rounded(probabilities[best])
    return Said(answer=labels[best], probabilities=[_rounded(p) for p in probabilities], certainty=certain)


def several_labels(labels: Sequence[str], probabilities: Sequence[float], thresholds: Sequence[float]) -> Said:
    """Every label that reaches its threshold. The certainty is that of the label that it is least certain about."""
    if not all(map(math.isfinite, probabilities)):
        return Said().noted(NO_NUMBER, "The model gave no probability for this row.")
    cuts = thresholds or [0.5] * len(labels)
    given = [p >= cut for p, cut in zip(probabilities, cuts, strict=True)]
    certain = min((p if yes else 1 - p for p, yes in zip(probabilities, given, strict=True)), default=None)
    return Said(
        labels=[label for label, yes in zip(labels, given, strict=True) if yes],
        probabilities=[_rounded(p) for p in probabilities],
        certainty=None if certain is None else _rounded(certain),
    )


def one_number(value: float) -> Said:
    if not math.isfinite(value):
        return Said().noted(NO_NUMBER, "The model gave no number for this row.")
    return Said(number=float(f"{value:.6g}"))


def _rounded(probability: float) -> float:
    return round(float(probability), 6)


def to_table(said: Iterable[Said]) -> pa.Table:
    """The answers as a part that is kept."""
    return pa.Table.from_pylist([vars(one) for one in said], schema=SCHEMA)


@dataclass(frozen=True)
class Columns:
    """How the answers stand beside the columns of the file. `names` maps what is kept to the column's name, in order;
    `each` holds the columns with the probability of each label."""

    names: Mapping[str, str]
    each: tuple[str, ...] = ()

    @classmethod
    def of(cls, family: str, labels: Sequence[str], own: Sequence[str], *, each: bool, guarded: bool) -> Columns:
        """The columns for a family of models; a name that the file has already gets a number."""
        if family == "classifier":
            wanted = {"answer": "predicted label", "certainty": "probability"}
        elif family == "multi-label":
            wanted = {"labels": "predicted labels"}
        elif family == "regression":
            wanted = {"number": "predicted number"}
        else:
            wanted = {"answer": "answer"} | ({"filtered": "filtered"} if guarded else {})
        shares = [f"probability of {label}" for label in labels] if each else []
        most = len(own) + len(wanted) + len(shares) + 1
        names = distinct_names([*own, *wanted.values(), *shares, "note"], most)[len(own) :]
        kept = dict(zip(wanted, names, strict=False)) | {"note": names[-1]}
        return cls(kept, tuple(names[len(wanted) : -1]))

    @property
    def order(self) -> list[str]:
        """Names of the columns as they are written: the answer, the probabilities, the note."""
        first = [name for key, name in self.names.items() if key != "note"]
        return [*first, *self.each, self.names["note"]]

    def rows(self, part: pa.Table) -> list[dict[str, Any]]:
        """The part as rows of the new columns; several labels are a list."""
        out = []
        for row in part.to_pylist():
            new = {name: row[key] for key, name in self.names.items() if key != "note"}
            shares = row["probabilities"] or [None] * len(self.each)
            new |= dict(zip(self.each, shares, strict=True)) if self.each else {}
            out.append(new | {self.names["note"]: row["note"]})
        return out

    def table(self, part: pa.Table) -> pa.Table:
        """The same as an Arrow table, with the types of what is kept."""
        types = {name: SCHEMA.field(key).type for key, name in self.names.items()} | dict.fromkeys(
            self.each, pa.float64()
        )
        return pa.Table.from_pylist(self.rows(part), schema=pa.schema({name: types[name] for name in self.order}))


def cell(value: Any) -> str:
    """A new value as text: several labels in one cell, nothing as an empty cell."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(value)
    return printable(value) if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)


def like_a_formula(text: str) -> bool:
    """Whether a spreadsheet would take the text for a formula. A number with a sign is one, and stays."""
    return text.startswith(DANGEROUS) and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and text.strip() == text and "_" not in text
    except ValueError:
        return False

"""What a model said about each row, beside what it should have said; stored and read back as a Parquet table."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .examples import Example, Message
from .label_sets import LabelSetPredictions
from .number_predictions import NumberPredictions
from .prediction_rows import group_keys, not_numbers, refuse_repeats, rows_of, to_table
from .predictor import Generation, Score

LABELS_KEY = b"tunewell.labels"
CLASS_SCHEMA = pa.schema(
    {
        "row_id": pa.string(),
        "gold": pa.string(),
        "predicted": pa.string(),
        "probabilities": pa.list_(pa.float64()),
        "group": pa.string(),
    }
)
TEXT_SCHEMA = pa.schema(
    {
        "row_id": pa.string(),
        "prompt": pa.string(),
        "reference": pa.string(),
        "text": pa.string(),
        "finished": pa.bool_(),
        "tokens": pa.int64(),
        "nll": pa.float64(),
        "scored_tokens": pa.int64(),
        "correct_tokens": pa.int64(),
        "n_bytes": pa.int64(),
        "group": pa.string(),
        "rejected": pa.string(),
        "rejected_nll": pa.float64(),
        "margin": pa.float64(),
        "liked": pa.bool_(),
        "copied": pa.bool_(),
    }
)


@dataclass(frozen=True, slots=True)
class ClassPrediction:
    """`probabilities` follow the order of the labels; empty where a model only names a class.

    Rows that are not independent (copies of one template, near-duplicates) share a `group`; empty means its own.
    """

    row_id: str
    gold: str
    predicted: str
    probabilities: tuple[float, ...] = ()
    group: str = ""

    @property
    def correct(self) -> bool:
        return self.predicted == self.gold

    @property
    def confidence(self) -> float:
        """The highest class probability, NaN where none was given."""
        return max(self.probabilities, default=math.nan)

    def has(self, label: str) -> bool:
        return self.gold == label

    def was_given(self, label: str) -> bool:
        return self.predicted == label


@dataclass(frozen=True)
class ClassPredictions:
    """Predictions of one classifier. A gold label that the model never learned is not in `labels`: always wrong.

    Raises ValueError for repeated row ids or probabilities that do not fit the labels, and UserError where the model
    gave something other than numbers (a training run that diverged).
    """

    labels: tuple[str, ...]
    items: tuple[ClassPrediction, ...]

    def __post_init__(self) -> None:
        refuse_repeats(item.row_id for item in self.items)
        widths = {len(item.probabilities) for item in self.items}
        if not widths <= {0, len(self.labels)} or len(widths) > 1:
            raise ValueError(f"{len(self.labels)} labels, but probabilities of {sorted(widths)} classes")
        if self.has_probabilities and not np.isfinite(self.matrix).all():
            raise not_numbers()

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def of(
        cls, labels: Sequence[str], examples: Sequence[Example], probabilities: Sequence[Sequence[float]]
    ) -> ClassPredictions:
        """Join labelled examples with what `Predictor.classify` said about them; the likeliest class is predicted."""
        items = []
        for example, row in zip(examples, probabilities, strict=True):
            if not all(map(math.isfinite, row)):
                raise not_numbers()
            best = max(range(len(labels)), key=row.__getitem__)
            items.append(ClassPrediction(example.row_id, example.label or "", labels[best], tuple(map(float, row))))
        return cls(tuple(labels), tuple(items))

    @property
    def has_probabilities(self) -> bool:
        return bool(self.items) and bool(self.items[0].probabilities)

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """Probabilities, shape (rows, labels); (rows, 0) where the model gave none."""
        return np.array([item.probabilities for item in self.items], dtype=np.float64).reshape(len(self.items), -1)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        return np.array([item.correct for item in self.items], dtype=bool)

    @cached_property
    def groups(self) -> tuple[str, ...] | None:
        """The key of each row's group, or None where all rows are independent."""
        return group_keys((item.group for item in self.items), self.items)

    def indicators(self, classes: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each row has, and was given, each class: two arrays of shape (rows, classes)."""
        names = np.array(list(classes))
        gold = np.array([item.gold for item in self.items])[:, None] == names
        return gold, np.array([item.predicted for item in self.items])[:, None] == names

    def right_answers(self) -> set[str]:
        """Every label that some row has."""
        return {item.gold for item in self.items}

    def select(self, row_ids: Sequence[str]) -> ClassPredictions:
        """These rows, in this order. Raises KeyError for an unknown row."""
        by_id = {item.row_id: item for item in self.items}
        return ClassPredictions(self.labels, tuple(by_id[row_id] for row_id in row_ids))

    def to_table(self) -> pa.Table:
        schema = CLASS_SCHEMA.with_metadata({LABELS_KEY: json.dumps(self.labels).encode()})
        return to_table(self.items, schema)

    @classmethod
    def from_table(cls, table: pa.Table) -> ClassPredictions:
        rows = rows_of(table, CLASS_SCHEMA)
        labels = json.loads((table.schema.metadata or {})[LABELS_KEY])
        items = (ClassPrediction(**{**row, "probabilities": tuple(row["probabilities"] or ())}) for row in rows)
        return cls(tuple(labels), tuple(items))


@dataclass(frozen=True, slots=True)
class TextPrediction:
    """What a language model wrote for one prompt, and how likely it found the reference.

    `text` is None where nothing was generated, `tokens` its length. `nll` (nats, summed over `scored_tokens`) is None
    where nothing was scored; `correct_tokens` of the scored tokens were the model's first choice, and they spell
    `n_bytes` UTF-8 bytes. An empty `reference` means that there is none. Rows that share a `group` are not
    independent; without a group, rows that share a prompt are taken to be so.

    Of preferences, `rejected` is the worse answer and `rejected_nll` its likelihood as `nll`. `margin` says by how much
    this contender puts the reference before the rejected answer; of a rated answer (`liked` or not), how high it puts it.
    `copied` says whether the text repeats a long run of words of a training row, None where that was not or cannot be told.
    """

    row_id: str
    prompt: str
    reference: str = ""
    text: str | None = None
    finished: bool = False
    tokens: int = 0
    nll: float | None = None
    scored_tokens: int = 0
    correct_tokens: int = 0
    n_bytes: int = 0
    group: str = ""
    rejected: str = ""
    rejected_nll: float | None = None
    margin: float | None = None
    liked: bool | None = None
    copied: bool | None = None

    @classmethod
    def of(
        cls,
        row_id: str,
        prompt: Sequence[Message] | str,
        reference: str,
        generation: Generation | None = None,
        score: Score | None = None,
    ) -> TextPrediction:
        """Join what a `Predictor` generated and scored for one row. Raises UserError where the score is no number."""
        if score is not None and not math.isfinite(score.nll):
            raise not_numbers()
        return cls(
            row_id=row_id,
            prompt=prompt if isinstance(prompt, str) else conversation_text(prompt),
            reference=reference,
            text=generation.text if generation else None,
            finished=generation.finished if generation else False,
            tokens=generation.tokens if generation else 0,
            nll=score.nll if score else None,
            scored_tokens=score.tokens if score else 0,
            correct_tokens=score.correct if score else 0,
            n_bytes=score.n_bytes if score else 0,
        )


@dataclass(frozen=True)
class TextPredictions:
    """Predictions of one language model. Raises ValueError for repeated row ids."""

    items: tuple[TextPrediction, ...]

    def __post_init__(self) -> None:
        refuse_repeats(item.row_id for item in self.items)

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def groups(self) -> tuple[str, ...] | None:
        """The key of each row's group, or None where all rows are independent."""
        return group_keys((item.group or item.prompt for item in self.items), self.items)

    def select(self, row_ids: Sequence[str]) -> TextPredictions:
        """These rows, in this order. Raises KeyError for an unknown row."""
        by_id = {item.row_id: item for item in self.items}
        return TextPredictions(tuple(by_id[row_id] for row_id in row_ids))

    def to_table(self) -> pa.Table:
        return to_table(self.items, TEXT_SCHEMA)

    @classmethod
    def from_table(cls, table: pa.Table) -> TextPredictions:
        return cls(tuple(TextPrediction(**row) for row in rows_of(table, TEXT_SCHEMA)))


Predictions = ClassPredictions | TextPredictions | LabelSetPredictions | NumberPredictions
TABLES: dict[
    str, type[ClassPredictions] | type[TextPredictions] | type[LabelSetPredictions] | type[NumberPredictions]
] = {
    "classifier": ClassPredictions,
    "multi-label": LabelSetPredictions,
    "regression": NumberPredictions,
    "causal-lm": TextPredictions,
    "seq2seq": TextPredictions,
}
"""What the predictions of each family of models (`core/schemas/families.py`) are kept as."""


def conversation_text(messages: Sequence[Message]) -> str:
    """A conversation as one readable text: a single message as it is, several with the speaker before each."""
    if len(messages) == 1:
        return messages[0].content
    return "\n".join(f"{message.role}: {message.content}" for message in messages)

"""A file whose rows a model predicts: what was asked for, and what came of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .base import Schema
from .estimates import Estimate
from .predictor import Decoding

OutputFormat = Literal["csv", "xlsx", "jsonl", "parquet"]
FORMATS: dict[OutputFormat, str] = {
    "csv": "CSV (text table)",
    "xlsx": "Excel workbook",
    "jsonl": "JSON lines",
    "parquet": "Parquet",
}
MOST_FIRST = 1_000  # rows of the list of those to look at first
PREVIEW_ROWS = 20


class BatchSpec(Schema):
    """`file` is as in an import's payload (`upload_id`, `options`), `columns` says which column has which role of the task
    (`text` or `prompt`, and what else the model was trained to read). `protect`: a text that a spreadsheet would take for a
    formula gets an apostrophe in front (in CSV only: the other formats say that a cell is text)."""

    file: dict[str, Any]
    filename: str
    columns: dict[str, str] = {}
    format: OutputFormat = "csv"
    probabilities: bool = False
    protect: bool = True
    decoding: Decoding = Decoding()


class LabelShare(Schema):
    """How many rows were given a label; `trained` is its share of the training rows."""

    label: str
    n: int
    share: Estimate
    trained: float | None = None


class Hint(Schema):
    """Something about the whole file that a person should know, with the figure behind it, if any."""

    title: str
    text: str
    estimate: Estimate | None = None


class BatchSummary(Schema):
    """`below` counts, for each hundredth from 0 to 1, the rows that the model is less certain of. `notes` counts kinds of notes.
    `seconds` and `rows_per_second` are of the rows that the last process predicted; `peak_memory` is in bytes."""

    rows: int
    predicted: int
    file: str
    bytes: int
    encoding: str = ""
    notes: dict[str, int] = {}
    labels: tuple[LabelShare, ...] = ()
    below: tuple[int, ...] = ()
    numbers: dict[str, float] = {}
    filtered: int = 0
    filter_version: int | None = None
    protected: int = 0
    shortened: int = 0
    first: int = 0
    hints: tuple[Hint, ...] = ()
    columns: tuple[str, ...] = ()
    seconds: float = Field(0.0, ge=0)
    rows_per_second: float = 0.0
    peak_memory: int = 0

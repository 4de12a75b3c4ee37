"""How a file of examples is to be read, and what was found in it: the contract between importers and screens."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict

from .base import Schema
from .findings import Severity

Quoting = Literal["standard", "literal", "backslash"]
TextMode = Literal["paragraph", "line", "file"]
Shape = Literal[
    "messages", "sharegpt", "alpaca", "prompt_completion", "preference", "thumbs", "text_label", "plain_text"
]

LINE_NUMBERS_KEPT = 200
PREVIEW_ROWS = 50
COLUMNS_SHOWN = 50
CHOSEN: JsonDict = {"level": "advanced"}  # screens offer what was found in the file, so no field of the form is drawn
CELL_CHARACTERS_SHOWN = 300


class ImportOptions(Schema):
    """How to read a file. None means: detect it. A report returns the same object with the values really used, so that
    a screen can show them and hand a corrected copy back."""

    encoding: str | None = Field(
        None, title="Encoding", description="How the bytes of the file spell letters, for example utf-8 or cp1252."
    )
    separator: str | None = Field(
        None, min_length=1, max_length=1, title="Separator", description="The character between two cells of a row."
    )
    quoting: Quoting | None = Field(
        None,
        title="Quotation marks",
        description="standard: they enclose a cell and are doubled inside it. literal: they belong to the text. "
        'backslash: they enclose a cell and are written \\" inside it.',
    )
    has_header: bool | None = Field(
        None, title="First row holds the column names", description="Otherwise the columns are numbered."
    )
    skip_lines: int | None = Field(
        None, ge=0, title="Lines to skip", description="Lines above the table, such as a title or comments."
    )
    sheet: str | None = Field(
        None, title="Sheet", description="Which sheet of a workbook to read.", json_schema_extra=CHOSEN
    )
    member: str | None = Field(
        None, title="File inside the archive", description="Which file of an archive to read.", json_schema_extra=CHOSEN
    )
    text_mode: TextMode | None = Field(
        None,
        title="One example is",
        description="paragraph: a block between blank lines. line: one line. file: a piece of the whole file of about "
        "`chunk_characters` characters, cut between paragraphs or lines.",
    )
    chunk_characters: int = Field(
        4_000, ge=100, title="Length of a piece", description="In characters, where the whole file is cut into pieces."
    )
    path: str | None = Field(
        None,
        title="List inside the JSON",
        description="Where the list of records stands in a JSON file of several lists: names joined by dots, for "
        "example data.items. An empty text is the file itself.",
        json_schema_extra=CHOSEN,
    )


class ImportLimits(Schema):
    """What is refused, so that no file fills up memory or disk. Settings of the installation, see `core/store/config.py`."""

    max_bytes: int = Field(
        500_000_000, ge=1, title="Largest size", description="In bytes, after unpacking. Larger files are refused."
    )
    max_ratio: int = Field(
        100,
        ge=1,
        title="Largest compression",
        description="An archive that unpacks to more than this many times its "
        "size (and to more than 50 MB) is refused.",
    )
    max_columns: int = Field(10_000, ge=1, title="Most columns", description="A table with more columns is refused.")


class ImportNote(Schema):
    """Something a person should know about the file. `line_numbers` count from 1 as an editor shows them (rows of a
    sheet for a workbook); at most `LINE_NUMBERS_KEPT` are kept, `count` is how many there are in all."""

    severity: Severity
    title: str
    meaning: str = ""
    line_numbers: tuple[int, ...] = ()
    count: int = 0


class ColumnKind(StrEnum):
    TEXT = "text"
    CATEGORY = "category"
    NUMBER = "number"
    DATE = "date"
    IDENTIFIER = "identifier"
    CONVERSATION = "conversation"
    STRUCTURE = "structure"
    EMPTY = "empty"


class ColumnInfo(Schema):
    """One column. `n_missing` counts cells that are empty or hold only white space, `n_distinct` the different values
    among the others, `mean_length` their characters. `examples` are up to three different values, shortened."""

    name: str
    kind: ColumnKind
    n_missing: int
    n_distinct: int
    mean_length: float
    examples: tuple[str, ...]


class Member(Schema):
    """A file inside an archive that can be read; `size` in bytes after unpacking."""

    name: str
    size: int


class JsonList(Schema):
    """A list of records inside a JSON file: its path (see `ImportOptions.path`), its length and its first keys."""

    path: str
    rows: int
    keys: tuple[str, ...] = ()


class ImportReport(Schema):
    """What was found in a file.

    `rows` counts what was read; where `complete` is False there are more. `roles` maps a task key to the columns that
    suit its roles, for example `{"classification": {"text": "message", "label": "category"}}`; `task` is the task that
    the data suit best. `preview` holds the first rows, cells shortened, of the first `COLUMNS_SHOWN` columns. `paths` are the
    lists that a JSON file offers (see `ImportOptions.path`).
    """

    filename: str
    format: str
    format_title: str
    options: ImportOptions
    columns: tuple[ColumnInfo, ...]
    rows: int
    complete: bool = True
    notes: tuple[ImportNote, ...] = ()
    shape: Shape | None = None
    task: str | None = None
    roles: dict[str, dict[str, str]] = {}
    members: tuple[Member, ...] = ()
    sheets: tuple[str, ...] = ()
    paths: tuple[JsonList, ...] = ()
    preview: tuple[dict[str, str | None], ...] = ()

"""What the report knows beside the rows themselves: the split, texts from real use, lengths in tokens, earlier versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.schemas.examples import Split
from core.schemas.identity import OwnWords


@dataclass(frozen=True)
class Tokens:
    """Lengths in tokens of some rows (`row_ids`, in the same order), with the base model's own tokenizer.

    Rows are cut at `max_length`; where no plan was made yet, that is the suggested one and `planned` is False. `rows` is
    how many rows there are in all. `cuts_answers`: whether a cut takes away what the model should learn to say.
    """

    model: str
    row_ids: Sequence[str]
    counts: Sequence[int]
    rows: int
    max_length: int
    planned: bool
    context_length: int
    cuts_answers: bool = False


@dataclass(frozen=True)
class Earlier:
    """The measures of an earlier version of the project's data (`measures` as the check `diversity` keeps them)."""

    number: int
    measures: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Around:
    """`columns` maps roles to the columns of the file. `where` says which part of the split a row is in, `parted_by`
    who says so ("the split of this project", "the column “set”"); without it nothing is known of parts. `groups` holds
    columns whose values may name groups of people: column to row id to value; `categories` other columns of few values in the
    same shape, which may explain a difference; `own_words` what the person changed in the word list of a language. `as_written`
    counts what is equal in the file itself, spaces around included: `labels` (different ones) and `copies` (rows whose text and
    label came before)."""

    columns: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, Split] = field(default_factory=dict)
    parted_by: str = ""
    real_texts: Sequence[str] = ()
    tokens: Tokens | None = None
    earlier: Sequence[Earlier] = ()
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    own_words: Mapping[str, OwnWords] = field(default_factory=dict)
    as_written: Mapping[str, int] = field(default_factory=dict)

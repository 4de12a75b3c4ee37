"""What a person adds to, or takes from, the list of words for groups of people. Kept with the project, by language."""

from __future__ import annotations

from typing import Literal

from .base import Schema

OwnKind = Literal["noun", "adjective", "name"]


class OwnTerm(Schema):
    """`axis` and `group` are titles (or keys) of ours, or new ones that come to be by being named ("Region", "northerners").
    `forms` are the word and its other forms (plural, feminine)."""

    axis: str
    group: str
    forms: tuple[str, ...]
    kind: OwnKind = "noun"


class Removed(Schema):
    """A word of ours that does not count in this project: the key of its axis, and the word in lower case."""

    axis: str
    word: str


class OwnWords(Schema):
    """All changes of one language."""

    terms: tuple[OwnTerm, ...] = ()
    removed: tuple[Removed, ...] = ()

"""What the checks look at: the examples of one dataset, with views on them that are worked out once."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from core.schemas.examples import Example

from ..duplicates import exact_groups, normalise
from ..wordsplit import words
from ._spelling import Merge, looks_unique, propose

Shape = Literal["labels", "messages", "text"]
EVIDENCE = 200  # most rows that a finding lists

_SIGN = re.compile(r"[^\w\s]")
_COUNTED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


def words_of(text: str) -> set[str]:
    """The different words and signs of a text, in lower case."""
    return {*words(text), *_SIGN.findall(text)}


def count_words(text: str) -> int:
    """Words between spaces; each Chinese or Japanese character counts as one."""
    return len(text.split()) if text.isascii() else sum(1 for _ in _COUNTED.finditer(text))


@dataclass(frozen=True)
class Context:
    """The examples of a dataset, and the rows that could not become examples with the reason (`{row_id: reason}`)."""

    examples: tuple[Example, ...]
    task: str = ""
    skipped: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def shape(self) -> Shape:
        """What the examples look like. A new task needs no check of its own when its examples have a known shape."""
        if any(e.messages for e in self.examples):
            return "messages"
        return "labels" if any(e.label is not None for e in self.examples) or self.task == "classification" else "text"

    @cached_property
    def texts(self) -> list[str]:
        """What the model reads: the text, or the whole conversation without role names."""
        if self.shape == "messages":
            return ["\n".join(m.content for m in e.messages) for e in self.examples]
        return [e.text for e in self.examples]

    @cached_property
    def labels(self) -> list[str]:
        """The label of each example as written; empty where there is none."""
        return [e.label if e.label is not None else "" for e in self.examples]

    @cached_property
    def label_counts(self) -> Counter[str]:
        """Rows of each label as written, most frequent first; rows without a label are left out."""
        return Counter(dict(Counter(x for x in self.labels if x.strip()).most_common()))

    @cached_property
    def merges(self) -> list[Merge]:
        """Label spellings that look like one class."""
        return [] if self.labels_look_unique else propose(self.label_counts)

    @cached_property
    def classes(self) -> list[str]:
        """The class of each example once spellings that mean the same are merged; empty where it has no label."""
        mapping = {raw: merge.to for merge in self.merges for raw in merge.spellings}
        return [mapping.get(x, x) if x.strip() else "" for x in self.labels]

    @cached_property
    def class_counts(self) -> Counter[str]:
        """Rows of each class once spellings that mean the same are merged, most frequent first."""
        return Counter(dict(Counter(x for x in self.classes if x).most_common()))

    @cached_property
    def labels_look_unique(self) -> bool:
        """Whether labels hardly repeat, so that they are no classes at all."""
        return looks_unique(self.label_counts)

    @cached_property
    def exact(self) -> list[str]:
        """The texts in composed Unicode form (e + accent equals é): the key of exact copies."""
        return [t if t.isascii() else unicodedata.normalize("NFC", t) for t in self.texts]

    @cached_property
    def folded(self) -> list[str]:
        """The texts without case, width and spacing differences."""
        return [normalise(t) for t in self.texts]

    @cached_property
    def same_text(self) -> list[list[int]]:
        """Groups of examples whose texts are equal up to case, width and spacing."""
        return exact_groups(self.texts)

    @cached_property
    def word_counts(self) -> list[int]:
        return [count_words(t) for t in self.texts]

    def ids(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Row ids of the first `EVIDENCE` of these examples."""
        return tuple(self.examples[i].row_id for i, _ in zip(indices, range(EVIDENCE), strict=False))

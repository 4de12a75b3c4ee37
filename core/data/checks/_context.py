"""What the checks look at: the examples of one dataset, with views on them that are worked out once."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from core.schemas.examples import Example, Split

from ..duplicates import exact_groups, normalise, search_pairs
from ._around import Around
from ._language import Languages, detect
from ._spelling import Merge, looks_unique, propose
from ._vocabulary import Vocabulary

Shape = Literal["labels", "label_sets", "numbers", "messages", "preferences", "text"]
NEAR = 0.8  # Jaccard similarity of 5-character shingles from which two texts are near copies
CLIP = 2_000  # characters of a text that are compared
COMPARED, BUDGET = 1_000_000, 120_000_000  # rows and characters compared: about 3 GB; of more, a random sample
SAME_TEMPLATE = 3  # texts compared among those that differ only in their numbers
DIGIT = re.compile(r"\d+")
EVIDENCE = 200  # most rows that a finding lists
READ = 5_000  # characters of a text that are read for its words

_COUNTED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


def count_words(text: str) -> int:
    """Words between spaces; each Chinese or Japanese character counts as one."""
    return len(text.split()) if text.isascii() else sum(1 for _ in _COUNTED.finditer(text))


@dataclass(frozen=True)
class Near:
    """`pairs` (i, j, Jaccard) of rows that differ and share `NEAR` of their shingles, i < j. Of texts that differ only in
    their numbers the first `SAME_TEMPLATE` are compared. `whole` is False where a sample of `compared` rows stood for all,
    or the search ended early."""

    pairs: list[tuple[int, int, float]]
    whole: bool
    compared: int


@dataclass(frozen=True)
class Context:
    """The rows that became examples, and those that could not with the reason (`skipped`: `{row_id: reason}`).

    A million rows as `Example` objects take half a gigabyte, so only their strings are kept. `talks` holds the whole
    examples of conversations, and is empty for other tasks; so are `label_sets` and `values` (numbers).
    """

    row_ids: Sequence[str]
    texts: Sequence[str]
    labels: Sequence[str]
    talks: Sequence[Example] = ()
    label_sets: Sequence[tuple[str, ...]] = ()
    values: Sequence[float] = ()
    task: str = ""
    shape: Shape = "text"
    skipped: Mapping[str, str] = field(default_factory=dict)
    around: Around = field(default_factory=Around)

    @classmethod
    def of(
        cls,
        examples: Iterable[Example],
        task: str,
        skipped: Mapping[str, str] | None = None,
        around: Around | None = None,
    ) -> Context:
        """`examples` are read once and may be a generator, which may go on filling `skipped` while it is read.

        What the model reads is the text, or the whole conversation without role names. Labels are kept as written,
        empty where there is none. A new task needs no check of its own when its examples have a known shape.
        """
        row_ids: list[str] = []
        texts: list[str] = []
        labels: list[str] = []
        talks: list[Example] = []
        sets: list[tuple[str, ...]] = []
        values: list[float] = []
        names: dict[str, str] = {}
        for example in examples:
            row_ids.append(example.row_id)
            label = example.label if example.label is not None else ""
            labels.append(names.setdefault(label, label))  # a label is one string, however many rows carry it
            if example.labels is not None:
                sets.append(example.labels)
            if example.value is not None:
                values.append(example.value)
            if example.messages or talks or task == "chat":
                talks.append(example)
                answers = (*(m.content for m in example.messages), *filter(None, (example.rejected,)))
                texts.append("\n".join(answers) or example.text)
            else:
                texts.append(example.text)
        labelled = any(names) or task == "classification"
        own: Shape = (
            "label_sets" if sets or task == "multi_label" else "numbers" if values or task == "regression" else "text"
        )
        shape: Shape = "messages" if talks else "labels" if labelled else own
        if any(e.rejected or e.liked is not None for e in talks):
            shape = "preferences"
        left_out = skipped if skipped is not None else {}
        return cls(row_ids, texts, labels, talks, sets, values, task, shape, left_out, around or Around())

    @property
    def rows(self) -> int:
        """How many rows became examples."""
        return len(self.row_ids)

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
        return tuple(self.row_ids[i] for i, _ in zip(indices, range(EVIDENCE), strict=False))

    @cached_property
    def masked(self) -> list[str]:
        """`folded` with every number as 0: texts that are equal in it come from one template."""
        return [DIGIT.sub("0", t) for t in self.folded]

    @cached_property
    def near(self) -> Near:
        """The near copies among the texts, see `Near`. The most expensive search of the report, so done once."""
        clipped = [t[:CLIP] for t in self.folded]
        seen = Counter[str]()
        rows = []
        for i, text in enumerate(self.masked):
            seen[text] += 1
            if seen[text] <= SAME_TEMPLATE:
                rows.append(i)
        size = sum(len(clipped[i]) for i in rows)
        most = min(COMPARED, int(BUDGET * len(rows) / size)) if size else 0
        if most < len(rows):
            rows = sorted(random.Random(0).sample(rows, most))
        found = search_pairs([clipped[i] for i in rows], NEAR)
        return Near([(rows[a], rows[b], s) for a, b, s in found.pairs], most >= len(rows) and found.whole, len(rows))

    @cached_property
    def languages(self) -> Languages:
        """The languages of a sample of the texts."""
        return detect(self.texts)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The texts as numbers of words, the first `READ` characters of each."""
        return Vocabulary.of(self.texts, READ)

    @cached_property
    def parts(self) -> list[Split | None]:
        """The part of the split of each row, None where it is in none."""
        return [self.around.where.get(row_id) for row_id in self.row_ids]

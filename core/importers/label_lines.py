"""Lines that begin with their label: `__label__spam win now` (fastText) or `DESC:def What is …` (TREC)."""

from __future__ import annotations

import re
from typing import BinaryIO

from core.data.tables import LineNotes, TableBuilder
from core.data.targets import Target
from core.data.text_encoding import decode_head
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote, ImportOptions

from ._plugin import Reading
from ._text import TextSource

LABELLED = re.compile(r"(?:__label__(?P<fasttext>\S+)|(?P<trec>[A-Z]{2,12}:[a-z]+))[ \t]+(?P<text>\S.*)")
LINE_END = re.compile(r"[\r\n]+")
LEAST_LINES = 3


class LabelLines:
    key = "label_lines"
    title = "Lines that begin with their label"
    order = 40

    def matches(self, head: bytes, filename: str) -> float:
        lines = [line for line in LINE_END.split(decode_head(head)) if line.strip()]
        fitting = [found["fasttext"] or found["trec"] for line in lines if (found := LABELLED.match(line))]
        repeated = len(set(fitting)) <= 0.5 * len(fitting)
        return 0.92 if len(fitting) >= max(LEAST_LINES, 0.98 * len(lines)) and repeated else 0.0

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, target: Target) -> Reading:
        """Columns `label` and `text`. A line without a label keeps its text and has no label."""
        source = TextSource(file, options)
        builder, without, complete = TableBuilder(["label", "text"], target), LineNotes(), True
        with source.open() as text:
            for number, line in enumerate(source.clean(text), start=1):
                if not line.strip():
                    continue
                if builder.full:
                    complete = False
                    break
                found = LABELLED.match(line)
                if found is None:
                    without.add(number)
                builder.add(
                    [found["fasttext"] or found["trec"], found["text"].rstrip()] if found else ["", line.strip()]
                )
        builder.finish()
        if not builder.rows:
            raise UserError("The file is empty.", "It holds no lines.", "Choose the file that holds your examples.")
        notes = source.notes()
        notes.append(
            ImportNote(
                severity=Severity.INFO,
                title="Each line begins with its label.",
                meaning="The first word of a line was read as its label, the rest as its text.",
            )
        )
        if without.count:
            notes.append(without.note(Severity.WARNING, "{lines} {have} no label.", "Their label is empty ({where})."))
        used = options.model_copy(update={"encoding": source.encoding.name})
        return Reading(used, notes, complete)


PLUGIN = LabelLines()

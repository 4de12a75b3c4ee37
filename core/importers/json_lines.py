"""JSON Lines: one record a line. Broken lines are left out and named."""

from __future__ import annotations

import json
import re
from typing import BinaryIO

from core.data.json_values import JsonReader
from core.data.tables import LineNotes, RecordBuilder
from core.data.targets import Target
from core.data.text_encoding import decode_head
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportOptions

from ._plugin import Reading
from ._text import TextSource

LINE_END = re.compile(r"[\r\n]+")
LINES_NAME = re.compile(r"\.(jsonl|ndjson|jsonlines)$", re.IGNORECASE)


class JsonLines:
    key = "json_lines"
    title = "JSON Lines"
    order = 10

    def matches(self, head: bytes, filename: str) -> float:
        lines = [line for line in LINE_END.split(decode_head(head))[:40] if line.strip()]
        records = sum(_is_record(line) for line in lines)
        if LINES_NAME.search(filename):
            return 0.95 if records and len(lines) > 1 else 0.6
        return 0.95 if len(lines) > 1 and records >= 2 and records >= 0.5 * len(lines) else 0.0

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, target: Target) -> Reading:
        """Raises UserError where most lines are no JSON records."""
        source = TextSource(file, options)
        reader, builder, broken = JsonReader(), RecordBuilder(target), LineNotes()
        complete = True
        with source.open() as text:
            for number, line in enumerate(source.clean(text), start=1):
                if not line.strip():
                    continue
                if builder.full:
                    complete = False
                    break
                record = reader.record(line, number)
                if record is None:
                    broken.add(number)
                else:
                    builder.add(record, number)
        builder.finish()
        if not builder.rows or broken.count > builder.rows:
            raise UserError(
                "This is not JSON Lines.",
                f"Of {builder.rows + broken.count:,} lines, {broken.count:,} are no JSON record; the first is "
                f"{broken.where(1).split(' and ')[0]}.",
                "Check how the file was written: each line must be one complete record such as "
                '{"text": "…", "label": "…"}.',
            )
        notes = source.notes() + reader.notes()
        if broken.count:
            notes.insert(
                0,
                broken.note(
                    Severity.WARNING,
                    "{lines} could not be read and {were} left out.",
                    "They are not valid JSON ({where}). The other lines were read.",
                ),
            )
        if builder.cleaned.count:
            notes.append(builder.cleaned.about_control_characters())
        used = options.model_copy(update={"encoding": source.encoding.name})
        return Reading(used, notes, complete)


def _is_record(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


PLUGIN = JsonLines()

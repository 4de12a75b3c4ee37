"""What all text formats share: opening the file in the right encoding, cleaning its lines, and saying what was done."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO

from core.data.tables import LineNotes, without_control
from core.data.text_encoding import TextEncoding, check_encoding, detect_encoding, open_text
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote, ImportOptions

BLOCK_CHARACTERS = 1 << 20
LINE_ENDS = {ord(mark): None for mark in "\r\n\t"}


class TextSource:
    """A text file: `encoding` as found or chosen, and notes about what had to be cleaned."""

    def __init__(self, file: BinaryIO, options: ImportOptions) -> None:
        self._file = file
        self._detected = options.encoding is None
        self.encoding: TextEncoding = (
            detect_encoding(file) if options.encoding is None else check_encoding(file, options.encoding)
        )
        self._control, self._replaced = LineNotes(), LineNotes()

    @contextmanager
    def open(self) -> Iterator[TextIO]:
        with open_text(self._file, self.encoding) as text:
            yield text

    def sample(self, characters: int) -> tuple[str, bool]:
        """The beginning of the text without control characters, and whether it is the whole."""
        with self.open() as text:
            sample = text.read(characters)
            return without_control(sample), not text.read(1)

    def clean(self, lines: TextIO) -> Iterator[str]:
        """The lines with their ends, without control characters; counts which lines were touched."""
        for number, line in enumerate(lines, start=1):
            if line.rstrip("\r\n").replace("\t", "").isprintable() and not self.encoding.damaged:
                yield line
                continue
            yield self._clean(number, line)

    def _clean(self, number: int, line: str) -> str:
        if self.encoding.damaged and "\ufffd" in line:
            self._replaced.add(number)
        clean = without_control(line)
        if clean != line:
            self._control.add(number)
        return clean

    def blocks(self, text: TextIO) -> Iterator[str]:
        """The same in blocks of about a million characters, for texts whose lines may be as long as the file."""
        line = 1
        while block := text.read(BLOCK_CHARACTERS):
            if self.encoding.damaged or not block.translate(LINE_ENDS).isprintable():
                cleaned = []
                for number, part in enumerate(io.StringIO(block, newline=""), start=line):
                    cleaned.append(self._clean(number, part))
                yield "".join(cleaned)
            else:
                yield block
            line += block.count("\n")

    def notes(self) -> list[ImportNote]:
        """About the encoding, and about characters that were replaced or left out. Ask after reading."""
        notes = []
        if self._detected and self.encoding.damaged:
            notes.append(
                self._replaced.note(
                    Severity.WARNING,
                    "{lines} {hold} bytes that are no letters.",
                    f"The file is {self.encoding.title}, but some of its bytes are not; they were replaced by \ufffd"
                    " ({where}). "
                    "The texts of those lines are damaged.",
                )
            )
        elif self._detected and not self.encoding.certain:
            notes.append(
                ImportNote(
                    severity=Severity.WARNING,
                    title=f"The letters were read as {self.encoding.title}.",
                    meaning="The file does not say how its letters are spelled, so this is a guess. If letters look wrong "
                    "in the preview, choose another encoding.",
                )
            )
        if self._control.count:
            notes.append(self._control.about_control_characters())
        return notes

"""Plain text: one example a paragraph, a line, or a piece of the whole file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from core.data.tables import TableBuilder
from core.data.targets import Target
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote, ImportOptions, TextMode

from ._plugin import Reading
from ._text import TextSource

SAMPLE_CHARACTERS = 1_000_000
LINES_IN_PARAGRAPH = 200
TEXT_NAME = re.compile(r"\.(txt|text|md|log)$", re.IGNORECASE)
BLANK_LINE = re.compile(r"(?:\r\n|\n|\r)(?:[ \t]*(?:\r\n|\n|\r))+")


class PlainText:
    key = "plain_text"
    title = "Plain text"
    order = 90

    def matches(self, head: bytes, filename: str) -> float:
        return 0.5 if TEXT_NAME.search(filename) else 0.1

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, target: Target) -> Reading:
        source = TextSource(file, options)
        sample, _ = source.sample(SAMPLE_CHARACTERS)
        mode = options.text_mode or _detect_mode(sample)
        builder, complete = TableBuilder(["text"], target), True
        with source.open() as text:
            for piece in _pieces(source.clean(text), mode, options.chunk_characters):
                if builder.full:
                    complete = False
                    break
                builder.add([piece])
        builder.finish()
        if not builder.rows:
            raise UserError(
                "The file is empty.",
                "It holds nothing but characters that cannot be seen.",
                "Choose the file that holds your examples.",
            )
        used = options.model_copy(update={"encoding": source.encoding.name, "text_mode": mode})
        return Reading(used, [*source.notes(), _mode_note(mode, options)], complete)


def _detect_mode(sample: str) -> TextMode:
    """Paragraphs where blank lines separate blocks, else lines; the whole in pieces where there is a single line."""
    body = sample.strip()
    lines = body.count("\n") or body.count("\r")
    blocks = len(BLANK_LINE.findall(body))
    if blocks and lines <= LINES_IN_PARAGRAPH * blocks:  # more, and the blank line is only below a title
        return "paragraph"
    return "line" if "\n" in body or "\r" in body else "file"


def _pieces(lines: Iterable[str], mode: TextMode, characters: int) -> Iterator[str]:
    if mode == "line":
        return (line.rstrip("\r\n") for line in lines if line.strip())
    if mode == "paragraph":
        return _paragraphs(lines)
    return _chunks(lines, characters)


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    block: list[str] = []
    for line in lines:
        if line.strip():
            block.append(line.rstrip("\r\n"))
        elif block:
            yield "\n".join(block)
            block = []
    if block:
        yield "\n".join(block)


def _chunks(lines: Iterable[str], characters: int) -> Iterator[str]:
    held = ""
    for line in lines:
        text = line.rstrip("\r\n") + "\n"
        for start in range(0, len(text), characters):  # a line can be as long as the file
            held += text[start : start + characters]
            while len(held) > characters:
                end, begin = _cut(held, characters)
                if held[:end].strip():
                    yield held[:end].strip("\n")
                held = held[begin:]
    if held.strip():
        yield held.strip("\n")


def _cut(held: str, characters: int) -> tuple[int, int]:
    """Where a piece ends and the next begins: between paragraphs where one ends in its second half, else between
    lines, else between words."""
    for mark in ("\n\n", "\n", " "):
        place = held.rfind(mark, characters // 2, characters)
        if place >= 0:
            return place, place + len(mark)
    return characters, characters


def _mode_note(mode: TextMode, options: ImportOptions) -> ImportNote:
    how = {
        "paragraph": "Each block between blank lines is one example.",
        "line": "Each line is one example.",
        "file": f"The text was cut into pieces of about {options.chunk_characters:,} characters.",
    }
    return ImportNote(severity=Severity.INFO, title=how[mode], meaning="You can choose another way to divide the text.")


PLUGIN = PlainText()

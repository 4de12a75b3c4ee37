"""A zip with one folder for each class and one text file for each example: the folder's name is the label."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import PurePosixPath

from core.data.archives import check_declared_size, extract_member
from core.data.tables import LineNotes, TableBuilder, printable
from core.data.targets import Target
from core.data.text_encoding import detect_encoding, open_text
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote, ImportOptions, Member

from ._plugin import Reading

KEY, TITLE = "class_folders", "Folders of text files"
LEAST_FILES = 4
LARGEST_TEXT = 10_000_000


def is_class_folders(members: tuple[Member, ...]) -> bool:
    """Text files only, all at the same depth, in at least two folders with on average two files or more."""
    paths = [PurePosixPath(member.name) for member in members]
    if len(paths) < LEAST_FILES or any(path.suffix.lower() not in (".txt", ".text") for path in paths):
        return False
    folders = Counter(path.parent for path in paths)
    same_depth = len({len(path.parts) for path in paths}) == 1
    return same_depth and len(folders) >= 2 and len(paths) >= 2 * len(folders) and len(paths[0].parts) >= 2


def read_class_folders(
    archive: zipfile.ZipFile, members: tuple[Member, ...], options: ImportOptions, target: Target
) -> Reading:
    """Columns `text`, `label` and `file`. Empty files are left out. Raises UserError where no text is left."""
    check_declared_size(archive, target.limits)
    builder, empty = TableBuilder(["text", "label", "file"], target), LineNotes()
    shown = members if target.limit_rows is None else members[: target.limit_rows]
    for member in shown:
        if member.size > LARGEST_TEXT:
            raise UserError(
                "A file in the archive is too large to be one example.",
                f"{printable(member.name)[:80]} holds {member.size / 1e6:,.0f} MB of text.",
                "Put each example into a file of its own, or upload one table instead.",
            )
        with extract_member(archive, member.name, target.limits) as file:
            text = _text(io.BytesIO(file.read()))
        if text.strip():
            builder.add([text, printable(PurePosixPath(member.name).parent.name), printable(member.name)])
        else:
            empty.add(None)
    builder.finish()
    if not builder.rows:
        raise UserError("The archive holds no text.", "All its text files are empty.", "Choose another archive.")
    notes = [
        ImportNote(
            severity=Severity.INFO,
            title="Each text file is one example; its folder is its label.",
            meaning="The archive has one folder for each class.",
        )
    ]
    if empty.count:
        notes.append(empty.note(Severity.WARNING, "Empty files were left out: {n}.", "They hold no text."))
    return Reading(options, notes, complete=len(shown) == len(members))


def _text(file: io.BytesIO) -> str:
    with open_text(file, detect_encoding(file)) as text:
        return printable(text.read()).strip("\r\n")

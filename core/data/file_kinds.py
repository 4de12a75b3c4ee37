"""Recognise what a file really is from its first bytes, whatever its name says, and refuse what holds no examples."""

from __future__ import annotations

import re

from core.schemas.errors import UserError

HEAD_BYTES = 1 << 16

# (offset, first bytes, what it is). Longer signatures first where one begins another.
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF87a", "a GIF image"),
    (0, b"GIF89a", "a GIF image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"\x7fELF", "a program"),
    (0, b"ARROW1", "an Arrow (Feather) file"),
    (0, b"ORC", "an ORC file"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF\r\n", "an HDF5 file"),
    (0, b"GGUF", "a model in the GGUF format"),
    (0, b"OggS", "an Ogg recording"),
    (0, b"fLaC", "a FLAC recording"),
    (0, b"ID3", "an MP3 recording"),
    (8, b"WAVE", "a WAV recording"),
    (4, b"ftyp", "a video"),
    (0, b"\x1aE\xdf\xa3", "a video"),
)
ARCHIVES: tuple[tuple[int, bytes, str], ...] = (
    (257, b"ustar", "a tar archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BINARY_PICKLE = re.compile(rb"\x80[\x01-\x05]")
# Protocol 0 pickles are ASCII: a mark and a memo number, or an imported name, and a full stop at the very end.
TEXT_PICKLE = re.compile(rb"(?:\([dlt]p\d+\n|c[a-zA-Z_][\w.]*\n\w+\n(?:p\d+\n|\())")
MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|\?xml|svg)\b", re.IGNORECASE)
# Control characters that text does not hold; tab, line ends, form feed and escape are left out.
CONTROL_BYTES = bytes(set(range(32)) - {9, 10, 12, 13, 27} | {127})


def is_gzip(head: bytes) -> bool:
    return head.startswith(b"\x1f\x8b")


def is_zip(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"))


def is_parquet(head: bytes) -> bool:
    return head.startswith(b"PAR1")


def refuse_unreadable(head: bytes, filename: str) -> None:
    """Raise UserError where the first bytes show that the file is empty or is no table or text.

    Zip, gzip and Parquet pass: they are read by their own importers.
    """
    if not head:
        raise UserError("The file is empty.", "It holds no bytes at all.", "Choose the file that holds your examples.")
    if len(head) < HEAD_BYTES and not head.strip(b" \t\r\n\f\v\0\xef\xbb\xbf\xff\xfe"):
        raise UserError(
            "The file is empty.",
            "It holds nothing but white space.",
            "Choose the file that holds your examples.",
        )
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        raise UserError(
            "The real file was not downloaded.",
            "This is a Git LFS pointer: a short note that says where the data are, without the data.",
            "Run `git lfs pull` in the repository, or download the file from its web page, and choose it again.",
        )
    if BINARY_PICKLE.match(head) or TEXT_PICKLE.match(head):
        raise UserError(
            "This is a Python pickle, which is never opened.",
            "Opening a pickle runs whatever program was put into it.",
            "Open it where you trust it and save the table as CSV, JSON Lines or Parquet.",
        )
    if head.startswith(OLE):
        _refuse_ole(head)
    for offset, signature, title in ARCHIVES:
        if head[offset : offset + len(signature)] == signature:
            raise UserError(
                f"This is {title}, which cannot be opened here.",
                "Only zip and gzip archives are opened, because only those can be checked safely before unpacking.",
                "Unpack it and choose the file inside, or pack your files as a zip.",
            )
    for offset, signature, title in SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            raise _not_a_table(title, filename)
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 32:
        raise _not_a_table("a model in the safetensors format", filename)
    if MARKUP.match(head):
        title = "an XML file" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml") else "a web page (HTML)"
        raise _not_a_table(title, filename)
    if not (is_zip(head) or is_gzip(head) or is_parquet(head)) and _looks_binary(head):
        raise _not_a_table("a binary file of an unknown kind", filename)


def _refuse_ole(head: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in head:
        raise UserError(
            "The workbook is protected by a password.",
            "Its content is encrypted and cannot be read.",
            "Open it in your spreadsheet program, remove the password and save it again.",
        )
    raise UserError(
        "This is an old Office file (such as .xls or .doc).",
        "Only the newer workbooks, .xlsx, can be read.",
        "Open it in your spreadsheet program and save it as .xlsx or CSV.",
    )


def _looks_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 or UTF-32
        return False
    others = len(head) - len(head.translate(None, CONTROL_BYTES.replace(b"\0", b"")))
    zeros_even, zeros_odd = head[0::2].count(0), head[1::2].count(0)
    zeros = zeros_even + zeros_odd
    if min(zeros_even, zeros_odd) <= 0.2 * max(zeros_even, zeros_odd):  # may be UTF-16; the encoding is checked later
        zeros = 0
    return others + zeros > 0.1 * len(head)


def _not_a_table(title: str, filename: str) -> UserError:
    ending = re.search(r"\.(\w{1,8})$", filename)
    named = f" although its name ends in .{ending[1]}" if ending else ""
    return UserError(
        f"This is {title}, not a table or text.",
        f"Its content shows what it really is{named}.",
        "Choose a CSV, Excel, JSON, JSON Lines, Parquet or text file, or export your data as one of these.",
    )

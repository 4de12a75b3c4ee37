"""Find out how the bytes of a text file spell letters, and open it as text.

UTF-8 is accepted only where the whole file is valid UTF-8. Everything else is a guess, and says so, because a wrong
guess turns letters into other letters without any error.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from core.schemas.errors import UserError

BLOCK = 1 << 20
SAMPLE = 1 << 18
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODING_TITLES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte-order mark",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1254": "Windows-1254 (Turkish)",
    "mac_roman": "Mac OS Roman",
    "cp850": "DOS 850 (Western European)",
    "gb18030": "GB 18030 (simplified Chinese)",
    "big5": "Big5 (traditional Chinese)",
    "cp932": "Shift JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp874": "Windows-874 (Thai)",
}
LATIN = ("cp1252", "cp1250", "cp1254", "mac_roman", "cp850")
OTHER_SCRIPTS = (
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp949",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp874",
)
HIGH_RUN = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True)
class TextEncoding:
    """`certain` is False where the name is a guess. `damaged`: some bytes mean nothing and are read as U+FFFD."""

    name: str
    certain: bool
    damaged: bool = False

    @property
    def title(self) -> str:
        return ENCODING_TITLES.get(self.name, self.name)


def detect_encoding(file: BinaryIO) -> TextEncoding:
    """Read the whole file (rewound before and after) and say how it is encoded.

    Raises UserError where no known encoding fits.
    """
    file.seek(0)
    head = file.read(SAMPLE)
    file.seek(0)
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return TextEncoding(name, certain=True, damaged=_first_invalid(file, name) is not None)
    if wide := _utf16_without_mark(head):
        return TextEncoding(wide, certain=False, damaged=_first_invalid(file, wide) is not None)
    invalid_at = _first_invalid(file, "utf-8")
    if invalid_at is None:
        return TextEncoding("utf-8", certain=True)
    sample = _lines_beyond_ascii(file, invalid_at)
    if _mostly_utf8(sample):
        return TextEncoding("utf-8", certain=False, damaged=True)
    guess = _legacy_encoding(sample)
    return TextEncoding(guess, certain=False, damaged=_first_invalid(file, guess) is not None)


def check_encoding(file: BinaryIO, name: str) -> TextEncoding:
    """The encoding that a person chose. Raises UserError where it is unknown or does not fit the whole file."""
    try:
        "".encode(name)  # raises for codecs such as "hex" or "rot13", which do not turn letters into bytes
    except (LookupError, ValueError):
        raise UserError(
            f"There is no text encoding called {name[:40]!r}.",
            "The name is not known to this program.",
            "Choose one of the list, or leave the encoding on automatic.",
        ) from None
    invalid_at = _first_invalid(file, name)
    if invalid_at is not None:
        line = file.read(invalid_at).count(b"\n") + 1
        file.seek(0)
        raise UserError(
            f"The file is not written in {ENCODING_TITLES.get(name, name)}.",
            f"Line {line} holds bytes that mean nothing in this encoding.",
            "Choose another encoding, or leave it on automatic.",
        )
    return TextEncoding(name.lower(), certain=True)


def decode_head(head: bytes) -> str:
    """The first bytes of a file as text, good enough to recognise a format. Never raises."""
    cut = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1 if len(head) > 4096 else 0
    head = head[:cut] if cut else head
    try:
        name = detect_encoding(io.BytesIO(head)).name
    except UserError:
        name = "cp1252"
    return codecs.getincrementaldecoder(name)("replace").decode(head)


@contextmanager
def open_text(file: BinaryIO, encoding: TextEncoding) -> Iterator[TextIO]:
    """The file as text from its beginning, line ends untouched. `file` stays open afterwards."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding.name, errors="replace" if encoding.damaged else "strict", newline="")
    try:
        yield text
    finally:
        text.detach()


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 text has its zero bytes (one in each ASCII character) nearly all on even or nearly all on odd places."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if even + odd < max(2, 0.005 * len(head)) or min(even, odd) > 0.2 * max(even, odd):
        return None
    name = "utf-16-be" if even > odd else "utf-16-le"
    try:
        text = codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return None
    return name if "\0" not in text and any(end in text for end in "\n\r") else None


def _first_invalid(file: BinaryIO, name: str) -> int | None:
    """Where the first byte stands that the encoding does not know, or None. The file is rewound."""
    decoder = codecs.getincrementaldecoder(name)()
    offset = left_over = 0
    file.seek(0)
    try:
        while block := file.read(BLOCK):
            left_over = len(decoder.getstate()[0])  # of a character that began in the block before
            decoder.decode(block)
            offset += len(block)
        left_over = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return offset - left_over + getattr(error, "start", 0)
    finally:
        file.seek(0)
    return None


def _lines_beyond_ascii(file: BinaryIO, around: int) -> bytes:
    """The lines with bytes above 127 near `around`: what a guess can rest on, without the ASCII that tells nothing."""
    file.seek(max(0, around - SAMPLE))
    sample = file.read(2 * SAMPLE)
    file.seek(0)
    lines = [line for line in re.split(rb"[\r\n]+", sample) if HIGH_RUN.search(line)]
    if len(lines) > 2:  # the first and the last may be cut in the middle of a character
        lines = lines[int(around > SAMPLE) : -1]
    return b"\n".join(lines)[: 2 * SAMPLE]


def _mostly_utf8(sample: bytes) -> bool:
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(1 for c in text if ord(c) > 127) - broken
    return whole >= 20 and broken <= 0.1 * whole


def _legacy_encoding(sample: bytes) -> str:
    runs = [len(run) for run in HIGH_RUN.findall(sample)]
    if sum(runs) / max(len(runs), 1) >= 1.6:  # accented letters stand alone; letters of another script in a row
        from charset_normalizer import from_bytes

        best = from_bytes(sample, cp_isolation=list(OTHER_SCRIPTS)).best()
        if best is not None:
            return {"shift_jis": "cp932", "euc_kr": "cp949", "big5hkscs": "big5"}.get(best.encoding, best.encoding)
    scores = {name: _latin_score(sample, name) for name in LATIN}
    best_latin = max(LATIN, key=lambda name: scores[name])
    if scores[best_latin] >= 0.5:
        return "cp1254" if best_latin == "cp1252" and _looks_turkish(sample) else best_latin
    raise UserError(
        "The letters of this file cannot be read.",
        "It is not UTF-8, and no other usual encoding fits it.",
        "Open it in the program that wrote it and save it again as UTF-8, or choose the encoding yourself.",
    )


def _latin_score(sample: bytes, name: str) -> float:
    """Share of the characters above 127 that make sense: a letter inside a word, or a sign outside."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return 0.0
    good = total = 0
    for i, character in enumerate(text):
        if ord(character) < 128:
            continue
        total += 1
        before, after = text[i - 1 : i], text[i + 1 : i + 2]
        if character.isalpha():
            good += (before.isalpha() or after.isalpha() or character in "àÀéÉ") and not (
                before.islower() and character.isupper()
            )
        else:
            good += character in "’'" or (character.isprintable() and not (before.isalpha() and after.isalpha()))
            good += character in "–—" and before.isalpha() and after.isalpha()
    return good / max(total, 1)


def _looks_turkish(sample: bytes) -> bool:
    """The two code pages differ in six letters: Turkish ones in one, Icelandic ones in the other."""
    letters = set(sample.decode("cp1252").lower())
    return len(letters & set("ðþý")) >= 2 and not letters & set("áíóúæ")

"""The quick reader of plain tables gives exactly the cells of the careful one, and steps aside where it would not."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pyarrow as pa
import pytest

from core.data import plain_csv
from core.importers import delimited, read

PIECES = [
    "", " ", "a", "Zimmer", "naïve", "好吃", "🙂", ",", ";", '"', '""', "\n", "\r\n", "\t", "'", "0007", "1.50", "NA", "-", "#",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_csv, "LEAST_BYTES", 1)


def both(folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[pa.Table, pa.Table, bool]:
    """(as read, as the careful reader reads it, whether the quick one was used)."""
    path = folder / "table.csv"
    path.write_bytes(content)
    used = []
    opened = plain_csv.open_plain

    def watched(*arguments: object) -> object:
        used.append(opened(*arguments))  # type: ignore[arg-type]
        return used[-1]

    with monkeypatch.context() as patch:
        patch.setattr(delimited, "open_plain", watched)
        quick = read(path, "table.csv")[0]
        patch.setattr(delimited, "open_plain", lambda *_: None)
        careful = read(path, "table.csv")[0]
    return quick, careful, used[0] is not None


def written(rows: list[list[str]], **dialect: object) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, **dialect).writerows(rows)  # type: ignore[arg-type]
    return buffer.getvalue().encode()


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_are_read_the_same_in_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    width = draw.randint(2, 4)
    rows = [["text", "label", "note", "more"][:width]]
    for _ in range(draw.randint(1, 60)):
        rows.append(["".join(draw.choices(PIECES, k=draw.randint(0, 4))) for _ in range(width)])
    dialect = {"delimiter": draw.choice(",;\t|"), "lineterminator": draw.choice(["\n", "\r\n"])}
    content = written(rows, **dialect)
    if draw.random() < 0.3:
        content = b"\xef\xbb\xbf" + content
    if draw.random() < 0.3:
        content = content.rstrip(b"\r\n")
    quick, careful, _ = both(tmp_path, content, monkeypatch)
    assert quick.to_pydict() == careful.to_pydict()


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_an_ordinary_table_is_read_the_quick_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quoting: int) -> None:
    rows = [["text", "label"], *([f'Room {n}, "clean"', ""] for n in range(200)), ["two\nlines", "good"]]
    quick, careful, used = both(tmp_path, written(rows, quoting=quoting), monkeypatch)
    assert used
    assert quick.equals(careful)
    assert quick.column("label").null_count == 200 and quick.column("text")[200].as_py() == "two\nlines"


@pytest.mark.parametrize(
    "line",
    [
        'a "word" inside,good',
        '"open,good',
        '"closed"early,good',
        ' "a blank before",good',
        "one,two,three",
        "alone",
        ",",
        " ,",
        "bell\a,good",
        "caf\u0092s,good",
        "old\rMac,good",
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_anything_unusual_is_left_to_the_careful_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, last: bool
) -> None:
    plain = ["The room was clean.,good"] * 30
    lines = ["text,label", *plain, line, *([] if last else plain)]
    quick, careful, used = both(tmp_path, "\n".join(lines).encode() + b"\n", monkeypatch)
    assert quick.equals(careful)
    # A single stray mark makes all marks literal, and a blank in the first cell is something written: both are plain.
    assert used is (line in ('"open,good', '"closed"early,good', " ,"))


def test_a_total_below_and_a_line_of_excel_above_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["sep=;", "item;price", *(f"thing {n};{n}" for n in range(30)), "Total;435"]
    quick, careful, _ = both(tmp_path, "\n".join(rows).encode(), monkeypatch)
    assert quick.equals(careful) and quick.column_names == ["item", "price"]


def test_a_row_longer_than_a_block_is_left_to_the_careful_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_csv, "BLOCK_BYTES", 1 << 10)
    rows = [["text", "label"], *([f"short {n}", "x"] for n in range(50)), ["long " * 1000, "y"]]
    quick, careful, used = both(tmp_path, written(rows), monkeypatch)
    assert quick.to_pydict() == careful.to_pydict() and not used

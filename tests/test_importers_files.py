"""Parquet, Excel, archives, and files that are not what their name says."""

from __future__ import annotations

import datetime
import gzip
import io
import os
import pickle
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.importers import read
from core.schemas.errors import UserError
from core.schemas.imports import ColumnKind, ImportLimits, ImportOptions, ImportReport

CSV = b"text,label\n" + b"The room was clean.,good\nThe bed was cold.,bad\n" * 30


def load(folder: Path, content: bytes, name: str, **options: Any) -> tuple[pa.Table, ImportReport]:
    path = folder / "upload"
    path.write_bytes(content)
    limits = ImportLimits(max_bytes=options.pop("max_bytes", 500_000_000))
    return read(path, name, ImportOptions(**options), limits=limits)


def refused(folder: Path, content: bytes, name: str, **options: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        load(folder, content, name, **options)
    return caught.value


def parquet_bytes(table: pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def zip_bytes(members: dict[str, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def workbook_bytes(**sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_parquet_of_any_types_becomes_text(tmp_path: Path) -> None:
    moment = datetime.datetime(2024, 5, 6, 7, 8, tzinfo=datetime.UTC)
    table = pa.table(
        {
            "text": pa.array(["one", "two", ""]).dictionary_encode(),
            "label": pa.array([1.0, 2.0, None]),
            "share": pa.array([0.5, float("nan"), float("inf")]),
            "yes": [True, False, None],
            "raw": [b"bytes", b"\xff\xfe", None],
            "when": [moment, None, moment],
            "nothing": pa.nulls(3),
            "vector": pa.array([[1.5, 2.0], [3.0, None], None], pa.list_(pa.float32(), 2)),
            "messages": [[{"role": "user", "content": "hi"}]] * 3,
        }
    )
    result, report = load(tmp_path, parquet_bytes(table), "data.parquet")
    assert set(result.schema.types) == {pa.string()}
    assert result.slice(0, 2).to_pydict() == {
        "text": ["one", "two"],
        "label": ["1", "2"],
        "share": ["0.5", None],
        "yes": ["true", "false"],
        "raw": ["bytes", "(binary, 2 bytes)"],
        "when": ["2024-05-06 07:08:00.000000Z", None],
        "nothing": [None, None],
        "vector": ["[1.5, 2.0]", "[3.0, null]"],
        "messages": ['[{"role": "user", "content": "hi"}]'] * 2,
    }
    kinds = {column.name: column.kind for column in report.columns}
    assert kinds["nothing"] is ColumnKind.EMPTY and kinds["messages"] is ColumnKind.CONVERSATION
    assert {column.name: column.n_missing for column in report.columns}["label"] == 1


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_truncated_parquet_file_is_refused_with_a_reason(tmp_path: Path, keep: float) -> None:
    whole = parquet_bytes(pa.table({"text": [f"row {n}" for n in range(500)]}))
    error = refused(tmp_path, whole[: int(keep * len(whole))], "data.parquet")
    assert error.title == "The Parquet file is damaged."


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, parquet_bytes(pa.table({"text": pa.array([], pa.string())})), "data.parquet")
    assert error.title == "The file has no rows."


def test_a_parquet_bomb_is_stopped_before_it_is_written_out(tmp_path: Path) -> None:
    indices = pa.array([0] * 200_000, pa.int32())
    bomb = pa.table({"text": pa.DictionaryArray.from_arrays(indices, ["a" * 100_000])})  # 20 GB in 100 kB
    content = parquet_bytes(bomb)
    assert len(content) < 1_000_000
    assert "too large when unpacked" in refused(tmp_path, content, "data.parquet").title
    assert pa.default_memory_pool().max_memory() < 512_000_000


def test_a_workbook_gives_what_its_cells_show(tmp_path: Path) -> None:
    rows = [["text", "label", "code", "when", "share", "ok"]]
    rows += [["fine", n % 2, f"{n:04d}", datetime.datetime(2024, 1, 1 + n), n / 4, True] for n in range(4)]
    table, report = load(tmp_path, workbook_bytes(Data=rows), "book.xlsx")
    assert table.to_pylist()[1] == {
        "text": "fine", "label": "1", "code": "0001", "when": "2024-01-02", "share": "0.25", "ok": "TRUE",
    }  # fmt: skip
    assert table.column("share").to_pylist() == ["0", "0.25", "0.5", "0.75"]
    assert report.options.sheet == "Data" and report.sheets == ("Data",)


def test_the_sheet_can_be_chosen(tmp_path: Path) -> None:
    content = workbook_bytes(First=[["text", "label"], ["a", "x"]], Second=[["text", "label"], ["b", "y"], ["c", "z"]])
    assert load(tmp_path, content, "book.xlsx")[0].num_rows == 1
    table, report = load(tmp_path, content, "book.xlsx", sheet="Second")
    assert table.column("text").to_pylist() == ["b", "c"]
    assert report.sheets == ("First", "Second") and any("2 sheets" in note.title for note in report.notes)
    assert "Second" in refused(tmp_path, content, "book.xlsx", sheet="Third").cause
    empty_first = workbook_bytes(First=[], Second=[["text", "label"], ["b", "y"]])
    assert load(tmp_path, empty_first, "book.xlsx")[1].options.sheet == "Second"


def test_a_cover_before_the_table_is_not_taken_for_the_data(tmp_path: Path) -> None:
    table = [["text", "label"], *([f"row {i}", "x"] for i in range(30))]
    covered = workbook_bytes(
        Cover=[["Our mails"], ["As of", "May"]], Mails=table, Notes=[["text", "label"], ["a", "x"]]
    )
    assert load(tmp_path, covered, "book.xlsx")[1].options.sheet == "Mails"
    small_first = workbook_bytes(First=table[:6], Second=table)
    assert load(tmp_path, small_first, "book.xlsx")[1].options.sheet == "First", "a shorter table is no cover"


def test_titles_blank_rows_and_blank_columns_of_a_sheet_do_no_harm(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Feedback 2024"], [], ["text", "label"], ["a fine day", "x"], [None, None], ["b", None]]
    table, report = load(tmp_path, workbook_bytes(S=rows), "book.xlsx")
    assert table.to_pylist() == [{"text": "a fine day", "label": "x"}, {"text": "b", "label": None}]
    assert report.options.skip_lines == 1


def test_all_rows_of_a_long_sheet_are_read(tmp_path: Path) -> None:
    rows = [["text", "label"], *([f"row {n}", "x"] for n in range(450))]
    table, _ = load(tmp_path, workbook_bytes(S=rows), "book.xlsx")
    assert table.column("text").to_pylist() == [f"row {n}" for n in range(450)]


def test_formulas_without_a_saved_result_and_error_cells_are_pointed_out(tmp_path: Path) -> None:
    rows = [["text", "label"], ["a", "=1+1"], ["b", "#N/A"], ["c", "fine"]]
    table, report = load(tmp_path, workbook_bytes(S=rows), "book.xlsx")
    assert table.column("label").to_pylist() == [None, None, "fine"]
    found = {note.title: note.line_numbers for note in report.notes}
    assert found["1 row holds formulas without a saved result."] == (2,)
    assert found["1 row holds an error such as #REF! or #N/A."] == (3,)


def test_a_workbook_without_rows_or_in_pieces_is_refused(tmp_path: Path) -> None:
    assert "empty" in refused(tmp_path, workbook_bytes(S=[]), "book.xlsx").title
    assert "no rows" in refused(tmp_path, workbook_bytes(S=[["text", "label"]]), "book.xlsx").title
    whole = workbook_bytes(S=[["text"], ["a"]])
    assert "damaged" in refused(tmp_path, whole[: len(whole) // 2], "book.xlsx").title


def test_a_workbook_with_an_xml_bomb_or_an_outside_entity_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read me", encoding="utf-8")
    laughs = '<!ENTITY a "haha">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 20}">' for n in range(9))
    for entity, use in ((laughs, "&j;"), (f'<!ENTITY x SYSTEM "{secret.as_uri()}">', "&x;")):
        sheet = (
            f'<?xml version="1.0"?><!DOCTYPE w [{entity}]><worksheet xmlns="http://schemas.openxmlformats.org/'
            'spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c></row>'
            f'<row r="2"><c r="A2" t="inlineStr"><is><t>{use}</t></is></c></row></sheetData></worksheet>'
        )
        source = zipfile.ZipFile(io.BytesIO(workbook_bytes(S=[["text"], ["a"]])))
        parts = {name: source.read(name) for name in source.namelist()}
        parts["xl/worksheets/sheet1.xml"] = sheet.encode()
        error = refused(tmp_path, zip_bytes(parts), "book.xlsx")
        assert "do not read me" not in str(error)


def test_gzip_is_opened(tmp_path: Path) -> None:
    table, report = load(tmp_path, gzip.compress(CSV), "data.csv.gz")
    assert table.num_rows == 60 and report.format == "delimited" and report.filename == "data.csv.gz"
    two = gzip.compress(CSV[:1000]) + gzip.compress(CSV[1000:])
    assert load(tmp_path, two, "data.csv.gz")[0].num_rows == 60
    assert load(tmp_path, gzip.compress(parquet_bytes(pa.table({"text": ["a"]}))), "x.gz")[1].format == "parquet"


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(10_000))
    assert refused(tmp_path, packed[:5_000], "data.csv.gz").title == "The gzip file is damaged."
    assert refused(tmp_path, packed[:-8] + b"00000000", "data.csv.gz").title == "The gzip file is damaged."


def test_a_zip_offers_its_data_files_without_clutter(tmp_path: Path) -> None:
    clutter = ("set/readme.txt", "__MACOSX/set/._train.csv", ".DS_Store", "set/.hidden.csv", "LICENSE", "set/logo.png")
    data = {"set/train.csv": CSV, "set/test.csv": b"text,label\na,x\nb,y\n"}
    content = zip_bytes({**data, **dict.fromkeys(clutter, b"x")})
    table, report = load(tmp_path, content, "data.zip")
    assert [member.name for member in report.members] == ["set/train.csv", "set/test.csv"]
    assert report.options.member == "set/train.csv" and table.num_rows == 60
    assert load(tmp_path, content, "data.zip", member="set/test.csv")[0].num_rows == 2
    assert "set/train.csv" in refused(tmp_path, content, "data.zip", member="../../etc/passwd").fix


def test_a_folder_for_each_class_becomes_labelled_rows(tmp_path: Path) -> None:
    members = {
        f"reviews/{label}/{n:03}.txt": f"Review {n} was {label}.".encode()
        for n in range(30)
        for label in ("good", "bad")
    }
    table, report = load(tmp_path, zip_bytes({**members, "reviews/good/empty.txt": b" \n"}), "reviews.zip")
    assert table.num_rows == 60 and set(table.column("label").to_pylist()) == {"good", "bad"}
    assert report.format == "class_folders" and report.task == "classification"
    assert report.roles["classification"] == {"text": "text", "label": "label"}
    assert any("Empty files" in note.title for note in report.notes)


def test_nothing_is_written_under_a_name_from_an_archive(tmp_path: Path) -> None:
    buffer = io.BytesIO(zip_bytes({"../../escape.csv": CSV, "/etc/absolute.csv": CSV}))
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("link.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    _, report = load(folder, buffer.getvalue(), "data.zip")
    assert [member.name for member in report.members] == ["../../escape.csv", "/etc/absolute.csv"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "folder", "upload"]


def test_bombs_are_refused_by_declared_and_by_real_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.data.archives.RATIO_MATTERS_FROM", 2_000_000)
    zeros = b"0" * 3_000_000
    assert "zip bomb" in refused(tmp_path, zip_bytes({"data.csv": zeros}, compresslevel=9), "bomb.zip").title
    assert "zip bomb" in refused(tmp_path, gzip.compress(zeros), "bomb.csv.gz").title
    large = os.urandom(200_000).hex().encode()
    assert "too large when unpacked" in refused(tmp_path, zip_bytes({"a.csv": large}), "a.zip", max_bytes=300_000).title
    assert "too large when unpacked" in refused(tmp_path, gzip.compress(large), "a.gz", max_bytes=300_000).title


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_bytes({"data.csv": CSV * 100}))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (1_000).to_bytes(4, "little")
    assert refused(tmp_path, bytes(content), "data.zip").title == "The zip archive is damaged."


def test_archives_inside_archives_are_not_opened(tmp_path: Path) -> None:
    inner = zip_bytes({"data.csv": CSV})
    zips = (zip_bytes({"a.zip": inner, "b.zip": inner}), zip_bytes({"named.csv": inner}))
    for content in (*zips, gzip.compress(inner), gzip.compress(gzip.compress(CSV))):
        assert refused(tmp_path, content, "outer").title == "The archive holds other archives."
    _, report = load(tmp_path, zip_bytes({"data.csv": CSV, "more.zip": inner}), "outer.zip")
    assert any("not opened" in note.title for note in report.notes)


def test_a_locked_or_damaged_or_empty_zip_is_refused(tmp_path: Path) -> None:
    locked = bytearray(zip_bytes({"data.csv": CSV}))
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert "password" in refused(tmp_path, bytes(locked), "data.zip").title
    assert "damaged" in refused(tmp_path, zip_bytes({"data.csv": CSV})[:80], "data.zip").title
    assert "no file that can be read" in refused(tmp_path, zip_bytes({}), "data.zip").title


def test_tar_is_refused_and_never_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("ok.csv", "../escape.csv"):
            info = tarfile.TarInfo(name)
            info.size = len(CSV)
            archive.addfile(info, io.BytesIO(CSV))
    for content in (buffer.getvalue(), gzip.compress(buffer.getvalue())):
        assert "tar archive" in refused(tmp_path, content, "data.csv").title
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG image"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "JPEG image"),
        (b"%PDF-1.7\n1 0 obj", "PDF document"),
        (b"SQLite format 3\0" + bytes(100), "SQLite"),
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "web page"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><rows/>', "XML file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 29470338\n", "not downloaded"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "7-Zip"),
        ((500).to_bytes(8, "little") + b'{"weight":{"dtype":"F32"' + bytes(900), "safetensors"),
        (zip_bytes({"mimetype": b"application/vnd.oasis", "content.xml": b"<x/>"}), "OpenDocument"),
        (bytes(range(256)) * 20, "binary file of an unknown kind"),
        (zip_bytes({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "Word document"),
    ],
)
def test_a_file_that_is_something_else_is_named_for_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    error = refused(tmp_path, content, "table.csv")
    assert said in error.title and error.cause and error.fix


class _Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_pickle_is_never_opened(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "was-run"
    error = refused(tmp_path, pickle.dumps(_Trap(marker), protocol=protocol), "table.csv")
    assert "pickle" in error.title and not marker.exists()


def test_a_word_list_is_no_pickle(tmp_path: Path) -> None:
    assert load(tmp_path, b"countrywoman\nsister\nqueen\n", "words.txt")[0].num_rows == 3

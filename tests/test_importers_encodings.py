"""How bytes become letters: UTF-8 wherever it is, a stated guess elsewhere, and never silent damage."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from core.data.text_encoding import check_encoding, detect_encoding
from core.importers import read
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportOptions

TEXTS = {
    "cp1252": "“Smart quotes” – the café was très bon, naïve Bedienung überhöht",
    "cp1250": "Obsługa była świetna, ale dostawa się opóźniła. Dziękuję za pomoc.",
    "cp1254": "Hizmet çok iyiydi ama teslimat biraz gecikti. Teşekkürler, güzel ışık ve şehir, iğne.",
    "mac_roman": "Le café était très bon, merci à Zoë. Übung macht den Meister",
    "gb18030": "服务很好，菜也不错，就是送餐有点慢。味道一般，价格合理，下次还会再来。",
    "big5": "服務很好，菜也不錯，就是送餐有點慢。味道一般，價格合理，下次還會再來。",
    "cp932": "サービスはとても良かったです。料理も美味しかったが、配達が少し遅かった。",
    "cp949": "서비스가 아주 좋았고 음식도 맛있었지만 배달이 조금 늦었습니다.",
    "cp1251": "Обслуживание было отличным, но доставка немного задержалась. Спасибо большое.",
    "koi8_r": "Обслуживание было отличным, но доставка немного задержалась. Спасибо большое.",
    "cp1253": "Η εξυπηρέτηση ήταν εξαιρετική αλλά η παράδοση άργησε λίγο.",
    "cp1256": "كانت الخدمة ممتازة لكن التوصيل تأخر قليلا. شكرا جزيلا",
    "utf-8-sig": "Le café était très bon",
    "utf-16": "Le café était très bon",
    "utf-16-le": "Le café était très bon",
    "utf-16-be": "味道一般，价格合理",
    "utf-32": "Le café était très bon",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_an_encoding_is_recognised_and_the_letters_are_right(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "upload"
    rows = f'"{TEXTS[encoding]}",positive\nplain row,negative\n' * 10
    path.write_bytes(("text,label\n" + rows).encode(encoding))
    table, report = read(path, "reviews.csv")
    assert table.column_names == ["text", "label"]
    assert table.column("text").to_pylist() == [TEXTS[encoding], "plain row"] * 10
    warned = any("letters were read as" in note.title for note in report.notes)
    assert warned == (encoding not in ("utf-8-sig", "utf-16", "utf-32"))


def test_an_accent_at_the_very_end_of_a_large_file_is_seen() -> None:
    plain = b"a line of plain letters\n" * 100_000
    assert detect_encoding(io.BytesIO(plain)).certain
    assert detect_encoding(io.BytesIO(plain + "café au lait\n".encode("cp1252"))).name == "cp1252"
    assert detect_encoding(io.BytesIO(plain + "café au lait\n".encode())).name == "utf-8"


def test_a_letter_cut_by_a_block_border_is_still_utf8() -> None:
    assert detect_encoding(io.BytesIO(b"a" * ((1 << 20) - 1) + "é".encode() * 10)).certain


def test_utf8_with_a_few_broken_bytes_stays_utf8_and_names_the_lines(tmp_path: Path) -> None:
    good = "schöne Grüße aus Köln,a\n".encode()
    path = tmp_path / "upload"
    path.write_bytes(b"text,label\n" + good * 20 + b"broken \xff here,b\n" + good * 20)
    table, report = read(path, "x.csv")
    assert table.column("text")[0].as_py() == "schöne Grüße aus Köln"
    assert report.notes[0].line_numbers == (22,) and report.notes[0].severity is Severity.WARNING


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_a_character_cut_off_at_the_end_is_replaced_and_said(tmp_path: Path, encoding: str) -> None:
    whole = ("text,label\n" + "味道一般，价格合理，下次还会再来,好\n" * 20 + "再来").encode(encoding)
    path = tmp_path / "upload"
    path.write_bytes(whole[:-1])
    table, report = read(path, "x.csv")
    assert table.column("text")[0].as_py() == "味道一般，价格合理，下次还会再来"
    assert "1 line holds bytes that are no letters." in [note.title for note in report.notes]
    with pytest.raises(UserError, match="not written in"):
        read(path, "x.csv", ImportOptions(encoding=encoding))


def test_a_chosen_encoding_is_used_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes("text,label\nПривет,a\nмир,b\n".encode("cp1251"))
    table, report = read(path, "x.csv", ImportOptions(encoding="cp1251"))
    assert table.column("text")[0].as_py() == "Привет"
    assert report.notes == ()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("utf-8", "not written in UTF-8"),
        ("klingon", "no text encoding called"),
        ("rot13", "no text encoding called"),
        ("zip", "no text encoding called"),
    ],
)
def test_an_encoding_that_does_not_fit_is_refused(name: str, title: str) -> None:
    with pytest.raises(UserError, match=title) as caught:
        check_encoding(io.BytesIO(b"ok\ncaf\xe9 ol\xe9\n"), name)
    if name == "utf-8":
        assert "Line 2" in caught.value.cause


def test_bytes_that_no_encoding_explains_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"text,label\n" + bytes([0x81, 0x20, 0x8D, 0x20, 0x9D, 0x20, 0xFF, 0x20]) * 20 + b",a\n")
    with pytest.raises(UserError, match="cannot be read"):
        read(path, "x.csv")

"""Text tables and plain text: what is detected, what is repaired, and what a person is told about it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from core.importers import from_paste, inspect, read
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ColumnKind, ImportLimits, ImportOptions, ImportReport

REVIEWS = [("The room was clean and calm.", "positive"), ("The driver was late again.", "negative")] * 20


def load(
    folder: Path, content: str | bytes, name: str = "examples.csv", limit_rows: int | None = None, **options: object
) -> tuple[pa.Table, ImportReport]:
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path, name, ImportOptions.model_validate(options), limit_rows)


def table_text(separator: str = ",", header: str | None = "text,label", end: str = "\n") -> str:
    rows = [header.replace(",", separator)] if header else []
    return end.join([*rows, *(f"{text}{separator}{label}" for text, label in REVIEWS)]) + end


def warnings(report: ImportReport) -> list[str]:
    return [note.title for note in report.notes if note.severity is Severity.WARNING]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_usual_separator_and_line_end_is_detected(tmp_path: Path, separator: str, end: str) -> None:
    table, report = load(tmp_path, table_text(separator, end=end))
    assert table.column_names == ["text", "label"]
    assert table.to_pylist()[0] == {"text": REVIEWS[0][0], "label": "positive"}
    assert table.num_rows == report.rows == 40
    assert report.options.separator == separator
    assert report.notes == ()


def test_a_decimal_comma_does_not_beat_the_semicolon(tmp_path: Path) -> None:
    rows = "".join(f"Slow, but kind, order {n};{n},5;good\n" for n in range(30))
    table, _ = load(tmp_path, "text;score;label\n" + rows)
    assert table.column_names == ["text", "score", "label"]
    assert table.column("score")[3].as_py() == "3,5"
    assert load(tmp_path, rows)[1].options.separator == ";"


def test_a_pipe_table_called_txt_is_still_a_table(tmp_path: Path) -> None:
    _, report = load(tmp_path, table_text("|"), "reviews.txt")
    assert report.format == "delimited"
    assert [column.name for column in report.columns] == ["text", "label"]


def test_the_separator_can_be_corrected(tmp_path: Path) -> None:
    table, report = load(tmp_path, "a;b,c\n1;2,3\n4;5,6\n", separator=";")
    assert table.column_names == ["a", "b,c"]
    assert report.options.separator == ";"


def test_excels_separator_line_is_understood(tmp_path: Path) -> None:
    table, _ = load(tmp_path, "sep=;\n" + table_text(";"))
    assert table.column_names == ["text", "label"] and table.num_rows == 40


def test_values_stay_exactly_as_written(tmp_path: Path) -> None:
    table, report = load(tmp_path, "text,label,code\nfine,1,0007\nbad,2, 0010 \nso so,,NA\n")
    assert table.schema.types == [pa.string()] * 3
    assert table.column("label").to_pylist() == ["1", "2", None]
    assert table.column("code").to_pylist() == ["0007", " 0010 ", "NA"]
    assert report.columns[1].n_missing == 1


def test_line_breaks_commas_and_doubled_quotes_stay_inside_a_cell(tmp_path: Path) -> None:
    cell = 'line one, "quoted"\nline two\r\n\r\nline four'
    written = '"' + cell.replace('"', '""') + '",yes\n'
    table, report = load(tmp_path, "text,label\n" + written * 30)
    assert table.num_rows == 30
    assert table.column("text")[29].as_py() == cell
    assert report.options.quoting == "standard"


def test_literal_quotation_marks_of_a_headerless_table_are_kept(tmp_path: Path) -> None:
    lines = [f"a film {n} with heart\t{n % 2}" for n in range(50)]
    lines[20] = '"quoted" is how it starts\t1'
    lines[30] = 'ends with a "mark\t0'
    table, report = load(tmp_path, "\n".join(lines), "train.tsv")
    assert table.num_rows == 50
    assert report.options.has_header is False and report.options.quoting == "literal"
    assert table.column("column 1")[20].as_py() == '"quoted" is how it starts'
    assert report.roles["classification"] == {"text": "column 1", "label": "column 2"}


def test_backslash_escaped_quotation_marks_are_understood(tmp_path: Path) -> None:
    table, report = load(tmp_path, "text,label\n" + '"he said \\"no, never\\" twice",a\n"calm, kind",b\n' * 10)
    assert table.column("text")[0].as_py() == 'he said "no, never" twice'
    assert report.options.quoting == "backslash"


def test_one_stray_quotation_mark_does_not_swallow_the_rows_below(tmp_path: Path) -> None:
    lines = [f'"calm, kind, row {n}",good' for n in range(100)]
    lines[49] = '"never closed,bad'
    table, report = load(tmp_path, "\n".join(["text,label", *lines]))
    assert table.num_rows == 100
    assert table.column("text")[50].as_py() == "calm, kind, row 50"
    broken = next(note for note in report.notes if "quotation" in note.title)
    assert broken.line_numbers == (51,)


def test_uneven_rows_are_kept_and_named_by_line(tmp_path: Path) -> None:
    rows = "".join(f"ok row {n},positive\n" for n in range(20))
    table, report = load(tmp_path, f"text,label\n{rows}too,many,cells,here\nonly one cell\n,\ntail row,negative\n")
    assert table.num_rows == 24
    found = {note.title: note.line_numbers for note in report.notes}
    assert found == {
        "1 row has more cells than there are columns.": (22,),
        "1 row has fewer cells than there are columns.": (23,),
        "1 row has only empty cells.": (24,),
    }


def test_line_numbers_count_lines_even_below_cells_with_line_breaks(tmp_path: Path) -> None:
    _, report = load(tmp_path, 'text,label\n"one\ntwo",a\n"three",b\nlonely\n"four",a\n')
    assert report.notes[0].line_numbers == (5,)


def test_empty_rows_and_surplus_separators_at_the_end_are_dropped_silently(tmp_path: Path) -> None:
    table, report = load(tmp_path, "text,label,,\n" + "fine,a,,\nbad,b,,\n" * 5 + ",,,\n" * 30)
    assert table.num_rows == 10
    assert warnings(report) == ["2 columns are empty: column 3, column 4."]


def test_comments_above_and_a_total_below_are_left_out_and_named(tmp_path: Path) -> None:
    content = "# exported 2024-01-02\n# by: report tool\n\n" + table_text() + "\nTotal,40\n"
    table, report = load(tmp_path, content)
    assert table.num_rows == 40 and table.column_names == ["text", "label"]
    assert report.options.skip_lines == 3
    total = next(note for note in report.notes if "total" in note.title)
    assert total.line_numbers == (46,) and "Total | 40" in total.meaning


def test_a_tweet_that_begins_with_a_hash_is_no_comment(tmp_path: Path) -> None:
    table, report = load(tmp_path, "#happy day,1\nsad day,0\n#joy all over,1\nso tired,0\n")
    assert table.num_rows == 4 and report.options.skip_lines == 0


def test_unnamed_and_repeated_columns_become_distinct_and_empty_ones_are_named(tmp_path: Path) -> None:
    table, report = load(tmp_path, "text,,label,label,notes,\n" + "fine,,a,A,,\nbad,,b,B,,\n" * 5)
    assert table.column_names == ["text", "column 2", "label", "label (2)", "notes", "column 6"]
    assert [c.name for c in report.columns if c.kind is ColumnKind.EMPTY] == ["column 2", "notes", "column 6"]
    assert warnings(report) == ["3 columns are empty: column 2, notes, column 6."]


def test_a_table_of_2000_columns_has_a_short_preview(tmp_path: Path) -> None:
    names = ["text", "label", *(f"f{n}" for n in range(1998))]
    row = ",".join(["some text", "a", *(["1"] * 1998)])
    table, report = load(tmp_path, ",".join(names) + "\n" + f"{row}\n" * 20)
    assert table.num_columns == 2000 and len(report.columns) == 2000
    assert len(report.preview[0]) == 50
    assert warnings(report) == ["The table has 2,000 columns; the preview shows the first 50."]


def test_a_file_without_line_breaks_and_too_many_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too many columns"):
        load(tmp_path, "a," * 20_000, has_header=True)


def test_cells_of_100000_characters_are_imported_and_shortened_in_the_preview(tmp_path: Path) -> None:
    long = "a" * 100_000
    table, report = load(tmp_path, f"text,label\n{long},x\n" + "short,y\n" * 5)
    assert table.column("text")[0].as_py() == long
    assert len(report.preview[0]["text"] or "") == 300


def test_zero_bytes_bells_and_terminal_colours_are_left_out(tmp_path: Path) -> None:
    table, report = load(tmp_path, "text,label\n" + "has\0nul \a bell \x1b[31mred\x1b[0m,a\nplain,b\n" * 10)
    assert table.column("text")[0].as_py() == "hasnul  bell red"
    assert report.notes[0].line_numbers[:3] == (2, 4, 6) and report.notes[0].count == 10


def test_quotation_marks_lost_as_control_characters_are_repaired(tmp_path: Path) -> None:
    table, report = load(tmp_path, "text,label\nI don\x92t mind,a\nplain,b\n")
    assert table.column("text")[0].as_py() == "I don’t mind"
    assert "Invisible characters" in warnings(report)[0]


def test_emoji_and_combining_accents_come_through_unchanged(tmp_path: Path) -> None:
    texts = ["👨‍👩‍👧‍👦🏳️‍🌈", "Z̸a̶l̷g̴o", "e\u0301 vs é", "ﬁ ligature ½ ℻"]
    table, report = load(tmp_path, "text,label\n" + "".join(f"{text},a\n" for text in texts) * 5)
    assert table.column("text").to_pylist()[:4] == texts
    assert report.notes == ()


def test_column_names_are_recognised_and_missing_ones_are_numbered(tmp_path: Path) -> None:
    assert load(tmp_path, "review,stars\nfine,5\nbad,1\n")[1].options.has_header is True
    assert load(tmp_path, "fine,5\nbad,1\n")[0].column_names == ["column 1", "column 2"]
    assert load(tmp_path, "ham\tOk lar\nham\tYes\nspam\tWin now\n", "x.tsv")[1].options.has_header is False
    assert load(tmp_path, "cowboy\tcowgirl\nactor\tactress\nking\tqueen\n", "x.tsv")[0].num_rows == 3
    assert load(tmp_path, "fine,5\nbad,1\n", has_header=True)[0].column_names == ["fine", "5"]


def test_a_poem_is_no_table(tmp_path: Path) -> None:
    poem = "Roses are red,\nViolets are blue,\nSugar is sweet,\nAnd so are you,\n" * 5
    assert load(tmp_path, poem, "poem.txt")[1].format == "plain_text"


def test_a_list_of_sentences_called_csv_is_one_column(tmp_path: Path) -> None:
    lines = [f"{line} {n}" for n in range(5) for line in ("Hello there, how are you?", "I am fine.", "Well, well, yes")]
    table, report = load(tmp_path, "\n".join(lines))
    assert table.num_columns == 1
    assert table.column(0).to_pylist() == lines
    assert report.shape == "plain_text"


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (b"", "The file is empty."),
        (b" \n\t\r\n" * 50, "The file is empty."),
        (b"\xef\xbb\xbf\n", "The file is empty."),
        (b"text,label\n", "The file has no rows."),
    ],
)
def test_a_file_without_examples_is_refused(tmp_path: Path, content: bytes, title: str) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, content)
    assert caught.value.title == title and caught.value.cause and caught.value.fix


def test_a_part_can_be_read_and_says_that_there_is_more(tmp_path: Path) -> None:
    table, report = load(tmp_path, table_text(), limit_rows=10)
    assert table.num_rows == report.rows == 10 and not report.complete
    assert load(tmp_path, table_text(), limit_rows=40)[1].complete


def test_a_quick_look_shows_at_most_50_rows_as_plain_texts(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text("text,label\n" + "fine,\n" * 3_000, encoding="utf-8")
    report = inspect(path, "x.csv")
    assert report.rows == 2_000 and not report.complete
    assert report.preview == ({"text": "fine", "label": None},) * 50


def test_the_options_of_a_report_read_the_file_again_in_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes("# note\ntext;label\nschön, gut;a\nübel;b\n".encode("cp1252"))
    first = inspect(path, "x.csv")
    table, second = read(path, "x.csv", first.options)
    assert second.options == first.options
    assert table.column("text").to_pylist() == ["schön, gut", "übel"]


def test_a_file_larger_than_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(table_text())
    with pytest.raises(UserError, match="too large"):
        read(tmp_path / "x.csv", "x.csv", limits=ImportLimits(max_bytes=100))


def test_an_awkward_name_is_only_shown(tmp_path: Path) -> None:
    name = "../../<img src=x onerror=alert(1)>\x1b[2J.csv"
    report = load(tmp_path, table_text(), name)[1]
    assert report.filename == "../../<img src=x onerror=alert(1)> [2J.csv"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["upload"]


def test_a_pasted_table_is_read_like_a_file() -> None:
    table, report = from_paste("text\tlabel\nschöner Tag\tgut\nNebel\tschlecht\nSonne\tgut\n")
    assert table.column_names == ["text", "label"] and table.num_rows == 3
    assert report.format == "delimited"
    assert from_paste("text\tlabel\nfine\tgood")[0].to_pylist() == [{"text": "fine", "label": "good"}]
    assert from_paste('{"text": "a"}\n{"text": "b"}')[1].format == "json_lines"
    assert from_paste("One fine day.\n\nAnother day.")[0].to_pylist() == [
        {"text": "One fine day."},
        {"text": "Another day."},
    ]
    with pytest.raises(UserError, match="empty"):
        from_paste("  \n ")


def test_plain_text_is_divided_into_paragraphs_lines_or_pieces(tmp_path: Path) -> None:
    text = "First line\n  indented\n\n\nSecond block\n" * 20
    paragraphs, report = load(tmp_path, text, "play.txt")
    assert report.options.text_mode == "paragraph" and report.shape == "plain_text" and report.task == "completion"
    assert paragraphs.column("text")[0].as_py() == "First line\n  indented"
    assert paragraphs.column("text")[1].as_py() == "Second block\nFirst line\n  indented"
    lines, _ = load(tmp_path, text, "play.txt", text_mode="line")
    assert lines.num_rows == 60 and lines.column("text")[1].as_py() == "  indented"
    pieces, _ = load(tmp_path, text, "play.txt", text_mode="file", chunk_characters=100)
    lengths = [len(piece) for piece in pieces.column("text").to_pylist()]
    assert max(lengths) <= 100 and min(lengths[:-1]) >= 50


def test_pieces_of_a_long_line_lose_nothing_but_spaces(tmp_path: Path) -> None:
    text = " ".join(f"word{n}" for n in range(5_000))
    pieces, report = load(tmp_path, text, "book.txt")
    assert report.options.text_mode == "file"
    assert " ".join(pieces.column("text").to_pylist()) == text


def test_lines_without_blank_lines_are_one_example_each(tmp_path: Path) -> None:
    assert load(tmp_path, "One day.\nTwo days.\nThree days.\n", "x.txt")[1].options.text_mode == "line"


@pytest.mark.parametrize(
    "line", ["__label__spam win a prize now {n}", "DESC:def What is the number {n} ?"], ids=["fastText", "TREC"]
)
def test_lines_that_begin_with_their_label_become_two_columns(tmp_path: Path, line: str) -> None:
    table, report = load(tmp_path, "\n".join(line.format(n=n) for n in range(20)), "train.txt")
    assert table.column_names == ["label", "text"]
    assert table.column("label")[0].as_py() in ("spam", "DESC:def")
    assert report.task == "classification"

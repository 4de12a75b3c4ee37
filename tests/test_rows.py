"""Pages of a kept table: searched, filtered and sorted from the file, with the rows that a plain loop finds."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from core.store import rows
from core.store.files import TableWriter, keep_table
from core.store.rows import RowFilter

NASTY = '";DROP TABLE rows;--'


@pytest.fixture
def digest(storage: Path) -> str:
    """250 rows in several row groups, with a column whose name is hostile."""
    table = pa.table({
        "row_id": [f"ab-{n}" for n in range(250)],
        "text": [None if n == 7 else f"Room {n} was {'CLEAN' if n % 5 == 0 else 'cold'}" + "!" * (n % 13) for n in range(250)],
        "label": ["good" if n % 5 == 0 else None if n % 7 == 0 else "bad" for n in range(250)],
        NASTY: [f"100% _{n}_" for n in range(250)],
    })  # fmt: skip
    with TableWriter() as writer:
        for at in range(0, 250, 40):
            writer.write(table.slice(at, 40))
        return writer.keep()


def ids(digest: str, wanted: RowFilter, offset: int = 0, limit: int = 500) -> list[str]:
    return rows.page(digest, wanted, offset, limit).column("row_id").to_pylist()


def test_pages_without_a_filter_are_the_rows_of_the_file(digest: str) -> None:
    assert rows.count(digest, RowFilter()) == 250
    assert ids(digest, RowFilter(), 35, 50) == [f"ab-{n}" for n in range(35, 85)]
    assert ids(digest, RowFilter(), 240, 50) == [f"ab-{n}" for n in range(240, 250)]
    assert ids(digest, RowFilter(), 300, 50) == []
    assert rows.page(digest, RowFilter(), 0, 3, ["label", "row_id"]).column_names == ["label", "row_id"]


def test_search_knows_no_case_and_no_wildcards(digest: str) -> None:
    clean = RowFilter(search="clean", columns=("text",))
    assert ids(digest, clean) == [f"ab-{n}" for n in range(0, 250, 5)]
    assert rows.count(digest, clean) == 50
    assert ids(digest, clean, 10, 2) == ["ab-50", "ab-55"]
    assert ids(digest, RowFilter(search="%", columns=("text",))) == []
    assert ids(digest, RowFilter(search="% _19_", columns=("text", NASTY))) == ["ab-19"]
    assert ids(digest, RowFilter(search="' OR 1=1 --", columns=("text",))) == []


def test_a_label_and_the_missing_label_can_be_chosen(digest: str) -> None:
    assert ids(digest, RowFilter(equal=(("label", "good"),))) == [f"ab-{n}" for n in range(0, 250, 5)]
    missing = [f"ab-{n}" for n in range(250) if n % 5 and n % 7 == 0]
    assert ids(digest, RowFilter(equal=(("label", None),))) == missing
    assert rows.values(digest, "label") == [("bad", 250 - 50 - len(missing)), ("good", 50), (None, len(missing))]


def test_the_order_by_length_is_that_of_the_text_and_pages_do_not_overlap(digest: str) -> None:
    table = rows.page(digest, RowFilter(), 0, 250).to_pylist()
    expected = [row["row_id"] for row in sorted(table, key=lambda row: -len(row["text"] or ""))]
    longest = RowFilter(columns=("text",), order="longest")
    assert ids(digest, longest) == expected
    assert [*ids(digest, longest, 0, 100), *ids(digest, longest, 100, 150)] == expected
    assert ids(digest, RowFilter(columns=("text",), order="shortest"), 0, 1) == ["ab-7"]


def test_a_column_that_is_not_there_is_refused_before_any_query(digest: str) -> None:
    with pytest.raises(ValueError, match="no such column"):
        rows.count(digest, RowFilter(search="x", columns=('text" OR 1=1 --',)))


def test_pieces_with_further_columns_become_one_table(storage: Path) -> None:
    with TableWriter() as writer:
        writer.write(pa.table({"a": ["1", "2"]}))
        writer.write(pa.table({"b": ["x"], "a": ["3"]}))
        writer.write(pa.table({"b": ["y"]}))
        digest = writer.keep()
    table = rows.page(digest, RowFilter(), 0, 9)
    assert table.to_pydict() == {"a": ["1", "2", "3", None], "b": [None, None, "x", "y"]}
    assert [p.name for p in (storage / "tables").iterdir()] == [f"{digest}.parquet"]


def test_a_table_that_is_not_finished_leaves_nothing(storage: Path) -> None:
    def interrupted() -> None:
        with TableWriter() as writer:
            writer.write(pa.table({"a": ["1"]}))
            writer.write(pa.table({"b": ["1"]}))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        interrupted()
    assert list((storage / "tables").iterdir()) == []


def test_long_cells_make_small_row_groups(storage: Path) -> None:
    import pyarrow.parquet as pq

    from core.store.files import table_path

    digest = keep_table(pa.table({"a": ["x" * 100_000] * 1_000}))
    metadata = pq.read_metadata(table_path(digest))
    assert max(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)) < 20_000_000
    assert metadata.num_row_groups > 5

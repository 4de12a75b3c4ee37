"""An import as the worker does it: several files, one piece at a time, with progress, and nothing left when cancelled."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from databases import migrated

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.recorder import Interrupted
from core.services import datasets, projects, reading
from core.store import jobs
from core.store.files import folder, load_table
from core.store.tables import DatasetVersion, Project
from core.worker import child

ROLES = {"text": "text", "label": "label"}


@pytest.fixture
def project(storage: Path) -> Project:
    migrated()
    return projects.create("a project", "classification", "")


def upload(project: Project, name: str, content: str | bytes, **more: Any) -> dict[str, Any]:
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return {"upload_id": datasets.keep_upload(project.id, name, stream).id, **more}


def table(rows: int, start: int = 0, header: str = "text,label") -> str:
    return "\n".join(
        [header, *(f"Room {n} was clean.,{'good' if n % 2 else 'bad'}" for n in range(start, start + rows))]
    )


def bring(project: Project, *files: dict[str, Any], **more: Any) -> DatasetVersion:
    payload = {"files": list(files), "roles": ROLES, "task": "classification"}
    return datasets.import_files(project.id, payload, **more)


def kept(version: DatasetVersion) -> pa.Table:
    return load_table(version.content)


def test_a_file_becomes_rows_with_ids_and_nothing_else_is_added(project: Project) -> None:
    version = bring(project, upload(project, "a.csv", table(3)))
    rows = kept(version)
    assert rows.column_names == ["row_id", "text", "label"]
    first = rows.column("row_id")[0].as_py().split("-")[0]
    assert rows.column("row_id").to_pylist() == [f"{first}-{n}" for n in range(3)]
    assert version.title == "a.csv" and version.rows == 3
    assert version.report["files"][0]["rows"] == 3 and "preview" not in version.report["files"][0]


def test_each_row_says_which_part_its_file_is_for(project: Project) -> None:
    train = upload(project, "train.csv", table(4), part="train")
    test = upload(project, "test.csv", table(2, 50), part="test")
    rest = upload(project, "more.csv", table(2, 90))
    assert kept(bring(project, train, test)).column(datasets.PART).to_pylist() == ["train"] * 4 + ["test"] * 2
    assert kept(bring(project, rest, test)).column(datasets.PART).to_pylist() == ["train"] * 2 + ["test"] * 2
    both = bring(project, rest, upload(project, "other.csv", table(1)))
    assert kept(both).column(datasets.PART).to_pylist() == ["more.csv"] * 2 + ["other.csv"]


def test_the_part_is_guessed_from_the_name() -> None:
    names = ("reviews_train.csv", "dev.tsv", "a/train/test.csv", "train/0.parquet", "x.csv")
    assert [reading.guessed_part(name) for name in names] == ["train", "validation", "test", "train", None]


def test_the_same_file_twice_keeps_every_id_apart(project: Project) -> None:
    one = upload(project, "a.csv", table(3))
    ids = kept(bring(project, one, one, one)).column("row_id").to_pylist()
    assert len(set(ids)) == 9 and ids[3:] == [f"{i}.1" for i in ids[:3]] + [f"{i}.2" for i in ids[:3]]


def test_columns_that_are_not_used_may_differ_and_used_ones_may_not(project: Project) -> None:
    first = upload(project, "first.csv", table(2))
    noted = upload(project, "noted.csv", "note,label,text\nhm,good,fine\n")
    rows = kept(bring(project, first, noted))
    assert rows.column("note").to_pylist() == [None, None, "hm"]
    assert rows.column("text").to_pylist()[2] == "fine"
    with pytest.raises(UserError) as caught:
        bring(project, first, upload(project, "wrong.csv", "text,category\nfine,good\nbad,bad\n"))
    assert "“wrong.csv” has no column “label”" in caught.value.cause
    assert list(folder("tables").glob(".part-*")) == []


def test_columns_with_our_names_are_replaced(project: Project) -> None:
    version = bring(project, upload(project, "a.csv", "row_id,text,label,part_of_file\n7,fine,good,x\n8,bad,bad,x\n"))
    assert kept(version).column_names == ["row_id", "text", "label"]
    assert "7" not in kept(version).column("row_id").to_pylist()


def test_keys_that_first_come_late_get_a_column(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.data.tables.PIECE_ROWS", 10)
    rows = [{"text": f"Room {n}", "label": "good", **({"late": str(n)} if n > 24 else {})} for n in range(30)]
    version = bring(project, upload(project, "a.jsonl", "\n".join(map(json.dumps, rows))))
    assert kept(version).column("late").to_pylist() == [None] * 25 + [str(n) for n in range(25, 30)]


def test_progress_goes_up_in_megabytes_and_ends_before_the_table_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.data.tables.PIECE_ROWS", 100)
    monkeypatch.setattr(reading, "SECONDS_BETWEEN_REPORTS", 0)
    said: list[tuple[str, float, float]] = []
    files = [upload(project, name, table(1000, 1000 * n)) for n, name in enumerate(("a.csv", "b.csv"))]
    bring(project, *files, progress=lambda *step: said.append(step))
    done = [step[1] for step in said if step[2]]
    assert done == sorted(done) and len(done) > 20
    assert done[-1] == pytest.approx(said[0][2], rel=0.02)
    assert said[-1][0] == "Keeping 2,000 rows"


@pytest.mark.parametrize("content", [table(1000), '{"text": "a", "label": "b"}\n' * 1000], ids=["csv", "jsonl"])
def test_an_import_that_is_cancelled_leaves_no_file_and_no_version(
    project: Project, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr("core.data.tables.PIECE_ROWS", 100)
    monkeypatch.setattr(reading, "SECONDS_BETWEEN_REPORTS", 0)

    def cancelled(name: str, done: float, total: float) -> None:
        if "rows so far" in name and done:
            raise Interrupted(Desired.CANCEL)

    with pytest.raises(Interrupted):
        bring(project, upload(project, "a.csv", content), progress=cancelled)
    assert list(folder("tables").iterdir()) == []
    assert datasets.versions(project.id) == []


def test_a_full_disk_is_not_taken_for_damage_of_the_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    buffer = pa.BufferOutputStream()
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"], "label": ["b"]}), buffer)
    file = upload(project, "a.parquet", buffer.getvalue().to_pybytes())
    monkeypatch.setattr("core.store.table_writer.ParquetPieces.write", full)
    with pytest.raises(OSError, match="No space left"):
        bring(project, file)


def test_the_job_obeys_a_cancel_and_says_so(project: Project) -> None:
    file = upload(project, "a.csv", table(50))
    job_id = datasets.submit_import(project.id, [file], ROLES, "classification")
    claimed = jobs.claim([JobKind.IMPORT], "me")
    assert claimed is not None
    job, _ = claimed

    class Cancelled:
        def obey(self) -> None:
            raise Interrupted(Desired.CANCEL)

        def phase(self, *_: object) -> None: ...

        def guard(self) -> None: ...

    state, result, error = child.outcome(job, Cancelled())[:3]  # type: ignore[arg-type]
    assert (state, result, error) == (JobState.STOPPED, None, None)
    assert job.id == job_id and datasets.versions(project.id) == []


def test_preference_pairs_are_learned_with_the_chosen_answer(project: Project) -> None:
    plain = {"prompt": "Where?", "chosen": "Here.", "rejected": "No idea."}
    turn = {"role": "assistant", "content": "Here."}
    talk = [{"role": "user", "content": "Where?"}, turn]
    shapes: list[tuple[dict[str, Any], dict[str, str]]] = [
        (plain, {"prompt": "prompt", "response": "chosen"}),
        ({**plain, "prompt": talk[:1], "chosen": turn}, {"prompt": "prompt", "response": "chosen"}),
        ({**plain, "chosen": talk, "rejected": talk}, {"prompt": "prompt", "response": "chosen"}),
        ({"chosen": talk, "rejected": talk}, {"messages": "chosen"}),
    ]
    for row, roles in shapes:
        file = upload(project, "pairs.jsonl", "\n".join([json.dumps(row)] * 5))
        report = datasets.inspect(file)
        assert report.shape == "preference" and report.roles["chat"] == roles
        example = datasets.first_examples(file, roles, "chat")[0]
        assert [(m.role, m.content) for m in example.messages] == [("user", "Where?"), ("assistant", "Here.")]
        assert "rejected" in [column.name for column in report.columns]


def test_limits_are_settings(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    file = upload(project, "a.csv", table(50))
    monkeypatch.setenv("TUNEWELL_UPLOAD_BYTES", "100")
    with pytest.raises(UserError, match="too large"):
        datasets.inspect(file)
    monkeypatch.setenv("TUNEWELL_UPLOAD_BYTES", "lots")
    with pytest.raises(UserError, match="TUNEWELL_UPLOAD_BYTES is not a number"):
        datasets.inspect(file)
    monkeypatch.setenv("TUNEWELL_UPLOAD_BYTES", "1e6")
    monkeypatch.setenv("TUNEWELL_MOST_COLUMNS", "1")
    with pytest.raises(UserError, match="too many columns"):
        datasets.inspect(file)

"""A file goes through a round's model and comes back: order and values kept, nothing lost, no work lost to a kill."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import stored
import tiny_training as tiny
from databases import used
from streamlit.testing.v1 import AppTest

from core.__main__ import main as command
from core.schemas.batch import BatchSpec
from core.schemas.errors import UserError
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.output_filter import FilterRule, FilterRules
from core.schemas.recipe import Recipe
from core.services import batch, output_filters, projects, runs
from core.store import deleting, jobs
from core.store.files import folder
from core.store.tables import Batch, Run
from core.worker import child
from core.worker.handlers import predict_job
from core.worker.recorder import JobRecorder

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = Recipe(
    method="full", learning_rate=3e-3, epochs=2, batch_size=16, evaluations_per_epoch=1, early_stopping=0, warmup=0.0
)


def carried_out(kind: JobKind, recorder_of: Any = JobRecorder) -> tuple[JobState, dict[str, Any] | None]:
    """The oldest waiting job of this kind, done as the worker's child does it: its state and its error."""
    found = jobs.claim([kind], "me")
    assert found is not None
    run_id = str(found[0].payload["run_id"]) if kind is JobKind.TRAIN else None
    recorder = recorder_of(found[0].id, found[1], run_id, lost=lambda: None)
    recorder.start()
    state, result, error = child.outcome(found[0], recorder)
    recorder.close()
    jobs.finish(found[0].id, found[1], state, result, error)
    return state, error


def trained(small_model: Path, task: str = "classification") -> Run:
    project = stored.small_project(small_model) if task == "classification" else stored.chat_project(small_model)
    recipe = QUICK if task == "classification" else QUICK.model_copy(update={"batch_size": 8, "epochs": 3})
    run = runs.start(project.id, recipe)
    assert carried_out(JobKind.TRAIN)[1] is None
    return runs.get(run.id)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with used(tmp_path_factory.mktemp("batches")) as root:
        yield root


@pytest.fixture(scope="module")
def run(place: Path, small_model: Path) -> Run:
    """A tiny classifier after a real training."""
    return trained(small_model)


@pytest.fixture(scope="module")
def writer(place: Path, small_model: Path) -> Run:
    """A tiny model that answers, after a real training."""
    return trained(small_model, "chat")


def given(run: Run, name: str, data: bytes, **wanted: Any) -> Batch:
    """A file that is ready to be predicted."""
    made = batch.add(run, name, io.BytesIO(data))
    report = batch.inspect(made)
    spec = batch.spec_of(made)
    batch.start(made, BatchSpec.model_validate({**spec.model_dump(), "columns": batch.guess(run, report), **wanted}))
    return batch.get(made.id)


def finished(made: Batch) -> bytes:
    assert carried_out(JobKind.PREDICT) == (JobState.DONE, None)
    return batch.result_path(batch.get(made.id)).read_bytes()


def sentences(count: int) -> list[str]:
    return [example.text for example in tiny.classification(5, count)]


ODD = [
    ["0007", "where is, my \"parcel\"?", "", "-5"],
    ["12", "", "x", "=1+1"],
    ["1.50", "thank you, the lamp\nis bright", " ", "+49 30 1"],
    ["", "the box was broken " * 60, "für die Straße über 5 €", "@home"],
    ["0", "I want my money back", "NULL", "1e5"],
]  # fmt: skip
HEAD = ["id", "text", "other", "sum"]


def as_csv(rows: list[list[str]], separator: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([HEAD, *rows])
    return out.getvalue()


def test_a_csv_file_keeps_its_rows_values_separator_and_encoding(run: Run) -> None:
    made = given(run, "odd.csv", as_csv(ODD, ";").encode("cp1252"), probabilities=True, protect=False)
    text = finished(made).decode("cp1252")
    head, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    shares = [f"probability of {label}" for label in tiny.LABELS]
    assert head == [*HEAD, "predicted label", "probability", *shares, "note"]
    assert [row[:4] for row in rows] == ODD
    assert [bool(row[4]) for row in rows] == [True, False, True, True, True]
    assert rows[1][-1] == "There is no text in this row: nothing was predicted."
    assert rows[3][-1].startswith("The text is longer than what the model reads: 64 tokens")
    for row in (rows[0], rows[2], rows[4]):
        assert row[-1] == "" and row[4] in tiny.LABELS
        each = [float(p) for p in row[6:9]]
        assert sum(each) == pytest.approx(1, abs=1e-5) and float(row[5]) == max(each) == each[tiny.LABELS.index(row[4])]
    summary = batch.summary_of(batch.get(made.id))
    assert summary is not None and summary.encoding == "cp1252" and summary.protected == 0
    assert (summary.rows, summary.predicted, summary.notes) == (5, 4, {"empty": 1, "cut": 1})
    assert sum(share.n for share in summary.labels) == 4 and summary.below[100] == 4 and summary.first == 4
    least = list(
        csv.reader(io.StringIO(batch.first_rows_csv(batch.get(made.id), 1.01).decode("utf-8-sig"), newline=""))
    )
    certain = [float(row[1]) for row in least[1:]]
    assert certain == sorted(certain) and {row[0] for row in least[1:]} == {"1", "3", "4", "5"}
    assert len(batch.first_rows_csv(batch.get(made.id), 0.0).splitlines()) == 1


def test_what_looks_like_a_formula_gets_an_apostrophe_and_numbers_do_not(run: Run) -> None:
    made = given(run, "odd.csv", as_csv(ODD).encode())
    rows = list(csv.reader(io.StringIO(finished(made).decode(), newline="")))[1:]
    assert [row[3] for row in rows] == ["-5", "'=1+1", "'+49 30 1", "'@home", "1e5"]
    assert [row[:3] for row in rows] == [row[:3] for row in ODD]
    summary = batch.summary_of(batch.get(made.id))
    assert summary is not None and summary.protected == 3


def test_an_answer_that_the_old_encoding_cannot_spell_turns_the_file_into_utf_8(run: Run, monkeypatch: Any) -> None:
    monkeypatch.setattr(predict_job, "one_label", lambda labels, p: predict_job.Said(answer="配達", certainty=0.5))
    made = given(run, "old.csv", as_csv(ODD).encode("cp1252"))
    assert "配達" in finished(made).decode("utf-8-sig")


def test_a_workbook_holds_text_as_text_and_numbers_as_numbers(run: Run) -> None:
    made = given(run, "odd.csv", as_csv([*ODD, ["", "cup", "=2", "3"]]).encode(), format="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(finished(made))).active
    head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert head == [*HEAD, "predicted label", "probability", "note"]
    assert [[value or "" for value in row[:4]] for row in rows[:5]] == ODD
    assert rows[5][2] == "=2" and sheet["C7"].data_type == "s" and isinstance(rows[0][5], float)


def test_json_lines_and_parquet_keep_the_types_of_what_they_gave(run: Run) -> None:
    records = [{"text": s, "n": n, "deep": {"a": [n, None]}, "ok": n % 2 == 0} for n, s in enumerate(sentences(5))]
    lines = ("\n\n".join(map(json.dumps, records)) + "\n{broken\n").encode()
    made = given(run, "rows.jsonl", lines)
    assert batch.spec_of(made).format == "jsonl"
    back = [json.loads(line) for line in finished(made).decode().splitlines()]
    assert [{key: row[key] for key in records[0]} for row in back] == records
    assert {row["predicted label"] for row in back} <= set(tiny.LABELS)

    table = pa.table(
        {"text": sentences(7), "n": pa.array(range(7), pa.int32()), "when": pa.array([0] * 7, pa.date32())}
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    made = given(run, "rows.parquet", buffer.getvalue())
    out = pq.read_table(pa.BufferReader(finished(made)))
    assert out.select(table.column_names).equals(table)
    assert out.schema.field("probability").type == pa.float64()


def test_a_kill_and_a_cancel_cost_one_part_and_change_no_byte(run: Run, monkeypatch: Any) -> None:
    monkeypatch.setattr(predict_job, "READ_AT_ONCE", 16)
    data = as_csv([[str(n), text, "", ""] for n, text in enumerate(sentences(100))]).encode()
    whole = finished(given(run, "a.csv", data))

    asked: list[int] = []
    keep = predict_job.batch_files.keep_part

    def killed(place: Path, number: int, part: pa.Table) -> None:
        asked.append(number)
        keep(place, number, part)
        if number == 2 and asked.count(2) == 1:
            raise KeyboardInterrupt  # nothing catches it: as if the process were gone

    monkeypatch.setattr(predict_job.batch_files, "keep_part", killed)
    made = given(run, "a.csv", data)
    first = jobs.claim([JobKind.PREDICT], "me")
    assert first is not None
    recorder = JobRecorder(first[0].id, first[1], None, lost=lambda: None)
    recorder.start()
    with pytest.raises(KeyboardInterrupt):
        predict_job.run(first[0], recorder)
    recorder.close()
    place = folder("batches", made.id)
    (place / "parts" / "000001.parquet").write_bytes(b"torn")
    jobs.reclaim(first[0].id, first[1], error=None)
    assert not list(place.glob("result*"))

    class Cancelled(JobRecorder):
        def obey(self) -> None:
            if len(asked) == 5:
                jobs.wish(self.job_id, Desired.CANCEL)
                self.flush()
            super().obey()

    assert carried_out(JobKind.PREDICT, Cancelled)[0] is JobState.STOPPED
    assert asked == [0, 1, 2, 1, 3] and batch.summary_of(batch.get(made.id)) is None
    batch.go_on(batch.get(made.id))
    assert finished(made) == whole
    assert asked == [0, 1, 2, 1, 3, 4, 5, 6]
    assert not list(place.rglob(".part-*"))


def test_a_row_that_breaks_the_model_is_noted_and_the_others_are_predicted(run: Run, monkeypatch: Any) -> None:
    from core.training.predict import HeadPredictor

    real = HeadPredictor.classify

    def fragile(self: HeadPredictor, texts: list[str]) -> Any:
        if "bomb" in texts:
            raise RuntimeError("too much")
        return real(self, texts)

    monkeypatch.setattr(HeadPredictor, "classify", fragile)
    made = given(run, "a.csv", as_csv([["1", "cup", "", ""], ["2", "bomb", "", ""], ["3", "lamp", "", ""]]).encode())
    rows = list(csv.DictReader(io.StringIO(finished(made).decode())))
    assert [bool(row["predicted label"]) for row in rows] == [True, False, True]
    assert rows[1]["note"].startswith("This row could not be predicted") and not rows[0]["note"]


def test_the_column_is_guessed_by_the_training_and_a_wrong_one_is_refused(run: Run) -> None:
    made = batch.add(
        run, "a.csv", io.BytesIO(b"Text,label\nthe parcel has not come yet,7\nwhere is the lamp that I bought,8\n")
    )
    report = batch.inspect(made)
    assert batch.guess(run, report) == {"text": "Text"}
    spec = batch.spec_of(made)
    with pytest.raises(UserError, match="no such column"):
        batch.start(made, spec.model_copy(update={"columns": {"text": "message"}}))
    with pytest.raises(UserError, match="No column"):
        batch.submit_preview(made, spec)
    job_id = batch.submit_preview(made, spec.model_copy(update={"columns": {"text": "Text"}}))
    assert carried_out(JobKind.PREDICT) == (JobState.DONE, None)
    job = jobs.get(job_id)
    assert job is not None and job.result is not None
    assert [row["label"] for row in job.result["rows"]] == ["7", "8"] and job.result["columns"][0] == "predicted label"


def test_deleting_a_batch_leaves_nothing_of_it(run: Run) -> None:
    made = given(run, "secret.csv", b"text\nnobody may read this\nor that\n")
    finished(made)
    before = set(folder("uploads").iterdir())
    batch.delete(made)
    deleting.carry_out(
        lambda: time.time() + 120
    )  # as the worker does: a file this new may be on its way to another project
    assert not folder("batches").joinpath(made.id).exists() and jobs.get(made.job_id or "") is None
    assert len(before - set(folder("uploads").iterdir())) == 1
    assert made.id not in [b.id for b in batch.of_project(run.project_id)]


def test_a_model_that_writes_answers_in_order_and_the_filter_says_what_it_did(writer: Run) -> None:
    questions = [e.prompt[0].content for e in tiny.chats(9, 6)]
    data = "\n".join(json.dumps({"question": q, "n": n}) for n, q in enumerate(["", *questions])).encode()
    wanted = {"decoding": {"max_new_tokens": 20}}
    free = [json.loads(line) for line in finished(given(writer, "q.jsonl", data, **wanted)).decode().splitlines()]
    assert [row["n"] for row in free] == list(range(7)) and free[0]["answer"] is None and "filtered" not in free[0]
    word = max((w.strip(".!?,") for row in free[1:] for w in row["answer"].split()), key=len)
    rules = FilterRules(rules=(FilterRule(name="my word", entries=(word,)),))
    output_filters.save(writer, rules, [f"a text with {word}"])
    guarded = [json.loads(line) for line in finished(given(writer, "q.jsonl", data, **wanted)).decode().splitlines()]
    said = [row for row in guarded if row["filtered"]]
    assert said and all("my word" in row["filtered"] and word not in row["answer"] for row in said)


def test_the_command_line_predicts_a_file(run: Run, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    from core.cli import predict

    def here(step: str, submit: Any) -> Any:
        job_id = submit()
        assert carried_out(JobKind.PREDICT) == (JobState.DONE, None)
        return jobs.get(job_id)

    monkeypatch.setattr(predict, "wait_for", here)
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(as_csv(ODD), "utf-8")
    assert command(["predict", run.id, str(source), "--out", str(target), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"] == 5 and said["file"] == str(target)
    assert len(list(csv.reader(target.open(newline="", encoding="utf-8")))) == 6
    assert command(["predict", run.id, str(source), "--out", str(target), "--column", "nothing", "--json"]) == 2
    assert batch.of_project(run.project_id)[0].config["filename"] != "in.csv"  # nothing is kept of either
    assert projects.get(run.project_id)


def test_the_screen_leads_from_the_file_to_the_rows_to_look_at_first(run: Run) -> None:
    for old in batch.of_project(run.project_id):
        batch.delete(old)
    data = as_csv([[str(n), text, "", ""] for n, text in enumerate(sentences(40))])
    batch.add(run, "a *new* file.csv", io.BytesIO(data.encode()))

    def screen(run_id: str) -> None:
        from core.services import runs
        from core.ui.batch_panel import batch_panel

        batch_panel(runs.get(run_id))

    app = AppTest.from_function(screen, kwargs={"run_id": run.id}, default_timeout=30).run()
    assert not app.exception and app.selectbox[0].value == "text"
    app.checkbox[0].check().run()
    [start] = [button for button in app.button if button.label == "Predict all 40 rows"]
    start.click().run()
    [made] = batch.of_project(run.project_id)
    assert batch.spec_of(made).probabilities and batch.state(made) is JobState.QUEUED
    finished(made)
    app.run()
    assert not app.exception
    said = [caption.value for caption in app.caption]
    assert any("40 of 40 rows predicted" in text for text in said)
    app.slider[0].set_value(100).run()
    assert any(text.startswith("40 of 40 rows are below it") for text in [caption.value for caption in app.caption])

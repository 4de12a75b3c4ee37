"""What an evaluation keeps beside its figures: decoding, copies, forgetting, other rounds, files, and the JSON of it all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import stored
import tiny_training as tiny
from databases import used
from made_up_predictions import classified
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu, sentence_chrf
from sklearn import metrics as reference

from core.__main__ import main
from core.metrics import broken, cell_rows, confident_errors, fixed
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.plan import PreparationPlan
from core.schemas.predictions import ClassPredictions
from core.schemas.predictor import Decoding
from core.schemas.recipe import Recipe
from core.services import (
    datasets,
    evaluation_rows,
    evaluations,
    forgetting,
    models,
    prediction_files,
    preparation,
    projects,
    runs,
)
from core.store import jobs
from core.store.tables import Evaluation, Run
from core.worker import child
from core.worker.recorder import JobRecorder

pytestmark = pytest.mark.usefixtures("one_thread")
FAST: dict[str, Any] = {"batch_size": 8, "evaluations_per_epoch": 1, "early_stopping": 0, "warmup": 0.0}
DECODING = Decoding(max_new_tokens=16, temperature=0.9, top_p=0.9, seed=5)
FORMULA = "=1+1 where is the lamp"


def carried_out(kind: JobKind, wish: Desired = Desired.RUN) -> JobState:
    """The oldest waiting job of this kind, done as the worker's child does it."""
    found = jobs.claim([kind], "me")
    assert found is not None
    recorder = JobRecorder(found[0].id, found[1], str(found[0].payload["run_id"]), lost=lambda: None)
    jobs.wish(found[0].id, wish)
    recorder.flush()
    state, result, error = child.outcome(found[0], recorder)
    recorder.flush()
    jobs.finish(found[0].id, found[1], state, result, error)
    assert error is None
    return state


def trained(project_id: str, **recipe: Any) -> Run:
    run = runs.start(project_id, Recipe(**{"method": "lora", "learning_rate": 1e-2, "epochs": 1, **FAST, **recipe}))
    carried_out(JobKind.TRAIN)
    return runs.get(run.id)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with used(tmp_path_factory.mktemp("evaluations")) as folder:
        yield folder


@pytest.fixture(scope="module")
def chat(storage: Path, small_model: Path) -> tuple[Evaluation, Evaluation]:
    """Two rounds of a chat, each evaluated; the second one learns in larger steps."""
    made = projects.create("a shop", "chat").id
    examples = tiny.chats(1, 80)
    rows = {
        "row_id": [e.row_id for e in examples],
        "question": [f"{FORMULA if n % 7 == 0 else e.prompt[0].content} {n}" for n, e in enumerate(examples)],
        "answer": [e.reference for e in examples],
    }
    roles = {"prompt": "question", "response": "answer"}
    datasets.add_version(made, pd.DataFrame(rows), roles=roles, title="chats", origin={"task": "chat"})
    projects.update(made, base_model_key=models.add_folder(str(small_model)).key)
    preparation.save(projects.get(made), PreparationPlan(max_length=80, split={"test": 0.4}))
    kept = []
    for rate in (1e-3, 2e-2):
        run = trained(made, learning_rate=rate)
        evaluations.submit(run, generate=20, decoding=DECODING)
        carried_out(JobKind.EVALUATE)
        kept.append(evaluations.of_run(run.id)[0])
    return kept[0], kept[1]


@pytest.fixture(scope="module")
def sorted_texts(storage: Path, small_model: Path) -> Evaluation:
    run = trained(stored.small_project(small_model, 160).id)
    evaluations.submit(run)
    carried_out(JobKind.EVALUATE)
    return evaluations.of_run(run.id)[0]


def exported(kept: Evaluation) -> list[dict[str, Any]]:
    return [json.loads(line) for line in prediction_files.jsonl(kept)]


def test_how_answers_were_written_is_kept_with_the_result(chat: tuple[Evaluation, Evaluation]) -> None:
    result = evaluations.result(chat[0])
    assert result.decoding == DECODING and result.generated == 20 < result.n
    written = [row for row in exported(chat[0]) if row["tuned"]["text"] is not None]
    assert len(written) == 20 and all(row["base"]["text"] is not None for row in written)
    assert max(row["tuned"]["tokens"] for row in written) <= DECODING.max_new_tokens


def test_figures_of_texts_are_those_of_sacrebleu_and_rouge_score_on_the_exported_predictions(
    chat: tuple[Evaluation, Evaluation],
) -> None:
    result = evaluations.result(chat[1])
    rows = [row for row in exported(chat[1]) if row["tuned"]["text"] is not None]
    right = [row["right"] for row in rows]
    independent = {
        item.group or item.row_id
        for item in evaluation_rows.predictions(result, "tuned").items
        if item.text is not None
    }
    rouge = RougeScorer(["rougeL"])
    for name in ("tuned", "base"):
        texts = [row[name]["text"] for row in rows]
        expected = {
            "bleu": corpus_bleu(texts, [right]).score,
            "chrf": sum(sentence_chrf(t, [r]).score for t, r in zip(texts, right, strict=True)) / len(rows),
            "rouge_l": 100
            * sum(rouge.score(r, t)["rougeL"].fmeasure for t, r in zip(texts, right, strict=True))
            / len(rows),
        }
        for key, value in expected.items():
            found = result.metric(key)
            assert found is not None
            assert found.values[name].value == pytest.approx(value, abs=1e-6), (name, key)
            assert found.values[name].n == len(independent) and found.values[name].low is not None


def test_figures_of_labels_are_those_of_scikit_learn_on_the_exported_predictions(sorted_texts: Evaluation) -> None:
    result, rows = evaluations.result(sorted_texts), exported(sorted_texts)
    right = [row["right"] for row in rows]
    for name in ("tuned", "base", "tfidf", "majority"):
        said = [row[name]["answer"] for row in rows]
        found = {row.key: row.values[name].value for row in result.metrics if name in row.values}
        assert found["accuracy"] == pytest.approx(reference.accuracy_score(right, said))
        assert found["macro_f1"] == pytest.approx(reference.f1_score(right, said, average="macro"))
        labels = sorted(rows[0][name]["probabilities"])
        likely = [[row[name]["probabilities"][label] for label in labels] for row in rows]
        assert found["log_loss"] == pytest.approx(reference.log_loss(right, likely, labels=labels), abs=1e-6)


def test_the_table_for_spreadsheets_holds_every_row_and_no_formula(chat: tuple[Evaluation, Evaluation]) -> None:
    text = "".join(prediction_files.csv(chat[0]))
    assert text.startswith("\ufeff")
    lines = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert len(lines) == chat[0].result["n"]
    assert any(line["prompt"].startswith(f"'{FORMULA}") for line in lines)
    assert not [cell for line in lines for cell in line.values() if cell.startswith(("=", "+", "-", "@"))]
    exact = {row["row_id"]: row["tuned"]["text"] or "" for row in exported(chat[0])}
    assert {line["row_id"]: line["tuned"].removeprefix("'") for line in lines} == exact


def test_other_rounds_on_the_same_rows_are_contenders_with_a_paired_test(chat: tuple[Evaluation, Evaluation]) -> None:
    first, second = map(evaluations.result, chat)
    assert first.rounds == ()
    (other,) = second.rounds
    before, after = first.metric("loss"), second.metric("loss")
    assert before is not None and after is not None
    assert other.values["loss"] == before.values["tuned"]
    compared = other.comparisons["loss"]
    assert (compared.base.value, compared.tuned.value) == pytest.approx(
        (before.values["tuned"].value, after.values["tuned"].value)
    )
    assert compared.change.n == (second.groups or second.n) and "paired" in compared.test


@pytest.mark.parametrize("which", ["chat", "sorted_texts"])
def test_what_a_model_forgot_is_measured_on_passages_that_nobody_trained_on(
    which: str, request: pytest.FixtureRequest
) -> None:
    kept = request.getfixturevalue(which)
    found = evaluations.result(kept if isinstance(kept, Evaluation) else kept[1]).forgetting
    assert found is not None and [probe.key for probe in found.probes] == ["en", "others"]
    english = found.probes[0]
    assert english.n == 60 and english.base.low < english.base.value < english.base.high
    assert english.change.value == pytest.approx(english.tuned.value / english.base.value - 1)
    assert english.change.low < english.change.value < english.change.high
    assert bool(found.note) == (which == "sorted_texts"), "a head that judges has no words of its own"


def test_a_model_that_learned_nothing_forgot_nothing() -> None:
    from core.schemas.predictor import Score

    texts = forgetting.all_passages()
    scores = [Score(nll=2.0 * len(t), tokens=9, correct=3, n_bytes=len(t.encode())) for t in texts]
    worse = [s.model_copy(update={"nll": s.nll * (1.1 + 0.01 * (i % 5))}) for i, s in enumerate(scores)]
    slightly = [s.model_copy(update={"nll": s.nll * (1.01 + 0.01 * (i % 2))}) for i, s in enumerate(scores)]
    outcomes = [[p.outcome for p in forgetting.measured(scores, after).probes] for after in (scores, worse, slightly)]
    assert outcomes == [["kept", "kept"], ["lost", "lost"], ["kept", "kept"]]
    assert "It lost some of its everyday English" in forgetting.measured(scores, worse).probes[0].sentence


def test_a_cancelled_evaluation_leaves_no_result_and_is_no_opening(chat: tuple[Evaluation, Evaluation]) -> None:
    run = runs.get(chat[0].run_id)
    before = evaluations.of_run(run.id)
    evaluations.submit(run)
    assert carried_out(JobKind.EVALUATE, Desired.CANCEL) is JobState.STOPPED
    assert [e.id for e in evaluations.of_run(run.id)] == [e.id for e in before]


def test_the_command_line_gives_the_whole_page_as_json(
    chat: tuple[Evaluation, Evaluation], capsys: pytest.CaptureFixture[str]
) -> None:
    kept = chat[1]
    assert main(["evaluation", kept.run_id, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    result = evaluations.result(kept)
    assert found["verdict_sentence"] == " ".join(result.sentences)
    assert set(type(result).model_fields) - {"contents"} <= set(found), "a new field of a result comes along by itself"
    for key, row in found["metrics"].items():
        assert row["tuned"]["n"] > 0 and "low" in row["tuned"], key
    assert found["metrics"]["bleu"]["base"]["method"].startswith("bootstrap")
    assert found["rounds"][0]["comparisons"]["loss"]["p"] is not None
    assert found["forgetting"]["probes"][0]["n"] == 60
    assert found["test_set"]["opened"] == len(found["test_set"]["openings"]) == 2
    assert all(Path(path).is_file() for path in found["predictions"].values())
    assert main(["evaluation", kept.run_id]) == 0
    assert "BLEU" in capsys.readouterr().out
    assert main(["evaluation", kept.run_id, "--split", "validation", "--json"]) == 2
    assert "has not been evaluated" in json.loads(capsys.readouterr().out)["error"]["title"]


@pytest.mark.parametrize("named_only", [False, True])
def test_rows_for_the_screen_are_those_of_the_whole_predictions(storage: Path, named_only: bool) -> None:
    base, tuned = classified(0.3, seed=1), classified(0.7, seed=2)
    if named_only:  # as a contender that gives no probabilities
        base, tuned = (
            ClassPredictions(p.labels, tuple(replace(i, probabilities=()) for i in p.items)) for p in (base, tuned)
        )
    result = evaluations.build("classification", "test", {"tuned": tuned, "base": base}, "", 0.0, {})
    shown = {kind: evaluation_rows.examples_of_interest(result, kind) for kind in ("fixed", "broken", "confident")}
    assert shown["fixed"] == [flip.model_dump() for flip in fixed(base, tuned)][:50]
    assert shown["broken"] == [flip.model_dump() for flip in broken(base, tuned)][:50]
    assert [row["row_id"] for row in shown["confident"]] == [p.row_id for p in confident_errors(tuned, 50)]
    assert all(shown.values())
    for gold in result.labels:
        for said in result.labels:
            assert evaluation_rows.cell(result, gold, said) == [p.row_id for p in cell_rows(tuned, gold, said)]


def panels(kept: Evaluation) -> Any:
    """The panels of this evaluation, drawn."""
    from streamlit.testing.v1 import AppTest

    def script(evaluation_id: str) -> None:
        from core.services import evaluations, projects, runs
        from core.store import records
        from core.store.tables import Evaluation
        from core.ui import earlier_rounds, forgetting, judge, prediction_downloads, writing_settings

        kept = records.get(Evaluation, evaluation_id)
        assert kept is not None
        result, run = evaluations.result(kept), runs.get(kept.run_id)
        writing_settings.writing_form(projects.get(kept.project_id), run)
        writing_settings.decoding_caption(result)
        prediction_downloads.predictions_panel(run, kept)
        earlier_rounds.rounds_panel(run, result)
        forgetting.forgetting_panel(result)
        judge.judge_panel(run, kept, result)

    return AppTest.from_function(script, kwargs={"evaluation_id": kept.id}, default_timeout=60).run()


def shown(app: Any) -> str:
    kinds = (app.markdown, app.caption, app.warning, app.subheader, app.get("html"))
    return " ".join(str(block.value) for found in kinds for block in found)


def test_the_screen_says_how_answers_were_written_and_keeps_the_next_choice(
    chat: tuple[Evaluation, Evaluation],
) -> None:
    app = panels(chat[1])
    assert not app.exception
    text = shown(app)
    assert "temperature 0.9, top-p 0.9, seed 5, the same draws for both models" in text
    assert "Beside other rounds" in text and "Did it forget?" in text
    [answers] = [field for field in app.number_input if field.label.startswith("Answers to write")]
    answers.set_value(7).run()
    project = projects.get(chat[1].project_id)
    assert evaluations.writing_settings(project).answers == 7
    job = jobs.get(evaluations.submit(runs.get(chat[1].run_id)))
    assert job is not None and job.payload["generate"] == 7
    jobs.wish(job.id, Desired.CANCEL)


def test_no_text_goes_to_a_judge_before_the_person_has_agreed_to_where(chat: tuple[Evaluation, Evaluation]) -> None:
    app = panels(chat[0])
    [judge] = [button for button in app.button if button.label == "Judge"]
    assert judge.disabled and "40 questions" in shown(app) and "a server on this machine" in shown(app)
    [agreed] = [box for box in app.checkbox if box.label.startswith("Send these texts")]
    agreed.check().run()
    [address] = [field for field in app.text_input if field.label == "Address"]
    address.set_value("http://example.org/v1").run()
    [judge] = [button for button in app.button if button.label == "Judge"]
    assert judge.disabled, "another address is another question"
    assert "**example.org**" in shown(app) and "not encrypted" in shown(app)
    [key] = [field for field in app.text_input if field.label == "Key"]
    key.set_value("sk-a-key")
    [agreed] = [box for box in app.checkbox if box.label.startswith("Send these texts")]
    agreed.check().run()
    [judge] = [button for button in app.button if button.label == "Judge"]
    judge.click().run()
    assert not app.exception
    found = jobs.claim([JobKind.JUDGE], "me")
    assert found is not None and found[0].payload["settings"]["address"] == "http://example.org/v1"
    assert "sk-a-key" not in str(found[0].payload) + str(projects.get(chat[0].project_id).settings)
    jobs.finish(found[0].id, found[1], JobState.STOPPED, None)


def test_the_time_that_is_left_is_said_from_the_pace_of_the_present_part() -> None:
    from core.schemas.jobs import Job
    from core.ui.time_left import time_left

    job = Job(
        id="j", project_id=None, kind=JobKind.EVALUATE, payload={}, state=JobState.RUNNING, desired=Desired.RUN,
        phase="Your model reads", done=0, total=10_000, created_at=0.0,
    )  # fmt: skip
    memory: dict[Any, Any] = {}
    said = [
        time_left(job.model_copy(update={"done": done, "phase": phase}), memory, lambda seconds=seconds: seconds)
        for done, phase, seconds in [
            (0, "Your model reads", 0.0),
            (100, "Your model reads", 1.0),  # watched for too short a time
            (1000, "Your model reads", 10.0),
            (9000, "Your model reads", 20.0),
            (0, "Base model reads", 21.0),  # begins anew
            (1000, "Base model reads", 81.0),
            (10_000, "Base model reads", 90.0),
        ]
    ]
    assert said == ["", "", "about 90 s left", "about 5 s left", "", "about 9 min left", ""]

"""The output filter where it has to act: in the served model that the chat asks, in an export asked by a fresh process, in
what is stored, and in the form that a person fills in."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import migrated
from served import carried_out, trained_chat
from streamlit.testing.v1 import AppTest
from waiting import until

from core.schemas.jobs import Desired, Job, JobKind
from core.schemas.output_filter import FilterRule, FilterRules
from core.schemas.predictor import Decoding
from core.services import (
    asking,
    card_found,
    exports,
    output_filters,
    playground,
    projects,
    reviews,
)
from core.store import jobs
from core.store.engine import engine
from core.store.tables import Run

pytestmark = pytest.mark.usefixtures("one_thread")
QUESTION = "the parcel with the lamp has not arrived today 3"
GREEDY = {"max_tokens": 24, "temperature": 0.0}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Iterator[Run]:
    """A tiny chat model after a real training."""
    folder = tmp_path_factory.mktemp("filtered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(folder))
        patch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{folder / 'tunewell.db'}")
        migrated()
        yield trained_chat(small_model)
        engine().dispose()


@pytest.fixture
def served(run: Run) -> Iterator[Job]:
    """The job that the chat asks, with the model loaded."""
    playground.start(run)
    thread = threading.Thread(target=carried_out, args=(JobKind.SERVE,), daemon=True)
    thread.start()

    def ready() -> Job | None:
        job = playground.running(run)
        return job if job and (job.result or {}).get("address") else None

    try:
        yield until(ready, "the models", 60)
    finally:
        job = playground.running(run)
        if job is not None:
            jobs.wish(job.id, Desired.STOP)
        thread.join(30)


def asked(job: Job) -> dict[str, Any]:
    """What each model answers: its `text`, and what the filter did to it."""
    out = {}
    for model in ("tuned", "base"):
        question = {"model": model, "messages": [{"role": "user", "content": QUESTION}], **GREEDY}
        said = asking.Question(job).answer("/v1/chat/completions", question)
        out[model] = {"text": said["choices"][0]["message"]["content"], **said.get("tunewell", {})}
    return out


def test_the_chat_gets_filtered_answers_as_soon_as_rules_are_saved_and_an_export_filters_alike(
    run: Run, served: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = asked(served)
    assert "filtered" not in free["tuned"] and output_filters.current(run) is None
    said = free["tuned"]["text"]
    word = max((w.strip(".!?,") for w in said.split()), key=len)
    assert len(word) > 2

    rules = FilterRules(rules=(FilterRule(name="my word", entries=(word,)),))
    version = output_filters.save(run, rules, [f"a text with {word}"])
    guarded = asked(served)["tuned"]
    assert word not in guarded["text"] and "•••" in guarded["text"]
    assert guarded["filtered"] == "Parts of this answer were filtered by the rule “my word”." and guarded["rules"] == [
        "my word"
    ]
    assert (
        word in json.dumps(asked(served)) or word not in free["base"]["text"]
    )  # nothing else of the question is touched

    # The weights agree elsewhere (tests of the export); what counts here is the helper beside them.
    monkeypatch.setattr(
        "core.training.parity.check", lambda *_: {"n": 1, "worst": 0.0, "tolerance": 1e-3, "same_answer": 1}
    )
    exports.submit(run, "merged")
    carried_out(JobKind.EXPORT)
    archive = exports.archive(exports.of_run(run.id)[0].folder)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    [folder] = [p for p in tmp_path.iterdir() if p.is_dir()]
    assert json.loads((folder / "filter_rules.json").read_text("utf-8"))["version"] == version.number
    said_there = subprocess.run(
        [sys.executable, "-I", str(folder / "answer.py"), QUESTION, "--length", "24"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert said_there.strip() == f"{guarded['text']}\n[{guarded['filtered']}]".strip()
    assert f"version {version.number}" in (folder / "README.md").read_text("utf-8")

    output_filters.save(run, FilterRules())
    assert asked(served)["tuned"] == free["tuned"]


def test_the_newest_version_counts_for_its_round_or_for_all_and_older_ones_stay(run: Run) -> None:
    def named(name: str) -> FilterRules:
        return FilterRules(rules=(FilterRule(name=name, entries=("lamp",)),))

    first = output_filters.save(run, named("first"))
    second = output_filters.save(run, named("second"), this_round=True)
    assert output_filters.current(run).id == second.id  # type: ignore[union-attr]
    assert [v.number for v in output_filters.versions(run.project_id)][:2] == [second.number, first.number]
    other = Run(id="other", project_id=run.project_id, task="chat")
    assert output_filters.current(other).id == first.id  # type: ignore[union-attr]
    report = output_filters.report_of(second)
    assert report is not None and report.clean is not None and report.clean.n > 10 and report.clean.value > 0
    card = "\n".join(card_found.filter_lines(run))
    assert "second (mask)" in card and f"n = {report.clean.n}" in card
    copy = projects.duplicate(run.project_id)
    assert [v.rules for v in output_filters.versions(copy.id)] == [first.rules]
    projects.delete(copy.id)
    output_filters.save(run, FilterRules())
    assert (
        output_filters.current(run) is None
        and output_filters.guard_of(run) is None
        and output_filters.shipped(run) == {}
    )


# -- the form ----------------------------------------------------------------------------------------------------------


def builder(run: Run) -> AppTest:
    def script(run_id: str) -> None:
        from core.services import runs
        from core.ui.output_filter import filter_panel

        filter_panel(runs.get(run_id))

    return AppTest.from_function(script, kwargs={"run_id": run.id}, default_timeout=60).run()


def field(found: Any, label: str) -> Any:
    return next(one for one in found if one.label.startswith(label))


def texts(app: AppTest) -> str:
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.info, app.warning, app.get("html"))
    return " ".join(str(block.value) for found in kinds for block in found)


def test_a_person_builds_rules_sees_what_they_do_and_switches_them_on(run: Run) -> None:
    items = [
        {"prompt": "a", "turns": [], "reference": "", "finished": {}, "tuned": f"The lamp {n}.", "base": "?"}
        for n in range(5)
    ]
    reviews.store(run, Decoding(), items)
    app = builder(run)
    field(app.button, "Add a rule").click().run()
    field(app.text_input, "Name").set_value("things").run()
    field(app.text_area, "Words").set_value("lamp\nfool*").run()
    field(app.text_area, "A text").set_value("What a lamp, you fools").run()
    assert "Parts of this answer were filtered by the rule “things”" in texts(app).replace("\\", "")
    field(app.text_area, "Red list").set_value("the lamp\nnothing").run()
    field(app.button, "Check these rules").click().run()
    assert not app.exception
    shown = texts(app)
    assert "50.0%" in shown and "n = 2" in shown and "100.0%" in shown and "n = 5" in shown
    assert "None of the harmless texts about" in shown
    field(app.button, "Use these rules").click().run()
    assert not app.exception and output_filters.guard_of(run) is not None
    assert "is on" in texts(app)
    field(app.button, "Switch the filter off").click().run()
    assert output_filters.guard_of(run) is None


def test_a_pattern_that_cannot_be_used_is_explained_in_the_form_and_cannot_be_saved(run: Run) -> None:
    app = builder(run)
    field(app.button, "Add a rule").click().run()
    field(app.text_area, "Words").set_value("(a+)+b").run()
    field(app.checkbox, "These are regular").check().run()
    said = texts(app)
    assert not app.exception and "cannot be used" in said and "one answer could take hours" in said
    assert not [b for b in app.button if b.label == "Use these rules" and not b.disabled]

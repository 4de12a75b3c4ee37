"""The playground's screens without a browser: what is drawn in each state, and that a press does what its button says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import reviewing
import stored
from databases import migrated
from stand_in_models import DONE, KEY, StandIn, delta, event
from streamlit.testing.v1 import AppTest
from waiting import until

from core.schemas.chat import ChatSettings
from core.schemas.jobs import JobKind, JobState
from core.schemas.plan import PreparationPlan, SplitPlan
from core.schemas.predictor import Decoding
from core.services import (
    answering,
    chat_votes,
    conversations,
    datasets,
    models,
    playground,
    preparation,
    projects,
)
from core.store import jobs
from core.store.engine import engine
from core.store.tables import Run
from core.ui.decoding import preset_of
from core.ui.playground_chat import prompt_note


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(tmp_path_factory.mktemp("playground")))
        patch.delenv("TUNEWELL_DATABASE_URL", raising=False)
        migrated()
        yield reviewing.finished_run(reviewing.chat_project(models.all_models()[0].key))
        engine().dispose()


@pytest.fixture
def served(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A serving job whose models are a stand-in. There are no other screens to link to here."""
    monkeypatch.setattr("streamlit.page_link", lambda *_, **__: None)

    def echo(_path: str, body: dict[str, Any]) -> Iterator[str]:
        yield delta(f"<b>{body['model']}</b> says **{body['messages'][-1]['content']}**", "stop")
        yield DONE

    stand_in = StandIn(echo)
    playground.start(run)
    claimed = jobs.claim([JobKind.SERVE], "me")
    assert claimed is not None
    playground.announce(claimed[0].id, stand_in.address, KEY, ["tuned", "base"])
    yield stand_in
    jobs.finish(claimed[0].id, claimed[1], JobState.DONE, {"ended": "idle"}, None)
    stand_in.stop()


def page(run: Run) -> AppTest:
    def script(run_id: str) -> None:
        from core.services import runs
        from core.ui.playground_panel import playground_panel

        playground_panel(runs.get(run_id))

    return AppTest.from_function(script, kwargs={"run_id": run.id}, default_timeout=60).run()


def shown(app: AppTest) -> str:
    assert not app.exception
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.info, app.warning)
    texts = [str(block.value) for found in kinds for block in found] + [h.proto.body for h in app.get("html")]
    return " ".join(texts)


def button(app: AppTest, label: str) -> Any:
    return next(b for b in app.button if b.label == label)


def written(run: Run) -> Any:
    """The newest conversation, once nothing is being written in it."""
    talk = conversations.of_run(run)[0]
    until(lambda: answering.live(talk.id) is None, "the answers")
    return conversations.get(talk.id)


def test_a_person_asks_reads_judges_changes_the_question_and_begins_anew(run: Run, served: StandIn) -> None:
    app = page(run)
    assert "Ask both the same" in shown(app)
    app.chat_input[0].set_value("May I return it?").run()
    talk = written(run)
    app.run()
    said = shown(app)
    assert "&lt;b&gt;tuned&lt;/b&gt; says <strong>May I return it?</strong>" in said, "Markdown is read, HTML is not"
    assert "&lt;b&gt;base" in said

    thumbs = [f for f in app.get("feedback")]
    assert len(thumbs) == 2
    app.session_state[f"thumb-{talk.id}-0-0-tuned"] = 1
    chat_votes.vote(talk.id, 0, "tuned", "up")
    assert "1 good and 0 not good" in shown(app.run())

    button(app, "Change the last question").click().run()
    next(a for a in app.text_area if a.label.startswith("The last question")).set_value("Until when?").run()
    button(app, "Ask this instead").click().run()
    assert [t["asked"] for t in written(run).turns] == ["Until when?"]
    button(app.run(), "Answer again").click().run()
    assert written(run).turns[0]["tries"] == 1 and served.asked[-1][1]["seed"] == 1
    button(app.run(), "New conversation").click().run()
    assert "Until when?" not in "".join(h.proto.body for h in app.get("html"))
    app.chat_input[0].set_value("Another?").run()
    written(run)
    assert len(conversations.of_run(run)) == 2
    assert "Another?" in shown(page(run)), "a reload opens the conversation that was used last"


def test_a_second_page_does_not_replace_a_question_that_it_does_not_show(run: Run, served: StandIn) -> None:
    settings = ChatSettings(decoding=Decoding())
    app = page(run)
    app.chat_input[0].set_value("Where is it?").run()
    talk = written(run)
    old = page(run)
    conversations.ask(talk.id, "And the other one?", settings)  # on another page
    button(old, "Answer again").click().run()
    assert "gone on elsewhere" in shown(old)
    assert [t["tries"] for t in conversations.get(talk.id).turns] == [0, 0]
    conversations.remove(talk.id)


def test_what_another_project_serves_to_programs_ends_only_after_a_question(run: Run) -> None:
    other = stored.run(stored.project("Lamps & <b>more"))
    job = jobs.get(playground.start(other, lasting=True))
    assert job is not None
    app = page(run)
    assert "Loading models here ends that" in shown(app)
    button(app, "Load the models").click().run()
    assert "Lamps & <b>more" in app.text[0].value and playground.serving(run.project_id) is None
    button(app, "Stop it and load").click().run()
    assert playground.running(run) is not None and playground.serving(other.project_id) is None
    playground.stop(run)


def test_settings_go_with_the_question_and_presets_set_them(run: Run, served: StandIn) -> None:
    app = page(run)
    next(s for s in app.slider if s.label == "Temperature").set_value(1.2).run()
    next(a for a in app.text_area if a.label == "System prompt").set_value("Be short.").run()
    assert "trained without a system prompt" in shown(app)
    app.chat_input[0].set_value("How long?").run()
    written(run)
    body = served.asked[0][1]
    assert body["temperature"] == 1.2 and body["messages"][0] == {"role": "system", "content": "Be short."}


def test_put_away_models_say_so_and_the_conversation_can_still_be_read(run: Run) -> None:
    talk = conversations.start(run, ["tuned", "base"], ChatSettings())
    conversations.ask(talk.id, "Nobody answers?", ChatSettings())
    app = page(run)
    said = shown(app)
    assert "put away because nobody asked" in said and "Nobody answers?" in said and "The answer broke off." in said
    assert not app.chat_input and button(app, "Load the models")
    conversations.remove(talk.id)


def test_presets_are_told_apart_and_a_system_prompt_is_compared_with_the_training() -> None:
    assert preset_of(Decoding(temperature=0.0)) == "Same answer each time"
    assert preset_of(Decoding(temperature=0.7, top_p=0.9, repetition_penalty=1.1)) == "Balanced"
    assert preset_of(Decoding(temperature=0.3)) is None
    assert prompt_note("Be kind. ", "Be kind.") == "" and "differs" not in prompt_note("", "")
    assert "gets the system prompt" in prompt_note("", "Be kind.") and "not the system prompt" in prompt_note("x", "y")


def test_a_conversation_can_be_taken_along(run: Run) -> None:
    talk = conversations.start(run, ["tuned"], ChatSettings())
    conversations.ask(talk.id, "Ünï?", ChatSettings())
    assert "Ünï?" in conversations.as_markdown(conversations.get(talk.id))
    assert json.loads(conversations.as_json(conversations.get(talk.id)))["models"].keys() == {"tuned"}
    conversations.remove(talk.id)


def test_a_text_is_gone_on_with_beside_its_beginning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn(
        lambda _path, body: iter([event(choices=[{"text": " <i>light</i>", "finish_reason": "length"}]), DONE])
    )
    made = projects.create("letters", "completion").id
    rows = pd.DataFrame(
        {"row_id": [f"{n}" for n in range(60)], "text": [f"The lamp number {n} is lit." for n in range(60)]}
    )
    datasets.add_version(made, rows, roles={"text": "text"}, title="texts", origin={"task": "completion"})
    projects.update(made, base_model_key=run.base_model_key)
    preparation.save(projects.get(made), PreparationPlan(max_length=64))
    writer = reviewing.finished_run(projects.get(made))
    playground.start(writer)
    claimed = jobs.claim([JobKind.SERVE], "me")
    assert claimed is not None
    playground.announce(claimed[0].id, stand_in.address, KEY, ["tuned", "base"])
    monkeypatch.setattr("streamlit.page_link", lambda *_, **__: None)
    try:
        app = page(writer)
        next(a for a in app.text_area if a.label == "Beginning").set_value("The sea")
        button(app, "Go on").click().run()
        talk = written(writer)
        said = shown(app.run())
        assert '<span class="tw-prompt">The sea</span> &lt;i&gt;light' in said
        assert "Cut at the longest answer that was allowed (80 tokens)" in said
        path, body = stand_in.asked[0]
        assert path == "/v1/completions" and body["prompt"] == "The sea" and body["temperature"] == 0.7
        chat_votes.vote(talk.id, 0, "tuned", "down")
        assert "not trained on judgements" in chat_votes.effect(writer)
    finally:
        jobs.finish(claimed[0].id, claimed[1], JobState.DONE, {"ended": "stopped"}, None)
        stand_in.stop()


def test_labels_come_with_the_words_that_mattered(run: Run) -> None:
    """Only `refund` matters to this stand-in."""
    writer = reviewing.finished_run(stored.small_project(Path(models.get(run.base_model_key).folder)))
    labels = ["delivery", "praise", "refund"]

    def judge(_path: str, body: dict[str, Any]) -> Iterator[str]:
        rows = [[0.1, 0.2, 0.7] if "refund" in text else [0.5, 0.3, 0.2] for text in body["texts"]]
        yield json.dumps({"labels": labels, "thresholds": [], "thresholds_of": {}, **{m: rows for m in body["models"]}})

    stand_in = StandIn(judge)
    playground.start(writer)
    claimed = jobs.claim([JobKind.SERVE], "me")
    assert claimed is not None
    playground.announce(claimed[0].id, stand_in.address, KEY, ["tuned"])
    try:
        app = page(writer)
        app.text_area[0].set_value("I want a refund now")
        button(app, "Classify").click().run()
        assert app.get("progress")[0].proto.text == "refund · 70%"
        button(app, "Show them").click().run()
        said = shown(app)
        assert 'tw-mark-for tw-mark-3" title="without it the share of “refund” falls by 50 points">refund<sup' in said
        assert "It does not show why the model learned it" in said and said.count("tw-mark-3") == 1
        without = ["want a refund now", "I a refund now", "I want refund now", "I want a now", "I want a refund"]
        assert stand_in.asked[1][1]["texts"] == without
    finally:
        jobs.finish(claimed[0].id, claimed[1], JobState.DONE, {"ended": "stopped"}, None)
        stand_in.stop()


def test_numbers_are_shown_and_their_words_are_measured_by_the_range_of_the_training_rows(run: Run) -> None:
    made = projects.create("prices", "regression").id
    rows = {"row_id": [f"{n}" for n in range(80)], "text": [f"lamp number {n}" for n in range(80)]}
    frame = pd.DataFrame({**rows, "price": [f"{n}" for n in range(80)]})
    datasets.add_version(
        made, frame, roles={"text": "text", "value": "price"}, title="x", origin={"task": "regression"}
    )
    projects.update(made, base_model_key=run.base_model_key)
    plan = PreparationPlan(max_length=64, split=SplitPlan(strategy="random"))
    preparation.save(projects.get(made), plan)
    writer = reviewing.finished_run(projects.get(made))
    stand_in = StandIn(
        lambda _path, body: iter([json.dumps({"tuned": [60.0 if "gold" in t else 59.0 for t in body["texts"]]})])
    )
    playground.start(writer)
    claimed = jobs.claim([JobKind.SERVE], "me")
    assert claimed is not None
    playground.announce(claimed[0].id, stand_in.address, KEY, ["tuned"])
    try:
        app = page(writer)
        app.text_area[0].set_value("a gold lamp")
        button(app, "Give it a number").click().run()
        assert app.metric[0].value == "60"
        button(app, "Show them").click().run()
        assert "No single word changes the answer much" in shown(app), "1 of a range of about 70"
    finally:
        jobs.finish(claimed[0].id, claimed[1], JobState.DONE, {"ended": "stopped"}, None)
        stand_in.stop()

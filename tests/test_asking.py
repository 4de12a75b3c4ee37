"""Asking loaded models, against a stand-in that misbehaves: pieces, stops, and every way to fail in plain words."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import reviewing
from databases import migrated
from stand_in_models import DONE, KEY, StandIn, delta, event
from waiting import until

from core.schemas.chat import Answer, ChatSettings
from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.predictor import Decoding
from core.services import answering, asking, chat_votes, conversations, lessons, models, review_results, reviews
from core.store.engine import engine
from core.store.tables import Run

Serve = Callable[[Callable[[str, dict[str, Any]], Iterator[str]]], StandIn]
HELLO = [{"role": "user", "content": "Hello?"}]


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[StandIn] = []

    def begin(script: Callable[[str, dict[str, Any]], Iterator[str]]) -> StandIn:
        made.append(StandIn(script))
        return made[-1]

    yield begin
    for stand_in in made:
        stand_in.stop()


def job_at(address: str, key: str = KEY, run_id: str = "run") -> Job:
    return Job(
        id="job", project_id=None, kind=JobKind.SERVE, payload={"run_id": run_id}, state=JobState.RUNNING,
        desired=Desired.RUN, created_at=0.0, result={"address": address, "key": key, "models": ["tuned", "base"]},
    )  # fmt: skip


def pieces(job: Job) -> list[asking.Piece]:
    return list(asking.chat(asking.Question(job), "tuned", HELLO, Decoding()))


def error_of(act: Callable[[], object]) -> UserError:
    with pytest.raises(UserError) as caught:
        act()
    return caught.value


def endless(gate: threading.Event | None = None) -> Callable[[str, dict[str, Any]], Iterator[str]]:
    """Writes for ever; after the first piece once the gate is open."""

    def script(_path: str, _body: dict[str, Any]) -> Iterator[str]:
        yield delta("first ")
        if gate is not None:
            gate.wait(30)
        while True:
            yield delta("more " * 200)

    return script


# -- the client --------------------------------------------------------------------------------------------------------


def test_an_answer_comes_piece_by_piece_with_what_the_filter_and_the_context_did(serve: Serve) -> None:
    def script(_path: str, _body: dict[str, Any]) -> Iterator[str]:
        yield delta("Grüße, ") + ": a comment\n\n"
        yield delta("你好")
        yield delta("", "length", tunewell={"filtered": "Parts were filtered.", "left_out": 7})
        yield DONE

    stand_in = serve(script)
    decoding = Decoding(max_new_tokens=9, temperature=0.5, top_p=0.8, repetition_penalty=1.1, seed=3)
    got = list(asking.chat(asking.Question(job_at(stand_in.address)), "round-2", HELLO, decoding))
    assert "".join(p.text for p in got) == "Grüße, 你好"
    assert (got[-1].ended, got[-1].filtered, got[-1].unread) == ("length", "Parts were filtered.", 7)
    path, body = stand_in.asked[0]
    assert path == "/v1/chat/completions" and body["stream"] is True
    assert {k: body[k] for k in ("model", "temperature", "top_p", "max_tokens", "seed", "frequency_penalty")} == {
        "model": "round-2", "temperature": 0.5, "top_p": 0.8, "max_tokens": 9, "seed": 3, "frequency_penalty": 0.1,
    }  # fmt: skip


def test_a_plain_text_is_asked_as_a_completion(serve: Serve) -> None:
    stand_in = serve(lambda *_: iter([event(choices=[{"text": "sea", "finish_reason": "stop"}]), DONE]))
    got = list(asking.text(asking.Question(job_at(stand_in.address)), "tuned", "The ", Decoding()))
    assert [p.text for p in got] == ["sea"]
    assert stand_in.asked[0][0] == "/v1/completions" and stand_in.asked[0][1]["prompt"] == "The "


def test_closing_the_answer_in_the_middle_closes_the_connection(serve: Serve) -> None:
    stand_in = serve(endless())
    answer = asking.chat(asking.Question(job_at(stand_in.address)), "tuned", HELLO, Decoding())
    next(answer)
    answer.close()  # type: ignore[attr-defined]
    assert stand_in.left.wait(30), "the model would go on writing for nobody"


def test_a_stop_from_elsewhere_ends_an_answer_that_has_not_begun(serve: Serve) -> None:
    gate = threading.Event()

    def silent(_path: str, _body: dict[str, Any]) -> Iterator[str]:
        gate.wait(30)
        yield from iter(lambda: delta("x" * 2000), "")

    stand_in = serve(silent)
    question, got = asking.Question(job_at(stand_in.address)), list[asking.Piece]()
    reader = threading.Thread(target=lambda: got.extend(asking.chat(question, "tuned", HELLO, Decoding())))
    reader.start()
    until(lambda: stand_in.asked, "the question")
    question.stop()
    reader.join(10)
    gate.set()
    assert not reader.is_alive() and got == [] and stand_in.left.wait(30)


@pytest.mark.parametrize("last", ["", "data: {broken\n\n"])
def test_an_answer_that_breaks_off_says_so_and_keeps_what_came(serve: Serve, last: str) -> None:
    stand_in = serve(lambda *_: iter([delta("half "), last]))
    got: list[str] = []

    def read() -> None:
        for piece in asking.chat(asking.Question(job_at(stand_in.address)), "tuned", HELLO, Decoding()):
            got.append(piece.text)

    assert error_of(read).title == "The answer broke off." and got == ["half "]


def test_every_refusal_is_explained(serve: Serve) -> None:
    stand_in = serve(lambda *_: iter([DONE]))
    assert "key" in error_of(lambda: pieces(job_at(stand_in.address, "an old key"))).title
    for status, words in ((404, "not there"), (413, "too long"), (400, "could not read"), (500, "could not answer")):
        stand_in.status, stand_in.refusal = status, json.dumps({"error": {"message": "its own words"}})
        error = error_of(lambda: pieces(job_at(stand_in.address)))
        assert words in error.title and error.cause == "its own words"
    stand_in.status = 503
    stand_in.refusal = json.dumps({"error": {"message": "x", "title": "Damaged.", "cause": "A file.", "fix": "Train."}})
    assert error_of(lambda: pieces(job_at(stand_in.address))).title == "Damaged."
    stand_in.status, stand_in.refusal = 502, "<html>bad gateway"
    assert error_of(lambda: asking.classify(job_at(stand_in.address), ["a"], ["tuned"])).cause == "<html>bad gateway"


def test_an_error_in_the_middle_of_a_stream_is_told_as_it_was_meant(serve: Serve) -> None:
    told = {"message": "x", "title": "Out of memory.", "cause": "Too long.", "fix": "Ask less."}
    stand_in = serve(lambda *_: iter([delta("a"), event(error=told)]))
    assert error_of(lambda: pieces(job_at(stand_in.address))).title == "Out of memory."


def test_models_that_are_gone_or_never_came_are_said_to_be_gone(serve: Serve) -> None:
    stand_in = serve(lambda *_: iter([DONE]))
    stand_in.stop()
    assert error_of(lambda: pieces(job_at(stand_in.address))).title == "The model is not loaded any more."
    assert error_of(lambda: pieces(job_at(""))).title == "The model is not loaded any more."


# -- conversations that go on without a page ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(tmp_path_factory.mktemp("asking")))
        patch.delenv("TUNEWELL_DATABASE_URL", raising=False)
        migrated()
        yield reviewing.finished_run(reviewing.chat_project(models.all_models()[0].key))
        engine().dispose()


def echo(_path: str, body: dict[str, Any]) -> Iterator[str]:
    """Says who it is and how many messages it was sent."""
    yield delta(f"{body['model']} heard ")
    yield delta(f"{len(body['messages'])} of them", "stop")
    yield DONE


def asked(conversation_id: str, text: str, job: Job, settings: ChatSettings | None = None) -> dict[str, Answer]:
    place = conversations.ask(conversation_id, text, settings or ChatSettings())
    answering.begin(conversation_id, place, job).thread.join(30)
    return conversations.turns(conversations.get(conversation_id))[place].answers


def test_two_models_answer_in_turn_each_with_its_own_history_and_everything_is_kept(run: Run, serve: Serve) -> None:
    stand_in = serve(echo)
    job = job_at(stand_in.address, run_id=run.id)
    talk = conversations.start(run, ["tuned", "base"], ChatSettings())
    asked(talk.id, "One?", job)
    second = asked(talk.id, "Two?", job, ChatSettings(system="Be short."))
    assert second["tuned"].text == "tuned heard 4 of them" and second["base"].text == "base heard 4 of them"
    assert second["tuned"].state == "done" and answering.live(talk.id) is None
    sent = stand_in.asked[-1][1]["messages"]
    assert [m["content"] for m in sent] == ["Be short.", "One?", "base heard 1 of them", "Two?"]

    place = conversations.ask_again(talk.id, ChatSettings())
    answering.begin(talk.id, place, job).thread.join(30)
    assert len(conversations.get(talk.id).turns) == 2 and stand_in.asked[-1][1]["seed"] == 1
    conversations.ask_again(talk.id, ChatSettings(), "Instead?")
    assert conversations.turns(conversations.get(talk.id))[-1].asked == "Instead?"
    page = conversations.as_markdown(conversations.get(talk.id))
    assert "One?" in page and "tuned heard 1 of them" in page and f"Round {run.number}" in page
    assert json.loads(conversations.as_json(conversations.get(talk.id)))["turns"][0]["asked"] == "One?"


def test_a_stop_keeps_what_is_written_and_does_not_begin_the_other_answer(run: Run, serve: Serve) -> None:
    stand_in = serve(endless(gate := threading.Event()))
    talk = conversations.start(run, ["tuned", "base"], ChatSettings())
    place = conversations.ask(talk.id, "Go on?", ChatSettings())
    live = answering.begin(talk.id, place, job_at(stand_in.address, run_id=run.id))
    until(lambda: live.now().answers["tuned"].text, "the first piece")
    assert answering.live(talk.id) is live, "another page finds the answer that is being written"
    answering.stop(talk.id)
    gate.set()
    kept = conversations.turns(conversations.get(talk.id))[0].answers
    assert (kept["tuned"].text, kept["tuned"].state) == ("first ", "stopped")
    assert (kept["base"].text, kept["base"].state) == ("", "stopped") and len(stand_in.asked) == 1
    assert stand_in.left.wait(30), "the model was really left"


def test_an_answer_whose_process_is_gone_says_so(run: Run, serve: Serve) -> None:
    talk = conversations.start(run, ["tuned"], ChatSettings())
    conversations.ask(talk.id, "Anybody?", ChatSettings())
    waiting = conversations.turns(conversations.get(talk.id))[0].answers["tuned"]
    shown = answering.settled(waiting, writing=False)
    assert shown.state == "failed" and shown.error and shown.error["title"] == "The answer broke off."
    gone = serve(echo)
    gone.stop()
    failed = asked(talk.id, "And now?", job_at(gone.address, run_id=run.id))["tuned"]
    assert failed.state == "failed" and failed.error and "not loaded any more" in failed.error["title"]


# -- thumbs ------------------------------------------------------------------------------------------------------------


def test_a_thumb_becomes_a_review_that_teaches_and_can_be_taken_back(run: Run, serve: Serve) -> None:
    job = job_at(serve(echo).address, run_id=run.id)
    talk = conversations.start(run, ["tuned", "base"], ChatSettings())
    asked(talk.id, "May I return it?", job)
    asked(talk.id, "Until when?", job)
    chat_votes.vote(talk.id, 1, "tuned", "up")
    chat_votes.vote(talk.id, 0, "base", "down")
    kept = chat_votes.kept_in(run)
    assert kept is not None and [len(kept.items), reviews.state(kept).ended] == [2, True]
    found = lessons.lesson(run)
    assert sorted((t.liked, t.response) for t in found.thumbs) == [
        (False, "base heard 1 of them"), (True, "tuned heard 3 of them"),
    ]  # fmt: skip
    liked = next(t for t in found.thumbs if t.liked)
    assert [m["content"] for m in json.loads(liked.prompt)][::2] == ["May I return it?", "Until when?"]
    assert "1 good and 1 not good" in chat_votes.effect(run) and "can teach the next round" in chat_votes.effect(run)
    result = review_results.result(kept)
    assert result.verdict is None and "chosen and not drawn" in result.sentence

    chat_votes.vote(talk.id, 1, "tuned", "down")
    assert not any(t.liked for t in lessons.lesson(run).thumbs), "a changed mind changes the same review"
    chat_votes.undo(talk.id, 1, "tuned")
    chat_votes.undo(talk.id, 0, "base")
    assert lessons.lesson(run).thumbs == () and not any(
        a.vote for t in conversations.turns(conversations.get(talk.id)) for a in t.answers.values()
    )
    conversations.remove(talk.id)
    assert chat_votes.kept_in(run) is not None

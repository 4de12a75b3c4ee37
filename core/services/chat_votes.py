"""A thumb in the playground becomes a review: kept like one of the Samples screen, so that it can teach the next round."""

from __future__ import annotations

import time
from typing import Any, Literal

from core.schemas.chat import Turn
from core.schemas.reviews import BASE, TUNED, Contender, ReviewSpec
from core.store import records
from core.store.engine import write
from core.store.tables import Conversation, Review, Run, SampleSet
from core.tasks import registry as tasks

from . import conversations, review_contenders, reviews, runs, teaching
from .lessons import FEWEST

Thumb = Literal["up", "down"]


def kept_in(run: Run) -> SampleSet | None:
    """The set that holds the round's thumbs from the playground."""
    return next((s for s in reviews.sets(run) if reviews.from_playground(s)), None)


def vote(conversation_id: str, place: int, model: str, thumb: Thumb) -> None:
    """Keep a thumb for one answer, or change it. Raises KeyError where there is no such answer."""
    with write():
        conversation = conversations.get(conversation_id)
        turn = conversations.turns(conversation)[place]
        review = turn.answers[model].review
        if review is None:
            review = _add(conversation, place, model)
        set_id, item = review
        known = records.find(Review, sample_set_id=set_id, item=item, rater="")
        now = time.time()
        if known:
            records.change(Review, known[0].id, {"vote": thumb, "acted_at": now, "updated_at": now})
        else:
            left = _contender(runs.get(conversation.run_id), model).key
            records.add(Review(sample_set_id=set_id, item=item, left=left, vote=thumb, acted_at=now))
        conversations.change_answer(conversation_id, place, model, vote=thumb, review=review)


def undo(conversation_id: str, place: int, model: str) -> None:
    """Take a thumb back: nothing of it teaches or counts any more."""
    with write():
        turn = conversations.turns(conversations.get(conversation_id))[place]
        if (review := turn.answers[model].review) is not None:
            records.remove(Review, sample_set_id=review[0], item=review[1], rater="")
        conversations.change_answer(conversation_id, place, model, vote="")


def effect(run: Run) -> str:
    """Where the thumbs of this round went and what they will do, in a sentence or two."""
    found = kept_in(run)
    votes = [r.vote for r in records.find(Review, sample_set_id=found.id)] if found else []
    up, down = votes.count("up"), votes.count("down")
    said = f"Kept on the Samples screen with your other judgements: {up} good and {down} not good from here so far."
    if not teaching.fits(run):
        return f"{said} They count there; a model of this kind is not trained on judgements."
    if up >= 3 and down >= 3 and up + down >= FEWEST:
        return f"{said} They are enough to teach the next round: do it there, under “Teach the model from your votes”."
    return f"{said} With {FEWEST} in all, 3 or more of each kind, they can teach the next round."


def _add(conversation: Conversation, turn: int, model: str) -> tuple[str, int]:
    """A new item with this answer. Returns its sample set and place."""
    run = runs.get(conversation.run_id)
    found, who = kept_in(run), _contender(run, model)
    every = conversations.turns(conversation)
    item = _item(run, every[:turn], every[turn], model, who.key)
    if found is None:
        spec = ReviewSpec(mode="single", contenders=(who,), source="own", rubrics=(), reasons=())
        config = {"spec": spec.model_dump(mode="json"), "from": reviews.PLAYGROUND, "refused": []}
        found = records.add(
            SampleSet(project_id=run.project_id, run_id=run.id, decoding={}, items=[item], config=config)
        )
        reviews.end(found)  # nobody is asked blindly here: the result is there from the first thumb on
        return found.id, 0
    spec = reviews.spec_of(found)
    if who.key not in {c.key for c in spec.contenders}:
        spec = spec.model_copy(update={"contenders": (*spec.contenders, who)})
    place = len(found.items)
    config = {**(found.config or {}), "spec": spec.model_dump(mode="json")}
    records.change(SampleSet, found.id, {"items": [*found.items, item], "config": config})
    return found.id, place


def _item(run: Run, before: list[Turn], turn: Turn, model: str, key: str) -> dict[str, Any]:
    """As the worker keeps a generated answer. A system prompt that the training puts there itself is not repeated."""
    answer = turn.answers[model]
    turns: list[dict[str, str]] = []
    if tasks()[run.task].conversational:
        same = turn.settings.system.strip() == conversations.trained_prompt(run).strip()
        system = "" if same else turn.settings.system
        turns = conversations.messages(before, model, turn.asked, system)
    return {
        "prompt": turn.asked, "turns": turns, "reference": "", "finished": {key: answer.finished}, key: answer.text,
        "left": key, "right": None, "repeat_of": None, "decoding": turn.settings.decoding.model_dump(),
    }  # fmt: skip


def _contender(run: Run, model: str) -> Contender:
    """Whose answer it is, as a review names it."""
    if model in (TUNED, BASE):
        return next(c for c in review_contenders.contenders(run) if c.key == model)
    number = int(model.removeprefix("round-"))
    other = next(r for r in runs.of_project(run.project_id) if r.number == number)
    return Contender(key=f"run-{other.id}", title=f"Round {number}", run_id=other.id)

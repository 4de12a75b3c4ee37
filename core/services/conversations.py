"""Conversations with loaded models: kept at every turn, so that a reload or another screen loses nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from core.schemas.chat import Answer, ChatSettings, Turn
from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan
from core.store import records
from core.store.engine import write
from core.store.tables import Conversation, Run
from core.tasks import registry as tasks

from . import offers, preparation, review_contenders, runs

MOST_LISTED = 50
SHORT_QUESTION = 90  # characters


def choices(run: Run) -> dict[str, str]:
    """The models that can be asked beside this round, by the id under which they are served: the round, what it began with,
    and the project's other finished rounds of the same task."""
    known = {c.key: c.title for c in review_contenders.contenders(run)}
    found = {"tuned": f"{known['tuned']} · {run.name}", "base": known["base"]}
    for other in runs.finished(run.project_id):
        if other.id != run.id and other.task == run.task:
            found[offers.name_of(other)] = f"Round {other.number} · {other.name}"
    return found


def of_run(run: Run) -> list[Conversation]:
    """The one that was used last first. Those in which nothing was asked are not listed."""
    found = [c for c in records.find(Conversation, run_id=run.id, limit=MOST_LISTED) if c.turns]
    return sorted(found, key=lambda c: -c.updated_at)


def get(conversation_id: str) -> Conversation:
    """Raises UserError where it was deleted."""
    found = records.get(Conversation, conversation_id)
    if found is None:
        raise UserError("This conversation is gone.", "It was deleted on another page.", "Begin a new one.")
    return found


def start(run: Run, models: Sequence[str], settings: ChatSettings) -> Conversation:
    return records.add(
        Conversation(
            project_id=run.project_id,
            run_id=run.id,
            models=list(models),
            settings=settings.model_dump(mode="json"),
            turns=[],
        )
    )


def remove(conversation_id: str) -> None:
    """Delete it. Thumbs that were given in it stay where they were kept."""
    records.remove(Conversation, id=conversation_id)


def turns(conversation: Conversation) -> list[Turn]:
    return [Turn.model_validate(turn) for turn in conversation.turns]


def settings(conversation: Conversation) -> ChatSettings:
    return ChatSettings.model_validate(conversation.settings)


def ask(conversation_id: str, asked: str, chosen: ChatSettings) -> int:
    """Add a question with answers to come. Returns the turn's place."""

    def add(before: list[Turn], models: list[str]) -> list[Turn]:
        return [*before, Turn(asked=asked, settings=chosen, answers={m: Answer() for m in models})]

    return len(_change(conversation_id, add, settings=chosen.model_dump(mode="json"))) - 1


def ask_again(conversation_id: str, chosen: ChatSettings, asked: str | None = None, *, place: int | None = None) -> int:
    """Ask the last question once more, or another one in its place. Returns the turn's place. Raises UserError where the
    conversation has gone on since the page was drawn on which the question at `place` was the last."""

    def replace(before: list[Turn], models: list[str]) -> list[Turn]:
        if place is not None and place != len(before) - 1:
            raise UserError(
                "This conversation has gone on elsewhere.",
                "It is open on another page, where something else was asked since.",
                "Look at the newest answer, then press again if you still want to.",
            )
        last = before[-1]
        tries = last.tries + 1 if asked is None or asked == last.asked else 0
        new = Turn(asked=asked or last.asked, settings=chosen, answers={m: Answer() for m in models}, tries=tries)
        return [*before[:-1], new]

    return len(_change(conversation_id, replace, settings=chosen.model_dump(mode="json"))) - 1


def keep(conversation_id: str, place: int, answers: Mapping[str, Answer]) -> None:
    """Write answers of one turn down. Thumbs that were given meanwhile stay."""

    def put(before: list[Turn], _models: list[str]) -> list[Turn]:
        if place >= len(before):
            return before
        turn = before[place]
        merged = {
            model: answer.model_copy(update={"vote": old.vote, "review": old.review})
            for model, answer in answers.items()
            if (old := turn.answers.get(model)) is not None
        }
        changed = turn.model_copy(update={"answers": {**turn.answers, **merged}})
        return [*before[:place], changed, *before[place + 1 :]]

    _change(conversation_id, put)


def change_answer(conversation_id: str, place: int, model: str, **values: Any) -> None:
    """Set fields of one answer."""

    def put(before: list[Turn], _models: list[str]) -> list[Turn]:
        turn = before[place]
        answer = turn.answers[model].model_copy(update=values)
        changed = turn.model_copy(update={"answers": {**turn.answers, model: answer}})
        return [*before[:place], changed, *before[place + 1 :]]

    _change(conversation_id, put)


def _change(conversation_id: str, how: Callable[[list[Turn], list[str]], list[Turn]], **columns: Any) -> list[Turn]:
    """Change the turns in one transaction: two pages may hold the same conversation."""
    with write():
        found = records.get(Conversation, conversation_id)
        if found is None:
            return []
        after = how(turns(found), [str(m) for m in found.models])
        values = {"turns": [turn.model_dump(mode="json") for turn in after], "updated_at": time.time(), **columns}
        records.change(Conversation, conversation_id, values)
    return after


def messages(before: Sequence[Turn], model: str, asked: str, system: str) -> list[dict[str, str]]:
    """What one model is sent: the conversation as this model had it. Answers that failed without a word are left out with
    their question."""
    out = [{"role": "system", "content": system}] if system.strip() else []
    for turn in before:
        answer = turn.answers.get(model)
        if answer is not None and (answer.text or answer.state == "done"):
            out += [{"role": "user", "content": turn.asked}, {"role": "assistant", "content": answer.text}]
    return [*out, {"role": "user", "content": asked}]


def title(conversation: Conversation) -> str:
    """The beginning of its first question."""
    words = " ".join(str(conversation.turns[0]["asked"]).split()) if conversation.turns else "Nothing asked yet"
    return words if len(words) <= 48 else words[:47].rstrip() + "…"


def as_markdown(conversation: Conversation) -> str:
    """To read: questions and answers under the models' names."""
    run = runs.get(conversation.run_id)
    names, first = choices(run), settings(conversation)
    lines = [f"# Conversation with round {run.number} ({tasks()[run.task].title})", ""]
    if first.system:
        lines += [f"System prompt: {first.system}", ""]
    for turn in turns(conversation):
        lines += ["## Asked", "", turn.asked, ""]
        for model, answer in turn.answers.items():
            notes = [answer.filtered, {"up": "Judged good.", "down": "Judged not good."}.get(answer.vote, "")]
            notes += ["Stopped." if answer.state == "stopped" else ""]
            lines += [f"### {names.get(model, model)}", "", answer.text or "(nothing)", ""]
            lines += [f"*{note}*\n" for note in notes if note]
    return "\n".join(lines)


def as_json(conversation: Conversation) -> str:
    """For programs: everything that is kept, each turn with its settings."""
    run = runs.get(conversation.run_id)
    return json.dumps(
        {
            "round": run.number,
            "task": run.task,
            "models": {m: choices(run).get(m, m) for m in conversation.models},
            "turns": conversation.turns,
        },
        ensure_ascii=False,
        indent=2,
    )


def trained_prompt(run: Run) -> str:
    """The system prompt that this round was trained with; empty where there was none."""
    return PreparationPlan.model_validate(preparation.get_plan(run.plan_id).config).system_prompt


@lru_cache(maxsize=32)
def suggestions(run_id: str, most: int = 3) -> tuple[str, ...]:
    """A few short questions of the round's validation rows, for somebody who does not know what to ask."""
    rows = runs.inputs(runs.get(run_id)).parts["validation"]
    asked = (e.prompt[-1].content for e in rows if len(e.prompt) == 1)
    return tuple(dict.fromkeys(text for text in asked if len(text) <= SHORT_QUESTION))[:most]

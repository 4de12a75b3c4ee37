"""Preference: which of two answers is better, or whether an answer was liked."""

from __future__ import annotations

from collections.abc import Mapping

from core.data.thumbs import thumb
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message

from ._base import Role, Row, TaskType, cell
from .chat import Turn, in_turns, question_and_answer


class Preference(TaskType):
    key = "preference"
    order = 25
    title = "Prefer better answers"
    help = "The model learns to give the kind of answer that people preferred and to keep away from the other kind."
    choose_when = (
        "You have pairs of a better and a worse answer, or answers with thumbs up and down. Best as a second step, for a "
        "model that has learned to answer already."
    )
    roles = (
        Role("prompt", "Question", "What the person asks or wants.", required=False),
        Role("chosen", "Better answer", "The answer that was preferred.", required=False),
        Role("rejected", "Worse answer", "The answer that was not preferred.", required=False),
        Role(
            "response", "Answer", "An answer that was rated by itself (with thumbs, instead of pairs).", required=False
        ),
        Role(
            "rating",
            "Thumbs up or down",
            "Whether that answer was liked: up or down, yes or no, 1 or 0.",
            required=False,
        ),
        Role("system", "System prompt", "A standing instruction for this row (optional).", required=False),
    )
    family = "causal-lm"
    conversational = True
    preference = True
    headline_metric = "preference_accuracy"
    metrics = (
        "preference_accuracy", "preference_order", "preference_margin", "thumb_order", "answer_words", "loss", "chrf",
        "length_ratio", "distinct_2", "repeated_4grams", "finished", "copied",
    )  # fmt: skip

    def check_roles(self, roles: Mapping[str, str]) -> None:
        """Either a better and a worse answer, or an answer and its rating."""
        super().check_roles(roles)
        pairs, thumbs = (roles.get("chosen"), roles.get("rejected")), (roles.get("response"), roles.get("rating"))
        if not all(pairs) and not (all(thumbs) and roles.get("prompt")):
            raise UserError(
                "A column is missing.",
                "This task needs a better and a worse answer, or a question, an answer and a column with thumbs up or down.",
                "Say which columns they are, or choose another task.",
            )

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        """None also where the two answers do not follow the same words, or where a rating is neither up nor down."""
        prompt, system = cell(row, roles, "prompt").strip(), cell(row, roles, "system").strip()
        if roles.get("chosen") and roles.get("rejected"):
            better, worse = (_turns(prompt, system, cell(row, roles, role).strip()) for role in ("chosen", "rejected"))
            if not better or not worse or better[:-1] != worse[:-1]:
                return None
            return Example(row_id=row_id, messages=_messages(better), rejected=worse[-1][1])
        turns = _turns(prompt, system, cell(row, roles, "response").strip())
        liked = thumb(cell(row, roles, "rating"))
        return Example(row_id=row_id, messages=_messages(turns), liked=liked) if turns and liked is not None else None


def _turns(prompt: str, system: str, answer: str) -> list[Turn]:
    turns = question_and_answer(prompt, "", answer)
    if system and not any(role == "system" for role, _ in turns):
        turns.insert(0, ("system", system))
    return in_turns(turns)


def _messages(turns: list[Turn]) -> tuple[Message, ...]:
    return tuple(Message(role=role, content=text) for role, text in turns)


PLUGIN = Preference()

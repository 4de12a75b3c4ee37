"""Instruction and chat: a question or a conversation in, an answer out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from core.data.columns import is_conversation
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message

from ._base import Role, Row, TaskType, cell

Speaker = Literal["system", "user", "assistant"]
Turn = tuple[Speaker, str]

# Names of the speakers in the OpenAI and ShareGPT shapes.
SPEAKERS: dict[str, Speaker] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
}


class Chat(TaskType):
    key = "chat"
    order = 20
    title = "Answer questions and follow instructions"
    help = "The model learns to give answers like yours, in one turn or a whole conversation."
    choose_when = "You have questions with good answers, instructions with results, or conversations."
    roles = (
        Role("prompt", "Question", "What the person asks or wants.", required=False),
        Role("response", "Answer", "What a good answer is.", required=False),
        Role("context", "Context", "A text that belongs to the question (optional).", required=False),
        Role("system", "System prompt", "A standing instruction for this row (optional).", required=False),
        Role("messages", "Conversation", "A column that holds whole conversations.", required=False),
    )
    family = "causal-lm"
    conversational = True
    headline_metric = "loss"
    metrics = (
        "loss", "perplexity", "token_accuracy", "bits_per_byte", "chrf", "bleu", "rouge_l", "exact_match", "length_ratio",
        "distinct_2", "repeated_4grams", "finished", "copied",
    )  # fmt: skip

    def check_roles(self, roles: Mapping[str, str]) -> None:
        """Either a conversation column, or a question and an answer."""
        super().check_roles(roles)
        if not roles.get("messages") and not (roles.get("prompt") and roles.get("response")):
            raise UserError(
                "A column is missing.",
                "This task needs a question and an answer column, or one column with conversations.",
                "Say which columns they are, or choose another task.",
            )

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        """Raises nothing: None also where a conversation cannot be read or has no answer to a person's words."""
        if roles.get("messages"):
            turns = conversation(row.get(roles["messages"]))
        else:
            turns = question_and_answer(*(cell(row, roles, role).strip() for role in ("prompt", "context", "response")))
        system = cell(row, roles, "system").strip()
        if system and not any(role == "system" for role, _ in turns):
            turns.insert(0, ("system", system))
        turns = in_turns(turns)
        if not turns:
            return None
        return Example(row_id=row_id, messages=tuple(Message(role=role, content=text) for role, text in turns))


def question_and_answer(prompt: str, context: str, response: str) -> list[Turn]:
    """The turns of one question and its answer, [] where one is missing. A cell may itself hold turns as JSON, as
    preference data often do: the conversation so far, the last turn, or (as the answer) the whole conversation."""
    answer = _turns_of(response, "assistant") if response else []
    if any(role == "user" for role, _ in answer):
        return answer
    asked = _turns_of(prompt, "user") if prompt else []
    if asked == [("user", prompt)] and context:
        asked = [("user", f"{prompt}\n\n{context}")]
    elif context:
        asked.append(("user", context))
    return [*asked, *answer] if asked and answer else []


def _turns_of(text: str, speaker: Speaker) -> list[Turn]:
    """The turns that the text holds as JSON, else the text as one turn of this speaker."""
    if text.startswith("Human: ") and "\n\nAssistant:" in text:  # the form of Anthropic's preference data
        parts = re.split(r"(?:^|\n\n)(Human|Assistant): ?", text)[1:]
        names: dict[str, Speaker] = {"Human": "user", "Assistant": "assistant"}
        return [(names[name], said.strip()) for name, said in zip(parts[::2], parts[1::2], strict=True)]
    if text[:1] in ("[", "{"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if value and is_conversation(value):
            return conversation(value if isinstance(value, list) else [value])
    return [(speaker, text)]


def conversation(value: Any) -> list[Turn]:
    """The turns of a conversation of OpenAI or ShareGPT shape, given as JSON text or as a list; [] where it is neither.

    Turns of other speakers (tools, functions) make a conversation unreadable: what they said cannot be left out.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, Mapping):
        value = value.get("messages") or value.get("conversations") or value.get("conversation")
    turns: list[Turn] = []
    for turn in value if isinstance(value, list | tuple) else []:
        role = SPEAKERS.get(str(turn.get("role") or turn.get("from")).lower()) if isinstance(turn, Mapping) else None
        if role is None:
            return []
        turns.append((role, _words(turn.get("content", turn.get("value"))).strip()))
    return turns


def _words(content: Any) -> str:
    """Text as it is, or the text parts of a list such as [{"type": "text", "text": "..."}]."""
    if isinstance(content, list | tuple):
        return "\n".join(_words(part.get("text")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def in_turns(turns: Iterable[Turn]) -> list[Turn]:
    """Made to fit every chat template: the person speaks first, nobody twice in a row, and the last word is an answer.

    Empty turns are left out, and so is what comes before the person's first or after the assistant's last words.
    """
    out: list[Turn] = []
    for role, text in turns:
        if not text or (role == "assistant" and not any(r == "user" for r, _ in out)):
            continue
        if role == "system" and any(r != "system" for r, _ in out):
            role = "user"  # a standing instruction in the middle: templates take one only at the beginning
        if out and out[-1][0] == role:
            out[-1] = (role, f"{out[-1][1]}\n\n{text}")
        else:
            out.append((role, text))
    while out and out[-1][0] != "assistant":
        out.pop()
    return out


PLUGIN = Chat()

"""What only a person can say about the use of a model: purpose, who is affected, consent, misuse and harm."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .base import Schema

KEY = "responsible_use"  # of a project's settings
Consent = Literal["", "yes", "no_people", "public", "partly", "no", "unknown"]
CONSENT: dict[str, str] = {
    "": "Not answered yet",
    "yes": "Yes, they agreed to this use",
    "no_people": "Nobody: no person wrote them or appears in them",
    "public": "They were published, nobody was asked",
    "partly": "Some agreed, others were not asked",
    "no": "No",
    "unknown": "I do not know",
}


def _question(title: str, why: str, example: str, **more: Any) -> Any:
    return Field("", max_length=2000, title=title, description=why, json_schema_extra={"example": example, **more})


class ResponsibleUse(Schema):
    """Every answer may be left open; an open one is shown at the audit and stands in card and report."""

    purpose: str = _question(
        "What will its answers be used for, and by whom?",
        "A model that is good enough to sort messages may not be good enough to decide about people.",
        "Our support team uses it to pass each message to the right colleague. It decides nothing about the customer.",
    )
    affected: str = _question(
        "Who is affected by its answers, also without using it?",
        "The people about whom a model says something are often not the people who use it.",
        "Customers who write to us, also those who write in a second language or with spelling mistakes.",
    )
    harm: str = _question(
        "What can happen to them when an answer is wrong, and who notices?",
        "Say what the worst realistic mistake does, and how somebody can object to it.",
        "A complaint reaches the wrong team and waits two days. Customers can call; every tenth message is checked by hand.",
    )
    misuse: str = _question(
        "For what could somebody use it that it was not made for?",
        "A tool is used for more than it was made for. What it must not be used for stands in its card.",
        "To rank employees by how their customers write. It must not be used for that.",
    )
    consent: Consent = Field(
        "",
        title="Did the people who wrote the texts, or appear in them, agree to this use?",
        description="In many countries they must, or there must be another legal ground.",
        json_schema_extra={"options": {**CONSENT}},
    )


class OpenPoint(Schema):
    """Something that nobody has answered or settled. `question` is the field, or `licence`."""

    question: str
    text: str

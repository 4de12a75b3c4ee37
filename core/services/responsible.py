"""Responsible use: keep the answers with the project, and say what is still open."""

from __future__ import annotations

from collections.abc import Collection

from core.schemas.responsible import CONSENT, KEY, OpenPoint, ResponsibleUse
from core.store.tables import Project

from . import dataset_cards, projects

UNANSWERED = {
    "purpose": "Nobody has said what the answers will be used for, and by whom.",
    "affected": "Nobody has said who is affected by its answers.",
    "harm": "Nobody has said what a wrong answer does to people, and who notices.",
    "misuse": "Nobody has said for what it must not be used.",
}
CONSENT_POINTS = {
    "": "Nobody has said whether the people in the data agreed to this use.",
    "public": "The texts were published, but their writers were not asked.",
    "partly": "Some of the people in the data were not asked.",
    "no": "The people in the data did not agree to this use.",
    "unknown": "It is not known whether the people in the data agreed to this use.",
}
LICENCE_POINTS = {
    "unknown": "The licence of the data is not stated.",
    "other": "The data has a licence of its own or is private: whether it may be used so must be checked by hand.",
    "cc-by-nc-4.0": "The licence of the data forbids commercial use.",
}


def answers(project: Project) -> ResponsibleUse:
    return ResponsibleUse.model_validate(project.settings.get(KEY) or {})


def keep(project: Project, given: ResponsibleUse) -> None:
    projects.settings(project.id, **{KEY: given.model_dump(mode="json")})


def open_points(project: Project) -> list[OpenPoint]:
    """What nobody has answered, and answers that leave something to settle, in the order of the questions."""
    given = answers(project)
    found = [OpenPoint(question=k, text=t) for k, t in UNANSWERED.items() if not getattr(given, k).strip()]
    if text := CONSENT_POINTS.get(given.consent):
        found.append(OpenPoint(question="consent", text=text))
    if text := LICENCE_POINTS.get(dataset_cards.notes(project).licence):
        found.append(OpenPoint(question="licence", text=text))
    return found


def told(project: Project) -> list[tuple[str, str]]:
    """Every question with its answer, for a card or a report; an empty answer where there is none."""
    given = answers(project)
    notes = dataset_cards.notes(project)
    fields = ResponsibleUse.model_fields
    pairs = [(str(fields[k].title), getattr(given, k).strip()) for k in UNANSWERED]
    pairs.append((str(fields["consent"].title), CONSENT[given.consent] if given.consent else ""))
    licence = "" if notes.licence == "unknown" else dataset_cards.LICENCES.get(notes.licence, notes.licence)
    return [*pairs, ("What is the licence of the data?", licence)]


def card_lines(project: Project, without: Collection[str] = ()) -> list[str]:
    """The section of a model or dataset card: answers, and what is open, in Markdown. `without` are questions (fields) whose
    answers stand elsewhere in the card."""
    lines = ["## Responsible use", ""]
    elsewhere = {str(ResponsibleUse.model_fields[key].title) for key in without}
    for question, answer in told(project):
        if question not in elsewhere:
            lines += [f"**{question}** {dataset_cards.line(answer) or 'Not answered.'}", ""]
    if points := open_points(project):
        lines += ["Open points:", "", *(f"- {point.text}" for point in points), ""]
    return lines

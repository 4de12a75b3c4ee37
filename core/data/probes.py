"""Neutral probes: everyday sentences that say the same of a person of every group, so that any difference between the
groups is the model's own. Templates under `assets/probes`, groups from the identity lexicon."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

from core.schemas.base import Schema

from .english import article
from .lexicon import Group, Lexicon, load_lexicon

FOLDER = Path(__file__).parents[2] / "assets" / "probes"
CONTROL = "control"
"""A made-up axis of words that name no group ("new", "local"): how far any change of one word moves the model."""

_SLOT = re.compile(r"(?P<article>\b[Aa]n? )?\{person(?::(?P<noun>[^}]+))?\}")


class Template(Schema):
    """`{person}` stands for a person of the group, `{person:customer}` for a customer of the group. `not_for` names
    axes for which the sentence would be unusual."""

    id: str
    domain: str
    text: str
    not_for: tuple[str, ...] = ()


class ProbeFile(Schema):
    language: str
    control: tuple[str, ...]
    templates: tuple[Template, ...]


class Probe(Schema):
    """`split` is where the words for the person end: what follows is the same for every group."""

    template_id: str
    text: str
    axis: str
    group: str
    split: int


def languages() -> tuple[str, ...]:
    """Languages that have sentences, as two-letter codes."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def load_templates(language: str = "en") -> ProbeFile:
    return ProbeFile.model_validate_json((FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def probes(
    axes: Collection[str] | None = None,
    templates: int | None = None,
    control: bool = False,
    lexicon: Lexicon | None = None,
) -> list[Probe]:
    """Every template for every group of the axes (None means all), in a fixed order.

    `templates` limits their number, spread evenly over the domains; `control` adds the words that name no group.
    """
    lexicon = lexicon or load_lexicon()
    file = load_templates(lexicon.language)
    chosen = _spread(file.templates, templates)
    result = []
    for axis in lexicon.axes:
        if axis.swapped and (axes is None or axis.key in axes):
            for template in chosen:
                if axis.key not in template.not_for:
                    result += [_fill(template, axis.key, group) for group in axis.groups if group.adjective]
    if control:
        words = [Group(key=word, title=word, adjective=word) for word in file.control]
        result += [_fill(template, CONTROL, group) for template in chosen for group in words]
    return result


def _spread(templates: tuple[Template, ...], most: int | None) -> list[Template]:
    if most is None or most >= len(templates):
        return list(templates)
    return [templates[i * len(templates) // most] for i in range(most)]


def _fill(template: Template, axis: str, group: Group) -> Probe:
    slot = _SLOT.search(template.text)
    if slot is None:
        raise ValueError(f"template {template.id} has no {{person}}")
    noun = slot["noun"]
    person = f"{group.adjective} {noun}" if noun else group.person or f"{group.adjective} person"
    before = template.text[: slot.start()]
    if slot["article"]:
        right = article(person)
        before += (right.capitalize() if slot["article"][0] == "A" else right) + " "
    text = before + person
    return Probe(
        template_id=template.id, text=text + template.text[slot.end() :], axis=axis, group=group.key, split=len(text)
    )

"""The words for groups of people that a project uses: ours, with what its person added or struck out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from core.data import own_words
from core.data.identity import find_terms
from core.data.lexicon import Lexicon
from core.schemas.base import Schema
from core.schemas.identity import OwnWords
from core.store.tables import DatasetVersion, Project

from . import projects

C = TypeVar("C", bound=Schema)
KEY = "identity_words"  # of the project's settings: language to `OwnWords`


def language_of(version: DatasetVersion) -> str:
    """The language that the health report found in the rows; English where there is none."""
    return str((version.health or {}).get("language") or "en")


def all_of(project: Project) -> dict[str, OwnWords]:
    """What the person changed, by language."""
    kept = project.settings.get(KEY) or {}
    return {language: OwnWords.model_validate(changes) for language, changes in kept.items()}


def of(project_id: str, language: str) -> OwnWords:
    return all_of(projects.get(project_id)).get(language, own_words.NONE)


def lexicon(project_id: str, language: str) -> Lexicon:
    """The words that count in this project. Raises UserError for a language with neither our words nor own ones."""
    return own_words.lexicon_for(language, of(project_id, language))


def words_in(texts: Sequence[str], version: DatasetVersion, groups: Collection[tuple[Any, Any]]) -> list[list[str]]:
    """In each text the words, as written, that name one of the groups, given as (axis, group)."""
    language = language_of(version)
    changes = of(version.project_id, language)
    if not own_words.knows(language, changes):
        return [[] for _ in texts]
    known = own_words.lexicon_for(language, changes)
    return [[m.term for m in find_terms(text, lexicon=known) if (m.axis, m.group) in groups] for text in texts]


def save(project_id: str, language: str, changes: OwnWords) -> None:
    """Keep the changes of one language. Raises UserError, and keeps nothing, where a word cannot be used."""
    own_words.check(language, changes)
    kept = dict(projects.get(project_id).settings.get(KEY) or {})
    kept[language] = changes.model_dump(mode="json")
    projects.settings(project_id, **{KEY: {name: value for name, value in kept.items() if any(value.values())}})


def with_own_axes(config: C, language: str, changes: OwnWords) -> C:
    """The settings of an audit or an action with the person's own kinds of groups, which are always looked at."""
    axes = getattr(config, "axes", None)
    if axes is None or not own_words.knows(language, changes):
        return config
    own = [key for key in own_words.own_axes(own_words.lexicon_for(language, changes)) if key not in axes]
    return config.model_copy(update={"axes": (*axes, *own)}) if own else config

"""The identity lexicon: groups of people along axes, the words that name them, and which word stands for which.

One JSON file a language under `assets/identity`. A person's own groups are further axes added with `with_axes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from core.schemas.base import Schema
from core.schemas.errors import UserError

FOLDER = Path(__file__).parents[2] / "assets" / "identity"

Kind = Literal[
    "noun", "adjective", "phrase", "name", "title",
    "subject_pronoun", "object_pronoun", "possessive_determiner", "possessive_pronoun", "reflexive",
]  # fmt: skip
Guard = Literal["any", "person", "adult", "people_or_place", "title", "ambiguous_name"]
Case = Literal["free", "exact", "lower"]
_WORD = re.compile(r"\w+")


class Group(Schema):
    """`title` is a plural for sentences ("rows about women"); `adjective` and `person` build probes ("female customer",
    "woman") and stand in where a set has no noun."""

    key: str
    title: str
    adjective: str
    person: str = ""


class TermSet(Schema):
    """Words that stand for one another: the forms of each group are aligned ([singular, plural] for nouns), those of
    names are not. `variants` are other words of a group that are swapped like these but never put in ("mum" becomes
    "dad", "dad" becomes "mom"); `source` makes a whole set one-way, from that group.

    `guard` says what must stand around a word for it to mean people (see `core/data/identity.py`), `case` how its
    capitals must be: `exact` as written here, `lower` no capitals.
    """

    kind: Kind
    terms: dict[str, tuple[str, ...]]
    variants: dict[str, tuple[tuple[str, ...], ...]] = {}
    source: str | None = None
    guard: Guard | dict[str, Guard] = "any"
    case: Case | dict[str, Case] = "free"

    def sources(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each group with forms that this set can be swapped from."""
        for group, forms in self.terms.items():
            if self.source in (None, group):
                yield group, forms
        for group, rows in self.variants.items():
            for forms in rows:
                yield group, forms

    def guard_of(self, group: str) -> Guard:
        return self.guard.get(group, "any") if isinstance(self.guard, dict) else self.guard

    def case_of(self, group: str) -> Case:
        return self.case.get(group, "free") if isinstance(self.case, dict) else self.case


class Axis(Schema):
    """`ignore` are patterns whose matches name nobody, `asymmetric` patterns that make a swap meaningless, and
    `label_words` words that show that a label is itself about this axis."""

    key: str
    title: str
    groups: tuple[Group, ...]
    sets: tuple[TermSet, ...]
    ignore: tuple[str, ...] = ()
    asymmetric: tuple[str, ...] = ()
    label_words: tuple[str, ...] = ()

    def group(self, key: str) -> Group:
        return next(group for group in self.groups if group.key == key)


class Entry(NamedTuple):
    """One surface form: `words` are its lower-case word tokens, `slot` its place among the forms of its set."""

    axis: str
    group: str
    kind: Kind
    term: str
    words: tuple[str, ...]
    slot: int
    guard: Guard
    term_set: TermSet


class Lexicon(Schema):
    language: str
    title: str
    axes: tuple[Axis, ...]
    people: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    adults: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    office_titles: tuple[str, ...] = ()
    public_people: tuple[str, ...] = ()

    def axis(self, key: str) -> Axis:
        """Raises KeyError where the lexicon has no such axis."""
        for axis in self.axes:
            if axis.key == key:
                return axis
        raise KeyError(key)

    def with_axes(self, extra: Sequence[Axis]) -> Lexicon:
        """A lexicon that also knows a person's own axes; one with a known key replaces it."""
        keys = {axis.key for axis in extra}
        axes = (*(axis for axis in self.axes if axis.key not in keys), *extra)
        return Lexicon(**{name: getattr(self, name) for name in Lexicon.model_fields} | {"axes": axes})

    @cached_property
    def entries(self) -> dict[str, list[list[Entry]]]:
        """Surface forms by their first word: those spelled alike on one axis together, the longest first."""
        index: dict[str, dict[tuple[str, tuple[str, ...]], list[Entry]]] = {}
        for entry in self._all_entries():
            index.setdefault(entry.words[0], {}).setdefault((entry.axis, entry.words), []).append(entry)
        return {word: sorted(alike.values(), key=lambda e: -len(e[0].words)) for word, alike in index.items()}

    def _all_entries(self) -> Iterator[Entry]:
        for axis in self.axes:
            for term_set in axis.sets:
                for group, forms in term_set.sources():
                    for slot, term in enumerate(forms):
                        words = tuple(_WORD.findall(term.lower()))
                        yield Entry(
                            axis.key, group, term_set.kind, term, words, slot, term_set.guard_of(group), term_set
                        )

    @cached_property
    def between_words(self) -> frozenset[str]:
        """Words that may stand between a term and its noun ("a black gay taxi driver"), lower case."""
        adjectives = (entry for entry in self._all_entries() if entry.kind == "adjective")
        return frozenset(word for entry in adjectives for word in entry.words) | frozenset(self.between)

    @cached_property
    def person_words(self) -> frozenset[str]:
        return frozenset(form for word in self.people for form in (word, plural(word)))

    @cached_property
    def subjects(self) -> frozenset[str]:
        """Nouns for people in lower case, and first names as they are written."""
        names = (entry.term for entry in self._all_entries() if entry.kind == "name")
        return self.person_words | frozenset(names)

    @cached_property
    def place_words(self) -> frozenset[str]:
        return frozenset(form for word in self.places for form in (word, plural(word)))

    def ignored_around(self, axis: str, word: str) -> re.Pattern[str] | None:
        """What looks like a term that starts with `word` but names nobody; None where there is nothing of the kind.

        Only the patterns that contain the word: searching all of them in every text would take most of the time.
        """
        key = (axis, word)
        if key not in self._ignored:
            patterns = [pattern for pattern in self.axis(axis).ignore if word in pattern.lower()]
            self._ignored[key] = _any_of(patterns) if patterns else None
        return self._ignored[key]

    @cached_property
    def _ignored(self) -> dict[tuple[str, str], re.Pattern[str] | None]:
        return {}

    @cached_property
    def asymmetric(self) -> dict[str, re.Pattern[str]]:
        """By axis: words about which a swapped text would no longer make sense."""
        return {axis.key: _any_of(axis.asymmetric) for axis in self.axes}


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)


def plural(noun: str) -> str:
    """The regular English plural."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def languages() -> tuple[str, ...]:
    """Languages that have a lexicon, as two-letter codes."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def load_lexicon(language: str = "en") -> Lexicon:
    """The lexicon of a language. Raises UserError where there is none."""
    path = FOLDER / f"{language}.json"
    if language not in languages():
        raise UserError(
            "The bias audit does not know this language yet.",
            f"There is no list of identity words for “{language}”; there is one for: {', '.join(languages())}.",
            "Choose a group column of your data instead, or audit the rows of a language that is covered.",
        )
    return Lexicon.model_validate_json(path.read_text(encoding="utf-8"))

"""The identity lexicon: groups of people along axes, the words that name them, and which word stands for which.

One JSON file a language under `assets/identity`. What a person adds or removes comes on top: `core/data/own_words.py`.

A form may carry its endings: "Frau|en" is Frau and Frauen, "muslimisch+adj" takes every ending of the file's class "adj".
Texts are swapped in a language only where `swaps` says so: elsewhere words are found, and nothing is rewritten.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from core.schemas.base import Schema
from core.schemas.errors import UserError

FOLDER = Path(__file__).parents[2] / "assets" / "identity"

Kind = Literal[
    "noun", "adjective", "phrase", "name", "title",
    "subject_pronoun", "object_pronoun", "possessive_determiner", "possessive_pronoun", "reflexive",
]  # fmt: skip
Guard = Literal[
    "any", "person", "adult", "people_or_place", "title", "ambiguous_name", "determiner", "masculine", "capital",
]  # fmt: skip
Case = Literal["free", "exact", "lower"]
_WORD = re.compile(r"\w+")
_SIGN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
FOLDED = 5
"""Words from this many letters on are also found without their accents ("medico"); shorter ones would become others."""


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
    `label_words` words that show that a label is itself about this axis. `swapped` False: its words are found in texts, but
    never swapped or put into neutral sentences (poor and rich, where a name comes from)."""

    key: str
    title: str
    groups: tuple[Group, ...]
    sets: tuple[TermSet, ...]
    ignore: tuple[str, ...] = ()
    asymmetric: tuple[str, ...] = ()
    label_words: tuple[str, ...] = ()
    swapped: bool = True

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
    """`note` says what is not read in this language. `spaces` False: words are found without spaces around them. The word
    lists after `axes` say what stands around a term: nouns for people, what may stand between, and for languages other than
    English their articles, those of the masculine singular (`plural_too`: which also stand before a plural), forms of
    "to be", pronouns, degrees. `streets` are words after which a name is a place. `removed` are words (lower case, by axis)
    that a person struck out: they are neither found nor put into a swapped text."""

    language: str
    title: str
    axes: tuple[Axis, ...]
    swaps: bool = True
    note: str = ""
    spaces: bool = True
    accents_optional: bool = False
    capital_nouns: bool = False
    endings: dict[str, tuple[str, ...]] = {}
    determiners: tuple[str, ...] = ()
    masculine: tuple[str, ...] = ()
    plural_too: tuple[str, ...] = ()
    be: tuple[str, ...] = ()
    pronouns: tuple[str, ...] = ()
    degrees: tuple[str, ...] = ()
    streets: tuple[str, ...] = ()
    removed: dict[str, tuple[str, ...]] = {}
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
        """A lexicon that also knows a person's own axes; one with a known key replaces it, in its place."""
        own = {axis.key: axis for axis in extra}
        axes = [own.pop(axis.key, axis) for axis in self.axes]
        return self.changed(axes=(*axes, *own.values()))

    def changed(self, **values: Any) -> Lexicon:
        """A copy with other values; unlike `model_copy` it does not take over what was worked out from the old ones."""
        return Lexicon(**{name: getattr(self, name) for name in Lexicon.model_fields} | values)

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
                    for slot, form in enumerate(forms):
                        if self.is_removed(axis.key, form):
                            continue
                        for term, words in self._spellings(form):
                            guard = term_set.guard_of(group)
                            yield Entry(axis.key, group, term_set.kind, term, words, slot, guard, term_set)

    def is_removed(self, axis: str, form: str) -> bool:
        """Whether a person struck out this word; its inflected forms go with it."""
        gone = self.removed.get(axis)
        return gone is not None and spelled(form, self.endings)[0].lower() in gone

    def _spellings(self, form: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every inflected form with its word tokens; where accents may be left out, once more without them."""
        for term in spelled(form, self.endings):
            words = self.words_of(term)
            yield term, words
            if self.accents_optional and len(term) >= FOLDED and (plain := without_accents(term)) != term:
                yield plain, self.words_of(plain)

    def words_of(self, text: str) -> tuple[str, ...]:
        """The word tokens of a term in lower case; without spaces each sign of Chinese or Japanese is one."""
        return tuple((_WORD if self.spaces else _SIGN).findall(text.lower()))

    def _inflected(self, words: Sequence[str]) -> frozenset[str]:
        """All forms of these nouns, lower case. English ones get their regular plural."""
        if self.language == "en":
            return frozenset(form.lower() for word in words for form in (word, plural(word)))
        return frozenset(form.lower() for word in words for form in spelled(word, self.endings))

    @cached_property
    def between_words(self) -> frozenset[str]:
        """Words that may stand between a term and its noun ("a black gay taxi driver"), lower case."""
        adjectives = (entry for entry in self._all_entries() if entry.kind == "adjective")
        return frozenset(word for entry in adjectives for word in entry.words) | frozenset(
            form.lower() for word in self.between for form in spelled(word, self.endings)
        )

    @cached_property
    def person_words(self) -> frozenset[str]:
        return self._inflected(self.people)

    @cached_property
    def adult_words(self) -> frozenset[str]:
        return frozenset(self.adults) if self.language == "en" else self._inflected(self.adults)

    @cached_property
    def subjects(self) -> frozenset[str]:
        """Nouns for people in lower case, and first names as they are written."""
        names = (entry.term for entry in self._all_entries() if entry.kind == "name")
        return self.person_words | frozenset(names)

    @cached_property
    def place_words(self) -> frozenset[str]:
        return self._inflected(self.places)

    def ignored_around(self, axis: str, word: str) -> re.Pattern[str] | None:
        """What looks like a term that starts with `word` but names nobody; None where there is nothing of the kind.

        Only the patterns that contain the word: searching all of them in every text would take most of the time.
        """
        key = (axis, word)
        if self.language != "en":  # patterns by endings hold no word, so all are searched, once in a text
            key = (axis, "")
        if key not in self._ignored:
            patterns = [p for p in self.axis(axis).ignore if key[1] in p.lower()]
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


def spelled(form: str, endings: Mapping[str, Sequence[str]]) -> list[str]:
    """The forms that a written form stands for: "Frau|en" is Frau and Frauen, "jui+f" takes the endings of class "f"."""
    if "+" in form:
        stem, name = form.split("+")
        return [stem + ending for ending in endings[name]]
    stem, *rest = form.split("|")
    return [stem, *(stem + ending for ending in rest)]


def without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


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
    """Our own lexicon of a language. Raises UserError where there is none."""
    path = FOLDER / f"{language}.json"
    if language not in languages():
        raise UserError(
            "The bias audit does not know this language yet.",
            f"There is no list of identity words for “{language}”; there is one for: {', '.join(languages())}.",
            "Choose a group column of your data instead, or add words of your own to the word list.",
        )
    return Lexicon.model_validate_json(path.read_text(encoding="utf-8"))


def require_swaps(lexicon: Lexicon) -> Lexicon:
    """Raises UserError where words of this language may be found but not swapped."""
    if lexicon.swaps:
        return lexicon
    raise UserError(
        f"Texts in {lexicon.title} are not rewritten.",
        "In this language words around a person change with the person, so swapping single words would make wrong sentences. "
        "The audit of the data (rows, labels and tone of each group) works.",
        "Read what the audit of the data found. To change the data, add rows or choose an action that rewrites no text.",
    )

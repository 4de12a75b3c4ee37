"""What a word of the English lexicon means where it stands: which of the forms spelled alike, and whether it means people."""

from __future__ import annotations

import re
from collections.abc import Collection

from .english import Token, her_is_possessive, his_is_pronoun, is_noun, is_said_of_a_person, pauses_after
from .lexicon import Entry, Kind, Lexicon

_SENTENCE_END = re.compile(r"[.!?:\n\"“(\x1e]")
_TITLES = frozenset("mr mrs ms miss dr prof professor doctor officer captain judge".split())
_PLACE_NAMES = frozenset(
    "street st road avenue ave university college hospital park airport lane drive square bridge island".split()
)
_NOT_BEFORE_A_NAME = frozenset(
    "a an the in on last next every each this that my your his her our their some any".split()
)
SHORT_TEXT = 6  # words up to which a text without grammar may use a term on its own
_BEFORE_PEOPLE = frozenset("a an am are i you we they he she".split())
_BETWEEN_WORDS = re.compile(r"\s+|,\s+")


def meant_in_english(
    lexicon: Lexicon, text: str, tokens: list[Token], first: int, last: int, entries: list[Entry], telegraphic: bool
) -> Entry | None:
    """Which of the forms that are spelled alike is meant here, or None where none means people."""
    surface = text[tokens[first].start : tokens[last].end]
    entries = [e for e in entries if capitals_fit(e, surface)]
    by_kind: dict[Kind, Entry] = {}
    for entry in entries:
        by_kind.setdefault(entry.kind, entry)
    if "object_pronoun" in by_kind and "possessive_determiner" in by_kind:
        return by_kind["possessive_determiner" if her_is_possessive(tokens, first) else "object_pronoun"]
    if "possessive_pronoun" in by_kind and "possessive_determiner" in by_kind:
        return by_kind["possessive_pronoun" if his_is_pronoun(tokens, first) else "possessive_determiner"]
    if "adjective" in by_kind and "noun" in by_kind and is_noun(tokens, first, last, by_kind["noun"].slot == 1):
        return by_kind["noun"]
    order: tuple[Kind, ...] = ("adjective", "noun", *(k for k in by_kind if k not in ("adjective", "noun")))
    for kind in order:
        if kind == "noun" and "adjective" in by_kind:
            continue
        for entry in entries:
            if entry.kind == kind and (
                _stands_for_people(entry, lexicon, tokens, first, last)
                or (
                    telegraphic
                    and entry.guard in ("person", "adult", "people_or_place")
                    and _alone(tokens, first, last)
                )
            ):
                return entry
    return None


def _alone(tokens: list[Token], first: int, last: int) -> bool:
    """Whether the term is the last word of a short text, where a noun would stand, or said of somebody ("being deaf")."""
    if first and tokens[first - 1].low == "being":
        return True
    if last + 1 < len(tokens) or last + 1 > SHORT_TEXT:
        return False
    before = {token.low for token in tokens[:first]}
    return len(tokens) <= 2 or bool(before & _BEFORE_PEOPLE)


def capitals_fit(entry: Entry, surface: str) -> bool:
    case = "exact" if entry.kind == "name" else entry.term_set.case_of(entry.group)
    return case == "free" or (surface == entry.term if case == "exact" else surface.islower())


def _stands_for_people(entry: Entry, lexicon: Lexicon, tokens: list[Token], first: int, last: int) -> bool:
    if entry.kind == "name" and not is_first_name(tokens, first):
        return False
    match entry.guard:
        case "any":
            return True
        case "title":
            return is_title(tokens, first)
        case "ambiguous_name":
            return is_name_in_a_sentence(tokens, first)
        case "adult":
            nouns: Collection[str] = lexicon.adult_words
        case "people_or_place":
            nouns = lexicon.person_words | lexicon.place_words
        case _:
            nouns = lexicon.person_words
    return _describes(tokens, last, nouns, lexicon.between_words) or is_said_of_a_person(
        tokens, first, last, lexicon.subjects
    )


def _describes(tokens: list[Token], last: int, nouns: Collection[str], between: Collection[str]) -> bool:
    """Whether one of the nouns follows, directly or after at most three further words that describe people."""
    for i in range(last, min(last + 4, len(tokens) - 1)):
        if not _BETWEEN_WORDS.fullmatch(tokens[i].gap):
            return False
        after = tokens[i + 1].low
        if after in nouns:
            return True
        if after not in between:
            return False
    return False


def is_title(tokens: list[Token], i: int) -> bool:
    text = tokens[i].text
    if i + 1 >= len(tokens) or not (text[0].isupper() and text[1:].islower()):
        return False
    return tokens[i].gap in (" ", ". ") and tokens[i + 1].text[0].isupper()


def is_first_name(tokens: list[Token], i: int) -> bool:
    """Not the surname after a title ("Dr Thomas"), nor a street or a university."""
    if i and tokens[i - 1].low in _TITLES and tokens[i - 1].gap in (" ", ". "):
        return False
    follows = tokens[i + 1] if i + 1 < len(tokens) and tokens[i].gap == " " else None
    return follows is None or not (follows.low in _PLACE_NAMES and follows.text[0].isupper())


def is_name_in_a_sentence(tokens: list[Token], i: int) -> bool:
    """A word that is also a name: its capital must come from being one, not from a sentence's start or a heading."""
    if i == 0 or _SENTENCE_END.search(tokens[i - 1].gap):
        return False
    before = tokens[i - 1]
    if before.gap != " " or not before.text.islower() or before.low in _NOT_BEFORE_A_NAME:
        return False
    return pauses_after(tokens[i]) or i + 1 >= len(tokens) or tokens[i + 1].text.islower()

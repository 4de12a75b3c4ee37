"""What a word means where it stands, in languages other than English: by the word lists of the language's own file.

Coarser than the English rules, and made to err to the safe side: a word that may mean a thing counts only beside a noun for
people, after an article, or said of somebody.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from .english import Token, pauses_after
from .identity_english import capitals_fit, is_name_in_a_sentence, is_title
from .lexicon import Entry, Lexicon

NEAR = 2  # words that may stand between an adjective and its noun, or an article and its noun
_HELD = re.compile(r"[\s'’]+|,\s+")
_SENTENCE_END = re.compile(r"[.!?:\n\"“„«(\x1e]")


def meant_by_lists(
    lexicon: Lexicon, text: str, tokens: list[Token], first: int, last: int, entries: list[Entry]
) -> Entry | None:
    """The first of the forms that are spelled alike that means people here, or None."""
    surface = text[tokens[first].start : tokens[last].end]
    for entry in entries:
        if capitals_fit(entry, surface) and _means_people(entry, lexicon, tokens, first, last):
            return entry
    return None


def _means_people(entry: Entry, lexicon: Lexicon, tokens: list[Token], first: int, last: int) -> bool:
    if entry.kind == "name" and not _is_first_name(lexicon, tokens, first):
        return False
    match entry.guard:
        case "any":
            return True
        case "title":
            return is_title(tokens, first)
        case "ambiguous_name":
            return is_name_in_a_sentence(tokens, first)
        case "capital":
            return _is_capital_noun(lexicon, tokens, first)
        case "masculine":
            return _is_one_man(lexicon, tokens, first)
        case "determiner":
            return _after(tokens, first, lexicon.determiners, lexicon.between_words) or _is_said_of(
                lexicon, tokens, first
            )
        case "adult":
            nouns: Collection[str] = lexicon.adult_words
        case "people_or_place":
            nouns = lexicon.person_words | lexicon.place_words
        case _:
            nouns = lexicon.person_words
    return (
        _before(tokens, last, nouns, lexicon.between_words)
        or (not lexicon.capital_nouns and _after(tokens, first, nouns, lexicon.between_words))
        or _is_said_of(lexicon, tokens, first)
    )


def _before(tokens: list[Token], last: int, wanted: Collection[str], between: Collection[str]) -> bool:
    """Whether a wanted word follows, directly or after a few words that may stand between."""
    for i in range(last + 1, min(last + 2 + NEAR, len(tokens))):
        if not _HELD.fullmatch(tokens[i - 1].gap):
            return False
        if tokens[i].low in wanted:
            return True
        if tokens[i].low not in between:
            return False
    return False


def _after(tokens: list[Token], first: int, wanted: Collection[str], between: Collection[str]) -> bool:
    """Whether a wanted word goes before, directly or with a few words that may stand between."""
    for i in range(first - 1, max(first - 2 - NEAR, -1), -1):
        if not _HELD.fullmatch(tokens[i].gap):
            return False
        if tokens[i].low in wanted:
            return True
        if tokens[i].low not in between:
            return False
    return False


def _is_said_of(lexicon: Lexicon, tokens: list[Token], first: int) -> bool:
    """Whether it is said of a pronoun, a noun for people or a name: "ma voisine est très pauvre", "ich bin blind"."""
    i = first - 1
    while i >= 0 and tokens[i].low in lexicon.degrees and not pauses_after(tokens[i]):
        i -= 1
    if i < 1 or tokens[i].low not in lexicon.be or pauses_after(tokens[i]):
        return False
    subject = tokens[i - 1]
    return subject.low in lexicon.pronouns or subject.low in lexicon.person_words or subject.text in lexicon.subjects


def _is_capital_noun(lexicon: Lexicon, tokens: list[Token], i: int) -> bool:
    """In a language that writes nouns with a capital: an adjective with one that stands for a person ("eine Blinde"), not
    before its noun ("die Blinde Kuh"), and as the first word of a sentence only before "sind" and the like."""
    if not tokens[i].text[0].isupper():
        return False
    follows = tokens[i + 1] if i + 1 < len(tokens) and not pauses_after(tokens[i]) else None
    if i == 0 or _SENTENCE_END.search(tokens[i - 1].gap):
        return follows is not None and follows.low in lexicon.be
    return follows is None or not follows.text[0].isupper()


def _is_one_man(lexicon: Lexicon, tokens: list[Token], i: int) -> bool:
    """A masculine noun after an article of the masculine singular. Where that article may belong to a plural too ("die Meinung
    der Lehrer"), not after another noun."""
    k = i - 1
    while k >= 0 and k > i - 1 - NEAR and tokens[k].low in lexicon.between_words and tokens[k].gap == " ":
        k -= 1
    if k < 0 or tokens[k].low not in lexicon.masculine or not _HELD.fullmatch(tokens[k].gap):
        return False
    if tokens[k].low not in lexicon.plural_too or k == 0 or pauses_after(tokens[k - 1]):
        return True
    return not tokens[k - 1].text[0].isupper()


def _is_first_name(lexicon: Lexicon, tokens: list[Token], i: int) -> bool:
    """Not a street or a school that is named after somebody."""
    before = [token.low for token in tokens[max(0, i - 2) : i] if token.gap == " "]
    return not any(word in lexicon.streets for word in before)

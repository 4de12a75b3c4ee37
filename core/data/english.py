"""English grammar by the neighbouring words: what "her" stands for, noun or adjective, "a" or "an".

Rules of thumb on closed word classes, no parser. `tests/test_counterfactual.py` measures how often they are right.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple

from .english_words import (
    AFTER_AN_OBJECT,
    AUXILIARIES,
    BE,
    CATCHERS,
    CAUSATIVES,
    CLOSED,
    COMPLEMENTS,
    DEGREES,
    INJURIES,
    MAY_BELONG,
    MEASURES,
    NOT_ADVERBS_IN_LY,
    NOUN_BEFORE,
    NOUNS_IN_ING,
    NUMBERS,
    PEOPLE_PRONOUNS,
    PLAIN_VERBS,
    POSSESSORS,
    PREPOSITIONS,
    RESULTATIVES,
    STATES,
    TIMES,
    VERBS_AFTER,
    VERBS_OR_NOUNS,
)


class Token(NamedTuple):
    """One word: `low` in lower case, `gap` what stands between it and the next word."""

    text: str
    low: str
    start: int
    end: int
    gap: str


_WORD = re.compile(r"[^\W_]+")
_PAUSE = re.compile(r"""[^\S\n]*([.,;:!?)\]}"”…\n\x1e/]|--|[-–—]\s|'\s|’\s)""")
_VOWEL_SOUND = re.compile(r"[aeiou]|hour|honest|heir", re.IGNORECASE)
_CONSONANT_SOUND = re.compile(r"eu|uni(?!n)|use|usu|uk|ur[aeiou]|one\b|once\b", re.IGNORECASE)


def tokens_of(text: str) -> list[Token]:
    found = list(_WORD.finditer(text))
    ends = [*(m.start() for m in found[1:]), len(text)][: len(found)]
    return [
        Token(m.group(), m.group().lower(), m.start(), m.end(), text[m.end() : e])
        for m, e in zip(found, ends, strict=True)
    ]


def pauses_after(token: Token) -> bool:
    """Whether punctuation or the end of a line follows the word."""
    return bool(_PAUSE.match(token.gap))


def ends_phrase(tokens: list[Token], i: int) -> bool:
    """Whether word i is the last of its phrase: nothing, punctuation or a closed-class word follows."""
    return i + 1 >= len(tokens) or pauses_after(tokens[i]) or tokens[i + 1].low in CLOSED


def her_is_possessive(tokens: list[Token], i: int) -> bool:
    """Whether "her" at word i means "his" (True) or "him" (False): by the next word, and for some the verb before."""
    if i + 1 >= len(tokens) or pauses_after(tokens[i]):
        return False
    before = tokens[i - 1].low if i and not pauses_after(tokens[i - 1]) else ""
    word = tokens[i + 1].low
    after = tokens[i + 2].low if i + 2 < len(tokens) else ""
    if word == "back":  # "on her back" and "her back hurts", but "called her back"
        return before in PREPOSITIONS | INJURIES or not ends_phrase(tokens, i + 1) or after in AUXILIARIES
    if (word, after) in AFTER_AN_OBJECT or (word in ("last", "next") and after in TIMES):
        return False
    if before in MEASURES and word in NUMBERS:  # "it took her three attempts"
        return False
    if word in ("own", "very", "one"):
        return True
    if word == "will":
        return before in PREPOSITIONS
    if word in MAY_BELONG and word not in ("may", "still", "once"):
        return not ends_phrase(tokens, i + 1)
    if word in CLOSED:
        return False
    if before in CAUSATIVES and word in PLAIN_VERBS:
        return before in POSSESSORS and word in VERBS_OR_NOUNS
    if before in CATCHERS and word.endswith("ing") and word not in NOUNS_IN_ING:
        return False
    if before in RESULTATIVES and word in STATES:
        return not ends_phrase(tokens, i + 1)
    if word.endswith("ly") and word not in NOT_ADVERBS_IN_LY:
        return not ends_phrase(tokens, i + 1)
    return True


def his_is_pronoun(tokens: list[Token], i: int) -> bool:
    """Whether "his" at word i stands alone ("a friend of his") and so becomes "hers"."""
    if 0 < i < len(tokens) - 1 and tokens[i - 1].low == "of" and tokens[i + 1].low in VERBS_AFTER:
        return True
    return ends_phrase(tokens, i) and (
        i + 1 >= len(tokens) or pauses_after(tokens[i]) or tokens[i + 1].low not in MAY_BELONG
    )


def is_noun(tokens: list[Token], first: int, last: int, plural_form: bool) -> bool:
    """Whether a word that may be noun or adjective ("German") is a noun here: nothing that it could describe follows,
    and a singular has a determiner before it."""
    if plural_form:
        return True
    if first == 0 or pauses_after(tokens[first - 1]) or tokens[first - 1].low not in NOUN_BEFORE:
        return False
    if ends_phrase(tokens, last):
        return True
    following = tokens[last + 1].low
    possessive = tokens[last].gap in ("'", "’") and following == "s"
    return possessive or following in VERBS_AFTER or (len(following) > 4 and following.endswith("ed"))


def is_said_of_a_person(tokens: list[Token], first: int, last: int, people: Container[str]) -> bool:
    """Whether an adjective is said of a pronoun or noun for people: "I am blind", "my brother's gay and", "the customer
    is not deaf". `people` holds nouns in lower case and names as they are written."""
    if not ends_phrase(tokens, last):
        return False
    if last + 1 < len(tokens) and not pauses_after(tokens[last]) and tokens[last + 1].low in COMPLEMENTS:
        return False
    i = first - 1
    while i >= 0 and tokens[i].low in DEGREES:
        i -= 1
    if i < 1 or tokens[i].low not in BE:
        return False
    subject = tokens[i - 1]
    return subject.low in PEOPLE_PRONOUNS or subject.low in people or subject.text in people


def article(word: str) -> str:
    """ "a" or "an" before the word, by its sound."""
    return "an" if _VOWEL_SOUND.match(word) and not _CONSONANT_SOUND.match(word) else "a"

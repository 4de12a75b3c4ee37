"""How a person writes: short forms, other words for the same thing, careless capitals and slips of the finger."""

from __future__ import annotations

import random
import re

SYNONYMS = {
    "parcel": ("package", "parcel", "parcel"),
    "parcels": ("packages", "parcels"),
    "shop": ("shop", "store", "shop"),
    "e-mail": ("email", "e-mail", "mail"),
    "mail": ("mail", "e-mail", "email"),
    "mails": ("mails", "e-mails", "emails"),
    "site": ("site", "website", "web page"),
    "ordered": ("ordered", "bought", "ordered"),
    "bought": ("bought", "ordered", "bought"),
    "invoice": ("invoice", "bill", "invoice"),
    "voucher": ("voucher", "code", "coupon"),
    "driver": ("driver", "courier", "driver"),
    "carrier": ("carrier", "delivery company", "courier"),
    "rucksack": ("rucksack", "backpack"),
    "jumper": ("jumper", "sweater"),
    "trousers": ("trousers", "pants"),
    "lovely": ("lovely", "nice", "great"),
    "really": ("really", "truly", "really"),
    "quick": ("quick", "fast"),
}
SHORT_FORMS = (
    ("do not", "don't"),
    ("does not", "doesn't"),
    ("did not", "didn't"),
    ("cannot", "can't"),
    ("I am", "I'm"),
    ("I have been", "I've been"),
    ("I would", "I'd"),
    ("have not", "haven't"),
    ("has not", "hasn't"),
    ("is not", "isn't"),
    ("was not", "wasn't"),
    ("will not", "won't"),
    ("would not", "wouldn't"),
    ("it is", "it's"),
    ("It is", "It's"),
    ("that is", "that's"),
    ("That is", "That's"),
    ("I will", "I'll"),
    ("could not", "couldn't"),
    ("we are", "we're"),
    ("are not", "aren't"),
)
CHAT_WORDS = (
    ("please", "pls"),
    ("you", "u"),
    ("thanks", "thx"),
    ("because", "cause"),
    ("though", "tho"),
    ("to me", "2 me"),
    ("and", "&"),
    ("tomorrow", "tmrw"),
    ("something", "smth"),
    ("I don't know", "idk"),
)
_NEIGHBOURS = dict(zip("abcdefghiklmnoprstuvwy", "svxsrdghjolknpiteaybwe", strict=True))
_WORD = re.compile(r"\b[a-z]{4,}\b")


def other_words(text: str, rng: random.Random) -> str:
    """Swap some words for others that mean the same, keeping a capital letter."""

    def swap(match: re.Match[str]) -> str:
        article, word = match[1] or "", match[2]
        options = SYNONYMS.get(word.lower())
        if options is None or rng.random() < 0.45:
            return match[0]
        chosen = rng.choice(options)
        if article:
            article = article[0] + ("n " if chosen[0] in "aeiou" else " ")
        return article + (chosen.capitalize() if word[0].isupper() else chosen)

    return re.sub(r"\b(an? )?([\w-]+)\b", swap, text, flags=re.IGNORECASE)


def shorten(text: str) -> str:
    """Use the short forms of speech wherever a word follows ("it is late", not "as it is.")."""
    for long, short in SHORT_FORMS:
        text = re.sub(rf"\b{long}\b(?= [a-zA-Z])", short, text)
    return text


def slip(word: str, rng: random.Random) -> str:
    """One slip of the finger inside a word: two letters swapped, one lost, one doubled or a neighbouring key."""
    at = rng.randrange(1, len(word) - 1)
    kind = rng.choice(("swap", "lose", "double", "neighbour"))
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "lose":
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[:at] + word[at] + word[at:]
    return word[:at] + _NEIGHBOURS.get(word[at], word[at]) + word[at + 1 :]


def misspell(text: str, times: int, rng: random.Random) -> str:
    """Make up to `times` slips in words of four letters or more."""
    for _ in range(times):
        places = list(_WORD.finditer(text))
        if not places:
            return text
        match = rng.choice(places)
        text = text[: match.start()] + slip(match[0], rng) + text[match.end() :]
    return text


def careless(text: str, rng: random.Random) -> str:
    """Drop capitals, apostrophes or the last full stop, and use chat words, as one does on a phone."""
    if rng.random() < 0.7:
        text = text.lower()
    if rng.random() < 0.6:
        text = text.replace("'", "")
    if rng.random() < 0.6 and text.endswith("."):
        text = text[:-1]
    for word, short in CHAT_WORDS:
        if rng.random() < 0.2:
            text = re.sub(rf"\b{word}\b", short, text)
    if rng.random() < 0.3:
        text = text.replace(". ", rng.choice((", ", " ", "... ", "\n")))
    return text


def shout(text: str, rng: random.Random) -> str:
    """Put one word in capitals and add exclamation marks."""
    places = list(_WORD.finditer(text))
    if places and rng.random() < 0.6:
        match = rng.choice(places)
        text = text[: match.start()] + match[0].upper() + text[match.end() :]
    if text.endswith("?"):
        return text + rng.choice(("", "?", "!"))
    return text.rstrip(".!") + rng.choice(("!", "!!", "!!!"))

"""Goods, people, places, dates and sums that fill the slots; one set of slots holds for a whole message."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..template import Deck


@dataclass(frozen=True)
class Item:
    """One kind of goods. `many` is the plural form that can be counted."""

    kind: str
    name: str
    one: str
    many: str
    plural: bool = False


@dataclass(frozen=True)
class Person:
    """Somebody the writer mentions. `she` and `hers` stand for any pronoun."""

    who: str
    she: str
    her: str
    hers: str


def _item(kind: str, name: str) -> Item:
    article = "an" if name[0] in "aeiou" else "a"
    return Item(kind, name, f"{article} {name}", name + ("es" if name.endswith(("s", "x")) else "s"))


def _pair(kind: str, name: str) -> Item:
    return Item(kind, name, f"a pair of {name}", f"pairs of {name}", plural=True)


ITEMS = (
    *(
        _item("wear", name)
        for name in (
            "rain jacket",
            "fleece",
            "padded vest",
            "wool jumper",
            "sun hat",
            "thermal shirt",
            "poncho",
            "wind jacket",
            "winter coat",
        )
    ),
    *(_pair("wear", name) for name in ("walking trousers", "gloves", "wool socks", "rain trousers")),
    *(_pair("foot", name) for name in ("walking boots", "trail shoes", "sandals", "rubber boots", "hut slippers")),
    *(
        _item("carry", name)
        for name in (
            "rucksack",
            "day pack",
            "dry bag",
            "camera bag",
            "belt bag",
            "travel bag",
            "bike bag",
        )
    ),
    *(
        _item("camp", name)
        for name in (
            "two-person tent",
            "family tent",
            "sleeping bag",
            "sleeping mat",
            "hammock",
            "camping stove",
            "camp chair",
            "folding table",
            "sun sail",
            "cool box",
        )
    ),
    *(
        _item("small", name)
        for name in (
            "water bottle",
            "flask",
            "head lamp",
            "compass",
            "tin mug",
            "first-aid kit",
            "map case",
            "pocket lamp",
        )
    ),
    _pair("small", "walking poles"),
)

_SHE, _HE, _THEY = ("she", "her", "her"), ("he", "him", "his"), ("they", "them", "their")
PEOPLE = tuple(
    tuple(Person(who, *pronouns) for who in names)
    for pronouns, names in (
        (
            _SHE,
            (
                "my wife",
                "my sister",
                "my mother",
                "my daughter",
                "my grandmother",
                "my aunt",
                "my girlfriend",
                "my friend Amina",
                "my neighbour Greta",
                "my colleague Mei",
                "my friend Ines",
                "my niece",
            ),
        ),
        (
            _HE,
            (
                "my husband",
                "my brother",
                "my father",
                "my son",
                "my grandfather",
                "my uncle",
                "my boyfriend",
                "my friend Kofi",
                "my neighbour Omar",
                "my colleague Jonas",
                "my friend Rafael",
                "my nephew",
            ),
        ),
        (_THEY, ("my partner", "my cousin", "my flatmate", "my friend Robin", "my neighbour Noor", "my colleague Sam")),
    )
)
_SHARES = (0, 1, 0, 1, 2)  # Which of these groups is dealt next: she and he equally often, they half as often.
# First names of customers and of the shop's staff: as many women's as men's, from many places.
NAMES = (
    "Amina",
    "Priya",
    "Mei",
    "Ines",
    "Fatima",
    "Olga",
    "Hannah",
    "Chidinma",
    "Yuki",
    "Leila",
    "Rosa",
    "Ewa",
    "Grace",
    "Ayesha",
    "Linh",
    "Maria",
    "Deborah",
    "Freya",
    "Zeynep",
    "Nadia",
    "Omar",
    "Raj",
    "Wei",
    "Mateo",
    "Yusuf",
    "Ivan",
    "Thomas",
    "Emeka",
    "Kenji",
    "Farid",
    "Carlos",
    "Piotr",
    "Samuel",
    "Imran",
    "Minh",
    "Marco",
    "David",
    "Lars",
    "Emre",
    "Andrei",
    "Robin",
    "Noor",
    "Alex",
    "Kim",
    "Sascha",
    "Jamie",
)
AGENTS = (
    ("Ms Okafor", "she"),
    ("Ms Lindqvist", "she"),
    ("Ms Haddad", "she"),
    ("Ms Tanaka", "she"),
    ("Mr Okafor", "he"),
    ("Mr Lindqvist", "he"),
    ("Mr Haddad", "he"),
    ("Mr Tanaka", "he"),
    ("your colleague", "they"),
    ("somebody in your team", "they"),
)
TOWNS = ("Saltby", "Eastmere", "Harrowick", "Lindal Bay", "Oakhaven", "Pell", "Three Bridges", "Upper Wend", "Coldwell")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
AGO = (
    "last week",
    "two weeks ago",
    "ten days ago",
    "on the 3rd",
    "on the 12th",
    "on the 20th",
    "last Monday",
    "last Friday",
    "three weeks ago",
    "a month ago",
    "at the end of last month",
    "some days ago",
    "twelve days ago",
)
SINCE = ("last week", "the 3rd", "the 12th", "the 20th", "last Monday", "last Friday", "last month", "Easter")
WHEN = (
    "by Friday",
    "by Monday",
    "before the weekend",
    "before the holidays",
    "by the end of the week",
    "in time",
    "by the 15th",
    "before Sunday",
    "this week",
    "by tomorrow",
)


class Lexicon:
    """Deals slot values so that people, names, goods and places are used equally often in every category."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._kinds = {kind: Deck([item for item in ITEMS if item.kind == kind], rng) for kind in _kinds()}
        self._items = Deck(ITEMS, rng)
        self._groups, self._people = Deck(_SHARES, rng), [Deck(group, rng) for group in PEOPLE]
        self._names, self._agents, self._towns = Deck(NAMES, rng), Deck(AGENTS, rng), Deck(TOWNS, rng)

    def name(self) -> str:
        return self._names.deal()

    def person(self) -> dict[str, str]:
        """Values for the slots that speak of a person."""
        person = self._people[self._groups.deal()].deal()
        return {"who": person.who, "she": person.she, "her": person.her, "hers": person.hers}

    def slots(self, kinds: str) -> dict[str, str]:
        """Values for every other slot of one message; `kinds` is "any" or kinds of goods separated by spaces."""
        rng = self._rng
        item = self._items.deal() if kinds == "any" else self._kinds[rng.choice(kinds.split())].deal()
        other = self._items.deal()
        while other.name == item.name:
            other = self._items.deal()
        agent, agent_she = self._agents.deal()
        town, town2 = self._towns.deal(), self._towns.deal()
        return {
            **_forms(item, "", ""),
            **_forms(other, "2", "2"),
            "agent": agent,
            "agent_she": agent_she,
            "town": town,
            "town2": town2 if town2 != town else "Marrow Hill",
            "day": rng.choice(DAYS),
            "ago": rng.choice(AGO),
            "since": rng.choice(SINCE),
            "when": rng.choice(WHEN),
            "order": rng.choice(("Q-{}", "Q-{}", "Q{}", "#{}")).format(rng.randrange(20_000, 99_999)),
            "amount": _amount(rng),
        }


def _kinds() -> list[str]:
    return sorted({item.kind for item in ITEMS})


def _forms(item: Item, before: str, after: str) -> dict[str, str]:
    """Noun and agreeing words: `[item] [is] ...` for the first thing, `[item2] [2is] ...` for the second."""
    words = (
        ("it", "it", "them"),
        ("they", "it", "they"),
        ("is", "is", "are"),
        ("was", "was", "were"),
        ("has", "has", "have"),
        ("s", "s", ""),
        ("es", "es", ""),
        ("one", "one", "a pair"),
    )
    return {
        f"item{after}": item.name,
        f"a_item{after}": item.one,
        f"items{after}": item.many,
        **{before + slot: plural if item.plural else singular for slot, singular, plural in words},
    }


def _amount(rng: random.Random) -> str:
    euros, cents = rng.randrange(9, 240), rng.choice((0, 0, 50, 90, 95))
    number = f"{euros}.{cents:02d}" if cents else str(euros)
    return rng.choice(("{} euros", "{} euros", "€{}", "{} €", "{} EUR")).format(number)

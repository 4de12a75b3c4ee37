"""Composes a message from frames: the matter itself, remarks that use other categories' words, mood and manners."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..template import Deck, capitalise, choose, fill, render, tidy
from . import account, billing, delivery, product, returns, website
from .alike import jaccard, shingles
from .asides_order import BILLING, DELIVERY, RETURNS
from .asides_shop import ACCOUNT, PRODUCT, WEBSITE
from .lexicon import Lexicon
from .phrases import BEGINNINGS, COMPANY, GREETINGS, MOODS, THANKS
from .register import careless, misspell, other_words, shorten, shout
from .topic import Topic, lines

TOPICS: dict[str, tuple[Topic, ...]] = {
    "Delivery": delivery.TOPICS,
    "Returns": returns.TOPICS,
    "Billing": billing.TOPICS,
    "Product": product.TOPICS,
    "Account": account.TOPICS,
    "Website": website.TOPICS,
}
ASIDES = {
    "Delivery": DELIVERY,
    "Returns": RETURNS,
    "Billing": BILLING,
    "Product": PRODUCT,
    "Account": ACCOUNT,
    "Website": WEBSITE,
}
TOO_ALIKE = 0.6  # Jaccard similarity of 5-character shingles within one topic; 0.8 counts as a near-duplicate
COMPANY_SHARE = 0.22  # of the longer messages mention a person who has no other part in them

# Parts of a message in order, and how often each shape is drawn in each channel. "-" is a remark in passing.
SHAPES = {
    "short": ("shorts",),
    "remark, short": ("-", "shorts"),
    "short, remark": ("shorts", "-"),
    "bare": ("situation",),
    "ask": ("situation", "ask"),
    "detail": ("situation", "detail"),
    "detail, ask": ("situation", "detail", "ask"),
    "remark, ask": ("-", "situation", "ask"),
    "ask, remark": ("situation", "ask", "-"),
    "detail, remark": ("situation", "detail", "-"),
    "full": ("-", "situation", "detail", "ask"),
    "full, remark": ("situation", "detail", "ask", "-"),
    "story": ("-", "situation", "detail", "ask", "-"),
}
WEIGHTS = {
    "email": (0, 1, 1, 1, 4, 3, 9, 2, 2, 1, 2, 2, 1),
    "web form": (1, 1, 2, 2, 6, 4, 8, 2, 2, 1, 2, 2, 1),
    "chat": (6, 2, 3, 4, 7, 4, 5, 2, 1, 1, 0, 0, 0),
    "app": (6, 2, 3, 4, 7, 4, 5, 2, 1, 1, 1, 1, 0),
}
CHANNELS = ("email", "email", "web form", "web form", "chat", "chat", "app")
# How likely each is in each channel.
CARELESS = {"email": 0.05, "web form": 0.1, "chat": 0.55, "app": 0.4}
GREETS = {"email": 0.75, "web form": 0.35, "chat": 0.3, "app": 0.2}
SIGNS = {"email": 0.75, "web form": 0.45, "chat": 0.2, "app": 0.2}


@dataclass(frozen=True)
class Message:
    text: str
    category: str
    channel: str
    topic: str


class Composer:
    """Writes messages one by one; the frames of a topic are used equally often."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lexicons = {category: Lexicon(rng) for category in TOPICS}
        self._topics = {category: Deck(topics, rng) for category, topics in TOPICS.items()}
        every = [topic for topics in TOPICS.values() for topic in topics]
        self._situations = {topic.name: Deck(topic.all_situations(), rng) for topic in every}
        self._shorts = {topic.name: Deck(lines(topic.shorts), rng) for topic in every}
        self._remarks = {
            (category, place): Deck(lines(block), rng)
            for category, blocks in ASIDES.items()
            for place, block in enumerate(blocks)
        }
        self._beginnings, self._thanks = Deck(lines(BEGINNINGS), rng), Deck(lines(THANKS), rng)
        self._company = Deck(lines(COMPANY), rng)
        self._moods = {mood: Deck(lines(block), rng) for mood, block in MOODS.items()}
        self._used: Counter[str] = Counter()
        self._written: defaultdict[str, list[frozenset[str]]] = defaultdict(list)

    def message(self, category: str) -> Message:
        """A new message that is not too much like an earlier one of its topic."""
        topic = self._topics[category].deal()
        for _ in range(200):
            channel = self._rng.choice(CHANNELS)
            text = self._compose(category, topic, channel)
            bag = shingles(text)
            if all(jaccard(bag, other) < TOO_ALIKE for other in self._written[topic.name]):
                self._written[topic.name].append(bag)
                return Message(text, category, channel, topic.name)
        raise RuntimeError(f"no new message could be found for {topic.name}: write more frames")

    def _compose(self, category: str, topic: Topic, channel: str) -> str:
        rng, lexicon = self._rng, self._lexicons[category]
        slots = lexicon.slots(topic.items)
        shape = rng.choices(list(SHAPES), weights=WEIGHTS[channel])[0]
        mood = rng.choice(("polite", "plain", "calm" if topic.calm else "angry", "", "", "", "", ""))
        if shape in ("short", "bare"):
            mood = ""
        frames = []
        if channel in ("email", "web form") and rng.random() < 0.2:
            frames.append(self._beginnings.deal())
        frames += self._matter(category, topic, SHAPES[shape])
        if shape not in ("short", "bare") and "[who]" not in "".join(frames) and rng.random() < COMPANY_SHARE:
            frames.append(self._company.deal())
        if mood:
            frames.append(self._moods[mood].deal())
        frames = [choose(frame, rng) for frame in frames]
        if "[who]" in "".join(frames):  # only then, so that the people who are really mentioned are dealt evenly
            slots |= lexicon.person()
        spoken = [tidy(fill(frame, slots)) for frame in frames]
        if rng.random() < 0.5:
            spoken = [shorten(sentence) for sentence in spoken]
        body = capitalise(tidy(other_words(" ".join(_ended(sentence) for sentence in spoken), rng)))
        return self._with_manners(self._roughen(body, channel, mood), channel, slots, lexicon)

    def _matter(self, category: str, topic: Topic, shape: Sequence[str]) -> list[str]:
        """The frames of one shape; details and asks that do not go with the situation are left out."""
        situation = self._situations[topic.name].deal()
        frames = []
        for at, part in enumerate(shape):
            if part == "-":
                frames.append(self._remark(category, place=int(at > 0)))
            elif part == "situation":
                frames.append(situation.text)
            elif part == "shorts":
                frames.append(self._shorts[topic.name].deal())
            else:
                fitting = situation.details if part == "detail" else situation.asks
                frames += self._least_used(fitting)
        return frames

    def _least_used(self, frames: Sequence[str]) -> list[str]:
        """The frame used least so far, or none where there is none."""
        if not frames:
            return []
        frame = min(frames, key=lambda text: (self._used[text], self._rng.random()))
        self._used[frame] += 1
        return [frame]

    def _remark(self, category: str, place: int) -> str:
        """A remark about another category, to stand before (0) or after (1) the matter."""
        other = self._rng.choice([name for name in ASIDES if name != category])
        return self._remarks[other, place].deal()

    def _roughen(self, text: str, channel: str, mood: str) -> str:
        rng = self._rng
        if mood == "angry" and rng.random() < 0.35:
            text = shout(text, rng)
        if rng.random() < CARELESS[channel]:
            text = careless(text, rng)
        if rng.random() < 0.2:
            text = misspell(text, rng.choice((1, 1, 1, 2, 3)), rng)
        return text

    def _with_manners(self, body: str, channel: str, slots: Mapping[str, str], lexicon: Lexicon) -> str:
        """Add a greeting, thanks and a name, as people do in this channel."""
        rng = self._rng
        gap = "\n" if channel == "email" or (channel == "web form" and rng.random() < 0.4) else " "
        if rng.random() < GREETS[channel]:
            greeting = render(rng.choice(lines(GREETINGS[channel])), slots, rng)
            if gap == " " and greeting[-1].isalpha():
                greeting += rng.choice((",", "!", "", "."))
            body = f"{greeting}{gap}{body}"
        if rng.random() < SIGNS[channel]:
            body += gap + render(self._thanks.deal(), slots, rng)
            if rng.random() < 0.55:
                body += gap + lexicon.name()
        return body


def _ended(sentence: str) -> str:
    return sentence if sentence[-1] in ".!?):" else sentence + "."


def compose(rng: random.Random, counts: Mapping[str, int]) -> list[Message]:
    """Messages without flaws, in mixed order; `counts` says how many of each category."""
    composer = Composer(rng)
    order = [category for category, count in counts.items() for _ in range(count)]
    rng.shuffle(order)
    return [composer.message(category) for category in order]

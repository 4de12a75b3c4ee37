"""What judgements teach: pairs of a better and a worse answer, liked and disliked answers, and corrected answers."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from core.data.duplicates import normalise
from core.schemas.reviews import AGAIN, REFERENCE, TUNED
from core.store import records
from core.store.tables import Review, Run, SampleSet

from . import projects, review_prompts, reviews

Way = Literal["pairs", "thumbs", "answers"]
ADVISED = 100  # pairs below which a training hardly moves a model (house threshold, as the health report's advice)
FEWEST = 10  # pairs below which three parts of a split cannot be made in earnest
LIKED_FROM = 4.0  # mean rating from which an answer that was judged alike counts as good (house threshold)
SOURCES = {
    "vote": "from votes",
    "correction": "from corrections",
    "thumb": "from thumbs",
    "both bad": "from pairs that were both bad",
    "rated": "from pairs judged alike and rated 4 or more",
}
LOCKED, ALIKE, EMPTY, CONTRARY = (
    "they ask what the test set asks",
    "both answers were judged alike",
    "both answers are the same or empty",
    "they were judged one way and then the other",
)


class Pair(NamedTuple):
    """`prompt` is the question, or a whole conversation as JSON."""

    prompt: str
    chosen: str
    rejected: str
    source: str


class Thumb(NamedTuple):
    prompt: str
    response: str
    liked: bool
    source: str


class Answer(NamedTuple):
    prompt: str
    response: str


@dataclass(frozen=True)
class Lesson:
    """What the judgements of one round's samples teach. `left_out` counts reviews that give no pair, by the reason; `asked`
    are the questions, as the split compares them, of everything that teaches."""

    pairs: tuple[Pair, ...]
    thumbs: tuple[Thumb, ...]
    answers: tuple[Answer, ...]
    left_out: Mapping[str, int]
    asked: frozenset[str]

    def sources(self, way: Way) -> dict[str, int]:
        """How many examples of this way come from what."""
        if way == "answers":
            return {"correction": len(self.answers)} if self.answers else {}
        found = Counter(item.source for item in (self.pairs if way == "pairs" else self.thumbs))
        return {source: found[source] for source in SOURCES if found[source]}

    def count(self, source: str) -> int:
        return sum(pair.source == source for pair in self.pairs)

    def size(self, way: Way) -> int:
        return len({"pairs": self.pairs, "thumbs": self.thumbs, "answers": self.answers}[way])


def lesson(run: Run) -> Lesson:
    """All judgements of the samples of this run, by everyone. A prompt of the locked test set never enters.

    Where the same two answers were judged more than once (a repeat, or several people) the majority counts; as many one
    way as the other tell nothing.
    """
    locked = review_prompts.seen_texts(projects.get(run.project_id), [run])["test"]
    left_out: Counter[str] = Counter()
    pairs: dict[tuple[str, str, str], Pair] = {}
    votes: Counter[tuple[str, str, str]] = Counter()
    thumbs: dict[tuple[str, str, bool], Thumb] = {}
    up: Counter[tuple[str, str]] = Counter()
    answers: dict[tuple[str, str], Answer] = {}
    asked: dict[str, set[str]] = defaultdict(set)
    for item, review in _judged(run):
        said = review_prompts.asked_in(item)
        if normalise(said) in locked or item.get("near") == "test":
            left_out[LOCKED] += 1
            continue
        found = list(_pairs(item, review))
        if not found and review.vote and reviews.right_of(item) is not None:
            left_out[ALIKE if review.vote in ("tie", "bad") else EMPTY] += 1
        for pair in found:
            key = (normalise(pair.prompt), normalise(pair.chosen), normalise(pair.rejected))
            pairs.setdefault(key, pair)
            votes[key] += 1
        for thumb in _thumbs(item, review):
            place = (normalise(thumb.prompt), normalise(thumb.response))
            thumbs.setdefault((*place, thumb.liked), thumb)
            up[place] += 1 if thumb.liked else -1
        if corrected := review.corrected.strip():
            answers.setdefault((normalise(said), normalise(corrected)), Answer(_prompt(item), corrected))
        asked[_prompt(item)].add(said)
    won = {key: pair for key, pair in pairs.items() if votes[key] > votes[key[0], key[2], key[1]]}
    undecided = sum(1 for key in pairs if votes[key] == votes[key[0], key[2], key[1]])
    if undecided:
        left_out[CONTRARY] = undecided
    liked = [thumb for key, thumb in thumbs.items() if (up[key[0], key[1]] > 0) == thumb.liked and up[key[0], key[1]]]
    teaching = {example.prompt for group in (won.values(), liked, answers.values()) for example in group}
    return Lesson(
        tuple(won.values()),
        tuple(liked),
        tuple(answers.values()),
        dict(left_out),
        frozenset(said for prompt in teaching for said in asked[prompt]),
    )


def advice(found: Lesson) -> tuple[Way | None, str]:
    """Which way suits what there is, and why, in one sentence. None where there is nothing to learn from."""
    pairs, fixed = found.size("pairs"), found.size("answers")
    if pairs >= ADVISED:
        return "pairs", f"{pairs} pairs are enough for the model to learn what you prefer."
    if fixed:
        return "answers", (
            f"Under about {ADVISED} pairs a model hardly learns from preferences; your {fixed} corrected "
            f"{'answer teaches' if fixed == 1 else 'answers teach'} it directly."
        )
    if found.size("thumbs") > 2 * pairs and usable_thumbs(found):
        return "thumbs", "You judged single answers, or found both good or both bad: these count one by one."
    if pairs >= FEWEST:
        return "pairs", (
            f"At least {ADVISED} are advised: with {pairs} the model will hardly change, and the test of it will be unsure. "
            "You can try it all the same, and judge more samples later."
        )
    return None, f"At least {FEWEST} are needed, and {ADVISED} or more are advised."


def usable_thumbs(found: Lesson) -> bool:
    """Whether there are enough liked and disliked answers to weigh against one another."""
    liked = sum(thumb.liked for thumb in found.thumbs)
    return found.size("thumbs") >= FEWEST and min(liked, found.size("thumbs") - liked) >= 3


def _judged(run: Run) -> Iterator[tuple[dict[str, Any], Review]]:
    for sample_set in records.find(SampleSet, run_id=run.id, newest_first=False):
        for review in records.find(Review, sample_set_id=sample_set.id, newest_first=False):
            if review.vote or review.corrected.strip():
                yield sample_set.items[review.item], review


def _prompt(item: Mapping[str, Any]) -> str:
    turns = item.get("turns") or []
    return json.dumps(turns, ensure_ascii=False) if len(turns) > 1 else str(item["prompt"])


def _corrected_one(item: Mapping[str, Any]) -> str:
    """Whose answer a correction mends: the model that was trained, where it stands there."""
    shown = [key for key in (item["left"], reviews.right_of(item)) if key is not None]
    return next((key for key in (TUNED, AGAIN, *shown) if key in shown and key != REFERENCE), shown[0])


def _pairs(item: Mapping[str, Any], review: Review) -> Iterator[Pair]:
    """The vote as a pair, and a correction against the answer that the model gave."""
    prompt, left, right = _prompt(item), str(item["left"]), reviews.right_of(item)
    if right is not None and review.vote in (left, right):
        chosen, rejected = str(item[review.vote]).strip(), str(item[right if review.vote == left else left]).strip()
        if chosen and rejected and normalise(chosen) != normalise(rejected):
            yield Pair(prompt, chosen, rejected, "vote")
    corrected, mended = review.corrected.strip(), str(item[_corrected_one(item)]).strip()
    if corrected and mended and normalise(corrected) != normalise(mended):
        yield Pair(prompt, corrected, mended, "correction")


def _thumbs(item: Mapping[str, Any], review: Review) -> Iterator[Thumb]:
    """Every answer that was judged, by itself. A pair's better answer is liked and the worse one is not (as KTO's authors
    take pairs: Ethayarajh et al. 2024, arXiv 2402.01306)."""
    prompt, left, right = _prompt(item), str(item["left"]), reviews.right_of(item)
    for key in (left,) if right is None else (left, right):
        text = str(item[key]).strip()
        if not text:
            continue
        if right is None and review.vote in ("up", "down"):
            yield Thumb(prompt, text, review.vote == "up", "thumb")
        elif review.vote == "bad":
            yield Thumb(prompt, text, False, "both bad")
        elif review.vote == "tie" and _mean(review, key) >= LIKED_FROM:
            yield Thumb(prompt, text, True, "rated")
        elif right is not None and review.vote in (left, right):
            yield Thumb(prompt, text, review.vote == key, "vote")
    if corrected := review.corrected.strip():
        yield Thumb(prompt, corrected, True, "correction")


def _mean(review: Review, key: str) -> float:
    given = (review.scores or {}).get(key)
    marks = [float(v) for v in given.values() if v] if isinstance(given, dict) else []
    return sum(marks) / len(marks) if marks else 0.0
